import numpy as np
import pytest

from hemx_core.imaging.levels import GRID_MM, Sample, bone_from, brain_level, enclosed, mode
from hemx_core.imaging.volume import HUVolume
from tests.factories import simple_head


@pytest.mark.parametrize(("pixel_mm", "stride"), [(3.0, 1), (1.5, 1), (0.9, 2), (0.45, 4)])
def test_a_sample_takes_true_values_not_averages(pixel_mm: float, stride: int) -> None:
    hu = np.random.default_rng(0).integers(-1000, 2000, (3, 20, 24))
    sample = Sample.of(HUVolume(hu, spacing_mm=(5, pixel_mm, pixel_mm)))
    assert np.array_equal(sample.values, hu[:, ::stride, ::stride])
    assert sample.spacing_mm == (stride * pixel_mm, stride * pixel_mm)
    assert max(sample.spacing_mm) <= max(GRID_MM, pixel_mm)


@pytest.mark.parametrize("shift", [-1024, 0, 5000])
def test_the_level_of_brain_on_any_scale(shift: int) -> None:
    head = simple_head(clot_mm=20)
    sample = Sample.of(HUVolume(head.hu.astype(int) + shift, spacing_mm=head.spacing_mm))
    assert brain_level(sample, 600 + shift) == pytest.approx(32 + shift, abs=2)


def test_no_level_without_a_closed_skull() -> None:
    head = simple_head()
    hu = head.hu.copy()
    hu[:, 60:100, :80] = np.minimum(hu[:, 60:100, :80], 40)
    assert brain_level(Sample.of(HUVolume(hu, spacing_mm=head.spacing_mm))) is None


def test_a_suture_does_not_open_the_skull() -> None:
    bone = np.zeros((60, 60), bool)
    bone[10:50, 10:50] = True
    bone[14:46, 14:46] = False
    bone[8:20, 28:32] = False
    inside = enclosed(bone, (1.5, 1.5))
    assert inside[30, 30]
    assert not inside[:12].any()
    bone[8:20, 20:40] = False
    assert not enclosed(bone, (1.5, 1.5)).any()


def test_a_skull_cut_by_the_edge_of_the_picture_is_open() -> None:
    bone = np.zeros((60, 60), bool)
    bone[:, 10:14] = bone[:, 40:44] = True
    assert not enclosed(bone, (1.5, 1.5)).any()


def test_the_mode_is_the_hill_not_the_spike() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(32, 6, 20_000).round(), [900] * 50]).astype(np.int32)
    assert mode(values) == pytest.approx(32, abs=1)


def test_from_where_bone_is_seen() -> None:
    assert bone_from(None) == 250
    assert bone_from((-20, 100)) == 98
    assert bone_from((-20, 1800)) == 250

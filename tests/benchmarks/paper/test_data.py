from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.paper.data import Coarser, RealSlices, coarser, gather, patient_numbers
from benchmarks.paper.scale import FULL, SMALL, TINY, scale_named
from hemx_core.data.study import Study
from hemx_core.errors import DatasetError, TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from tests.factories import make_study, write_phe_sich


class Source:
    """Two training studies of one patient and one of another."""

    preprocessing = PreprocessingSpec(size=128, pixel_mm=1.8)
    description = {"name": "made up"}  # noqa: RUF012

    def __init__(self) -> None:
        self.calls: list[str] = []

    def patients(self, split: str) -> list[Study]:
        self.calls.append(split)
        return [make_study(patient_id=name, size=128, seed=i) for i, name in enumerate("aab")]


def test_coarser_averages_pixels_and_halves_masks() -> None:
    study = make_study(size=32)
    small = coarser(study, 2)
    assert small.image.shape == small.mask.shape == small.known.shape == (2, 16, 16)
    first = study.image[0, 4:6, 6:8].astype(np.float32).mean()
    assert small.image[0, 2, 3] == pytest.approx(first, abs=1e-3)
    np.testing.assert_array_equal(small.mask, study.mask[:, ::2, ::2])
    one = np.zeros_like(study.mask)
    one[0, 0, 0] = one[0, 2, 2] = one[0, 2, 3] = True
    found = coarser(replace(study, mask=one), 2).mask
    assert found.sum() == 1
    assert found[0, 1, 1]
    assert coarser(study, 1) is study


def test_coarser_source_keeps_the_field_of_view_and_reads_once() -> None:
    source = Source()
    found = Coarser(source, 64)
    assert found.preprocessing.size * found.preprocessing.pixel_mm == pytest.approx(230.4)
    assert found.patients("train")[0].image.shape == (2, 64, 64)
    found.patients("train")
    assert source.calls == ["train"]
    with pytest.raises(DatasetError, match="multiple"):
        Coarser(source, 48)


def test_studies_of_a_patient_share_its_number() -> None:
    studies = Source().patients("train")
    np.testing.assert_array_equal(patient_numbers(studies), [0, 0, 1])
    slices = gather(studies)
    np.testing.assert_array_equal(slices.study, [0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(slices.patient, [0, 0, 0, 0, 1, 1])
    both = slices.join(slices)
    np.testing.assert_array_equal(both.study[6:], slices.study + 3)
    np.testing.assert_array_equal(both.patient[6:], slices.patient + 2)
    assert len(both) == len(both.image) == 12
    with pytest.raises(DatasetError, match="no study"):
        gather([])


def test_real_slices_are_prepared_once(tmp_path: Path) -> None:
    folder = write_phe_sich(tmp_path / "phe_sich", patients=40)
    source = RealSlices(folder, tmp_path / "cache", PreprocessingSpec(size=64, pixel_mm=3.6))
    first = source.patients("test")
    study = first[0]
    assert len(first) == 16
    assert study.mask.any()
    assert (study.slice_markers == -1).all()
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert len(written) == 16
    list(source.patients("test"))
    assert written == {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}


def test_scales_cover_the_same_field() -> None:
    for scale in (TINY, SMALL, FULL):
        spec = scale.preprocessing
        assert spec.size * spec.pixel_mm == pytest.approx(230.4)
        assert scale_named(scale.name) is scale
        assert scale.crop % 32 == scale.whole % 32 == scale.grid % 32 == 0
        bare = scale.no_preprocessing
        assert (bare.remove_bone, bare.remove_artefacts, bare.centre) == (False,) * 3
    with pytest.raises(TrainingError, match="scale"):
        scale_named("huge")

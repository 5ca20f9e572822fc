from dataclasses import replace

import numpy as np
import pytest

from hemx_core.imaging.volume import Coverage, HUVolume
from hemx_core.measure.haematoma import haematoma_notes, measure_haematoma
from hemx_core.notes import Severity


def _volume() -> HUVolume:
    hu = np.random.default_rng(1).normal(60, 2, (6, 64, 64))
    return HUVolume(hu, spacing_mm=(5.0, 1.0, 1.0))


def _codes(mask: np.ndarray) -> set[str]:
    volume = _volume()
    haematoma = measure_haematoma(mask, volume, min_component_ml=0.1)
    return {note.code for note in haematoma_notes(haematoma, volume)}


def test_volume_counts_all_components_and_abc2_and_diameter_the_largest() -> None:
    mask = np.zeros((6, 64, 64), bool)
    mask[2:4, 10:30, 10:30] = True
    mask[3, 50:60, 50:60] = True
    mask[5, 0, 0] = True
    haematoma = measure_haematoma(mask, _volume(), min_component_ml=0.1)
    assert haematoma.volume_ml == pytest.approx(4.5)
    assert haematoma.component_volumes_ml == pytest.approx([4.0, 0.5])
    assert haematoma.abc2_volume_ml == pytest.approx(4.0)
    assert haematoma.max_diameter_mm == pytest.approx(np.hypot(20, 20))
    assert haematoma.areas_mm2 == pytest.approx([0, 0, 400, 500, 0, 0])
    assert haematoma.mean_hu == pytest.approx(60, abs=1)
    assert not haematoma.mask[5].any()


def test_blood_at_the_ends_of_the_scan_is_told() -> None:
    mask = np.zeros((6, 64, 64), bool)
    mask[2, 10:30, 10:30] = True
    assert _codes(mask) == {"markers_research"}
    mask[0, 10:30, 10:30] = True
    assert _codes(mask) == {"markers_research", "blood_on_first_slice"}
    mask[5, 10:30, 10:30] = True
    assert _codes(mask) == {"markers_research", "blood_on_first_slice", "blood_on_last_slice"}


def test_a_tiny_finding_is_told() -> None:
    mask = np.zeros((6, 64, 64), bool)
    mask[2, 10:16, 10:16] = True
    assert _codes(mask) == {"markers_research", "tiny_haematoma"}


def test_nothing_found_gives_no_notes() -> None:
    assert _codes(np.zeros((6, 64, 64), bool)) == set()


def test_in_place_measures_the_same_and_needs_no_second_mask() -> None:
    mask = np.zeros((6, 64, 64), bool)
    mask[2:4, 10:30, 10:30] = True
    mask[3, 18:21, 18:21] = False  # a hole, to be filled
    mask[5, 0, 0] = True  # a speck, to be dropped
    expected = measure_haematoma(mask.copy(), _volume(), min_component_ml=0.1)
    found = measure_haematoma(mask, _volume(), min_component_ml=0.1, in_place=True)
    assert found.mask is mask
    np.testing.assert_array_equal(mask, expected.mask)
    assert found.filled_ml == expected.filled_ml > 0
    assert found.areas_mm2 == expected.areas_mm2


@pytest.mark.parametrize(("pixels", "told"), [(99, True), (100, False), (101, False)])
def test_half_a_millilitre_is_no_longer_tiny(pixels: int, told: bool) -> None:
    mask = np.zeros((6, 64, 64), bool)
    mask[2].flat[:pixels] = True  # 5 mm3 each, in rows from the corner
    assert ("tiny_haematoma" in _codes(mask)) is told


def test_a_pixel_on_the_first_slice_is_blood_and_the_input_stays() -> None:
    volume = HUVolume(np.full((3, 8, 8), 60), spacing_mm=(5.0, 0.5, 0.5))
    mask = np.zeros((3, 8, 8), bool)
    mask[0, 2, 2] = mask[1, 4, 2:6] = True
    haematoma = measure_haematoma(mask, volume, min_component_ml=0.0)
    codes = {note.code for note in haematoma_notes(haematoma, volume)}
    assert codes == {"blood_on_first_slice", "tiny_haematoma", "markers_research"}
    measure_haematoma(mask, volume, min_component_ml=0.004)
    assert mask[0, 2, 2], "dropped from the answer alone"


@pytest.mark.parametrize(
    ("missing", "severity"), [(False, Severity.CAUTION), (True, Severity.WARNING), (None, None)]
)
def test_blood_where_the_brain_goes_on_is_a_warning(
    missing: bool | None, severity: Severity | None
) -> None:
    mask = np.zeros((3, 16, 16), bool)
    mask[:, 4:9, 4:9] = True
    volume = HUVolume(np.full(mask.shape, 60), spacing_mm=(5.0, 0.5, 0.5))
    coverage = None
    if missing is not None:
        coverage = Coverage(
            first_mm=0.0,
            last_mm=9.0,
            first_missing=missing,
            last_missing=missing,
            upside_down=False,
        )
    looked_at = replace(volume, coverage=coverage)
    haematoma = measure_haematoma(mask, looked_at, min_component_ml=0.0)
    told = {note.code: note.severity for note in haematoma_notes(haematoma, looked_at)}
    for code in ("blood_on_first_slice", "blood_on_last_slice"):
        assert told[code] is (severity or Severity.CAUTION)


@pytest.mark.parametrize("edge", [(0, 7), (-1, 7), (7, 0), (7, -1)])
def test_blood_at_the_edge_of_the_picture_goes_on_beside_it(edge: tuple[int, int]) -> None:
    mask = np.zeros((6, 64, 64), bool)
    mask[2, 6:20, 6:20] = True
    assert "blood_beside_picture" not in _codes(mask)
    haematoma = measure_haematoma(mask, _volume(), min_component_ml=0.1)
    haematoma.mask[2][edge] = True
    assert "blood_beside_picture" in {note.code for note in haematoma_notes(haematoma, _volume())}

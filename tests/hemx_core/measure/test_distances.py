"""A ball of clot in a head, through reader and triage: volumes go by the distance of the slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume, VolumeGeometry
from hemx_core.measure.corrected import correct_result
from hemx_core.measure.estimate import estimate_result
from hemx_core.measure.expansion import Answer, judge_growth
from hemx_core.notes import Note, Severity
from hemx_core.pipeline import triage_volume
from hemx_core.result import Recommendation, TriageResult
from hemx_core.words import tell
from tests.factories import GROWTH_INTERVAL, ThresholdModels, simple_head, write_ct_series

SLICES, STEP_MM, PIXEL_MM, MATRIX = 24, 5.0, 1.5, 160
RADIUS_MM, MIDDLE_MM = 21.0, 57.0
BALL_ML = 4 / 3 * np.pi * 2.1**3  # 38.8
EVERY = tuple(range(SLICES))


@pytest.fixture(scope="module")
def heads() -> NDArray[np.int16]:
    """A head on 24 slices, with a ball of clot."""
    hu = simple_head(slices=SLICES, matrix=MATRIX, pixel_mm=PIXEL_MM).hu.copy()
    row, column = np.mgrid[:MATRIX, :MATRIX] * PIXEL_MM - (MATRIX - 1) / 2 * PIXEL_MM
    for index in EVERY:
        away = np.hypot(np.hypot(row, column - 30), index * STEP_MM - MIDDLE_MM)
        hu[index][away <= RADIUS_MM] = 65
    return hu


def read(
    folder: Path,
    hu: NDArray[np.int16],
    kept: Sequence[int] = EVERY,
    *,
    thickness: object = "5",
    scale: float = 1.0,
    located: bool = False,
) -> HUVolume:
    """The kept slices, written as DICOM and read again."""

    def change(index: int, one: Dataset) -> None:
        if located:
            one.SliceLocation = kept[index] * STEP_MM

    write_ct_series(
        folder,
        hu=hu[list(kept)],
        positions_mm=[(0.0, 0.0, scale * index * STEP_MM) for index in kept],
        PixelSpacing=[PIXEL_MM, PIXEL_MM],
        SliceThickness=thickness,
        change=change,
    )
    return read_series(folder)


def answer(volume: HUVolume) -> TriageResult:
    return triage_volume(volume, ThresholdModels())


def told(result: TriageResult, *severities: Severity) -> dict[str, str]:
    """Sentences by code, of these severities or of all."""
    return {
        note.code: tell(note)
        for note in result.notes
        if not severities or note.severity in severities
    }


def warned(result: TriageResult) -> dict[str, str]:
    return told(result, Severity.WARNING)


@pytest.fixture(scope="module")
def full(heads: NDArray[np.int16], tmp_path_factory: pytest.TempPathFactory) -> TriageResult:
    return answer(read(tmp_path_factory.mktemp("full"), heads))


def test_the_whole_head_is_right_without_a_word(full: TriageResult) -> None:
    assert full.haematoma_volume_ml == pytest.approx(BALL_ML, rel=0.08)
    assert full.haematoma.at_most_ml is None
    assert full.recommendation is Recommendation.CALL_NOW
    assert warned(full) == {}
    assert not {"slice_gap", "slices_overlap", "missing_slices"} & told(full).keys()


@pytest.mark.parametrize("every", [2, 3])
@pytest.mark.parametrize("first", [0, 1])
def test_slices_further_apart_than_thick_lose_no_volume(
    tmp_path: Path, heads: NDArray[np.int16], full: TriageResult, every: int, first: int
) -> None:
    result = answer(read(tmp_path, heads, EVERY[first::every]))
    near = 0.05 if every == 2 else 0.12
    assert result.haematoma_volume_ml == pytest.approx(full.haematoma_volume_ml, rel=near)
    assert sum(result.haematoma.component_volumes_ml) == pytest.approx(result.haematoma_volume_ml)
    assert result.recommendation is full.recommendation
    assert "tissue between them is not seen" in told(result, Severity.CAUTION)["slice_gap"]
    assert warned(result) == {}


@pytest.mark.parametrize(
    ("thickness", "code"),
    [("1.25", "slice_gap"), ("0.1", "slice_gap"), ("10", "slices_overlap"),
     ("30", "slices_overlap"), ("0.01", "thickness_unknown"), ("0", "thickness_unknown"),
     ("-5", "thickness_unknown"), ("1e20", "thickness_unknown"), ("1e308", "thickness_unknown"),
     ("", "thickness_unknown"), (None, "thickness_unknown")],
)  # fmt: skip
def test_a_thickness_that_disagrees_is_told_and_changes_no_volume(
    tmp_path: Path,
    heads: NDArray[np.int16],
    full: TriageResult,
    thickness: str | None,
    code: str,
) -> None:
    result = answer(read(tmp_path, heads, thickness=thickness))
    assert result.haematoma_volume_ml == pytest.approx(full.haematoma_volume_ml, rel=1e-9)
    assert result.haematoma.abc2_volume_ml == pytest.approx(full.haematoma.abc2_volume_ml)
    assert result.recommendation is full.recommendation
    assert code in told(result)
    assert warned(result) == {}
    assert np.isfinite(result.geometry.slice_thickness_mm).all()


def test_three_slices_lost_in_the_clot_are_interpolated_and_warned(
    tmp_path: Path, heads: NDArray[np.int16], full: TriageResult
) -> None:
    volume = read(tmp_path, heads, EVERY[:10] + EVERY[13:])
    result = answer(volume)
    haematoma = result.haematoma
    assert haematoma.volume_ml == pytest.approx(full.haematoma_volume_ml, rel=0.15)
    assert haematoma.at_most_ml is not None
    assert haematoma.at_most_ml >= full.haematoma_volume_ml
    assert haematoma.abc2_volume_ml == pytest.approx(full.haematoma.abc2_volume_ml, rel=0.15)
    assert sum(haematoma.component_volumes_ml) == pytest.approx(haematoma.volume_ml)
    assert result.recommendation is full.recommendation
    sentence = warned(result)["missing_in_haematoma"]
    assert "20.0 mm between slices 10 and 11" in sentence
    seen = haematoma.areas_mm2 @ volume.geometry.seen_extents_mm / 1000
    assert f"{haematoma.volume_ml - seen:.1f} mL of the volume are interpolated" in sentence
    assert "unseen_brain" not in warned(result), "the same place is told once"


def test_the_upper_figure_decides(tmp_path: Path, heads: NDArray[np.int16]) -> None:
    # Four slices about the middle: what is interpolated falls short of 30 mL, what may be does not.
    result = answer(read(tmp_path, heads, EVERY[:9] + EVERY[14:]))
    assert result.haematoma.volume_ml < 30 < (result.haematoma.at_most_ml or 0)
    assert result.recommendation is Recommendation.CALL_NOW
    assert [reason.code for reason in result.reasons] == ["haematoma_between", "perhaps_large"]


def test_missing_slices_widen_the_interval_and_leave_growth_open(
    tmp_path: Path, heads: NDArray[np.int16], full: TriageResult
) -> None:
    lost = answer(read(tmp_path, heads, EVERY[:10] + EVERY[13:]))
    whole, holed = estimate_result(full), estimate_result(lost)
    assert holed.volume_ml == pytest.approx(lost.haematoma.volume_ml)
    assert whole.less_ml == whole.more_ml == 0
    assert min(holed.less_ml, holed.more_ml) > 0
    assert whole.interval_ml is not None
    assert holed.interval_ml is not None
    low, high = holed.interval_ml
    assert low < whole.interval_ml[0] < whole.volume_ml < high
    growth = judge_growth(holed, whole, measured=GROWTH_INTERVAL)
    assert growth.answers["he_33_or_6ml"] is not Answer.YES


def test_slices_lost_away_from_the_clot_say_nothing_of_it(
    tmp_path: Path, heads: NDArray[np.int16], full: TriageResult
) -> None:
    result = answer(read(tmp_path, heads, EVERY[:3] + EVERY[4:]))
    assert result.haematoma.volume_ml == pytest.approx(full.haematoma_volume_ml, rel=1e-9)
    assert result.haematoma.at_most_ml is None
    assert "missing_slices" in told(result, Severity.CAUTION)
    assert warned(result) == {}


def test_a_correction_is_measured_over_the_same_gap(
    tmp_path: Path, heads: NDArray[np.int16]
) -> None:
    volume = read(tmp_path, heads, EVERY[:10] + EVERY[13:])
    result = answer(volume)
    again = correct_result(result, result.mask.copy(), volume, version=1)
    assert again.haematoma.at_most_ml == result.haematoma.at_most_ml
    assert "missing_in_haematoma" in warned(again)
    empty = correct_result(result, np.zeros_like(result.mask), volume, version=1)
    assert "missing_in_haematoma" not in warned(empty)
    assert "unseen_brain" in warned(empty)
    assert empty.recommendation is Recommendation.CANNOT_TELL


@pytest.mark.parametrize(
    ("lost", "expected"),
    [(1, Recommendation.NO_HAEMATOMA_FOUND), (2, Recommendation.NO_HAEMATOMA_FOUND),
     (3, Recommendation.CANNOT_TELL), (8, Recommendation.CANNOT_TELL)],
)  # fmt: skip
def test_none_found_is_not_said_where_brain_is_unseen(
    tmp_path: Path, lost: int, expected: Recommendation
) -> None:
    hu = simple_head(slices=SLICES, matrix=MATRIX, pixel_mm=PIXEL_MM).hu
    result = answer(read(tmp_path, hu, EVERY[:8] + EVERY[8 + lost :]))
    assert result.recommendation is expected
    assert ("unseen_brain" in warned(result)) is (expected is Recommendation.CANNOT_TELL)


def test_slices_missing_outside_the_brain_hide_nothing(tmp_path: Path) -> None:
    hu = simple_head(slices=SLICES, matrix=MATRIX, pixel_mm=PIXEL_MM).hu.copy()
    hu[14], hu[15:] = hu[-1].copy(), -1000  # over the vertex
    result = answer(read(tmp_path, hu, EVERY[:17] + EVERY[21:]))
    assert "missing_slices" in told(result)
    assert warned(result) == {}


def test_a_gap_too_wide_to_bridge_leaves_a_lower_bound(
    tmp_path: Path, heads: NDArray[np.int16]
) -> None:
    result = answer(read(tmp_path, heads, (*EVERY[:12], 23)))
    assert "too_far_to_interpolate" in warned(result)
    assert result.haematoma.lower_bound
    assert result.haematoma.volume_ml < BALL_ML


def test_positions_in_centimetres_are_warned_and_both_figures_given(
    tmp_path: Path, heads: NDArray[np.int16], full: TriageResult
) -> None:
    result = answer(read(tmp_path, heads, scale=0.1, located=True))
    assert "by SliceLocation 5.0 mm" in warned(result)["distance_doubtful"]
    assert result.haematoma.at_most_ml == pytest.approx(full.haematoma_volume_ml, rel=0.01)
    assert result.haematoma.lower_bound
    assert result.recommendation is Recommendation.CALL_NOW


def test_a_volume_made_of_an_array_goes_by_distance_too(heads: NDArray[np.int16]) -> None:
    whole = VolumeGeometry.axial(SLICES, spacing_mm=(STEP_MM, PIXEL_MM, PIXEL_MM))
    kept = list(EVERY[:10] + EVERY[13:])
    geometry = replace(
        whole,
        positions_mm=whole.positions_mm[kept],
        slice_thickness_mm=whole.slice_thickness_mm[kept] / 4,
    )
    result = answer(HUVolume(heads[kept], geometry=geometry))
    assert result.haematoma.volume_ml == pytest.approx(BALL_ML, rel=0.15)
    assert "missing_in_haematoma" in warned(result)


def test_every_warning_is_in_japanese_too(tmp_path: Path, heads: NDArray[np.int16]) -> None:
    notes: list[Note] = []
    for name, kept in (("near", EVERY[:10] + EVERY[13:]), ("far", (*EVERY[:12], 23))):
        notes += answer(read(tmp_path / name, heads, kept)).notes
    codes = {"missing_in_haematoma", "too_far_to_interpolate"}
    sentences = {tell(note, "ja") for note in notes if note.code in codes}
    assert len(sentences) == len(codes)
    assert all("欠落" in sentence for sentence in sentences)

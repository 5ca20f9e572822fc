from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from hemx_core.errors import NotHUError
from hemx_core.imaging.inspect import inspect
from hemx_core.imaging.levels import Sample
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.values import MOST_OFF, check_values, slice_offsets
from hemx_core.imaging.volume import AIR_HU, HUVolume
from hemx_core.measure.doubts import Doubt, doubt
from hemx_core.notes import Note, Severity
from hemx_core.words import LANGUAGES, tell, tell_error
from tests.factories import simple_head, write_ct_series

Change = Callable[[NDArray[np.float64]], NDArray[Any]]


def _changed(change: Change, **options: Any) -> HUVolume:
    head = simple_head(slices=9, **options)
    hu = head.hu.astype(np.float64)
    # Real bone has all densities; drawn bone of one reads as if it were clipped.
    hu[hu > 500] += np.random.default_rng(3).normal(0, 250, int((hu > 500).sum()))
    return HUVolume(np.asarray(change(hu)), spacing_mm=head.spacing_mm)


def _warning(volume: HUVolume) -> Note:
    (note,) = (note for note in volume.notes if note.severity is Severity.WARNING)
    return note


def _grey(lower: float, upper: float, top: int = 255) -> Change:
    return lambda hu: np.rint((np.clip(hu, lower, upper) - lower) / (upper - lower) * top)


def test_hu_stay_as_they_are() -> None:
    head = simple_head(clot_mm=20)
    assert check_values(head) is head


@pytest.mark.parametrize("pads", [-2000, -3024, AIR_HU, 0])
def test_padding_outside_the_circle_changes_nothing(pads: int) -> None:
    def padded(hu: NDArray[np.float64]) -> NDArray[np.float64]:
        row, column = np.mgrid[:160, :160] - 79.5
        hu[:, np.hypot(row, column) > 80] = pads
        return hu

    volume = _changed(padded)
    assert check_values(volume) is volume


@pytest.mark.parametrize(
    "change",
    [
        lambda hu: np.maximum(hu, -1000),
        lambda hu: np.clip(hu, AIR_HU, 3071),
        lambda hu: hu + np.random.default_rng(0).normal(0, 25, hu.shape),
        lambda hu: hu + 5,
        lambda hu: hu - 8,
    ],
)
def test_floors_noise_and_calibration_of_ordinary_scanners_change_nothing(change: Change) -> None:
    volume = _changed(change)
    assert check_values(volume) is volume


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (lambda hu: hu + 1024, "hu_shifted", {"shift": 1024}),
        (lambda hu: np.maximum(hu, -980) + 1024, "hu_shifted", {"shift": 1024}),
        (lambda hu: hu + 1000, "hu_shifted", {"shift": 1000}),
        (lambda hu: hu - 1024, "hu_shifted", {"shift": -1024}),
        (lambda hu: hu + 300, "hu_shifted", {"shift": pytest.approx(300, abs=10)}),
        (lambda hu: hu + 20_000, "hu_shifted", {"shift": pytest.approx(20_000, abs=10)}),
        (lambda hu: hu * 10, "hu_scaled", {"slope": pytest.approx(10, rel=0.02)}),
        (lambda hu: hu / 10, "hu_scaled", {"slope": pytest.approx(0.1, rel=0.02)}),
        (lambda hu: 2 * hu + 1024, "hu_scaled", {"slope": pytest.approx(2, rel=0.02)}),
        (lambda hu: 1.1 * hu + 102, "hu_scaled", {"slope": pytest.approx(1.1, rel=0.02)}),
        (lambda hu: -hu, "hu_inverted", {}),
        (lambda hu: 3071 - hu, "hu_inverted", {}),
        (lambda hu: np.where(hu < 0, hu + 4096, hu), "hu_wrapped", {}),
        (lambda hu: np.where(hu < 0, 32767, hu), "hu_wrapped", {}),
        (lambda hu: np.where(hu > 1023, hu - 4096, hu), "hu_wrapped", {}),
        (_grey(0, 80), "hu_grey_levels", {"low": 0, "high": 255}),
        (_grey(-20, 100), "hu_grey_levels", {"low": 0, "high": 255}),
        (_grey(-1000, 1000), "hu_grey_levels", {"low": 0, "high": 255}),
        (_grey(-160, 240, 4095), "hu_grey_levels", {"low": 0, "high": 4095}),
        (lambda hu: 255 - _grey(0, 80)(hu), "hu_grey_levels", {"low": 0, "high": 255}),
        (lambda hu: np.clip(hu / 80, 0, 1), "hu_few_values", {"count": 2, "low": 0, "high": 1}),
        (lambda hu: hu / 1000, "hu_few_values", {"count": 4, "low": -1, "high": 2}),
    ],
)
def test_another_scale_is_refused_by_its_name(
    change: Change, code: str, told: dict[str, float]
) -> None:
    with pytest.raises(NotHUError) as refused:
        inspect(_changed(change))
    assert refused.value.code == code
    assert {name: refused.value.values[name] for name in told} == told
    for language in LANGUAGES:
        assert all(refused.value.told(language))


@pytest.mark.parametrize(("shift", "brain"), [(24, 56), (-24, 8)])
def test_brain_that_reads_too_dense_or_too_thin_is_told(shift: int, brain: int) -> None:
    volume = inspect(_changed(lambda hu: hu + shift))
    note = _warning(volume)
    assert note.code == "brain_shifted"
    assert note.values["brain"] == pytest.approx(brain, abs=2)
    assert note.values["by"] == pytest.approx(shift + 3, abs=2)
    assert doubt(note) == Doubt.PICTURE | Doubt.LOWER_BOUND
    for language in LANGUAGES:
        assert str(note.values["brain"]) in tell(note, language)


@pytest.mark.parametrize(
    "shifts",
    [{3: 1024}, {0: 1024}, {8: 1024}, {4: -1024}, {5: 24}, {2: -40, 6: 1000}, {1: 500, 2: 500}],
)
def test_slices_off_the_others_are_named_and_shifted_back(shifts: dict[int, int]) -> None:
    head = simple_head(slices=9)
    hu = head.hu.astype(np.int32)
    for index, shift in shifts.items():
        hu[index] += shift
    volume = check_values(HUVolume(hu, spacing_mm=head.spacing_mm))
    note = _warning(volume)
    assert note.code == "slices_shifted"
    assert note.values["slices"] == tuple(index + 1 for index in shifts)
    assert note.values["hu"] == pytest.approx(sorted(set(shifts.values())), abs=1)
    assert np.abs(volume.hu - head.hu).max() <= 1
    assert doubt(note) == Doubt.PICTURE
    for language in LANGUAGES:
        assert str(min(shifts) + 1) in tell(note, language)


def test_too_many_slices_off_are_refused() -> None:
    hu = simple_head(slices=9).hu.astype(np.int32)
    hu[: int(9 * MOST_OFF) + 1] += 1024
    with pytest.raises(NotHUError) as refused:
        check_values(HUVolume(hu, spacing_mm=(5, 1.5, 1.5)))
    assert refused.value.code == "hu_slices_differ"
    assert refused.value.values["count"] == 4
    for language in LANGUAGES:
        assert all(tell_error(refused.value.code, refused.value.values, language))


def test_the_slices_with_air_are_right_even_where_they_are_fewer() -> None:
    hu = simple_head(slices=9).hu.astype(np.int32)
    hu[:6] += 1024
    assert slice_offsets(Sample.of(HUVolume(hu, spacing_mm=(5, 1.5, 1.5)))).tolist() == (
        pytest.approx([1024] * 6 + [0] * 3, abs=1)
    )


def test_blank_slices_and_padding_are_not_off() -> None:
    head = simple_head(slices=9)
    hu = head.hu.copy()
    hu[[0, 4, 8]] = AIR_HU
    hu[:, :40] = AIR_HU
    volume = HUVolume(hu, spacing_mm=head.spacing_mm)
    assert not slice_offsets(Sample.of(volume)).any()


def test_no_air_and_no_skull_is_told() -> None:
    rng = np.random.default_rng(0)
    volume = check_values(HUVolume(rng.normal(50, 12, (6, 128, 128)), spacing_mm=(5, 1, 1)))
    assert _warning(volume).code == "no_air"


def test_brain_without_air_is_refused_where_nothing_was_clipped() -> None:
    head = simple_head(slices=9)
    hu = np.where(head.hu < -500, np.random.default_rng(0).normal(-300, 50, head.shape), head.hu)
    with pytest.raises(NotHUError) as refused:
        check_values(HUVolume(hu, spacing_mm=head.spacing_mm))
    assert refused.value.code in ("hu_unknown_scale", "hu_shifted", "hu_scaled")


def test_a_skull_full_of_air_is_left_to_the_head_check() -> None:
    head = simple_head(slices=9)
    hu = np.where(head.hu < 500, -1000, head.hu) + np.random.default_rng(0).normal(0, 4, head.shape)
    volume = HUVolume(hu, spacing_mm=head.spacing_mm)
    assert check_values(volume) is volume


def test_what_the_caller_says_of_clipping_stands() -> None:
    head = simple_head(slices=9)
    told = HUVolume(np.clip(head.hu, 0, 80), spacing_mm=head.spacing_mm, clipped_to_hu=(0.0, 80.0))
    assert check_values(told) is told
    assert check_values(replace(told, clipped_to_hu=None)).clipped_to_hu == (0.0, 80.0)


def _series(folder: Path, change: Callable[[int, Dataset], None]) -> HUVolume:
    head = simple_head(slices=9)
    write_ct_series(folder, hu=head.hu, PixelSpacing=[1.5, 1.5], change=change)
    return inspect(read_series(folder))


def test_a_series_without_its_intercept_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotHUError) as refused:
        _series(tmp_path, lambda _, one: setattr(one, "RescaleIntercept", "0"))
    assert (refused.value.code, refused.value.values["shift"]) == ("hu_shifted", 1024)


def test_a_slice_without_its_intercept_is_named(tmp_path: Path) -> None:
    def lose(index: int, one: Dataset) -> None:
        if index == 4:
            one.RescaleIntercept = "0"

    note = _warning(_series(tmp_path, lose))
    assert (note.code, note.values["slices"]) == ("slices_shifted", (5,))


def test_an_intercept_of_another_scanner_is_told(tmp_path: Path) -> None:
    volume = _series(tmp_path, lambda _, one: setattr(one, "RescaleIntercept", "-1000"))
    note = _warning(volume)
    assert note.code == "brain_shifted"
    assert note.values["by"] == pytest.approx(24 + 3, abs=2)


def test_grey_levels_in_a_series_are_refused(tmp_path: Path) -> None:
    def grey(_: int, one: Dataset) -> None:
        stored = np.frombuffer(one.PixelData, "<u2").astype(float) - 1024
        one.PixelData = np.rint(np.clip(stored, 0, 80) / 80 * 255).astype("<u2").tobytes()
        one.RescaleIntercept = "0"

    with pytest.raises(NotHUError) as refused:
        _series(tmp_path, grey)
    assert refused.value.code == "hu_grey_levels"


def test_a_decimal_comma_is_read_and_told(tmp_path: Path) -> None:
    def with_comma(_: int, one: Dataset) -> None:
        for keyword, written in (("RescaleIntercept", b"-1024,0 "), ("PixelSpacing", b"1,5\\1,5 ")):
            tag = Tag(keyword)
            one._dict[tag] = RawDataElement(tag, "DS", len(written), written, 0, False, True)

    volume = _series(tmp_path, with_comma)
    assert volume.geometry.pixel_spacing_mm == (1.5, 1.5)
    (note,) = (note for note in volume.notes if note.code == "decimal_comma")
    assert note.severity is Severity.CAUTION

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hemx_core.imaging.inspect import inspect
from hemx_core.imaging.prepare import prepare
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.imaging.values import check_values
from hemx_core.imaging.volume import HUVolume
from hemx_core.notes import Severity
from hemx_core.words import LANGUAGES, tell
from tests.factories import simple_head

HU = NDArray[np.float64]


def _head(change: Callable[[HU], NDArray[Any]], *, clot_mm: float = 0.0) -> HUVolume:
    head = simple_head(slices=9, clot_mm=clot_mm)
    hu = head.hu.astype(np.float64)
    hu[hu > 500] += np.random.default_rng(3).normal(0, 250, int((hu > 500).sum()))
    return HUVolume(np.asarray(change(hu)), spacing_mm=head.spacing_mm)


def _in_256_levels(hu: HU, lower: float, upper: float) -> NDArray[np.uint8]:
    grey = np.rint((np.clip(hu, lower, upper) - lower) / (upper - lower) * 255)
    return np.asarray(grey, np.uint8)


@pytest.mark.parametrize(
    "window",
    [(-20, 100), (0, 80), (-10, 90), (5, 75), (0, 100), (-100, 100), (-150, 250), (-200, 200),
     (-40, 160), (-128, 127), (0, 60), (20, 100), (-500, 300)],
)  # fmt: skip
def test_a_window_is_recognised_as_it_was(window: tuple[float, float]) -> None:
    volume = inspect(_head(lambda hu: np.clip(hu, *window)))
    assert volume.clipped_to_hu == window
    assert volume.notes == ()
    *warned, note = prepare(volume, PreprocessingSpec()).notes
    assert (note.code, note.severity) == ("clipped_hu", Severity.CAUTION)
    # A window whose top clot reaches, or whose bottom brain does.
    assert [one.code for one in warned] == ["clipped_narrow"] * (window[1] < 75 or window[0] > 15)
    for language in LANGUAGES:
        assert f"{window[0]}" in tell(note, language)
        assert f"{window[1]}" in tell(note, language)


def test_what_was_clipped_from_below_alone() -> None:
    volume = inspect(_head(lambda hu: np.maximum(hu, -20)))
    assert volume.clipped_to_hu is not None
    assert volume.clipped_to_hu[0] == -20
    assert volume.clipped_to_hu[1] > 1000
    (note,) = prepare(volume, PreprocessingSpec()).notes
    assert (note.code, note.values) == ("clipped_below", {"lower": -20.0})
    for language in LANGUAGES:
        assert "-20" in tell(note, language)


def test_what_was_clipped_from_above_alone() -> None:
    volume = inspect(_head(lambda hu: np.minimum(hu, 100)))
    assert volume.clipped_to_hu is not None
    assert volume.clipped_to_hu[0] < -1000
    assert volume.clipped_to_hu[1] == 100


@pytest.mark.parametrize("ends", [(-1000, 3071), (-1024, 1000), (-1010, 700), (-900, 5000)])
def test_what_takes_neither_air_nor_bone_is_no_window(ends: tuple[float, float]) -> None:
    volume = _head(lambda hu: np.clip(hu, *ends))
    assert check_values(volume) is volume


@pytest.mark.parametrize("pads", [-2000, -1024, 0, 3000])
def test_padding_after_clipping_does_not_hide_the_window(pads: float) -> None:
    def padded(hu: HU) -> HU:
        hu = np.clip(hu, -20, 100)
        row, column = np.mgrid[:160, :160] - 79.5
        hu[:, np.hypot(row, column) > 80] = pads
        return hu

    assert check_values(_head(padded)).clipped_to_hu == (-20, 100)


@pytest.mark.parametrize("window", [(-20, 100), (0, 80)])
def test_a_window_is_recognised_in_copies(window: tuple[float, float]) -> None:
    lower, upper = window

    def from_levels(levels: NDArray[Any]) -> NDArray[Any]:
        return np.rint(lower + levels.astype(float) * (upper - lower) / 255)

    def jpeg(hu: HU) -> NDArray[Any]:
        quality = [cv2.IMWRITE_JPEG_QUALITY, 80]
        copies = [
            cv2.imdecode(cv2.imencode(".jpg", one, quality)[1], cv2.IMREAD_GRAYSCALE)
            for one in _in_256_levels(hu, lower, upper)
        ]
        return from_levels(np.stack(copies))

    def resampled(hu: HU) -> NDArray[Any]:
        # As sharp as a scanner: the drawn edges are sharper, and swing over further.
        clipped = np.clip([cv2.GaussianBlur(one, (0, 0), 0.8) for one in hu], lower, upper)
        return np.stack(
            [
                cv2.resize(one, None, fx=0.9, fy=0.9, interpolation=cv2.INTER_CUBIC)
                for one in clipped
            ]
        )

    for copy in (lambda hu: from_levels(_in_256_levels(hu, lower, upper)), jpeg, resampled):
        assert check_values(_head(copy)).clipped_to_hu == window


def test_recognised_or_told_makes_the_same_slices() -> None:
    def clip(hu: HU) -> HU:
        return np.clip(hu, 0, 80)

    found = inspect(_head(clip, clot_mm=14))
    told = HUVolume(found.hu, spacing_mm=found.spacing_mm, clipped_to_hu=(0.0, 80.0))
    spec = PreprocessingSpec()
    for one, other in zip(prepare(found, spec), prepare(told, spec), strict=True):
        assert np.array_equal(one.image, other.image)


def test_clipping_from_below_alone_leaves_the_head_as_it_is() -> None:
    spec = PreprocessingSpec()
    whole = prepare(_head(lambda hu: hu, clot_mm=14), spec)
    cut = prepare(inspect(_head(lambda hu: np.maximum(hu, -20), clot_mm=14)), spec)
    for one, other in zip(whole, cut, strict=True):
        assert np.abs(one.image - other.image).max() < 0.05

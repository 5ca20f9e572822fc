"""Satellites in the CT values, on drawn clots: what counts, and the look-alikes that do not."""

from __future__ import annotations

import numpy as np
import pytest

from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.satellites import satellite_contrasts

ROWS, COLUMNS = np.mgrid[:180, :180] * 0.5 - 45  # mm from the middle


def _disc(radius: float, row: float = 0.0, column: float = 0.0) -> np.ndarray:
    return np.hypot(ROWS - row, COLUMNS - column) <= radius


CLOT = _disc(10, 0, -15)


def _contrast(
    spot: np.ndarray, hu: float = 55.0, *, clipped: tuple[float, float] | None = None
) -> float:
    """Contrast on the one slice with blood; the mask holds the clot alone."""
    picture = np.where(CLOT, 62.0, 32.0)
    picture[spot] = hu
    picture += np.random.default_rng(3).normal(0, 2, picture.shape)
    volume = HUVolume(np.stack([picture, picture]), spacing_mm=(5, 0.5, 0.5), clipped_to_hu=clipped)
    mask = np.stack([CLOT, np.zeros_like(CLOT)])
    ((value, index),) = satellite_contrasts(volume, mask)
    assert index == 0
    return value


def test_a_small_dense_spot_nearby_is_found_with_its_contrast() -> None:
    assert _contrast(_disc(3.5, 0, 4)) == pytest.approx(22, abs=2.5)
    assert _contrast(np.zeros_like(CLOT)) == 0


@pytest.mark.parametrize(
    ("spot", "hu"),
    [
        (_disc(6.5, 0, 8), 55.0),  # too large
        (_disc(3.5, 0, 24), 55.0),  # too far
        ((abs(ROWS) < 6) & (abs(COLUMNS - 4) < 0.8), 55.0),  # a vessel
        (_disc(3.5, 0, 4), 95.0),  # calcium
        (_disc(3.5, 0, 4), 39.0),  # faint
        (_disc(4.5, 0, -5), 55.0),  # hangs on
    ],
)
def test_look_alikes_are_none(spot: np.ndarray, hu: float) -> None:
    assert _contrast(spot & ~CLOT, hu) == 0


def test_near_the_skull_nothing_counts() -> None:
    spot = _disc(3.5, 0, 4)
    skull = (COLUMNS > 14) & (COLUMNS < 20)
    assert _contrast(spot) > 0
    picture = np.where(CLOT, 62.0, 32.0)
    picture[spot], picture[skull] = 55, 300
    volume = HUVolume(picture[None], spacing_mm=(5, 0.5, 0.5))
    assert [value for value, _ in satellite_contrasts(volume, CLOT[None])] == [0]


def test_what_saturates_in_the_window_is_calcium() -> None:
    assert _contrast(_disc(3.5, 0, 4), 79.9, clipped=(0.0, 80.0)) == 0


def test_an_empty_mask_has_none_and_one_that_does_not_fit_is_refused() -> None:
    volume = HUVolume(np.full((1, 40, 40), 32), spacing_mm=(5, 1, 1))
    assert list(satellite_contrasts(volume, np.zeros((1, 40, 40), bool))) == []
    with pytest.raises(VolumeError):
        list(satellite_contrasts(volume, np.zeros((2, 40, 40), bool)))

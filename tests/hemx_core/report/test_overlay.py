import numpy as np
import pytest

from hemx_core.imaging.spec import HUWindow
from hemx_core.report.drawing import OUTLINE
from hemx_core.report.overlay import (
    CAPTION_PIXELS,
    GAP_PIXELS,
    MAX_TILES,
    PANEL_PIXELS,
    TILE_PIXELS,
    bloody_slices,
    overview_picture,
    slice_picture,
)
from hemx_core.triage import triage_volume
from tests.factories import ThresholdModels, simple_head

WINDOW = HUWindow()


def _panels(picture: np.ndarray) -> list[np.ndarray]:
    step = PANEL_PIXELS + GAP_PIXELS
    body = picture[CAPTION_PIXELS : CAPTION_PIXELS + PANEL_PIXELS]
    return [body[:, left : left + PANEL_PIXELS] for left in (0, step, 2 * step)]


def _colored(picture: np.ndarray) -> np.ndarray:
    """Where the picture is not grey."""
    spread = picture.max(axis=2).astype(int) - picture.min(axis=2)
    return np.asarray(spread > 20)


def test_the_three_panels_show_ct_outline_and_cam_on_the_clot() -> None:
    volume = simple_head(clot_mm=14.0)
    result = triage_volume(volume, ThresholdModels())
    plain, outlined, heated = _panels(slice_picture(volume, result, 2, window=WINDOW))
    assert not _colored(plain).any()
    rows, columns = np.nonzero(_colored(outlined))
    per_pixel = PANEL_PIXELS / volume.shape[1]
    truth = np.argwhere(result.mask[2]) + 0.5
    assert (rows.mean(), columns.mean()) == pytest.approx(truth.mean(axis=0) * per_pixel, abs=4)
    assert (outlined == OUTLINE).all(axis=2).any()
    hot = np.argwhere(_colored(heated))
    assert hot.mean(axis=0) == pytest.approx(truth.mean(axis=0) * per_pixel, abs=25)


def test_a_slice_without_blood_has_a_picture_without_colour() -> None:
    volume = simple_head(clot_mm=14.0)
    picture = slice_picture(volume, triage_volume(volume, ThresholdModels()), 0, window=WINDOW)
    assert not _colored(picture).any()


def test_the_overview_shows_the_slices_with_blood() -> None:
    volume = simple_head(clot_mm=14.0, clot_slices=(1, 2, 3))
    result = triage_volume(volume, ThresholdModels())
    assert bloody_slices(result) == (1, 2, 3)
    picture = overview_picture(volume, result, window=WINDOW)
    assert picture.shape[1] == 2 * TILE_PIXELS
    tiles = [
        picture[
            CAPTION_PIXELS + top : CAPTION_PIXELS + top + TILE_PIXELS, left : left + TILE_PIXELS
        ]
        for top in (0, TILE_PIXELS)
        for left in (0, TILE_PIXELS)
    ]
    assert [bool(_colored(tile).any()) for tile in tiles] == [True, True, True, False]


def test_the_overview_of_a_long_study_without_blood_spans_it() -> None:
    volume = simple_head(slices=60, matrix=96, pixel_mm=2.5)
    result = triage_volume(volume, ThresholdModels())
    picture = overview_picture(volume, result, window=WINDOW)
    tiles = (picture.shape[1] // TILE_PIXELS) * ((picture.shape[0] - CAPTION_PIXELS) // TILE_PIXELS)
    assert MAX_TILES <= tiles <= MAX_TILES + 5
    assert not _colored(picture).any()

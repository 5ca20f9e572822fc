import numpy as np

from hemx_core.data.label_sheet import MOST_TILES, TILE_PIXELS, sheet_picture
from tests.factories import simple_head
from tests.hemx_core.data.sets import phantom


def test_slices_with_blood_and_their_neighbours_fill_the_sheet() -> None:
    source = phantom(0)
    picture = sheet_picture(source.volume, source.mask, title="S1")
    bloody = np.flatnonzero(source.mask.any((1, 2)))
    across = min(6, bloody[-1] - bloody[0] + 3)
    assert picture.shape[1] <= across * TILE_PIXELS
    # The head fills its tile: air round it is cut off.
    tile = picture[60 : 60 + TILE_PIXELS, : picture.shape[1] // across]
    rows = np.flatnonzero((tile > 60).any((1, 2)))
    assert np.ptp(rows) > 0.8 * TILE_PIXELS


def test_without_blood_the_whole_volume_is_drawn_and_a_sheet_has_an_end() -> None:
    head = simple_head(slices=60)
    empty = np.zeros(head.hu.shape, bool)
    few = sheet_picture(simple_head(), empty[:6], title="S1")
    many = sheet_picture(head, empty, title="S1")
    rows = -(-MOST_TILES // 6)
    assert many.shape[0] < (2 * rows + 1) * TILE_PIXELS
    assert few.shape[0] < many.shape[0]

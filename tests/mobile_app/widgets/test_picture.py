from __future__ import annotations

import numpy as np

from hemx_core.imaging.spec import HUWindow
from mobile_app.widgets.picture import OUTLINE_RGB, heat, luminance, outline


def test_window_to_luminance() -> None:
    hu = np.array([[-1000, 0, 20, 40, 80, 3000]], np.int16)
    assert luminance(hu, HUWindow(0, 80)).tolist() == [[0, 0, 64, 128, 255, 255]]


def test_outline_is_the_mask_s_edge_and_lies_inside_it() -> None:
    mask = np.zeros((7, 8), bool)
    mask[1:6, 2:7] = True
    picture = outline(mask)
    drawn = picture[..., 3] > 0
    expected = mask.copy()
    expected[2:5, 3:6] = False
    assert np.array_equal(drawn, expected)
    assert np.all(picture[drawn] == (*OUTLINE_RGB, 255))


def test_outline_closes_at_the_border_of_the_picture() -> None:
    assert outline(np.ones((4, 4), bool))[..., 3].astype(bool).sum() == 12


def test_heat_lies_on_its_box_and_nowhere_else() -> None:
    cam = np.zeros((2, 2), np.float32)
    cam[0, 1] = 1.0
    picture = heat(cam, (10.0, 20.0, 8.0, 8.0), (40, 40))
    row, column = np.unravel_index(picture[..., 3].argmax(), (40, 40))
    assert 10 <= row < 14
    assert 24 <= column < 28
    outside = picture[..., 3].copy()
    outside[8:18, 18:30] = 0
    assert not outside.any()

import numpy as np
import pytest

from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.report.drawing import (
    OUTLINE,
    Scale,
    draw_ct,
    draw_heat,
    draw_outline,
    draw_text,
    edge_letters,
)

SCALE = Scale.fit((40, 50), (1.0, 1.0), 200)


def _black() -> np.ndarray:
    return np.zeros((*SCALE.shape, 3), np.uint8)


def test_a_panel_is_isotropic_in_millimetres() -> None:
    assert SCALE.shape == (160, 200)
    assert Scale.fit((40, 50), (2.0, 1.0), 160).shape == (160, 100)


def test_the_window_sets_black_and_white() -> None:
    hu = np.array([[-1000, 0, 40, 80, 3000]], np.int16).repeat(4, axis=0)
    picture = draw_ct(hu, HUWindow(0, 80), Scale.fit(hu.shape, (1.0, 1.0), 5))
    np.testing.assert_array_equal(picture[0, :, 0], [0, 0, 127, 255, 255])
    assert (picture[..., 0] == picture[..., 2]).all()


def test_the_outline_runs_round_the_mask() -> None:
    mask = np.zeros((40, 50), bool)
    mask[10:20, 30:40] = True
    picture = _black()
    draw_outline(picture, mask, SCALE)
    rows, columns = np.nonzero(picture.any(axis=2))
    assert (rows.min(), rows.max()) == pytest.approx((40, 79), abs=3)
    assert (columns.min(), columns.max()) == pytest.approx((120, 159), abs=3)
    assert not picture[50:70, 130:150].any(), "the inside stays free"
    assert (picture == OUTLINE).all(axis=2).any()


def test_a_single_pixel_and_a_hole_are_outlined_too() -> None:
    picture = _black()
    mask = np.zeros((40, 50), bool)
    mask[5, 5] = True
    draw_outline(picture, mask, SCALE)
    assert picture[16:28, 16:28].any()
    ring = np.zeros((40, 50), bool)
    ring[10:30, 10:30], ring[18:22, 18:22] = True, False
    picture = _black()
    draw_outline(picture, ring, SCALE, width=1)
    assert picture[68:92, 68:92].any()


def test_heat_lies_where_its_box_says() -> None:
    heat = np.zeros((8, 8), np.float32)
    heat[2, 5] = 1.0
    picture = _black()
    # 16 native pixels from a corner outside: cell (2, 5) covers rows 0-2 and columns 12-14.
    draw_heat(picture, heat, (-4.0, 2.0, 16.0, 16.0), SCALE)
    brightness = picture.sum(axis=2)
    row, column = np.unravel_index(brightness.argmax(), brightness.shape)
    assert (row / SCALE.rows, column / SCALE.columns) == pytest.approx((1, 13), abs=0.5)
    assert not picture[:, int(19 * SCALE.columns) :].any()


def test_no_heat_leaves_the_ct_as_it_is() -> None:
    picture = np.full((*SCALE.shape, 3), 90, np.uint8)
    draw_heat(picture, np.zeros((8, 8), np.float32), (0.0, 0.0, 40.0, 50.0), SCALE)
    assert (picture == 90).all()


def test_letters_follow_the_patient_not_the_picture() -> None:
    supine = VolumeGeometry.axial(2, spacing_mm=(5.0, 1.0, 1.0))
    assert edge_letters(supine) == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    mirrored = VolumeGeometry(
        positions_mm=np.array([[0, 0, 5.0], [0, 0, 0]]),
        row_direction=np.array([-1.0, 0, 0]),
        column_direction=np.array([0, 1.0, 0]),
        pixel_spacing_mm=(1.0, 1.0),
        slice_thickness_mm=np.full(2, 5.0),
    )
    assert edge_letters(mirrored)["left"] == "L"


def test_text_keeps_to_its_anchor_and_replaces_what_the_font_lacks() -> None:
    left, right = _black(), _black()
    draw_text(left, "L", (100, 50), anchor="left")
    draw_text(right, "R", (100, 50), anchor="right")
    assert np.nonzero(left.any(axis=(0, 2)))[0].min() >= 97
    assert np.nonzero(right.any(axis=(0, 2)))[0].max() <= 103
    umlaut, mark = _black(), _black()
    draw_text(umlaut, "頭", (10, 50))
    draw_text(mark, "?", (10, 50))
    np.testing.assert_array_equal(umlaut, mark)

from dataclasses import replace

import numpy as np
import pytest

from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.pipeline import triage_volume
from hemx_core.report.pictures import (
    CAPTION_PIXELS,
    GAP_PIXELS,
    LARGEST,
    MAX_TILES,
    OUTLINE,
    PANEL_PIXELS,
    TILE_PIXELS,
    Scale,
    bloody_slices,
    draw_ct,
    draw_heat,
    draw_outline,
    draw_text,
    edge_letters,
    key_slices,
    overview_picture,
    slice_picture,
)
from hemx_core.result import MarkerResult, Recommendation, SignResult, SliceResult, TriageResult
from tests.factories import ThresholdModels, simple_head


def _result(
    areas: list[float], markers: dict[str, tuple[float, int]], signs: dict[str, int]
) -> TriageResult:
    """A result with areas, markers (probability, slice; threshold 0.5) and signs that were found."""
    empty = triage_volume(simple_head(), ThresholdModels())
    return replace(
        empty,
        slices=tuple(SliceResult(index, area) for index, area in enumerate(areas)),
        markers={
            code: MarkerResult(code, probability, 0.5, probability >= 0.5, index)
            for code, (probability, index) in markers.items()
        },
        signs=tuple(
            SignResult(
                code=code,
                present=True,
                value=1.0,
                unit="",
                threshold=0.5,
                at_least=True,
                slice_index=index,
            )
            for code, index in signs.items()
        ),
    )


AREAS = [0, 5, 20, 60, 90, 80, 40, 10, 2, 0]


def test_area_markers_and_signs_come_first_and_in_volume_order() -> None:
    result = _result(AREAS, {"blend": (0.9, 6), "irregular": (0.3, 1)}, {"swirl": 6, "island": 2})
    chosen = key_slices(result, 3)
    assert [one.index for one in chosen] == [2, 4, 6]
    assert [one.shows for one in chosen] == [("island",), (LARGEST,), ("blend", "swirl")]


def test_the_more_probable_marker_wins_the_last_place() -> None:
    result = _result(AREAS, {"blend": (0.6, 6), "irregular": (0.8, 2)}, {})
    assert [one.index for one in key_slices(result, 2)] == [2, 4]


def test_free_places_go_to_the_farthest_slices_with_blood() -> None:
    chosen = key_slices(_result(AREAS, {}, {}), 3)
    assert [one.index for one in chosen] == [1, 4, 8]
    assert [one.shows for one in chosen] == [(), (LARGEST,), ()]


def test_there_are_never_more_than_slices_with_blood() -> None:
    assert [one.index for one in key_slices(_result([0, 3, 0, 7], {}, {}), 5)] == [1, 3]


def test_without_blood_slices_are_spread() -> None:
    assert [one.index for one in key_slices(_result([0.0] * 10, {}, {}), 5)] == [1, 3, 5, 7, 9]
    assert [one.index for one in key_slices(_result([0.0] * 3, {}, {}), 5)] == [0, 1, 2]


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


def test_the_overview_does_not_say_that_nothing_was_found_where_that_cannot_be_told() -> None:
    volume = simple_head()
    result = triage_volume(volume, ThresholdModels())
    plain = overview_picture(volume, result, window=HUWindow())
    doubtful = replace(result, recommendation=Recommendation.CANNOT_TELL)
    caption = overview_picture(volume, doubtful, window=HUWindow())[:30]
    assert not np.array_equal(caption, plain[:30])

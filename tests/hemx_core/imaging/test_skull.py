"""A head is a brain in a closed skull: what is refused, and what is read all the same."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from hemx_core.errors import NotHeadError
from hemx_core.imaging.inspect import inspect
from hemx_core.imaging.skull import check_skull
from hemx_core.imaging.survey import survey
from hemx_core.imaging.volume import HUVolume
from tests.hemx_core.imaging.heads import (
    PIXEL_MM,
    ROWS,
    SLICE_MM,
    Picture,
    ellipse,
    head_slice,
    head_slices,
    stack,
)


def _codes(volume: HUVolume) -> list[str]:
    return [note.code for note in inspect(volume).notes]


def _air() -> Picture:
    return np.full((ROWS, ROWS), -1000, np.int16)


def _angles(hu: Picture) -> Picture:
    """Degrees round the picture's middle, 0 to the right, 90 down."""
    rows, columns = np.indices(hu.shape) - ROWS // 2
    return np.asarray(np.rad2deg(np.arctan2(rows, columns)), np.int16)


# --- what is no head ------------------------------------------------------------------------------


def vertebra() -> Picture:
    """A vertebra and two ribs in a picture full of soft tissue: bone with tissue in its hull."""
    hu = np.full((ROWS, ROWS), 50, np.int16)
    for row, column, radius, value in (
        (116, 116, 31, 350),
        (164, 116, 17, 500),
        (164, 116, 10, 20),
        (205, 116, 8, 500),
        (141, 32, 9, 500),
        (141, 199, 9, 500),
    ):
        cv2.circle(hu, (column, row), radius, value, -1)
    return hu


def pelvis() -> Picture:
    """Iliac wings and sacrum round a bladder; open to the front."""
    hu = np.full((ROWS, ROWS), 50, np.int16)
    wings = _air()
    ellipse(wings, (95, 85), 600)
    ellipse(wings, (88, 78), -1000)
    hu[(wings == 600) & (np.abs(_angles(hu) + 90) > 50)] = 600
    ellipse(hu, (36, 32), 8)
    return hu


def chest() -> Picture:
    """A liver in a cage of ribs."""
    hu = _air()
    ellipse(hu, (105, 85), 50)
    ribs = _air()
    ellipse(ribs, (97, 77), 500)
    ellipse(ribs, (90, 70), -1000)
    hu[(ribs == 500) & (_angles(hu) % 30 < 15)] = 500
    cv2.circle(hu, (ROWS // 2, 175), 18, 350, -1)
    return hu


def knee() -> Picture:
    """A thin shell round marrow of brain's density, as in osteoporosis: closed, but small."""
    hu = _air()
    ellipse(hu, (62, 62), 50)
    ellipse(hu, (41, 33), 900)
    ellipse(hu, (38, 30), 60)
    return hu


def shell(inside: int, wall: int = 900) -> Callable[[], Picture]:
    """A ring filled with something, as phantoms are."""

    def draw() -> Picture:
        hu = _air()
        ellipse(hu, (75, 95), wall)
        ellipse(hu, (68, 88), inside)
        return hu

    return draw


REFUSED = {
    "air": (_air, "no_head"),
    "tissue": (lambda: np.full((ROWS, ROWS), 40, np.int16), "no_skull"),
    "vertebra": (vertebra, "no_skull"),
    "pelvis": (pelvis, "no_skull"),
    "chest": (chest, "no_skull"),
    "knee": (knee, "small_skull"),
    "dry skull": (shell(-1000), "no_brain"),
    "water in acrylic": (shell(0, 130), "no_brain"),
    "water in a skull": (shell(0), "no_brain"),
    "solid plastic": (shell(400), "no_skull"),
    "head without a skull": (shell(35, 40), "no_skull"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_brain_in_a_skull_is_refused(name: str) -> None:
    draw, code = REFUSED[name]
    with pytest.raises(NotHeadError) as error:
        check_skull(survey(stack([draw()] * 6)))
    assert error.value.code == code
    assert all(error.value.told(language)[0] for language in ("en", "ja"))


def test_three_slices_of_a_head_are_enough_and_two_are_not() -> None:
    head = head_slice(70)
    inspect(stack([_air(), head, head, head, _air()]))
    with pytest.raises(NotHeadError):
        inspect(stack([_air(), head, head, _air()]))
    inspect(stack([head, head]))


# --- what is a head all the same ------------------------------------------------------------------


def _bone_away(hu: Picture, middle_deg: float, width_deg: float) -> Picture:
    off = np.abs((_angles(hu) - middle_deg + 180) % 360 - 180)
    return np.where((hu == 900) & (off < width_deg / 2), 30, hu).astype(np.int16)


def craniectomy(slices: list[Picture]) -> list[Picture]:
    """No bone over 100 degrees on the right, but for the lowest 45 mm and the highest 25 mm."""
    return [
        _bone_away(one, 0, 100) if 9 <= place <= 20 else one for place, one in enumerate(slices)
    ]


def fontanelle(slices: list[Picture]) -> list[Picture]:
    """Sutures of 8 mm, and 40 degrees open in front under the vertex."""
    opened = []
    for place, one in enumerate(slices):
        for middle in (-90, 30, 150):
            one = _bone_away(one, middle, 40 if middle == -90 and place > 20 else 6)
        opened.append(one)
    return opened


def held(slices: list[Picture]) -> list[Picture]:
    """A dense shell that touches the scalp."""
    return [cv2.ellipse(one.copy(), (115, 115), (100, 96), 0, 20, 160, 300, 5) for one in slices]


def turned(slices: list[Picture]) -> list[Picture]:
    """Lying on the side."""
    return [np.rot90(one).copy() for one in slices]


def decentred(slices: list[Picture]) -> list[Picture]:
    """Moved to the picture's edge, without being cut."""
    return [np.roll(one, (12, -35), (0, 1)) for one in slices]


@pytest.mark.parametrize("change", [craniectomy, fontanelle, held, turned, decentred])
def test_odd_heads_are_read_without_a_word(
    change: Callable[[list[Picture]], list[Picture]],
) -> None:
    assert _codes(stack(change(head_slices()))) == []


def test_a_craniectomy_down_to_the_last_closed_slices_is_a_head() -> None:
    slices = [_bone_away(one, 0, 110) for one in head_slices()[8:]]
    slices[0] = head_slice(45)
    assert _codes(stack(slices)) == ["brain_missing_below"]


@pytest.mark.parametrize("size", [0.6, 1.1])
def test_small_and_large_heads(size: float) -> None:
    whole = stack(head_slices())
    mm = size * PIXEL_MM
    assert _codes(HUVolume(whole.hu, spacing_mm=(size * SLICE_MM, mm, mm))) == []


@pytest.mark.parametrize("window", [(0, 80), (-20, 100), (-100, 200)])
def test_clipped_heads(window: tuple[int, int]) -> None:
    whole = stack(head_slices())
    hu = np.clip(whole.hu, *window)
    clipped = HUVolume(hu, spacing_mm=whole.spacing_mm, clipped_to_hu=window)
    assert _codes(clipped) == []


def test_thin_noisy_and_thick_slices() -> None:
    heights = np.arange(2.5, 145, 2.5)
    thin = stack([head_slice(height) for height in heights], noise=14)
    assert _codes(HUVolume(thin.hu, spacing_mm=(2.5, 1.0, 1.0))) == []
    thick = stack(head_slices()[::2])
    assert _codes(HUVolume(thick.hu, spacing_mm=(10.0, 1.0, 1.0))) == []


def test_a_brain_that_the_picture_cuts_is_told_and_a_cut_nose_is_not() -> None:
    half = [one[:, :130] for one in head_slices()]
    seen = inspect(stack(half))
    assert [note.code for note in seen.notes] == ["brain_beside_picture"]
    assert dict(seen.notes[0].values)["first"] == 1
    assert _codes(stack([one[28:, :] for one in head_slices()])) == []


def test_metal_is_told_and_does_not_end_the_brain() -> None:
    slices = head_slices()
    streaks = 700 * np.cos(np.deg2rad(_angles(slices[0])) * 9)
    for place in (14, 15):
        slices[place] = np.where(slices[place] > -500, slices[place] + streaks, -1000).astype(
            np.int16
        )
        cv2.circle(slices[place], (115, 110), 8, 3000, -1)
    seen = inspect(stack(slices))
    assert [(note.code, dict(note.values)) for note in seen.notes] == [
        ("metal", {"first": 15, "last": 16})
    ]
    assert seen.coverage is not None
    assert not seen.coverage.upper_missing


def test_teeth_of_metal_are_no_matter() -> None:
    slices = head_slices(-30.0)
    for one in slices[:3]:
        cv2.circle(one, (115, 60), 8, 3000, -1)
    assert _codes(stack(slices)) == []


def test_every_slice_is_told() -> None:
    told: list[tuple[int, int]] = []
    inspect(stack(head_slices()), lambda done, total: told.append((done, total)))
    count = len(head_slices())
    assert told == [(number, count) for number in range(1, count + 1)]


def test_the_survey_of_a_head_of_thirty_slices_is_quick() -> None:
    import time

    whole = stack(head_slices())
    fine = np.repeat(np.repeat(whole.hu, 2, 1), 2, 2)
    volume = HUVolume(fine, spacing_mm=(5.0, 0.5, 0.5))
    start = time.process_time()
    survey(volume)
    assert time.process_time() - start < 0.5

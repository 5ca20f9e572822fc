"""What the picture shows of contrast medium: drawn vessels, and what is dense without any."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hemx_core.imaging.contrast_picture import Look, contrast_notes, look_for_contrast
from hemx_core.imaging.inspect import inspect
from hemx_core.imaging.survey import survey
from hemx_core.imaging.volume import HUVolume
from hemx_core.notes import Note, Phrase, Severity
from tests.hemx_core.imaging.vessels import ARTERIAL, LATE, VENOUS, Phase, enhanced

Slice = NDArray[np.int16]
SIZE, MIDDLE = 220, 110
PHASES = [ARTERIAL, VENOUS, LATE]


def head(
    draw: Callable[[int, Slice], object] = lambda index, hu: None,
    *,
    slices: int = 12,
    noise_hu: float = 3.0,
    turn_deg: float = 0.0,
    clipped_to_hu: tuple[float, float] | None = None,
    thickness_mm: float = 5.0,
) -> HUVolume:
    """Equal slices of a closed skull, 130 x 170 mm inside, 1 mm pixels, each drawn into."""
    rng = np.random.default_rng(3)
    hu = np.full((slices, SIZE, SIZE), -1000, np.int16)
    for index in range(slices):
        for margin, value in ((11, 20), (5, 900), (0, 35)):
            cv2.ellipse(
                hu[index], (MIDDLE, MIDDLE), (65 + margin, 85 + margin), 0, 0, 360, value, -1
            )
        draw(index, hu[index])
        if turn_deg:
            turn = cv2.getRotationMatrix2D((MIDDLE, MIDDLE), turn_deg, 1)
            hu[index] = cv2.warpAffine(hu[index], turn, (SIZE, SIZE), borderValue=(-1000,))
    noise = rng.normal(0, noise_hu, hu.shape) * (hu > -500)
    hu = (hu + noise).round().astype(np.int16)
    if clipped_to_hu is not None:
        hu = hu.clip(int(clipped_to_hu[0]), int(clipped_to_hu[1]))
    return HUVolume(hu, spacing_mm=(thickness_mm, 1.0, 1.0), clipped_to_hu=clipped_to_hu)


def look(volume: HUVolume) -> Look:
    found = look_for_contrast(survey(volume))
    assert found is not None
    return found


def sinus(value: int, first: int = 0, last: int = 99) -> Callable[[int, Slice], object]:
    """A sagittal sinus of 8 mm on some slices."""
    return lambda index, hu: (
        cv2.circle(hu, (MIDDLE, MIDDLE + 80), 4, value, -1) if first <= index <= last else None
    )


def spots(
    value: int, *, left: int, right: int, first: int = 0, last: int = 99
) -> Callable[[int, Slice], object]:
    """Vessels of 4 mm that cross the slices, some on each side."""

    def draw(index: int, hu: Slice) -> None:
        if first <= index <= last:
            for side, count in ((-1, left), (1, right)):
                for number in range(count):
                    cv2.circle(hu, (MIDDLE + 25 * side, MIDDLE - 40 + 16 * number), 2, value, -1)

    return draw


@pytest.mark.parametrize("turn_deg", [0.0, 18.0, -25.0])
@pytest.mark.parametrize(("hu", "dense"), [(55, False), (78, False), (105, True), (250, True)])
def test_the_density_of_the_sagittal_sinus_tells(hu: int, dense: bool, turn_deg: float) -> None:
    found = look(head(sinus(hu), turn_deg=turn_deg))
    assert found.sinus_hu == pytest.approx(hu, abs=8)
    assert found.dense_sinus is found.enhanced is dense
    assert found.plain is not dense
    assert not found.many_spots


def test_a_dense_place_on_a_few_slices_is_no_enhanced_sinus() -> None:
    assert look(head(sinus(250, first=2, last=4))).enhanced is False
    assert look(head(sinus(250, first=2, last=5))).enhanced is True


def test_a_calcified_falx_is_no_sinus() -> None:
    def falx(_index: int, hu: Slice) -> None:
        cv2.rectangle(hu, (MIDDLE - 1, MIDDLE + 40), (MIDDLE, MIDDLE + 82), 140, -1)

    assert look(head(falx)).enhanced is False


@pytest.mark.parametrize(
    ("draw", "many"),
    [
        (spots(180, left=3, right=3), True),
        (spots(180, left=4, right=1), False),
        (spots(180, left=2, right=2), False),
        (spots(85, left=4, right=4), False),
        (spots(180, left=3, right=3, last=3), False),
        (spots(180, left=3, right=3, last=4), True),
    ],
)
def test_many_dense_spots_on_both_sides_are_vessels(
    draw: Callable[[int, Slice], object], many: bool
) -> None:
    found = look(head(draw))
    assert found.many_spots is found.enhanced is many


def test_a_large_clot_with_noise_is_no_vessel() -> None:
    def clot(_index: int, hu: Slice) -> None:
        cv2.ellipse(hu, (MIDDLE, MIDDLE), (45, 30), 0, 0, 360, 75, -1)

    assert look(head(clot, noise_hu=9)).enhanced is False


def test_a_subdural_clot_along_the_skull_is_no_sinus() -> None:
    def subdural(_index: int, hu: Slice) -> None:
        cv2.ellipse(hu, (MIDDLE, MIDDLE), (60, 80), 0, 30, 150, 75, 10)

    found = look(head(subdural))
    assert found.sinus_hu == pytest.approx(75, abs=6)
    assert found.enhanced is False


def test_where_bone_is_clipped_only_spots_are_looked_at() -> None:
    clipped = (-20.0, 100.0)
    plain = look(head(clipped_to_hu=clipped))
    assert plain.sinus_hu is None
    assert not plain.enhanced
    assert not plain.plain
    assert look(head(spots(180, left=3, right=3), clipped_to_hu=clipped)).enhanced


@pytest.mark.parametrize(
    "volume",
    [
        head(clipped_to_hu=(0.0, 80.0)),
        head(slices=5),
        head(noise_hu=40),
        head(lambda _, hu: cv2.circle(hu, (MIDDLE, MIDDLE), 3, 3000, -1)),
    ],
    ids=["clipped", "few slices", "noise", "metal"],
)
def test_where_the_picture_cannot_tell_nothing_is_said(volume: HUVolume) -> None:
    assert look_for_contrast(survey(volume)) is None


def test_thin_noisy_slices_are_averaged() -> None:
    found = look(head(sinus(110), slices=60, noise_hu=20, thickness_mm=1.0))
    assert found.slices <= 40
    assert found.dense_sinus
    assert not look(head(sinus(60), slices=60, noise_hu=20, thickness_mm=1.0)).enhanced


@pytest.fixture(scope="module")
def drawn() -> HUVolume:
    from hemx_core.phantoms import make_phantom, random_spec

    return make_phantom(random_spec(np.random.default_rng(5), matrix=192, slices=24)).volume


def test_a_drawn_head_with_a_clot_is_plain(drawn: HUVolume) -> None:
    assert look(drawn).plain
    assert inspect(drawn).notes == drawn.notes


@pytest.mark.parametrize("phase", PHASES, ids=["arterial", "venous", "late"])
def test_a_drawn_head_with_vessels_is_warned_of(drawn: HUVolume, phase: Phase) -> None:
    notes = inspect(enhanced(drawn, phase)).notes
    assert [note.severity for note in notes if note.code == "looks_enhanced"] == [Severity.WARNING]


SIGN = Phrase("contrast.description", description="Head IV")
PLAIN = Look(slices=12, sinus_hu=55.0, sinus_slices=0, spotted_slices=0)
BRIGHT = Look(slices=12, sinus_hu=160.0, sinus_slices=9, spotted_slices=0)
CONTRADICTED = Note("contrast_contradicted", Severity.WARNING, sign=SIGN, against=SIGN)
UNSURE = Note("contrast_unsure", Severity.CAUTION, sign=SIGN)
NAMED = Note("contrast", Severity.WARNING, reason=Phrase("contrast_given", sign=SIGN))


def test_a_plain_picture_calms_what_the_header_leaves_open() -> None:
    told = contrast_notes((CONTRADICTED, UNSURE, NAMED), PLAIN)
    assert [note.severity for note in told] == [
        Severity.CAUTION,
        Severity.INFO,
        Severity.WARNING,
    ]
    assert told[0].values["seen"] == Phrase("contrast.not_seen")
    assert told[2] == NAMED


def test_a_picture_that_cannot_tell_changes_nothing() -> None:
    unsure = replace(PLAIN, sinus_hu=None)
    between = replace(PLAIN, sinus_hu=84.0)
    for found in (None, unsure, between):
        assert contrast_notes((CONTRADICTED, UNSURE), found) == (CONTRADICTED, UNSURE)


def test_an_enhanced_picture_is_a_warning_unless_the_user_named_the_series() -> None:
    told = contrast_notes((UNSURE,), BRIGHT)
    assert told[0] == UNSURE
    assert told[1] == Note("looks_enhanced", Severity.WARNING, slices=12, sinus_hu=160)
    assert contrast_notes((NAMED,), BRIGHT) == (NAMED,)
    spotted = replace(PLAIN, spotted_slices=7)
    assert contrast_notes((), spotted) == (
        Note("looks_enhanced", Severity.WARNING, slices=12, spotted_slices=7),
    )


@pytest.mark.slow
def test_real_plain_heads_are_plain() -> None:
    if "HEMX_DATA" not in os.environ:
        pytest.skip("HEMX_DATA is not set")
    from hemx_core.data.phe_sich import read_rows, read_volume
    from hemx_core.imaging.reader import read_series

    folder = Path(os.environ["HEMX_DATA"])
    plain = read_series(folder / "dicom" / "ge_tilted_head")
    assert look(plain).plain
    assert all(look(enhanced(plain, phase)).enhanced for phase in PHASES)
    patients = list(read_rows(folder / "phe_sich").values())[::5]
    looks = [look_for_contrast(survey(read_volume(folder / "phe_sich", rows))) for rows in patients]
    assert sum(found is not None for found in looks) >= 12
    assert not any(found.enhanced for found in looks if found is not None)

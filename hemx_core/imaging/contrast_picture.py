"""Whether the picture of a head shows contrast medium in its vessels.

Two signs, each enough by itself, both measured where no normal plain head has such values:

| sign | plain | after contrast medium |
| --- | --- | --- |
| density of the sagittal sinus, in the midline inside the back of the skull | 40 to 70 HU | above 100 |
| slices with many small dense spots deep in the brain, on both sides | at most two | most |

Clot is below 90 HU, and a calcified pineal body, choroid plexus or pallidum makes one to four spots
on two or three slices. Measured: of 79 real plain heads with haemorrhage (phe_sich) the picture could
tell of 75, none of which has a sinus above 68 HU or more than one slice with many spots; nor has any
of 200 drawn heads. Of 300 drawn heads with vessels put in (arterial, venous, five minutes later) 298
were found; no real head after contrast medium was at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.survey import CAVITY, Survey, filled_hull
from hemx_core.notes import Note, Phrase, Severity

VESSEL_HU = 95.0
"""Above clot and the blood of any haematocrit, mean of 3 x 3 mm."""
SINUS_HU = 90.0
"""Above a thrombosed sinus, mean of 5 x 3 mm."""
SATURATED_HU = 200.0
"""Where values were clipped below, spots are what reads as the top."""
PLAIN_HU = 80.0
"""Blood without contrast medium is below, at any haematocrit."""
DENSE_BONE_HU = 500.0
"""The inner table: denser than any sinus."""
SINUS_DEPTH_MM = (3, 10)
"""Where the sinus lies, inside the inner table."""
HALF_WIDTH_MM = 14
"""How far to both sides of the midline it is looked for."""
DEEP_MM = 10.0
"""Spots nearer to the bone may be its own partial volume."""
SPOT_MM2 = (4.0, 80.0)
MANY_SPOTS = 5
EACH_SIDE = 2
ROUND = 1.08
"""A cavity that is hardly longer than wide tells no direction."""
LARGE_CAVITY = 0.7
"""Slices with less of the largest cavity are too near the vertex or the base."""
LEAST_SLICES = 6
"""With fewer slices of a large cavity nothing is said."""
MOST_SLICES = 40
LEAST_SHARE = 1 / 3
"""Of the slices: what less of them show is a calcification, a clip or the skull base."""
LEAST_ENHANCED = 3
MOST_NOISE_HU = 15.0
"""Of a slice, where spots of noise in a clot still stay below `VESSEL_HU`."""
THICK_MM = 4.0
METAL_HU = 2500
"""A slice with metal inside the skull shows streaks."""

Labels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the picture shows of contrast medium.

    Args:
        slices: how many were looked at.
        sinus_hu: the sagittal sinus on the slices where it is densest, HU; None where less than half
            of the slices show it.
        sinus_slices: on how many slices it is denser than blood.
        spotted_slices: how many show many small dense spots on both sides.
    """

    slices: int
    sinus_hu: float | None
    sinus_slices: int
    spotted_slices: int

    @property
    def dense_sinus(self) -> bool:
        """Whether the sinus is denser than blood on enough of the slices."""
        return self.sinus_slices >= max(LEAST_ENHANCED, LEAST_SHARE * self.slices)

    @property
    def many_spots(self) -> bool:
        """Whether enough of the slices show many spots."""
        return self.spotted_slices > max(LEAST_ENHANCED, LEAST_SHARE * self.slices)

    @property
    def enhanced(self) -> bool:
        """Whether the vessels look as after contrast medium."""
        return self.dense_sinus or self.many_spots

    @property
    def plain(self) -> bool:
        """Whether the vessels look as without contrast medium; neither holds where it is unsure."""
        return not self.enhanced and self.sinus_hu is not None and self.sinus_hu < PLAIN_HU


def look_for_contrast(survey: Survey) -> Look | None:
    """Look for enhanced vessels.

    Args:
        survey: of a volume with the nose up.
    Returns:
        None where the picture cannot tell: too few slices of a closed skull, or values clipped below
        what vessels reach.
    """
    top = np.inf if survey.volume.clipped_to_hu is None else survey.volume.clipped_to_hu[1]
    large = np.flatnonzero(survey.cavity_mm2 >= LARGE_CAVITY * survey.cavity_mm2.max(initial=1.0))
    if top <= VESSEL_HU or len(large) < LEAST_SLICES:
        return None
    places = large[np.unique(np.linspace(0, len(large) - 1, MOST_SLICES).round().astype(int))]
    hulls = {int(place): _hull(survey, int(place)) for place in places}
    turn = _turn_deg(hulls.values(), survey.pixel_mm)
    sinus: list[float] = []
    spotted = seen = 0
    for place, hull in hulls.items():
        hu = _thick(survey, place)
        if hu[hull != 0].max(initial=0) >= METAL_HU or _noise_hu(hu, hull) > MOST_NOISE_HU:
            continue
        seen += 1
        spotted += _spotted(hu, hull, survey.pixel_mm, top)
        # Where bone is clipped, an enhanced sinus reads as bone.
        if top > DENSE_BONE_HU:
            sinus.append(_sinus_hu(hu, hull, turn, survey.pixel_mm))
    if seen < LEAST_SLICES:
        return None
    known = [value for value in sinus if np.isfinite(value)]
    return Look(
        slices=seen,
        sinus_hu=float(np.quantile(known, 1 - LEAST_SHARE)) if 2 * len(known) >= seen else None,
        sinus_slices=sum(value >= SINUS_HU for value in known),
        spotted_slices=spotted,
    )


def _thick(survey: Survey, place: int) -> Floats:
    """HU of a slice on the coarse grid; thin slices are averaged with their neighbours."""
    index, step = int(survey.index[place]), survey.step
    geometry = survey.volume.geometry
    # A thickness far below the slices' distance is a label, not a slice.
    apart = max(float(geometry.slice_thickness_mm[index]), geometry.spacing_mm[0])
    beside = int(THICK_MM / apart / 2)
    near = survey.volume.hu[max(0, index - beside) : index + beside + 1]
    return np.asarray(near[:, :: step[0], :: step[1]].mean(axis=0, dtype=np.float32))


def _noise_hu(hu: Floats, hull: Labels) -> float:
    """Standard deviation of the noise in the brain, from neighbouring pixels."""
    differences = np.abs(np.diff(hu, axis=1))[(hull[:, 1:] & hull[:, :-1]) != 0]
    return float(np.median(differences)) / 0.954 if differences.size else float("inf")


def _hull(survey: Survey, place: int) -> Labels:
    """The cavity with what dense vessels take from it."""
    return filled_hull((survey.labels[place] == CAVITY).astype(np.uint8))


def _spotted(hu: Floats, hull: Labels, pixel_mm: tuple[float, float], top_hu: float) -> bool:
    """Whether a slice shows many small dense spots deep in the brain, on both sides."""
    mm2 = pixel_mm[0] * pixel_mm[1]
    deep = cv2.erode(hull, _disk(DEEP_MM, pixel_mm))
    if top_hu < SATURATED_HU:
        # A mean would drop below what a small spot is clipped to.
        full = (hu >= top_hu - 1).astype(np.uint8)
        dense = cv2.morphologyEx(full, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) & deep
    else:
        dense = ((cv2.blur(hu, _box(3, 3, pixel_mm)) >= VESSEL_HU) & (deep != 0)).astype(np.uint8)
    count, _, stats, centres = cv2.connectedComponentsWithStats(dense, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA] * mm2
    small = (areas >= SPOT_MM2[0]) & (areas <= SPOT_MM2[1])
    if count < 2 or small.sum() < MANY_SPOTS:
        return False
    middle = float(np.flatnonzero(hull.any(axis=0)).mean())
    left = int((centres[1:, 0][small] < middle).sum())
    return min(left, int(small.sum()) - left) >= EACH_SIDE


def _turn_deg(hulls: Iterable[Labels], pixel_mm: tuple[float, float]) -> float:
    """By how much the head is turned in its slices: the median long axis, degrees clockwise."""
    turns = []
    for hull in hulls:
        contours, _ = cv2.findContours(hull, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        outline = max(contours, key=cv2.contourArea)[:, 0].astype(np.float32)
        _, (short, long), angle = cv2.fitEllipse(outline * np.array(pixel_mm[::-1], np.float32))
        # The axis of an ellipse has no direction, that of a head does; a round one has no axis.
        if long > ROUND * short:
            turns.append((angle + 90) % 180 - 90)
    return float(np.median(turns)) if turns else 0.0


def _sinus_hu(hu: Floats, hull: Labels, turn_deg: float, pixel_mm: tuple[float, float]) -> float:
    """HU of the densest place where the sagittal sinus lies; NaN where no bone bounds it."""
    upright = _upright(hu, hull, turn_deg, pixel_mm)
    columns = upright.shape[1]
    found = []
    for column in range(columns):
        bone = np.flatnonzero(upright[SINUS_DEPTH_MM[1] :, column] >= DENSE_BONE_HU)
        if bone.size:
            inner = SINUS_DEPTH_MM[1] + int(bone[0])
            found.append(upright[inner - SINUS_DEPTH_MM[1] : inner - SINUS_DEPTH_MM[0], column])
    if len(found) < columns / 2:
        return float("nan")
    return float(cv2.blur(np.stack(found, axis=1), (5, 3))[1:-1, 2:-2].max())


def _upright(hu: Floats, hull: Labels, turn_deg: float, pixel_mm: tuple[float, float]) -> Floats:
    """The back of the head at 1 mm, upright: round the midline, from 30 mm before the cavity's end.

    Shape (60, 2 * HALF_WIDTH_MM + 1).
    """
    dy, dx = pixel_mm
    rows, columns = np.nonzero(hull)
    y, x = rows * dy, columns * dx
    cos, sin = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    # Along the head's own axes: back is where `down` is largest.
    across, down = x * cos + y * sin, y * cos - x * sin
    left, up = (across.min() + across.max()) / 2 - HALF_WIDTH_MM, down.max() - 30
    place = np.array(
        [
            [cos / dx, -sin / dx, (left * cos - up * sin) / dx],
            [sin / dy, cos / dy, (left * sin + up * cos) / dy],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (2 * HALF_WIDTH_MM + 1, 60)
    return np.asarray(
        cv2.warpAffine(hu, place, size, flags=flags, borderValue=(-1000.0,)), np.float32
    )


def _disk(radius_mm: float, pixel_mm: tuple[float, float]) -> Labels:
    rows, columns = (2 * max(1, round(radius_mm / mm)) + 1 for mm in pixel_mm)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (columns, rows)), np.uint8)


def _box(width_mm: float, height_mm: float, pixel_mm: tuple[float, float]) -> tuple[int, int]:
    return max(1, round(width_mm / pixel_mm[1])), max(1, round(height_mm / pixel_mm[0]))


def contrast_notes(notes: Sequence[Note], look: Look | None) -> tuple[Note, ...]:
    """A volume's notes with what the picture adds to what its header leaves open.

    A picture that shows no enhanced vessels calms what the header contradicts itself in; a series
    whose header says contrast was named by the user, and keeps its warning.

    Args:
        notes: of the volume.
        look: at its picture; None where that cannot tell.
    """
    if look is None:
        return tuple(notes)
    if not look.enhanced:
        return tuple(_calmed(note) if look.plain else note for note in notes)
    if any(note.code == "contrast" for note in notes):
        return tuple(notes)
    sinus_hu = None if look.sinus_hu is None else round(look.sinus_hu)
    seen = Note(
        "looks_enhanced",
        Severity.WARNING,
        slices=look.slices,
        sinus_hu=sinus_hu if look.dense_sinus else None,
        spotted_slices=look.spotted_slices if look.many_spots else None,
    )
    return (*notes, seen)


_CALMED = {"contrast_contradicted": Severity.CAUTION, "contrast_unsure": Severity.INFO}


def _calmed(note: Note) -> Note:
    severity = _CALMED.get(note.code)
    if severity is None:
        return note
    return Note(note.code, severity, **note.values, seen=Phrase("contrast.not_seen"))

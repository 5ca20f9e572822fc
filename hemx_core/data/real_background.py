"""Lesion-free stacks made from the PHE-SICH-CT-IDS patients, for haematomas with exact truth.

Every patient there has a lesion. Slices above and below it are used as they are; in the lesion's slices
the lesion with its oedema is covered by the mirror image of the other hemisphere, feathered at the rim.
Patients whose lesion reaches the midline, or that keep dense spots (blood in ventricles), are not used.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.data import phe_sich
from hemx_core.data.phe_sich import SliceRow
from hemx_core.imaging.head import disk
from hemx_core.phantoms.background import (
    BONE_SHARE,
    Background,
    find_brain,
    halved,
    make_background,
)
from hemx_core.phantoms.fields import Floats

LESION_MARGIN_MM = 5.0
"""Beyond the masks: their rim, and oedema that the source left out."""
FEATHER_MM = 3.0
DENSE_HU = 52.0
"""Above grey matter at 45: what stays denser over `DENSE_MM2` may be blood."""
DENSE_MM2 = 60.0
DENSE_DEPTH_MM = 8.0
"""Nearer the skull, its partial volume and the sinuses are dense."""
MAX_STRANGE_MM2 = 8.0
"""Of lesion, skull or air in the mirrored patch: the mirror does not fit."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RealBackground:
    """A patient's slices without the lesion.

    Args:
        patient: the source's number.
        background: where a clot may go.
        free: slices that never showed blood, shape (slices,).
    """

    patient: str
    background: Background
    free: NDArray[np.bool_]


def boxed_slices(folder: Path) -> frozenset[tuple[str, int]]:
    """Patient and slice of every row in which the source's annotators boxed a haemorrhage."""
    with (folder / "slices.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return frozenset((row["patient"], int(row["slice"])) for row in rows if row["boxed"] != "0")


def read_background(
    folder: Path, rows: Sequence[SliceRow], boxed: frozenset[tuple[str, int]]
) -> RealBackground | None:
    """Read a patient and cover the lesion; None where the patient serves no clot.

    Args:
        folder: of phe_sich.
        rows: the patient's rows of `slices.csv`, feet to head (all 79 were looked at).
        boxed: from `boxed_slices`.
    """
    dz, pixel, _ = phe_sich.ASSUMED_SPACING_MM
    window = (rows[0].window_lower, rows[0].window_upper)
    hu = np.stack([phe_sich.read_hu(folder, row) for row in rows])
    lesions = [_lesion(folder, row) for row in rows]
    bled = np.array([(row.patient, row.index) in boxed for row in rows])
    bled |= [lesion is not None for lesion in lesions]
    marked = np.flatnonzero(bled)
    if not len(marked):
        return None
    mirror = fit_mirror(hu[marked[len(marked) // 2]], window=window)
    usable = ~bled
    for index in marked:
        lesion = lesions[index]
        if lesion is None:
            continue
        healed = heal_slice(hu[index], lesion, mirror, pixel_mm=pixel, window=window)
        if healed is not None:
            hu[index], usable[index] = healed, True
    brains = [find_brain(picture, pixel_mm=pixel, upper_hu=window[1]) for picture in hu]
    for index in np.flatnonzero(usable):
        usable[index] = not _dense(hu[index], brains[index], pixel)
    background = make_background(
        hu,
        brains=brains,
        usable=usable,
        pixel_mm=pixel,
        slice_mm=dz,
        window_hu=window,
        yaw_rad=yaw_of(mirror),
    )
    if background is None:
        return None
    around = np.zeros(len(hu), bool)
    around[max(marked[0] - 1, 0) : marked[-1] + 2] = True
    return RealBackground(patient=rows[0].patient, background=background, free=~bled & ~around)


def fit_mirror(picture: NDArray[np.int16], *, window: tuple[float, float]) -> NDArray[np.float64]:
    """The reflection that lays the head on itself, shape (2, 3), native pixels to native pixels.

    Every turn of the midline up to 45 degrees and every offset are tried on a coarse picture, the best
    is refined on a finer one; the skull decides, the lesion weighs little.

    Args:
        picture: one slice, square, clipped to `window`.
        window: HU.
    """
    yaw, offset, middle = 0.0, 0.0, (0.0, 0.0)
    for size, turns, shifts in (
        (64, np.arange(-45.0, 45.1, 3), np.arange(-8.0, 8.1, 1)),
        (128, np.arange(-2.0, 2.1, 0.5), np.arange(-1.5, 1.6, 0.25)),
    ):
        small = cv2.resize(picture.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), 1.0)
        if not yaw and not offset:
            head = cv2.moments((small > np.mean(window)).astype(np.uint8), binaryImage=True)
            area = max(head["m00"], 1.0)
            middle = ((head["m10"] / area + 0.5) / size, (head["m01"] / area + 0.5) / size)
        centre = np.array(middle) * size - 0.5
        errors = {
            (turn, shift): _asymmetry(small, _mirror(yaw + turn, offset * size + shift, centre))
            for turn in np.deg2rad(turns)
            for shift in shifts
        }
        turn, shift = min(errors, key=lambda key: errors[key])
        yaw, offset = yaw + turn, offset + shift / size
    return _mirror(yaw, offset * len(picture), np.array(middle) * len(picture) - 0.5)


def _mirror(yaw: float, offset: float, centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Reflection in the line turned by `yaw` that passes the centre at a distance, shape (2, 3)."""
    normal = np.array([np.cos(yaw), -np.sin(yaw)])
    linear = np.eye(2) - 2 * np.outer(normal, normal)
    point = centre + offset * normal
    return np.column_stack([linear, point - linear @ point])


def _asymmetry(picture: Floats, mirror: NDArray[np.float64]) -> float:
    """Mean absolute difference of a picture and its reflection."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    other = cv2.warpAffine(
        picture, mirror, picture.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return float(cv2.norm(picture, other, cv2.NORM_L1))


def yaw_of(mirror: NDArray[np.float64]) -> float:
    """Turn of the midline from the vertical; positive where it leans to the right at the back."""
    # A reflection across a line at angle a from the x axis is [[cos 2a, sin 2a], [sin 2a, -cos 2a]].
    angle = np.arctan2(mirror[1, 0], mirror[0, 0]) / 2
    direction = np.array([np.cos(angle), np.sin(angle)])
    if direction[1] < 0:
        direction = -direction
    return float(np.arctan2(direction[0], direction[1]))


def heal_slice(
    hu: NDArray[np.int16],
    lesion: NDArray[np.bool_],
    mirror: NDArray[np.float64],
    *,
    pixel_mm: float,
    window: tuple[float, float],
) -> NDArray[np.int16] | None:
    """Cover a lesion with the other hemisphere; None where that shows the lesion, bone or air.

    The patch takes on the mean density that surrounds it.
    """
    lower_hu, upper_hu = window
    size = (hu.shape[1], hu.shape[0])
    wide = cv2.dilate(lesion.astype(np.uint8), disk(2 * LESION_MARGIN_MM, (pixel_mm, pixel_mm)))
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    other = cv2.warpAffine(hu.astype(np.float32), mirror, size, flags=flags, borderValue=lower_hu)
    there = cv2.warpAffine(
        lesion.astype(np.uint8), mirror, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    )
    bone = BONE_SHARE * upper_hu
    strange = (there > 0) | ((other > bone) & (hu < bone)) | (other < lower_hu + 5)
    if np.count_nonzero(strange & (wide > 0)) * pixel_mm**2 > MAX_STRANGE_MM2:
        return None
    weight = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), FEATHER_MM / 2 / pixel_mm)
    rim = (weight > 0.02) & (weight < 0.3) & (hu > 10) & (hu < 55) & (other > 10) & (other < 55)
    level = float((hu[rim] - other[rim]).mean()) if rim.any() else 0.0
    healed = hu + weight * (other + np.clip(level, -4, 4) - hu)
    rounded: NDArray[np.int16] = np.rint(np.clip(healed, lower_hu, upper_hu)).astype(np.int16)
    return rounded


def _lesion(folder: Path, row: SliceRow) -> NDArray[np.bool_] | None:
    """Haematoma, oedema and unsure pixels; None where the source marks none."""
    name = f"{row.patient}_{row.index:02d}.png"
    kinds = [k for k in ("haematoma", "oedema", "unsure") if (folder / k / name).exists()]
    if not kinds:
        return None
    return np.asarray(np.any([phe_sich.read_mask(folder, kind, row) for kind in kinds], axis=0))


def _dense(hu: NDArray[np.int16], brain: NDArray[np.uint8], pixel_mm: float) -> bool:
    """Whether something in the brain is as dense as blood."""
    depth = cv2.distanceTransform(brain, cv2.DIST_L2, cv2.DIST_MASK_5) * 2 * pixel_mm
    even = cv2.GaussianBlur(halved(hu), (0, 0), 1.0 / pixel_mm / 2)
    dense = ((even > DENSE_HU) & (depth > DENSE_DEPTH_MM)).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(dense)
    return bool((stats[1:, cv2.CC_STAT_AREA] * (2 * pixel_mm) ** 2 > DENSE_MM2).any())

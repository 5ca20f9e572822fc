"""What resynthesised haematomas are made of: outlines, texture and backgrounds of real patients.

Read from PHE-SICH-CT-IDS at run time; nothing of it is part of HEMX. All is on the prepared grid.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.data import phe_sich
from hemx_core.data.phe_sich import SliceRow
from hemx_core.data.real_background import boxed_slices, read_background
from hemx_core.errors import DatasetError
from hemx_core.imaging.prepare import PreparedSlice, prepare_slice
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.phantoms.background import find_brain
from hemx_core.phantoms.fields import Floats
from hemx_core.phantoms.grain import DETREND_PX, Grain, cut_patches, residual
from hemx_core.phantoms.outlines import Cells, Donor, fill_holes, signed_distance, window
from hemx_core.phantoms.overlay import split_noise

SMALLEST_PIECE_MM2 = 10.0
SMALLEST_DONOR_ML = 1.0
MOST_PATCHES = 400
FEWEST_PATCHES = 12
LOUDEST = 1.4
LOUDEST_HU = 4.8
"""Patches of more than so many times the median deviation are left out."""
DONOR_MARGIN_PX = 36
RIM_PX = 2
"""Round a reference mask: partial volume of the haematoma."""
ANATOMY_HU = 9.0
"""Detail further from the mean round it is a sulcus or a vessel, not texture."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """A patient's slices without the lesion, feet to head, on the prepared grid.

    Args:
        patient: the source's number.
        image: grey values, shape (slices, size, size), uint8, 255 the window's top.
        depth: distance to the brain's border, grid pixels, same shape, float16.
        fluid: ventricles and sulci, same shape.
        number: of each slice in the volume, shape (slices,).
        never_bled: slices that never showed blood, shape (slices,).
        ganglia: number of the slice at the level of the basal ganglia, not rounded.
        noise_hu: fine noise of the brain.
        side: of the patient's own lesion: 1 right in the picture, -1 left, 0 both or none.
    """

    patient: str
    image: NDArray[np.uint8]
    depth: NDArray[np.float16]
    fluid: NDArray[np.bool_]
    number: NDArray[np.int16]
    never_bled: NDArray[np.bool_]
    ganglia: float
    noise_hu: float
    side: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """All that haematomas are drawn from.

    Args:
        donors: outlines.
        grains: textures.
        grounds: backgrounds without the lesion.
        own: outlines with their own slices, the haematoma alone filled in.
    """

    donors: tuple[Donor, ...]
    grains: tuple[Grain, ...]
    grounds: tuple[Ground, ...]
    own: tuple[tuple[Donor, Ground], ...]

    def of(self, patients: Collection[str]) -> Material:
        """What comes of some patients."""
        return Material(
            donors=tuple(one for one in self.donors if one.patient in patients),
            grains=tuple(one for one in self.grains if one.patient in patients),
            grounds=tuple(one for one in self.grounds if one.patient in patients),
            own=tuple(one for one in self.own if one[0].patient in patients),
        )

    def on(self, other: Material) -> Material:
        """These outlines and textures in the slices of other patients."""
        return Material(
            donors=self.donors, grains=self.grains, grounds=other.grounds, own=other.own
        )


def read_material(folder: Path, patients: Sequence[str], spec: PreprocessingSpec) -> Material:
    """Read outlines, textures and backgrounds of patients.

    Args:
        folder: of phe_sich.
        patients: whose; training must not see those that are held out.
        spec: how slices are prepared.
    Raises:
        DatasetError: the patients have no usable outline, texture or background.
    """
    rows, boxed = phe_sich.read_rows(folder), boxed_slices(folder)
    wrong = wrong_references(folder)
    donors, grains, grounds, own = [], [], [], []
    for patient in patients:
        ground = read_ground(folder, rows[patient], boxed, spec)
        if ground is not None:
            grounds.append(ground)
        if patient in wrong:
            continue
        level = 0.0 if ground is None else ground.ganglia
        slices = blood_slices(folder, rows[patient], spec)
        donor = make_donor(patient, slices, level, spec)
        if donor is not None:
            donors.append(donor)
            own.append((donor, own_ground(patient, slices, level)))
        grain = make_grain(patient, slices, spec)
        if grain is not None:
            grains.append(grain)
    if not (donors and grains and grounds):
        raise DatasetError(
            f"{len(donors)} outlines, {len(grains)} textures, {len(grounds)} backgrounds",
            expected="patients with a haematoma, its reference mask and slices without it",
            remedy="check the folder of phe_sich",
        )
    return Material(
        donors=tuple(donors), grains=tuple(grains), grounds=tuple(grounds), own=tuple(own)
    )


def wrong_references(folder: Path) -> frozenset[str]:
    """Patients whose derived outline two readings call grossly wrong; empty without readings."""
    path = folder / "markers_read.csv"
    if not path.exists():
        return frozenset()
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return frozenset(
        row["patient"]
        for row in rows
        if row["reference_wrong_a"] == row["reference_wrong_b"] == "1"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class BloodSlice:
    """A prepared real slice between the first and the last that show blood.

    Args:
        place: its place among the patient's slices, feet to head.
        hu: shape (size, size), float32, clipped to the window.
        mask: the derived reference.
        depth: distance to the brain's border, grid pixels.
    """

    place: int
    hu: Floats
    mask: NDArray[np.bool_]
    depth: Floats

    def without_blood(self) -> Floats:
        """The slice with the haematoma alone filled in from its rim: real up to `RIM_PX` from it."""
        wide = cv2.dilate(self.mask.astype(np.uint8), np.ones((2 * RIM_PX + 1,) * 2, np.uint8))
        smooth, _ = split_noise(self.hu, np.where(wide > 0, np.float32(0), self.depth))
        filled = cv2.inpaint(
            np.clip(smooth, 0, None).astype(np.float32), wide, 3, cv2.INPAINT_TELEA
        )
        return np.where(wide > 0, filled + self._grain(wide > 0), self.hu).astype(np.float32)

    def _grain(self, wide: NDArray[np.bool_]) -> Floats:
        """Texture for the filled part: that of the other side, or drawn where there is none."""
        rng = np.random.default_rng((self.place, int(wide.sum())))
        made = brain_noise(self.hu, self.mask) * _grainy(rng, wide.shape, 0.6)
        made += brain_mottle(self.hu, self.mask, self.depth) * _grainy(rng, wide.shape, 1.6)
        left = self.hu - cv2.GaussianBlur(self.hu, (0, 0), DETREND_PX)
        there = (self.depth > 4) & ~wide & (np.abs(left) < ANATOMY_HU)
        return np.where(there[:, ::-1], left[:, ::-1], made).astype(np.float32)


def blood_slices(
    folder: Path, rows: Sequence[SliceRow], spec: PreprocessingSpec
) -> list[BloodSlice]:
    """A patient's slices from the first to the last with a reference mask."""
    marked = [place for place, row in enumerate(rows) if row.haematoma_px]
    found = []
    for place in range(marked[0], marked[-1] + 1) if marked else ():
        row = rows[place]
        hu = phe_sich.read_hu(folder, row)
        ready = _prepared(hu, row, spec)
        to_grid = ready.transform.to_grid
        pixel = phe_sich.ASSUMED_SPACING_MM[1]
        brain = find_brain(hu, pixel_mm=pixel, upper_hu=row.window_upper)
        depth = cv2.distanceTransform(brain, cv2.DIST_L2, cv2.DIST_MASK_5) * (2 * pixel)
        found.append(
            BloodSlice(
                place=place,
                hu=to_hu(ready.image, spec),
                mask=to_grid(phe_sich.read_mask(folder, "haematoma", row)) >= 0.5,
                depth=to_grid(cv2.resize(depth, hu.shape[::-1])) / np.float32(spec.pixel_mm),
            )
        )
    return found


def to_hu(image: NDArray[np.floating], spec: PreprocessingSpec) -> Floats:
    """Prepared grey values as HU above the window's lower end."""
    return np.asarray(image * (spec.window.upper - spec.window.lower), np.float32)


def make_donor(
    patient: str, slices: Sequence[BloodSlice], ganglia: float, spec: PreprocessingSpec
) -> Donor | None:
    """The outline of a patient's haematoma, centred and without holes; None where it is too small.

    Args:
        patient: the source's number.
        slices: from `blood_slices`.
        ganglia: number of the slice at the level of the basal ganglia.
        spec: of the slices.
    """
    pixel, dz = spec.pixel_mm, phe_sich.ASSUMED_SPACING_MM[0]
    masks = [fill_holes(_without_specks(one.mask, SMALLEST_PIECE_MM2 / pixel**2)) for one in slices]
    while masks and not masks[0].any():
        masks, slices = masks[1:], slices[1:]
    while masks and not masks[-1].any():
        masks, slices = masks[:-1], slices[:-1]
    if not masks or sum(map(np.count_nonzero, masks)) * pixel**2 * dz / 1000 < SMALLEST_DONOR_ML:
        return None
    every = np.argwhere(np.stack(masks))[:, 1:]
    row, column = (round(float(value)) for value in every.mean(0))
    reach = int(np.ceil(np.abs(every - (row, column)).max())) + DONOR_MARGIN_PX

    def centred(picture: Cells) -> Cells:
        return window(picture, row - reach, column - reach, 2 * reach)

    largest = int(np.argmax([np.count_nonzero(mask) for mask in masks]))
    return Donor(
        patient=patient,
        distance=np.stack([signed_distance(centred(mask)) for mask in masks]),
        surround=np.stack([centred(one.without_blood()) for one in slices]),
        depth=np.stack([centred(one.depth) for one in slices]),
        row=row,
        column=column,
        height_mm=(slices[largest].place - ganglia) * dz,
    )


def own_ground(patient: str, slices: Sequence[BloodSlice], ganglia: float) -> Ground:
    """A patient's slices with blood, the haematoma alone filled in: rim and oedema stay real."""
    grey = [np.clip(one.without_blood() * (255 / 80), 0, 255) for one in slices]
    return Ground(
        patient=patient,
        image=np.rint(np.stack(grey)).astype(np.uint8),
        depth=np.stack([one.depth for one in slices]).astype(np.float16),
        fluid=np.zeros((len(slices), *slices[0].hu.shape), np.bool_),
        number=np.array([one.place for one in slices], np.int16),
        never_bled=np.zeros(len(slices), np.bool_),
        ganglia=ganglia,
        noise_hu=float(np.mean([brain_noise(one.hu, one.mask) for one in slices])),
        side=0,
    )


def make_grain(patient: str, slices: Sequence[BloodSlice], spec: PreprocessingSpec) -> Grain | None:
    """The texture of a patient's haematoma; None where it is too small to cut patches from."""
    patches, means, noises = [], [], []
    for one in slices:
        left, core = residual(one.hu, one.mask)
        cut = cut_patches(left, core)
        if len(cut):
            patches.append(cut)
            means.append(float(one.hu[core].mean()))
            noises.append(brain_noise(one.hu, one.mask))
    found = sum(map(len, patches))
    if found < FEWEST_PATCHES:
        return None
    every = np.concatenate(patches)
    # A patch across a border of two parts would draw a marker that no label knows of.
    loud = every.std((1, 2))
    every = every[loud <= LOUDEST * np.median(loud)]
    kept = every[:: max(1, -(-len(every) // MOST_PATCHES))]
    spread = float(kept.std())
    return Grain(
        patient=patient,
        patches=kept * np.float32(min(1.0, LOUDEST_HU / spread)),
        mean_hu=float(np.mean(means)),
        noise_hu=float(np.mean(noises)),
    )


def brain_noise(hu: Floats, mask: NDArray[np.bool_]) -> float:
    """Deviation of the fine noise of the brain on a slice, HU, outliers left out."""
    brain = (hu > 15) & (hu < 50) & ~mask
    depth = cv2.distanceTransform(brain.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    fine = np.abs(split_noise(hu, depth)[1][depth > 3])
    return 1.4826 * float(np.median(fine)) if fine.size else 2.0


def brain_mottle(hu: Floats, mask: NDArray[np.bool_], depth: Floats) -> float:
    """Deviation of the brain's texture near a haematoma that is coarser than noise, HU."""
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    near = (away > 3) & (away < 12) & (depth > 3) & (hu > 15) & (hu < 50)
    if np.count_nonzero(near) < 50:
        return 1.5
    coarse = cv2.GaussianBlur(hu, (0, 0), 1.2) - cv2.GaussianBlur(hu, (0, 0), 4.0)
    return 1.4826 * float(np.median(np.abs(coarse[near] - np.median(coarse[near]))))


def _grainy(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> Floats:
    """Smoothed white noise of deviation 1."""
    white = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), sigma)
    scaled: Floats = white / np.float32(max(float(white.std()), 1e-6))
    return scaled


def read_ground(
    folder: Path,
    rows: Sequence[SliceRow],
    boxed: Collection[tuple[str, int]],
    spec: PreprocessingSpec,
) -> Ground | None:
    """A patient's slices with the lesion covered; None where none can be used."""
    real = read_background(folder, rows, frozenset(boxed))
    if real is None:
        return None
    dz = phe_sich.ASSUMED_SPACING_MM[0]
    images, depths, fluids, noises = [], [], [], []
    kept = np.flatnonzero(real.background.usable)
    for place in map(int, kept):
        hu = real.background.hu[place]
        ready = _prepared(hu, rows[place], spec)
        to_grid = ready.transform.to_grid
        depth_mm = cv2.resize(real.background.depth_mm[place], hu.shape[::-1])
        fluid = cv2.resize(real.background.fluid[place].astype(np.float32), hu.shape[::-1])
        images.append(np.rint(ready.image * 255).astype(np.uint8))
        depths.append((to_grid(depth_mm) / spec.pixel_mm).astype(np.float16))
        fluids.append(to_grid(fluid) >= 0.5)
        noises.append(brain_noise(to_hu(ready.image, spec), np.zeros(ready.image.shape, np.bool_)))
    if not images:
        return None
    return Ground(
        patient=rows[0].patient,
        image=np.stack(images),
        depth=np.stack(depths),
        fluid=np.stack(fluids),
        number=kept.astype(np.int16),
        never_bled=real.free[kept],
        ganglia=real.background.ganglia_mm / dz,
        noise_hu=float(np.mean(noises)),
        side=_lesion_side(folder, rows, real.background.centre[1]),
    )


def _lesion_side(folder: Path, rows: Sequence[SliceRow], middle: float) -> int:
    """The side on which most of a patient's blood lies."""
    right = total = 0
    for row in rows:
        if row.haematoma_px:
            columns = np.nonzero(phe_sich.read_mask(folder, "haematoma", row))[1]
            right, total = right + int((columns > middle).sum()), total + len(columns)
    share = right / max(total, 1)
    return 1 if share > 0.8 else -1 if total and share < 0.2 else 0


def _prepared(hu: NDArray[np.int16], row: SliceRow, spec: PreprocessingSpec) -> PreparedSlice:
    return prepare_slice(
        hu,
        spec,
        pixel_spacing_mm=phe_sich.ASSUMED_SPACING_MM[1:],
        clipped_to_hu=(row.window_lower, row.window_upper),
        index=row.index,
    )


def _without_specks(mask: NDArray[np.bool_], least_px: float) -> NDArray[np.bool_]:
    """A mask without its pieces below a size."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    large = stats[:, cv2.CC_STAT_AREA] >= least_px
    large[0] = False
    return np.asarray(large[labels])

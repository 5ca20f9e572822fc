"""Real slices without blood as background for phantom clots: brain, fluid, noise, head coordinates.

Torch-free. Brain and fluid are found on a half-size picture: borders to a millimetre are enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.head import disk
from hemx_core.phantoms.fields import Floats

Window = tuple[slice, slice]
BONE_SHARE = 0.84
"""Of the window's top: what is above is bone; partial volume and clipping spare the rest."""
CLOSING_MM = 15.0
OPENING_MM = 7.0
FLUID_HU = 16.0
SMALLEST_BRAIN_MM2 = 4_500.0
VERTEX_BRAIN_MM2 = 1_500.0
GANGLIA_BELOW_VERTEX_MM = 57.0
"""From the highest slice that shows brain down to the basal ganglia, at a spacing of 5 mm."""
TEMPLATE_HALF_MM = (67.0, 86.0)
"""Half width and half length of the brain that locations are given for."""
NOISE_SIGMA_MM = 1.1
"""What is finer than this is noise: neighbouring pixels correlate over 1 mm at most."""
NOISE_CUT = 2.5
"""Beyond so many deviations a fine detail is anatomy (sulcus, calcification), not noise."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Background:
    """A stack of axial slices from the feet to the head, nose up.

    Args:
        hu: shape (slices, rows, columns), int16, clipped to `window_hu`.
        depth_mm: distance to the brain's border, 0 outside, on the half-size grid, shape
            (slices, rows / 2, columns / 2).
        fluid: ventricles and sulci, same shape.
        usable: slices that may hold a clot, shape (slices,).
        pixel_mm, slice_mm: spacing in and between the slices.
        window_hu: the window the values were clipped to.
        centre: (row, column) of the brain's middle, native pixels.
        yaw_rad: turn of the midline from the vertical, positive where it leans to the right at
            the back.
        half_mm: half width and half length of the brain.
        ganglia_mm: height of the basal ganglia above the first slice's middle.
    """

    hu: NDArray[np.int16]
    depth_mm: Floats
    fluid: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    pixel_mm: float
    slice_mm: float
    window_hu: tuple[float, float]
    centre: tuple[float, float]
    yaw_rad: float
    half_mm: tuple[float, float]
    ganglia_mm: float

    def depth(self, index: int, window: Window) -> Floats:
        """Distance to the brain's border at a window's native pixels, mm."""
        rows, columns = window
        half = self.depth_mm[index]
        r = np.clip((np.arange(rows.start, rows.stop) - 0.5) / 2, 0, len(half) - 1)
        c = np.clip((np.arange(columns.start, columns.stop) - 0.5) / 2, 0, half.shape[1] - 1)
        across, down = np.meshgrid(c.astype(np.float32), r.astype(np.float32))
        values: Floats = cv2.remap(half, across, down, cv2.INTER_LINEAR)
        return values

    def noise(self, index: int, window: Window) -> tuple[Floats, Floats]:
        """A window's HU without its noise, and the noise: fine detail less outliers (anatomy)."""
        hu = self.hu[index][window].astype(np.float32)
        fine = hu - cv2.GaussianBlur(hu, (0, 0), NOISE_SIGMA_MM / self.pixel_mm)
        inside = fine[self.depth(index, window) > 3]
        if not inside.size:
            return hu, np.zeros_like(hu)
        deviation = 1.4826 * float(np.median(np.abs(inside)))
        cut: Floats = np.clip(fine, -NOISE_CUT * deviation, NOISE_CUT * deviation)
        return hu - cut, cut

    def from_head(self, head_mm: NDArray[np.float64]) -> tuple[float, float, float]:
        """Row, column and height (mm) of a point of the template (x left, y back, z up; mm)."""
        x = head_mm[0] * self.half_mm[0] / TEMPLATE_HALF_MM[0]
        y = head_mm[1] * self.half_mm[1] / TEMPLATE_HALF_MM[1]
        cos, sin = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        column = self.centre[1] + (x * cos + y * sin) / self.pixel_mm
        row = self.centre[0] + (y * cos - x * sin) / self.pixel_mm
        return float(row), float(column), float(self.ganglia_mm + head_mm[2])

    def to_head(self, row: float, column: float, height_mm: float) -> tuple[float, float, float]:
        """Inverse of `from_head`."""
        right, down = column - self.centre[1], row - self.centre[0]
        cos, sin = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        x = (right * cos - down * sin) * self.pixel_mm * TEMPLATE_HALF_MM[0] / self.half_mm[0]
        y = (right * sin + down * cos) * self.pixel_mm * TEMPLATE_HALF_MM[1] / self.half_mm[1]
        return float(x), float(y), float(height_mm - self.ganglia_mm)

    def to_left_mm(self, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Floats:
        """Distance from the midline, positive to the patient's left (right in the picture)."""
        right, down = columns - self.centre[1], rows - self.centre[0]
        turned = right * np.cos(self.yaw_rad) - down * np.sin(self.yaw_rad)
        return np.asarray(turned * self.pixel_mm, np.float32)


def find_brain(hu: NDArray[np.int16], *, pixel_mm: float, upper_hu: float) -> NDArray[np.uint8]:
    """What the skull encloses in one slice, at half size; all zero where the ring is open.

    Args:
        hu: shape (rows, columns).
        pixel_mm: of `hu`.
        upper_hu: top of the window it was clipped to.
    """
    half = halved(hu)
    bone = (half >= BONE_SHARE * upper_hu).astype(np.uint8)
    ring = cv2.morphologyEx(bone, cv2.MORPH_CLOSE, disk(CLOSING_MM, (2 * pixel_mm, 2 * pixel_mm)))
    count, labels = cv2.connectedComponents(1 - ring, connectivity=4)
    outer = np.zeros(count, np.bool_)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        outer[edge] = True
    enclosed = (ring == 0) & ~outer[labels]
    opened = cv2.morphologyEx(
        enclosed.astype(np.uint8), cv2.MORPH_OPEN, disk(OPENING_MM, (2 * pixel_mm, 2 * pixel_mm))
    )
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return np.zeros(half.shape, np.uint8)
    largest = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    contours, _ = cv2.findContours(
        largest.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    filled = np.zeros(half.shape, np.uint8)
    cv2.drawContours(filled, contours, -1, (1,), cv2.FILLED)
    return filled


def make_background(
    hu: NDArray[np.int16],
    *,
    brains: Sequence[NDArray[np.uint8]],
    usable: NDArray[np.bool_],
    pixel_mm: float,
    slice_mm: float,
    window_hu: tuple[float, float],
    yaw_rad: float = 0.0,
) -> Background | None:
    """Find fluid and head coordinates of a stack; None where it shows no brain.

    Args:
        hu: shape (slices, rows, columns), feet to head, nose up, clipped to `window_hu`.
        brains: of every slice, from `find_brain`.
        usable: slices without blood, shape (slices,); those with too little brain are taken out.
        pixel_mm, slice_mm, window_hu, yaw_rad: see `Background`.
    """
    areas = np.array([np.count_nonzero(brain) for brain in brains]) * (2 * pixel_mm) ** 2
    large = np.flatnonzero(areas >= SMALLEST_BRAIN_MM2)
    if not len(large):
        return None
    vertex = int(np.flatnonzero(areas >= VERTEX_BRAIN_MM2)[-1])
    depth = np.zeros((len(hu), *brains[0].shape), np.float32)
    fluid = np.zeros(depth.shape, np.bool_)
    kept = usable & (areas >= SMALLEST_BRAIN_MM2)
    for index in map(int, np.flatnonzero(kept)):
        distance = cv2.distanceTransform(brains[index], cv2.DIST_L2, cv2.DIST_MASK_5)
        depth[index] = distance * np.float32(2 * pixel_mm)
        even = cv2.GaussianBlur(halved(hu[index]), (0, 0), 1.5 / (2 * pixel_mm))
        fluid[index] = (even < FLUID_HU) & (depth[index] > 0)
    ganglia = vertex * slice_mm - GANGLIA_BELOW_VERTEX_MM
    level = int(min(large, key=lambda index: abs(index * slice_mm - ganglia)))
    centre, half = _frame(brains[level], yaw_rad)
    return Background(
        hu=hu,
        depth_mm=depth,
        fluid=fluid,
        usable=kept,
        pixel_mm=pixel_mm,
        slice_mm=slice_mm,
        window_hu=window_hu,
        centre=(2 * centre[0] + 0.5, 2 * centre[1] + 0.5),
        yaw_rad=yaw_rad,
        half_mm=(half[0] * 2 * pixel_mm, half[1] * 2 * pixel_mm),
        ganglia_mm=float(ganglia),
    )


def follow_up(background: Background, rng: np.random.Generator) -> Background:
    """The same head scanned again: moved by up to 2 mm and 2 degrees in the plane, other noise.

    The noise is drawn anew with each slice's own deviation; what exceeds `NOISE_CUT` deviations of the
    old fine detail is anatomy and stays. Slices that hold no clot keep their noise, moved.
    """
    shift = rng.uniform(-2, 2, 2) / background.pixel_mm
    turn = float(rng.uniform(-2, 2))
    row, column = background.centre
    matrix = cv2.getRotationMatrix2D((column, row), turn, 1.0)
    matrix[:, 2] += shift
    half = matrix.copy()
    half[:, 2] = (matrix[:, 2] + matrix[:, :2] @ (0.5, 0.5) - 0.5) / 2
    lower, upper = background.window_hu
    hu, depth = np.empty_like(background.hu), np.empty_like(background.depth_mm)
    fluid = np.empty_like(background.fluid)
    whole = slice(0, hu.shape[1]), slice(0, hu.shape[2])
    for index in range(len(hu)):
        smooth, old = background.hu[index].astype(np.float32), None
        if background.usable[index]:
            smooth, old = background.noise(index, whole)
        moved = _moved(smooth, matrix, lower)
        if old is not None:
            free = (moved > lower + 1) & (moved < upper - 1)
            moved += grain(rng, moved.shape, background.pixel_mm) * (old[old != 0].std() * free)
        hu[index] = np.rint(np.clip(moved, lower, upper)).astype(np.int16)
        depth[index] = _moved(background.depth_mm[index], half, 0)
        fluid[index] = _moved(background.fluid[index].astype(np.float32), half, 0) >= 0.5
    return replace(
        background,
        hu=hu,
        depth_mm=depth,
        fluid=fluid,
        centre=(row + float(shift[1]), column + float(shift[0])),
        yaw_rad=background.yaw_rad + float(np.deg2rad(turn)),
    )


def grain(rng: np.random.Generator, shape: tuple[int, ...], pixel_mm: float) -> Floats:
    """Noise of a band-limited reconstruction, deviation 1 (see `acquisition.Scanner`)."""
    sigma = max(0.34 / pixel_mm, 0.3)
    white = rng.standard_normal(shape, dtype=np.float32)
    noise = cv2.GaussianBlur(white, (0, 0), sigma)
    noise -= np.float32(0.5) * cv2.GaussianBlur(noise, (0, 0), 2.2 * sigma)
    scaled: Floats = noise / noise.std()
    return scaled


def halved(hu: NDArray[np.int16]) -> Floats:
    """A slice at half size, averaged."""
    small: Floats = cv2.resize(
        hu.astype(np.float32), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA
    )
    return small


def _moved(picture: Floats, matrix: NDArray[np.float64], fill: float) -> Floats:
    size = (picture.shape[1], picture.shape[0])
    moved: Floats = cv2.warpAffine(
        picture,
        matrix,
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )
    return moved


def _frame(
    brain: NDArray[np.uint8], yaw_rad: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Middle (row, column) and half (width, length) of a brain in its turned box, pixels."""
    rows, columns = np.nonzero(brain)
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    x, y = columns * cos - rows * sin, columns * sin + rows * cos
    mid_x, mid_y = (x.max() + x.min()) / 2, (y.max() + y.min()) / 2
    row, column = mid_y * cos - mid_x * sin, mid_x * cos + mid_y * sin
    half = (float(x.max() - x.min()) / 2, float(y.max() - y.min()) / 2)
    return (float(row), float(column)), half

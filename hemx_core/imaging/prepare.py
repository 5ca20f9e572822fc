"""From an HU volume to the network's slices, to the classifier's region, and masks back to native pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import VolumeError
from hemx_core.imaging.clipping import TOP_BELOW_HU
from hemx_core.imaging.head import bone_mask, head_mask
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.imaging.volume import HUVolume
from hemx_core.notes import Note, Severity

CLOT_TOP_HU = 75.0
BRAIN_BOTTOM_HU = 15.0
"""Clot has 50 to 80 HU: clipped lower, most of it reads as bone does. Of drawn lobar clots a tenth is lost
at 70 HU, next to nothing at 80. Clipped at 20 HU from below, brain itself changes, and 8 of 10 mL may go."""


@dataclass(frozen=True, slots=True)
class GridTransform:
    """Mapping of a native slice to the network's grid: an exact resize and a whole-pixel shift.

    Args:
        native_shape: (rows, columns) of the native slice.
        resized_shape: (rows, columns) after resampling to the grid's pixel size.
        offset_row: grid row of the resized slice's first row; negative where it is cut.
        offset_col: grid column of its first column.
        size: rows and columns of the grid.
    """

    native_shape: tuple[int, int]
    resized_shape: tuple[int, int]
    offset_row: int
    offset_col: int
    size: int

    def to_grid(
        self,
        native: NDArray[np.generic],
        *,
        interpolation: int = cv2.INTER_AREA,
        fill: float = 0.0,
    ) -> NDArray[np.float32]:
        """Resample a native slice, shape `native_shape`, to the grid, shape (size, size)."""
        rows, columns = self.resized_shape
        values = np.ascontiguousarray(native, dtype=np.float32)
        if (rows, columns) != self.native_shape:
            # Area averaging is for shrinking only; OpenCV makes it nearest when it enlarges.
            enlarges = rows > self.native_shape[0] or columns > self.native_shape[1]
            if interpolation == cv2.INTER_AREA and enlarges:
                interpolation = cv2.INTER_LINEAR
            values = cv2.resize(values, (columns, rows), interpolation=interpolation)
        grid = np.full((self.size, self.size), fill, dtype=np.float32)
        inside, outside = self._overlap()
        grid[inside] = values[outside]
        return grid

    def to_native(self, grid: NDArray[np.float32], *, fill: float = 0.0) -> NDArray[np.float32]:
        """Bring grid values, shape (size, size), back to native pixels, bilinearly.

        Native pixels that the grid does not cover become `fill`.
        """
        resized = np.full(self.resized_shape, fill, dtype=np.float32)
        inside, outside = self._overlap()
        resized[outside] = grid[inside]
        if self.resized_shape == self.native_shape:
            return resized
        rows, columns = self.native_shape
        return np.asarray(
            cv2.resize(resized, (columns, rows), interpolation=cv2.INTER_LINEAR), dtype=np.float32
        )

    def point_to_native(self, row: float, column: float) -> tuple[float, float]:
        """Native coordinates of a grid point, both with pixel centres at whole numbers."""
        scale_row = self.native_shape[0] / self.resized_shape[0]
        scale_col = self.native_shape[1] / self.resized_shape[1]
        return (
            (row - self.offset_row + 0.5) * scale_row - 0.5,
            (column - self.offset_col + 0.5) * scale_col - 0.5,
        )

    def box_to_native(
        self, row: float, column: float, height: float, width: float
    ) -> tuple[float, float, float, float]:
        """Native (row, column, height, width) of a grid box given by its first pixel and size."""
        scale_row = self.native_shape[0] / self.resized_shape[0]
        scale_col = self.native_shape[1] / self.resized_shape[1]
        return (
            (row - self.offset_row) * scale_row,
            (column - self.offset_col) * scale_col,
            height * scale_row,
            width * scale_col,
        )

    def _overlap(self) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Index of the overlap in the grid, and in the resized slice."""
        pairs = zip((self.offset_row, self.offset_col), self.resized_shape, strict=True)
        inside, outside = [], []
        for offset, length in pairs:
            start, stop = max(0, offset), min(self.size, offset + length)
            stop = max(start, stop)
            inside.append(slice(start, stop))
            outside.append(slice(start - offset, stop - offset))
        return (inside[0], inside[1]), (outside[0], outside[1])


@dataclass(frozen=True, slots=True, eq=False)
class PreparedSlice:
    """One slice as the network sees it: `image` float32, shape (size, size), in [0, 1]."""

    index: int
    image: NDArray[np.float32]
    transform: GridTransform
    head_area_mm2: float


class PreparedVolume(Sequence[PreparedSlice]):
    """Prepared slices of a volume, computed when asked for; nothing is kept."""

    def __init__(self, volume: HUVolume, spec: PreprocessingSpec) -> None:
        self.volume = volume
        self.spec = spec
        self.notes = _notes(volume)

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.volume.hu)

    def __iter__(self) -> Iterator[PreparedSlice]:
        """Slices in volume order."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> PreparedSlice:  # type: ignore[override]
        """Prepare one slice."""
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return prepare_slice(
            self.volume.hu[index],
            self.spec,
            pixel_spacing_mm=self.volume.geometry.pixel_spacing_mm,
            clipped_to_hu=self.volume.clipped_to_hu,
            index=index % len(self),
        )


def prepare(volume: HUVolume, spec: PreprocessingSpec) -> PreparedVolume:
    """Prepare a volume lazily; `notes` of the answer warns where the input was clipped."""
    return PreparedVolume(volume, spec)


def prepare_slice(
    hu: NDArray[np.int16],
    spec: PreprocessingSpec,
    *,
    pixel_spacing_mm: tuple[float, float],
    clipped_to_hu: tuple[float, float] | None = None,
    index: int = 0,
) -> PreparedSlice:
    """Prepare one slice.

    Args:
        hu: shape (rows, columns), int16, HU.
        spec: the steps and the grid.
        pixel_spacing_mm: (dy, dx).
        clipped_to_hu: the window the values were clipped to, if they were.
        index: number of the slice in its volume.
    """
    lower, upper = spec.window.lower, spec.window.upper
    head = head_mask(hu, pixel_spacing_mm=pixel_spacing_mm, clipped_to_hu=clipped_to_hu)
    area = float(cv2.countNonZero(head)) * pixel_spacing_mm[0] * pixel_spacing_mm[1]
    # The window comes before the resampling: an average over bone would depend on whether the input
    # still holds bone's true HU or was clipped.
    windowed = np.clip(hu, lower, upper).astype(np.float32)
    if spec.remove_artefacts:
        windowed[head == 0] = lower
    if spec.remove_bone:
        bone = bone_mask(hu, head, pixel_spacing_mm=pixel_spacing_mm, clipped_to_hu=clipped_to_hu)
        windowed[bone != 0] = lower
    transform = _transform(head, spec, pixel_spacing_mm)
    windowed -= lower
    windowed *= 1.0 / (upper - lower)
    return PreparedSlice(index, transform.to_grid(windowed), transform, area)


def _transform(
    head: NDArray[np.uint8], spec: PreprocessingSpec, pixel_spacing_mm: tuple[float, float]
) -> GridTransform:
    rows, columns = head.shape
    resized = (
        max(1, round(rows * pixel_spacing_mm[0] / spec.pixel_mm)),
        max(1, round(columns * pixel_spacing_mm[1] / spec.pixel_mm)),
    )
    centre = ((rows - 1) / 2, (columns - 1) / 2)
    left, top, width, height = cv2.boundingRect(head)
    if spec.centre and width and height:
        # The middle of the bounding box: a centroid is drawn to the face at the base.
        centre = (top + (height - 1) / 2, left + (width - 1) / 2)
    offsets = [
        # Halves always go up: Python's rounding to even would depend on where the head lies.
        int(np.floor(spec.size / 2 - (middle + 0.5) * new / old + 0.5))
        for middle, new, old in zip(centre, resized, head.shape, strict=True)
    ]
    return GridTransform((rows, columns), resized, offsets[0], offsets[1], spec.size)


def _notes(volume: HUVolume) -> tuple[Note, ...]:
    if volume.clipped_to_hu is None:
        return ()
    lower, upper = volume.clipped_to_hu
    if upper > TOP_BELOW_HU:
        return (Note("clipped_below", Severity.CAUTION, lower=lower),)
    clipped = Note("clipped_hu", Severity.CAUTION, lower=lower, upper=upper)
    if upper < CLOT_TOP_HU or lower > BRAIN_BOTTOM_HU:
        return (Note("clipped_narrow", Severity.WARNING, lower=lower, upper=upper), clipped)
    return (clipped,)


def centroid(mask: NDArray[Any]) -> tuple[float, float]:
    """Centre of mass of a mask, in pixel indices (the centre of pixel (0, 0) is (0.0, 0.0)).

    Args:
        mask: shape (rows, columns), bool, or non-negative weights such as probabilities. Weights
            count as they are: a faint background pulls the centre, so threshold first if unwanted.
    Returns:
        (row, column); the centre of the picture where the mask is empty.
    """
    weights = np.asarray(mask, dtype=np.float64)
    rows, columns = weights.sum(axis=1), weights.sum(axis=0)
    total = rows.sum()
    if total <= 0:
        return (len(rows) - 1) / 2, (len(columns) - 1) / 2
    return (
        float(rows @ np.arange(len(rows)) / total),
        float(columns @ np.arange(len(columns)) / total),
    )


def crop_around(
    image: NDArray[np.float32], mask: NDArray[Any], size: int
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Cut a square centred on a mask's centroid; what lies outside the picture is 0.

    Args:
        image: prepared slice, shape (S, S), float32.
        mask: shape (S, S), bool or weights, see `centroid`.
        size: rows and columns of the crop, in grid pixels; may exceed S. With S itself the crop is the
            picture, unmoved: what classifiers of whole slices see.
    Returns:
        The crop, shape (size, size), a copy, and (row, column) of its first pixel on the grid,
        negative where the crop starts outside the picture.
    Raises:
        VolumeError: image and mask differ in shape, or the size is not positive.
    """
    if image.ndim != 2 or image.shape != mask.shape or size < 1:
        raise VolumeError("crop_mismatch", image=str(image.shape), mask=str(mask.shape), size=size)
    if image.shape == (size, size):
        return np.array(image, dtype=np.float32), (0, 0)
    row0, column0 = (_first_pixel(centre, size) for centre in centroid(mask))
    crop = np.zeros((size, size), dtype=np.float32)
    top, bottom = max(row0, 0), min(row0 + size, image.shape[0])
    left, right = max(column0, 0), min(column0 + size, image.shape[1])
    crop[top - row0 : bottom - row0, left - column0 : right - column0] = image[
        top:bottom, left:right
    ]
    return crop, (row0, column0)


def _first_pixel(centre: float, size: int) -> int:
    """First of `size` pixels whose middle lies nearest to `centre`; halves go up."""
    return int(np.floor(centre - (size - 1) / 2 + 0.5))

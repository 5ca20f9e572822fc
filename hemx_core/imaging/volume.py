"""A CT volume in Hounsfield units: its pixels, its geometry, and the identity of its slices.

Pixels are in the patient's directions; `StoredGrid` leads back to the grid of the DICOM file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import VolumeError
from hemx_core.imaging.spacing import Gap, extents_mm, find_gaps
from hemx_core.notes import Note, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGrid:
    """The exact turn that brought stored pixels to nose up, patient's left on the image's right.

    Applied in the order transpose, rows, columns; no pixel is interpolated, so a mask on the
    volume goes back to the stored grid with `to_stored` without loss.

    Args:
        transpose: rows and columns were exchanged.
        flip_rows: the order of the rows was reversed (after the transposition).
        flip_columns: the order of the columns was reversed (after the transposition).
    """

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    @property
    def is_identity(self) -> bool:
        """Whether the volume has its pixels where the file has them."""
        return not (self.transpose or self.flip_rows or self.flip_columns)

    def to_volume(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Turn stored pixels, shape (..., rows, columns), a view where numpy allows it."""
        turned = stored.swapaxes(-1, -2) if self.transpose else stored
        return self._flip(turned)

    def to_stored(self, turned: NDArray[Any]) -> NDArray[Any]:
        """Inverse of `to_volume`."""
        flipped = self._flip(turned)
        return flipped.swapaxes(-1, -2) if self.transpose else flipped

    def _flip(self, pixels: NDArray[Any]) -> NDArray[Any]:
        rows = slice(None, None, -1 if self.flip_rows else 1)
        columns = slice(None, None, -1 if self.flip_columns else 1)
        return pixels[..., rows, columns]


AIR_HU = -1024
"""HU of padding and of everything outside the reconstruction circle."""

MIN_TILT_DEG = 0.5

THICKNESS_MM = (0.05, 50.0)
"""No CT slice is thinner or thicker."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeGeometry:
    """Positions of a volume's slices in DICOM patient coordinates (LPS, millimetres).

    Args:
        positions_mm: centre of the first pixel of each slice, shape (slices, 3), in slice order.
        row_direction: unit vector of increasing column index, shape (3,).
        column_direction: unit vector of increasing row index, shape (3,).
        pixel_spacing_mm: (row spacing dy, column spacing dx).
        slice_thickness_mm: nominal thickness of each slice, shape (slices,).
    Raises:
        VolumeError: shapes, unit vectors, spacings or the slice order contradict each other.
    """

    positions_mm: NDArray[np.float64]
    row_direction: NDArray[np.float64]
    column_direction: NDArray[np.float64]
    pixel_spacing_mm: tuple[float, float]
    slice_thickness_mm: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("positions_mm", "row_direction", "column_direction", "slice_thickness_mm"):
            frozen = np.array(getattr(self, name), dtype=np.float64)
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)
        count = len(self.positions_mm)
        _require(
            self.positions_mm.shape == (count, 3) and count > 0,
            "positions_shape",
            shape=str(self.positions_mm.shape),
        )
        _require(
            self.slice_thickness_mm.shape == (count,),
            "thickness_count",
            shape=str(self.slice_thickness_mm.shape),
            slices=count,
        )
        _check_thickness(self.slice_thickness_mm)
        dy, dx = self.pixel_spacing_mm
        _require(0.05 < dy < 10 and 0.05 < dx < 10, "pixel_spacing", dy=dy, dx=dx)
        axes = np.stack([self.row_direction, self.column_direction])
        _require(
            axes.shape == (2, 3) and bool(np.allclose(axes @ axes.T, np.eye(2), atol=1e-3)),
            "directions",
            vectors=str(axes.tolist()),
        )
        offsets = self.slice_offsets_mm
        _require(
            count == 1 or bool((np.diff(offsets) > 1e-3).all()),
            "slice_order",
            offsets=tuple(np.round(offsets, 2).tolist()[:6]),
        )

    @classmethod
    def axial(
        cls, slices: int, *, spacing_mm: tuple[float, float, float], tilt_deg: float = 0.0
    ) -> VolumeGeometry:
        """Equally spaced axial slices, feet to head, optionally with a gantry tilt.

        Args:
            slices: number of slices.
            spacing_mm: (dz, dy, dx); dz is measured along the slices' normal.
            tilt_deg: rotation of the slice planes about the patient's left-right axis; the table
                still moves along the body, so the slices are sheared.
        """
        dz, dy, dx = spacing_mm
        _check_thickness(np.array([dz]))
        tilt = np.deg2rad(tilt_deg)
        column = np.array([0.0, np.cos(tilt), np.sin(tilt)])
        step = dz / np.cos(tilt)
        positions = np.zeros((slices, 3))
        positions[:, 2] = np.arange(slices) * step
        return cls(
            positions_mm=positions,
            row_direction=np.array([1.0, 0.0, 0.0]),
            column_direction=column,
            pixel_spacing_mm=(dy, dx),
            slice_thickness_mm=np.full(slices, dz),
        )

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit normal of the slices, shape (3,)."""
        return np.cross(self.row_direction, self.column_direction)

    @property
    def slice_offsets_mm(self) -> NDArray[np.float64]:
        """Position of every slice along the normal, shape (slices,), increasing."""
        return self.positions_mm @ self.normal

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """Where slices are missing, feet to head."""
        return find_gaps(np.diff(self.slice_offsets_mm).tolist(), self.slice_thickness_mm.tolist())

    @cached_property
    def slice_extents_mm(self) -> NDArray[np.float64]:
        """Length along the normal that each slice stands for, shape (slices,).

        Half the way to each neighbour, also across a gap (`hemx_core.imaging.spacing`): areas are
        interpolated there. The thickness counts for a single slice only.
        """
        return self._extents(seen=False)

    @cached_property
    def seen_extents_mm(self) -> NDArray[np.float64]:
        """The same without what lies in gaps: no slice stands for tissue where slices are missing."""
        return self._extents(seen=True)

    def _extents(self, *, seen: bool) -> NDArray[np.float64]:
        if len(self.positions_mm) == 1:
            return self.slice_thickness_mm
        steps = np.diff(self.slice_offsets_mm)
        extents = extents_mm(steps, self.slice_thickness_mm, self.gaps, seen=seen)
        extents.flags.writeable = False
        return extents

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """(dz, dy, dx): dz is the median distance of neighbours along the normal."""
        offsets = self.slice_offsets_mm
        dz = float(np.median(np.diff(offsets))) if len(offsets) > 1 else self.slice_thickness_mm[0]
        return (float(dz), *self.pixel_spacing_mm)

    @property
    def pixel_area_mm2(self) -> float:
        """Area of a pixel."""
        return self.pixel_spacing_mm[0] * self.pixel_spacing_mm[1]

    @property
    def tilt_deg(self) -> float:
        """Gantry tilt: angle between the slices' normal and the line along which they are stacked.

        Signed by the shear along the column direction; 0 for a single slice.
        """
        if len(self.positions_mm) == 1:
            return 0.0
        step = self.positions_mm[-1] - self.positions_mm[0]
        step = step / np.linalg.norm(step)
        return float(np.rad2deg(np.arctan2(step @ self.column_direction, step @ self.normal)))

    @property
    def is_tilted(self) -> bool:
        """Whether the slices are sheared against their normal."""
        return abs(self.tilt_deg) >= MIN_TILT_DEG


@dataclass(frozen=True, kw_only=True)
class SeriesIdentity:
    """What identifies a series and its slices. Empty strings where unknown; never guessed."""

    patient_id: str = ""
    patient_name: str = ""
    birth_date: str = ""
    """As the header has it: YYYYMMDD, where it keeps to the standard."""
    sex: str = ""
    """As the header has it: F, M or O, where it keeps to the standard."""
    age: str = ""
    """At the study, as the header has it: nnnD, nnnW, nnnM or nnnY."""
    issuer: str = ""
    """Who gave the patient ID."""
    other_ids: tuple[str, ...] = ()
    """Further IDs of the patient."""
    study_uid: str = ""
    series_uid: str = ""
    frame_of_reference_uid: str = ""
    sop_instance_uids: tuple[str, ...] = ()
    frame_numbers: tuple[int, ...] = ()
    """Frame of each slice, from 1, where the slices come from multi-frame files."""
    acquired_at: datetime | None = None
    """The scanner's local time."""
    utc_offset_minutes: int | None = None
    """Of that local time; None where the header does not say."""
    site: str = ""
    scanner: str = ""
    series_description: str = ""
    source: str = ""
    """Where the volume came from: the path as the user gave it, or 'array'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Which part of the brain a volume shows.

    Args:
        first_mm, last_mm: offsets along the normal of the outer sides of the first and the last slice
            that show brain.
        first_missing, last_missing: whether the brain goes on beyond the first, the last slice.
        upside_down: the vertex is where the feet should be.
    """

    first_mm: float
    last_mm: float
    first_missing: bool
    last_missing: bool
    upside_down: bool

    @property
    def seen_mm(self) -> float:
        """How much of the brain's height is there."""
        return self.last_mm - self.first_mm

    @property
    def lower_missing(self) -> bool:
        """Whether the base of the brain is missing."""
        return self.last_missing if self.upside_down else self.first_missing

    @property
    def upper_missing(self) -> bool:
        """Whether the vertex is missing."""
        return self.first_missing if self.upside_down else self.last_missing


@dataclass(frozen=True, eq=False, repr=False, init=False)
class HUVolume:
    """CT values of one series, in slice order along the normal, with their geometry.

    Made from an array and its spacing, `HUVolume(hu, spacing_mm=(5, 0.45, 0.45))`, or with a whole
    geometry, as the reader does.

    Args:
        hu: HU, shape (slices, rows, columns), any real type, finite; feet to head, each slice seen
            from the feet with the nose up, as DICOM shows it. Kept as int16.
        spacing_mm: (dz, dy, dx) of equally spaced axial slices; instead of `geometry`.
        geometry: where the slices lie.
        identity: what identifies the series and its slices.
        clipped_to_hu: (lower, upper) where the values were clipped to a display window before they
            came here, None for full HU.
        notes: warnings of the reader.
        stored_grid: the exact turn of the pixels against the file's, and the way back.
        coverage: which part of the brain it shows; None before anybody has looked.
    Raises:
        VolumeError: the array has no three dimensions, is not finite, exceeds int16 or does not fit
            the geometry; both or neither of spacing and geometry.
    """

    hu: NDArray[np.int16]
    geometry: VolumeGeometry
    identity: SeriesIdentity
    clipped_to_hu: tuple[float, float] | None
    notes: tuple[Note, ...]
    stored_grid: StoredGrid
    coverage: Coverage | None

    def __init__(
        self,
        hu: NDArray[Any],
        *,
        spacing_mm: tuple[float, float, float] | None = None,
        geometry: VolumeGeometry | None = None,
        identity: SeriesIdentity | None = None,
        clipped_to_hu: tuple[float, float] | None = None,
        notes: tuple[Note, ...] = (),
        stored_grid: StoredGrid | None = None,
        coverage: Coverage | None = None,
    ) -> None:
        """Check what is given, and that it fits together."""
        values = _int16(np.asarray(hu))
        _require((geometry is None) != (spacing_mm is None), "geometry_or_spacing")
        if spacing_mm is not None:
            geometry = VolumeGeometry.axial(len(values), spacing_mm=spacing_mm)
        geometry = cast(VolumeGeometry, geometry)
        identity = identity or SeriesIdentity(source="array")
        positions, uids = len(geometry.positions_mm), len(identity.sop_instance_uids)
        _require(
            len(values) == positions, "position_count", slices=len(values), positions=positions
        )
        _require(uids in (0, len(values)), "uid_count", uids=uids, slices=len(values))
        if clipped_to_hu is not None:
            lower, upper = clipped_to_hu
            _require(lower < upper, "clip_range", lower=lower, upper=upper)
        fields = {
            "hu": values,
            "geometry": geometry,
            "identity": identity,
            "clipped_to_hu": clipped_to_hu,
            "notes": notes,
            "stored_grid": stored_grid or StoredGrid(),
            "coverage": coverage,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        """Sizes alone: pixels are many, and an identity names a patient."""
        slices, rows, columns = self.shape
        spacing = " x ".join(f"{step:g}" for step in np.round(self.spacing_mm, 3))
        return f"<HUVolume of {slices} x {rows} x {columns} pixels, {spacing} mm>"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns)."""
        slices, rows, columns = self.hu.shape
        return slices, rows, columns

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """(dz, dy, dx), millimetres; see `VolumeGeometry.spacing_mm`."""
        return self.geometry.spacing_mm


def _int16(values: NDArray[Any]) -> NDArray[np.int16]:
    """HU as int16, rounded; an array that is int16 already is not copied."""
    _require(values.ndim == 3 and min(values.shape) > 0, "array_shape", shape=str(values.shape))
    if values.dtype == np.int16:
        return values
    _require(values.dtype.kind in "iuf", "array_kind", dtype=str(values.dtype))
    _require(bool(np.isfinite(values).all()), "not_finite")
    rounded = np.rint(values)
    low, high = float(rounded.min()), float(rounded.max())
    _require(low >= -32768 and high <= 32767, "beyond_int16", low=low, high=high)
    converted: NDArray[np.int16] = rounded.astype(np.int16)
    return converted


def _check_thickness(thickness_mm: NDArray[np.float64]) -> None:
    """Bounded as pixels are: what is beyond would overflow, or be taken for tissue."""
    thinnest, thickest = float(thickness_mm.min()), float(thickness_mm.max())
    least, most = THICKNESS_MM
    _require(
        least <= thinnest <= thickest <= most,
        "slice_thickness",
        thinnest=thinnest,
        thickest=thickest,
        least=least,
        most=most,
    )


def _require(condition: bool, code: str, **values: Value) -> None:
    if not condition:
        raise VolumeError(code, **values)

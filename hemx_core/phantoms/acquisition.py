"""The scanner: slices with thickness and tilt, head holder, kernel, calibration and noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import AIR_HU
from hemx_core.phantoms.fields import Floats, cover, over
from hemx_core.phantoms.lesion import ClotShares
from hemx_core.phantoms.scene import HALF_LENGTH_MM, HALF_WIDTH_MM, Scene, Window
from hemx_core.phantoms.spec import PhantomSpec

FEET_MM, HEAD_MM = -62.0, 84.0
REFERENCE_PIXEL_MM = 0.45
ROOM_AIR_HU = -1000.0
SOFT_TISSUE_HU = (-150.0, 120.0)
SQUEEZE = 10.0


class Scanner:
    """Acquires the slices of one phantom, in order from the feet to the head.

    A picture of 384 and more pixels is rendered at half its matrix (about 0.9 mm, near the width of
    a standard kernel's point spread) and enlarged before the noise is added.

    Args:
        spec: the phantom.
    """

    def __init__(self, spec: PhantomSpec) -> None:
        site = spec.site
        self.spec = spec
        span = (HEAD_MM - FEET_MM) * spec.head.scale
        self.slices = site.slices or int(np.ceil(span / site.slice_spacing_mm))
        self.work = site.matrix // 2 if site.matrix >= 384 else site.matrix
        self.pixel_mm = site.field_of_view_mm / self.work
        self._axis = _axis(self.work, self.pixel_mm)
        self._scene = Scene(spec, pixel_mm=self.pixel_mm)
        self._noise = np.random.default_rng([spec.noise_seed, spec.seed, 23])
        # Two planes a thick slice are enough for a coarse picture.
        step = 1.7 if site.matrix > 256 else 2.5
        self._planes = int(np.clip(round(site.slice_thickness_mm / step), 1, 4))

    def heights_mm(self) -> NDArray[np.float64]:
        """Where every slice's middle crosses the scanner's axis, shape (slices,)."""
        site = self.spec.site
        step = site.slice_spacing_mm / np.cos(np.deg2rad(site.tilt_deg))
        middle = (FEET_MM + HEAD_MM) / 2 * self.spec.head.scale
        return np.asarray(middle + (np.arange(self.slices) - (self.slices - 1) / 2) * step)

    def acquire(self, index: int) -> tuple[NDArray[np.int16], ClotShares | None, Window]:
        """One slice.

        Returns:
            HU, shape (matrix, matrix); the clot's shares averaged through the slice on the work
            grid, None without a clot; and the shares' rows and columns in the work grid.
        """
        height = float(self.heights_mm()[index])
        thickness = self.spec.site.slice_thickness_mm
        shifts = ((np.arange(self._planes) + 0.5) / self._planes - 0.5) * thickness
        rows, columns = self._head_window(height)
        u, v = self._axis[columns], self._axis[rows]
        window = self._scene.clot_window(u, v, height)
        head = np.zeros((len(v), len(u)), np.float32)
        shares: list[ClotShares] = []
        for shift in shifts:
            hu, part = self._scene.plane(
                u, v, height_mm=height, shift_mm=float(shift), window=window
            )
            head += hu
            if part is not None:
                shares.append(part)
        picture = np.full((self.work, self.work), ROOM_AIR_HU, np.float32)
        picture[rows, columns] = head / len(shifts)
        self._paint_holder(picture)
        place = (rows, columns) if window is None else _nested((rows, columns), window)
        return self._digitise(picture, height), _average(shares, len(shifts)), place

    def _head_window(self, height_mm: float) -> Window:
        """Rows and columns round the head; it narrows towards the vertex."""
        site, scale = self.spec.site, self.spec.head.scale
        lean = abs(np.tan(np.deg2rad(site.tilt_deg))) + abs(
            np.tan(np.deg2rad(self.spec.head.pitch_deg))
        )
        above = max(height_mm - site.slice_thickness_mm - lean * 60, 0) / (96 * scale)
        narrow = float(np.sqrt(max(1 - above**2, 0.04)))
        wide, long = HALF_WIDTH_MM * narrow + 4, HALF_LENGTH_MM * narrow + 4
        return _within(self._axis, long), _within(self._axis, wide)

    def _paint_holder(self, picture: Floats) -> None:
        """A thin bright shell lined with foam behind the head, fixed to the table."""
        kind = self.spec.site.holder
        if kind == "none":
            return
        u, v = self._axis[None, :], self._axis[:, None]
        radius = np.float32(128.0 if kind == "arc" else 104.0)
        centre = np.float32(113.0 - 128.0 if kind == "arc" else 8.0)
        opening = np.float32(62.0 if kind == "arc" else -30.0)
        distance = np.sqrt(np.square(u) + np.square(v - centre)) - radius
        if kind == "cup":
            distance = np.where(v < centre, np.abs(u) - radius, distance)
        shell = np.maximum(np.abs(distance) - np.float32(1.2), opening - v)
        foam = np.maximum(np.maximum(distance + np.float32(1.2), -distance - 13), opening + 10 - v)
        over(picture, cover(foam, 2) * (picture < -900), -960.0)
        over(picture, cover(shell, self.pixel_mm) * (picture < -300), 180.0)

    def _digitise(self, picture: Floats, height_mm: float) -> NDArray[np.int16]:
        """Kernel, calibration and noise; then whole HU."""
        site = self.spec.site
        matrix = site.matrix
        picture = _squeeze(picture)
        if matrix != self.work:
            picture = cv2.resize(picture, (matrix, matrix), interpolation=cv2.INTER_CUBIC)
        fine_mm = site.field_of_view_mm / matrix
        if site.sharpness < 0:
            sigma = max(-0.6 * site.sharpness / fine_mm, 0.05)
            picture = cv2.GaussianBlur(picture, (0, 0), sigma)
        elif site.sharpness > 0:
            soft = cv2.GaussianBlur(picture, (0, 0), 1.0 / fine_mm)
            picture = picture + np.float32(0.6 * site.sharpness) * (picture - soft)
        picture = _stretch(picture)
        axis = _axis(matrix, fine_mm)
        bowl = 1 - np.square(axis[None, :] / 80) - np.square(axis[:, None] / 95)
        bowl = np.maximum(bowl, 0)
        drift = np.float32(site.offset_hu) - np.float32(site.cupping_hu) * bowl
        picture += drift * (picture > -500)
        picture += self._draw_noise(matrix, fine_mm, height_mm) * (0.75 + np.float32(0.4) * bowl)
        np.clip(picture, AIR_HU, 3071, out=picture)
        return np.rint(picture, out=picture).astype(np.int16)

    def _draw_noise(self, matrix: int, fine_mm: float, height_mm: float) -> Floats:
        """Noise of a band-limited reconstruction, and streaks between the petrous bones.

        Measured on real slices of 0.45 mm pixels: neighbours correlate by 0.65, 0.17 and -0.06 at
        one, two and three pixels, as a Gaussian of 0.34 mm less half of one 2.2 times as wide.
        """
        site = self.spec.site
        sigma = max(0.34 * (1 - 0.35 * site.sharpness) / fine_mm, 0.3)
        white = self._noise.standard_normal((matrix, matrix), dtype=np.float32)
        noise = cv2.GaussianBlur(white, (0, 0), sigma)
        noise -= np.float32(0.5) * cv2.GaussianBlur(noise, (0, 0), 2.2 * sigma)
        base = float(np.clip((-15 - height_mm) / 30, 0, 1))
        larger = 1 + 0.35 * float(np.clip(fine_mm / REFERENCE_PIXEL_MM - 1, 0, 1))
        level = site.noise_sd_hu * (1 + 0.6 * base) / larger
        noise *= np.float32(level) / noise.std()
        if base > 0:
            streak = self._noise.standard_normal((max(matrix // 4, 2), 1), dtype=np.float32)
            row = cv2.resize(streak, (1, matrix), interpolation=cv2.INTER_CUBIC)
            middle = np.exp(-np.square(np.linspace(-2.2, 2.2, matrix, dtype=np.float32)))
            noise += np.float32(1.3 * base) * row * middle[None, :]
        result: Floats = noise
        return result


def _squeeze(hu: Floats) -> Floats:
    """Flatten bone and air, so that enlarging and sharpening ring round soft tissue only."""
    core = np.clip(hu, *SOFT_TISSUE_HU)
    return core + np.float32(1 / SQUEEZE) * (hu - core)


def _stretch(squeezed: Floats) -> Floats:
    """Inverse of `_squeeze`."""
    core = np.clip(squeezed, *SOFT_TISSUE_HU)
    return core + np.float32(SQUEEZE) * (squeezed - core)


def _axis(count: int, pixel_mm: float) -> Floats:
    """Centres of pixels about 0, mm."""
    return (np.arange(count, dtype=np.float32) - (count - 1) / 2) * np.float32(pixel_mm)


def _within(axis: Floats, half_mm: float) -> slice:
    inside = np.flatnonzero(np.abs(axis) <= half_mm)
    return slice(int(inside[0]), int(inside[-1]) + 1)


def _nested(outer: Window, inner: Window) -> Window:
    """A window inside a window, in the outer one's frame."""
    rows, columns = (
        slice(whole.start + int(part.start), whole.start + int(part.stop))
        for whole, part in zip(outer, inner, strict=True)
    )
    return rows, columns


def _average(parts: list[ClotShares], planes: int) -> ClotShares | None:
    """Mean through the slice; a plane outside the skull counts as zero."""
    if not parts:
        return None

    def mean(name: str) -> Floats:
        total: Floats = np.sum([getattr(part, name) for part in parts], axis=0, dtype=np.float32)
        return total / np.float32(planes)

    return ClotShares(
        clot=mean("clot"),
        oedema=mean("oedema"),
        hypodensity=mean("hypodensity"),
        blend=mean("blend"),
        fluid=mean("fluid"),
    )

"""Preprocessing of a slice. It is part of the manifest, so device and desk prepare alike."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hemx_core.errors import VolumeError
from hemx_core.records import Json, RecordError, from_values, to_values


@dataclass(frozen=True, slots=True)
class HUWindow:
    """A display window in HU (Eq. 1 of the paper, with a = lower and b = upper)."""

    lower: float = 0.0
    upper: float = 80.0

    def __post_init__(self) -> None:
        if not self.lower < self.upper or not math.isfinite(self.upper - self.lower):
            as_lower, as_upper = self.upper - self.lower / 2, self.upper + self.lower / 2
            meant = (as_lower, as_upper) if as_lower < as_upper else (None, None)
            raise VolumeError(
                "window_order",
                lower=self.lower,
                upper=self.upper,
                as_lower=meant[0],
                as_upper=meant[1],
            )


BRAIN_HU, CLOT_HU = 29.0, 65.0
BRAIN_MOVES = (-0.06, 0.09)
CLOT_FALLS = 0.095
"""How far a window may move brain and clot from where the trained window shows them, in parts of the
window. Measured on six drawn clots of 10 to 41 mL with the shipped models, trained with 0..80: -10..90,
-10..80, 5..75, 10..70, 0..65 and 0..90 change no volume by more than 10 %; 0..100 loses 20 %, -20..100
and 10..90 30 %, 0..120 half, 0..200 all."""


def check_window(window: HUWindow, trained: HUWindow) -> None:
    """Refuse a site's window that shows brain and clot so unlike the trained one that clots are lost.

    Args:
        window: the site's.
        trained: the models' own.
    Raises:
        VolumeError: too far; says what was probably meant, where the two numbers make sense as level
            and width.
    """
    lower, upper = window.lower, window.upper
    if _is_near(lower, upper, trained):
        return
    meant = (lower - upper / 2, lower + upper / 2)
    known = _is_near(*meant, trained)
    raise VolumeError(
        "window_far",
        lower=lower,
        upper=upper,
        own_lower=trained.lower,
        own_upper=trained.upper,
        as_lower=meant[0] if known else None,
        as_upper=meant[1] if known else None,
    )


def _is_near(lower: float, upper: float, trained: HUWindow) -> bool:
    def moved(hu: float) -> float:
        own = (hu - trained.lower) / (trained.upper - trained.lower)
        return (hu - lower) / (upper - lower) - own

    if not lower < upper or not math.isfinite(upper - lower):
        return False
    return BRAIN_MOVES[0] <= moved(BRAIN_HU) <= BRAIN_MOVES[1] and moved(CLOT_HU) >= -CLOT_FALLS


MAX_SIZE = 1024
"""Rows and columns of a network's grid at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessingSpec:
    """Preprocessing of a slice; every step can be switched off for the ablation.

    Args:
        window: HU clipped to [lower, upper] and scaled to [0, 1] (Eq. 1, divided by 255).
        remove_artefacts: everything outside the head (holder, table, tubes, air) becomes `lower`.
        remove_bone: skull becomes `lower`; found in HU, before the window.
        centre: the head's centre is moved to the centre of the grid, by whole grid pixels.
        size: rows and columns of the network's grid.
        pixel_mm: physical size of a grid pixel, mm.
    """

    window: HUWindow = field(default_factory=HUWindow)
    remove_artefacts: bool = True
    remove_bone: bool = True
    centre: bool = True
    size: int = 256
    pixel_mm: float = 0.9

    def __post_init__(self) -> None:
        if not 32 <= self.size <= MAX_SIZE or self.size % 32 or not 0.1 <= self.pixel_mm <= 5:
            raise VolumeError("grid_size", size=self.size, mm=self.pixel_mm)

    def to_json(self) -> Json:
        """Plain JSON values."""
        values: Json = to_values(self)
        return values

    @classmethod
    def from_json(cls, values: Json) -> PreprocessingSpec:
        """Inverse of `to_json`.

        Raises:
            VolumeError: a field is unknown or does not fit.
        """
        try:
            return from_values(cls, values)
        except RecordError as error:
            raise VolumeError("preprocessing_misfit", reason=str(error)) from error

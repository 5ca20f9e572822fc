"""Preprocessing of a slice. It is part of the manifest, so device and desk prepare alike."""

from __future__ import annotations

from dataclasses import dataclass, field

from hemx_core.errors import VolumeError
from hemx_core.records import Json, RecordError, from_values, to_values


@dataclass(frozen=True, slots=True)
class HUWindow:
    """A display window in HU (Eq. 1 of the paper, with a = lower and b = upper)."""

    lower: float = 0.0
    upper: float = 80.0

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise VolumeError("window_order", lower=self.lower, upper=self.upper)


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
        if self.size < 32 or self.size % 32 or not 0.1 <= self.pixel_mm <= 5:
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

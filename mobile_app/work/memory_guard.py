"""Refuse a study that would not fit into memory, before its pixels are read.

    reading    2 bytes a voxel + 48 bytes a pixel of one slice + files held whole
    triage     4 bytes a voxel + 20 bytes a pixel of one slice + 16 KiB a slice
    need       the larger of the two + what the allocator keeps + models that are not loaded yet

Voxels are counted from the pipeline: the HU volume (int16: 2), the mask (1), which is cleaned in place, and a
copy of its largest component while that is measured (1). How much of the masks is written depends on what the
segmenter finds, so the need is an upper bound. The other figures were measured on phantoms. A test holds the
estimate to measured peaks: never below, and where both masks are full at most 15 % and 6 MiB above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hemx_core.device.memory import MIB, available_bytes, release_free_memory, resident_bytes
from mobile_app.errors import MemoryBudgetError

if TYPE_CHECKING:
    # Not at run time: it brings pydicom, and the app knows its budget before its first frame.
    from hemx_core.imaging.reader import SeriesFiles
    from hemx_core.manifest import ModelManifest

READ_VOXEL, READ_PIXEL = 2, 48
"""While a slice is rescaled, its values exist as 64-bit numbers several times over."""

TRIAGE_VOXEL, TRIAGE_PIXEL, TRIAGE_SLICE = 4, 20, 30 * 1024
"""A slice with blood leaves features and maps; every slice what the check of the pictures keeps of it."""

FIXED_BYTES = 4 * MIB

MODEL_FACTOR = 3.6
"""Resident bytes for each byte of the two programs: packed weights, XNNPACK's pointers, and one slice's
activations."""

ACTIVATION_PIXEL = 170
"""Resident bytes for each pixel of every further slice of a call. Both measured with int8 programs on the
desktop runtime, one thread, without what importing torch takes: 3.4 (one slice a call) and 158."""

SPARE_BYTES = 128 * MIB
"""Left to the system: Android ends apps well before the last byte is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBudget:
    """How much memory a study may add to the app.

    Args:
        base_bytes: resident memory of the app with no study open and no models loaded.
        app_bytes: most that the app may use above `base_bytes`.
        outside_bytes: what loaded models take in the runtime's own process, where they have one.
        starting_bytes: what that process will take before any model, where it is still to be started.
    """

    base_bytes: int
    app_bytes: int = 250 * MIB
    outside_bytes: int = 0
    starting_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryEstimate:
    """What a study will need at its peak, above what is used now, bytes.

    Args:
        reading: HU volume, buffers of one slice, files that are held whole.
        triage: HU volume, masks, buffers.
        models: the programs, where they are not loaded yet.
    """

    reading: int
    triage: int
    models: int

    @property
    def total(self) -> int:
        """The peak: reading is over when triage begins."""
        return FIXED_BYTES + max(self.reading, self.triage) + self.models


def estimate(series: SeriesFiles, *, manifest: ModelManifest | None = None) -> MemoryEstimate:
    """Estimate the peak of a study from its headers.

    Args:
        series: from `open_series`.
        manifest: of the models that are still to be loaded; None where they are loaded already.
    """
    pixels = series.rows * series.columns
    voxels = pixels * series.slices
    # A decoder holds a slice's stored values twice, at most, beside its own buffers.
    decoder = 4 * series.bytes_per_value * pixels if series.compressed else 0
    return MemoryEstimate(
        reading=READ_VOXEL * voxels + READ_PIXEL * pixels + decoder + series.held_bytes,
        triage=TRIAGE_VOXEL * voxels + TRIAGE_PIXEL * pixels + TRIAGE_SLICE * series.slices,
        models=0 if manifest is None else _models(manifest),
    )


def _models(manifest: ModelManifest) -> int:
    programs = manifest.segmenter.bytes + manifest.classifier.bytes
    further = (manifest.slices_a_call - 1) * manifest.preprocessing.size**2
    return int(MODEL_FACTOR * programs) + ACTIVATION_PIXEL * further


def check_memory(
    needed: MemoryEstimate,
    budget: MemoryBudget | None,
    *,
    resident: int | None = None,
    available: int | None = None,
) -> None:
    """Refuse what exceeds the app's budget or the memory that is free.

    Args:
        needed: of the study.
        budget: of the app; None looks at what is free only.
        resident: bytes that the app's own process uses now; asked from the system if None.
        available: bytes that the system could give; asked from the system if None.
    Raises:
        MemoryBudgetError: with the figures.
    """
    if budget is not None:
        _check_budget(needed, budget, _resident(needed, budget) if resident is None else resident)
    available = available_bytes() if available is None else available
    total = needed.total + (budget.starting_bytes if budget is not None else 0)
    if available is not None and total + SPARE_BYTES > available:
        raise MemoryBudgetError(
            "memory_free",
            needed_mib=total / MIB,
            free_mib=available / MIB,
            spare_mib=SPARE_BYTES / MIB,
        )


def _resident(needed: MemoryEstimate, budget: MemoryBudget) -> int:
    """What is resident; where that is too much, once what was freed has been given back to the system."""
    resident = resident_bytes()
    if _used(budget, resident) + needed.total > budget.app_bytes:
        release_free_memory()
        resident = resident_bytes()
    return resident


def _check_budget(needed: MemoryEstimate, budget: MemoryBudget, resident: int) -> None:
    used = _used(budget, resident)
    if used + needed.total > budget.app_bytes:
        raise MemoryBudgetError(
            "memory_budget",
            needed_mib=needed.total / MIB,
            used_mib=used / MIB,
            most_mib=budget.app_bytes / MIB,
        )


def _used(budget: MemoryBudget, resident: int) -> int:
    return max(0, resident - budget.base_bytes) + budget.outside_bytes

"""What triage answers: plain frozen dataclasses that report and screens read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import Coverage, SeriesIdentity, VolumeGeometry
from hemx_core.intervals import GrowthInterval, VolumeInterval
from hemx_core.notes import Note, Reason


class Recommendation(StrEnum):
    """What triage advises. Never an order: the clinician decides."""

    NO_HAEMATOMA_FOUND = "no_haematoma_found"
    CANNOT_TELL = "cannot_tell"
    """None was found, on pictures that could hide one."""
    DISCUSS = "discuss_with_neurosurgical_centre"
    CALL_NOW = "call_neurosurgical_centre_now"


@dataclass(frozen=True, slots=True)
class MarkerResult:
    """One marker for the patient: calibrated probability against its threshold."""

    code: str
    probability: float
    threshold: float
    present: bool
    slice_index: int
    """Of the slices that made the probability the one that shows the marker best, from 0 in volume order."""
    validated: bool = False
    """Whether the marker is shown to hold on real patients; else it does not enter the recommendation.
    False in results of before."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SliceResult:
    """One slice: blood area, marker probabilities and where the network looked.

    `probabilities` and `logits` are empty and `cam` None where no blood was found on the slice. `cam`
    has shape (markers, rows, columns), float32 in [0, 1], coarse; `cam_box` is (row, column, height,
    width) of the region it covers, in native pixels (may reach outside the picture). `logits` are what
    the classifier answered, before calibration; empty in results of before.
    """

    index: int
    blood_area_mm2: float
    probabilities: tuple[float, ...] = ()
    cam: NDArray[np.float32] | None = None
    cam_box: tuple[float, float, float, float] | None = None
    logits: tuple[float, ...] = ()

    def __repr__(self) -> str:
        """Index, area and probabilities, without the map."""
        shares = ", ".join(f"{share:.2f}" for share in self.probabilities)
        return f"<SliceResult {self.index}, {self.blood_area_mm2:.1f} mm² of blood, ({shares})>"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceUpdate:
    """A slice while triage still runs: first as segmented, then, where it shows blood, as classified.

    Args:
        index: the slice, counted from 0 in volume order.
        mask: bool, shape (rows, columns), native pixels; not to be written to. Before `result` comes,
            specks that the measurement drops may be in it, and holes that it fills.
        result: markers of the slice; None while it is only segmented.
    """

    index: int
    mask: NDArray[np.bool_]
    result: SliceResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Haematoma:
    """Measured haematoma. All volumes in mL; 0 and empty where none was found."""

    mask: NDArray[np.bool_]
    """Shape (slices, rows, columns), native pixels."""
    volume_ml: float
    """Voxel volume."""
    abc2_volume_ml: float
    """A·B·C/2 (Kothari 1996) of the largest component; overestimates with size."""
    component_volumes_ml: tuple[float, ...]
    """Connected components, largest first."""
    areas_mm2: tuple[float, ...]
    """Blood area of every slice."""
    max_diameter_mm: float
    mean_hu: float | None
    at_most_ml: float | None = None
    """The upper figure where the study gives two; rules of volume go by it. None where there is one."""
    lower_bound: bool = False
    """Whether blood may lie where the study has no picture."""
    filled_ml: float = 0.0
    """Part of the volume: hypodensities that the segmenter left out and `fill_holes` put back."""
    bone_spots: tuple[int, ...] = ()
    """Slices with a small dense spot over the next slice's bone."""
    bone_spots_counted: bool = False
    """Whether these are in the mask: only where nothing else was found."""

    def __repr__(self) -> str:
        """Volume and components, without the mask."""
        return (
            f"<Haematoma of {self.volume_ml:.1f} mL, {len(self.component_volumes_ml)} components>"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignResult:
    """One rule-based sign for the patient: a measured quantity against its threshold.

    Args:
        code: the rule, a key of `hemx_core.measure.signs.SIGNS`.
        present: None where the value is too near to the threshold, or nothing could be measured.
        value: the quantity on the slice that speaks most for the sign; None where not measured.
        unit: of value and threshold; empty for a ratio.
        threshold: what the value is compared with.
        at_least: whether the sign is present from the threshold up, else from it down.
        slice_index: the slice, counted from 0 in volume order; None where none speaks for the sign.
    """

    code: str
    present: bool | None
    value: float | None
    unit: str
    threshold: float
    at_least: bool
    slice_index: int | None


@dataclass(frozen=True, slots=True)
class StageCost:
    """Wall time of a stage, seconds, and the process's peak resident memory after it, MiB."""

    name: str
    seconds: float
    peak_rss_mib: float


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TriageResult:
    """The whole answer for one study."""

    haematoma: Haematoma
    markers: dict[str, MarkerResult]
    slices: tuple[SliceResult, ...]
    recommendation: Recommendation
    reasons: tuple[Reason, ...]
    notes: tuple[Note, ...]
    geometry: VolumeGeometry
    identity: SeriesIdentity
    versions: dict[str, str]
    costs: tuple[StageCost, ...] = field(default=())
    signs: tuple[SignResult, ...] = ()
    """Rule-based second opinion; empty where no haematoma was found."""
    clipped_to_hu: tuple[float, float] | None = None
    """The range that the values were clipped to, as given or as the picture tells; None for full HU."""
    coverage: Coverage | None = None
    """Which part of the brain the pictures show; None in results of before."""
    volume_interval: VolumeInterval | None = None
    """How far volumes of the bundle that made it are off; None where nobody measured it."""
    growth_interval: GrowthInterval | None = None
    """The same of growth between two studies."""

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Haematoma mask, bool, shape (slices, rows, columns), native pixels."""
        return self.haematoma.mask

    @property
    def haematoma_volume_ml(self) -> float:
        """Voxel volume of the haematoma."""
        return self.haematoma.volume_ml

    def __repr__(self) -> str:
        """Recommendation, volume and markers; neither arrays nor names."""
        present = [code for code, marker in self.markers.items() if marker.present]
        return (
            f"<TriageResult {self.recommendation}, {self.haematoma.volume_ml:.1f} mL, "
            f"markers: {', '.join(present) or 'none'}>"
        )

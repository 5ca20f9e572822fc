"""The four haematoma-expansion markers, in the order every array, table and file uses.

Source: Boulouis et al., JAMA Neurol 2016;73:961-968, as classified by Okita and Hirano.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Marker:
    """One expansion marker: its code in files, its names and its definition."""

    code: str
    name_en: str
    name_ja: str
    definition: str


MARKERS: tuple[Marker, ...] = (
    Marker(
        "hypodensity",
        "Hypodensity",
        "低吸収域",
        "Any hypodense region strictly inside the clot, any shape, not connected to its outside "
        "(includes black hole and swirl). Boulouis 2016.",
    ),
    Marker(
        "irregular",
        "Margin irregularity",
        "辺縁不整",
        "Irregular or multilobular margin, Barras shape scale 3 to 5. Barras 2009.",
    ),
    Marker(
        "blend",
        "Blend sign",
        "ブレンドサイン",
        "A hypodense part next to a hyperdense part, border visible to the eye, at least 18 HU "
        "apart, the hypodense part not encapsulated. Li 2015.",
    ),
    Marker(
        "fluid_level",
        "Fluid level",
        "液面形成",
        "A hypodense part above a hyperdense part with a straight horizontal border, patient supine.",
    ),
)

MARKER_CODES: tuple[str, ...] = tuple(marker.code for marker in MARKERS)

EXPANSION = "expansion"
TARGETS: tuple[str, ...] = (*MARKER_CODES, EXPANSION)
"""What a classifier can be trained for: the markers, or the growth by 30 % or more."""


class Aggregation(StrEnum):
    """How a marker's logits of slices make the one of the patient; see `hemx_core.measure.slices`."""

    MAX = "max"
    """The largest."""
    LARGE = "large"
    """The largest of slices with at least half the blood area of the largest slice."""
    ADJACENT = "adjacent"
    """The best mean of two neighbouring slices."""
    LARGEST = "largest"
    """That of the slice with the largest blood area."""
    AREA_WEIGHTED = "area_weighted"
    """The mean, weighted by blood area."""


class ReadBy(StrEnum):
    """Whose word on a marker its calls were compared with."""

    SYNTHETIC = "synthetic"
    """None but the truth of synthetic studies."""
    VISION_MODEL = "vision_model"
    """Readings of real patients by a vision model, not by a radiologist."""
    CLINICIAN = "clinician"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How a marker's calls did on studies that nothing was fitted on.

    Args:
        read_by: what they were compared with.
        present, absent: patients who clearly show the marker, and who clearly do not.
        sensitivity, specificity: shares of these that were called rightly; None where there are none.
        sensitivity_95, specificity_95: 95 % intervals by patient.
    """

    read_by: ReadBy
    present: int
    absent: int
    sensitivity: float | None
    specificity: float | None
    sensitivity_95: tuple[float, float] | None
    specificity_95: tuple[float, float] | None

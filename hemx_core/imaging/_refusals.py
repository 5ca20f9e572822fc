"""Why a series cannot be read: the reason, its typed error and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hemx_core.errors import (
    ContrastSeriesError,
    DicomSeriesError,
    MissingGeometryError,
    NoSeriesError,
    NotCTError,
    TooFewSlicesError,
)
from hemx_core.imaging._geometry import directions
from hemx_core.imaging._groups import SeriesPart, has_geometry
from hemx_core.imaging._kinds import contrast_reason

MIN_SLICES = 5
"""Fewer axial positions are no volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a series is not read.

    Args:
        reason: half a sentence about the series.
        expected: what would have been right.
        remedy: what the user can do.
        error: the error to raise.
        yields_to_choice: whether naming the series with `series=` reads it all the same.
        is_image: whether it was a CT image series at all (so its refusal tells the user most).
    """

    reason: str
    expected: str
    remedy: str
    error: type[DicomSeriesError]
    yields_to_choice: bool = False
    is_image: bool = True

    def raised(self, part: SeriesPart) -> DicomSeriesError:
        """The error for a series."""
        label = part.label
        return self.error(
            f"{label[0].upper()}{label[1:]}: {self.reason}",
            expected=self.expected,
            remedy=self.remedy,
        )


def refusal(part: SeriesPart) -> Refusal | None:
    """The first reason against reading a series; None where it can be read."""
    if part.kind and part.kind != "derived":
        return _kind(part)
    if not has_geometry(part.first):
        return _no_geometry(part)
    if part.plane != "axial":
        return Refusal(
            reason=f"its images are {part.plane}",
            expected="axial images",
            remedy="choose the axial series of the study",
            error=NoSeriesError,
        )
    if len(part.slots) < MIN_SLICES:
        return Refusal(
            reason=f"only {len(part.slots)} axial position{'s' * (len(part.slots) > 1)}",
            expected=f"at least {MIN_SLICES} slices",
            remedy="give the folder with the whole series, not a single slice of it",
            error=TooFewSlicesError,
        )
    return _contrast(part) or (_derived(part) if part.kind else None)


def _kind(part: SeriesPart) -> Refusal:
    modality = part.first.facts.modality or "no modality"
    axial = "choose the axial series of the study"
    return {
        "not_ct": Refusal(
            reason=f"not CT but {modality}",
            expected="non-contrast CT of the head",
            remedy="give the CT study",
            error=NotCTError,
            is_image=False,
        ),
        "secondary": Refusal(
            reason="a screenshot, report or colour picture, without Hounsfield units",
            expected="CT images",
            remedy=axial,
            error=NotCTError,
            is_image=False,
        ),
        "localizer": Refusal(
            reason="a localizer (scout)",
            expected="axial images",
            remedy=axial,
            error=NoSeriesError,
            is_image=False,
        ),
        "projection": Refusal(
            reason="a projection (MIP or rendering), whose values are not those of the tissue",
            expected="axial images",
            remedy=axial,
            error=NoSeriesError,
            is_image=False,
        ),
        "not_hu": Refusal(
            reason=f"its values are {part.first.rescale_type}, not Hounsfield units",
            expected="RescaleType HU",
            remedy="choose the ordinary series of the study",
            error=NotCTError,
        ),
    }[part.kind]


def _no_geometry(part: SeriesPart) -> Refusal:
    header = part.first
    checks: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("Rows and Columns", lambda: header.facts.rows > 0 and header.facts.columns > 0),
        ("PixelSpacing", lambda: header.spacing_mm is not None),
        ("ImagePositionPatient", lambda: header.position_mm is not None),
        ("ImageOrientationPatient", lambda: directions(header.orientation) is not None),
    )
    missing = ", ".join(name for name, present in checks if not present())
    hint = (
        " (ImagerPixelSpacing holds in the detector's plane, not in the patient)"
        if header.spacing_mm is None and header.facts.imager_spacing
        else ""
    )
    return Refusal(
        reason=f"{missing} missing or impossible{hint}",
        expected="size, spacing, position and orientation of every slice",
        remedy="export the original series from the scanner or PACS, not a converted copy",
        error=MissingGeometryError,
    )


def _contrast(part: SeriesPart) -> Refusal | None:
    reason = next(filter(None, map(contrast_reason, part.headers)), "")
    if not reason:
        return None
    return Refusal(
        reason=f"contrast medium was given ({reason})",
        expected="a non-contrast series: the markers are defined on it",
        remedy="choose the non-contrast series; if this is one, ask for it by name (--series)",
        error=ContrastSeriesError,
        yields_to_choice=True,
    )


def _derived(part: SeriesPart) -> Refusal:
    return Refusal(
        reason=f"derived images ({', '.join(part.first.image_type)})",
        expected="original images of the scanner",
        remedy="choose the original axial series, or ask for this one by name (--series)",
        error=NoSeriesError,
        yields_to_choice=True,
    )

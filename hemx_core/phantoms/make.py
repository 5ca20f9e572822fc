"""From a specification to a volume with its truth, and to DICOM studies, truth.json and masks on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import InputError, OutputError
from hemx_core.files import write_whole
from hemx_core.imaging.volume import HUVolume, SeriesIdentity, VolumeGeometry
from hemx_core.markers import MARKER_CODES
from hemx_core.phantoms.acquisition import Scanner
from hemx_core.phantoms.dicom import make_uids, write_dicom_series
from hemx_core.phantoms.draw import grow, random_site, random_spec
from hemx_core.phantoms.spec import PhantomSpec, SiteSpec
from hemx_core.phantoms.truth import judge_slice


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Phantom:
    """A synthetic study and what is true of it.

    Args:
        spec: what it was made from.
        volume: HU and geometry, feet to head, nose up.
        mask: the whole haematoma with its hypodense parts, without oedema, shape
            (slices, rows, columns).
        slice_markers: per slice and marker (order MARKER_CODES) 1 present, 0 absent,
            -1 not decidable, shape (slices, 4); rules in `hemx_core.phantoms.truth`.
        follow_up: the same patient later.
    """

    spec: PhantomSpec
    volume: HUVolume
    mask: NDArray[np.bool_]
    slice_markers: NDArray[np.int8]
    follow_up: Phantom | None = None

    def __repr__(self) -> str:
        """What it shows, without arrays."""
        named = zip(MARKER_CODES, self.patient_markers, strict=True)
        shown = ", ".join(code for code, present in named if present) or "none"
        return f"<Phantom of {self.haematoma_volume_ml:.1f} mL, markers: {shown}, {self.volume!r}>"

    @property
    def studies(self) -> tuple[Phantom, ...]:
        """This study, and the follow-up if there is one."""
        return (self,) if self.follow_up is None else (self, self.follow_up)

    @property
    def patient_markers(self) -> NDArray[np.bool_]:
        """Whether any slice shows the marker, shape (4,)."""
        return np.asarray((self.slice_markers == 1).any(axis=0))

    @property
    def haematoma_volume_ml(self) -> float:
        """Volume of the mask."""
        geometry = self.volume.geometry
        areas = self.mask.sum(axis=(1, 2)) * geometry.pixel_area_mm2
        return float(areas @ geometry.slice_extents_mm) / 1000


def make_phantom(spec: PhantomSpec) -> Phantom:
    """Make a phantom; the same specification gives the same pixels."""
    scanner = Scanner(spec)
    matrix = spec.site.matrix
    hu = np.empty((scanner.slices, matrix, matrix), np.int16)
    mask = np.zeros(hu.shape, np.bool_)
    markers = np.zeros((scanner.slices, len(MARKER_CODES)), np.int8)
    for index in range(scanner.slices):
        hu[index], shares, window = scanner.acquire(index)
        if shares is None or spec.lesion is None:
            continue
        clot = np.zeros((scanner.work, scanner.work), np.float32)
        clot[window] = shares.clot
        if matrix != scanner.work:
            clot = cv2.resize(clot, (matrix, matrix), interpolation=cv2.INTER_LINEAR)
        mask[index] = clot >= 0.5
        markers[index] = judge_slice(shares, spec.lesion, scanner.pixel_mm)
    volume = HUVolume(hu=hu, geometry=_geometry(spec, scanner), identity=_identity(spec, len(hu)))
    return Phantom(spec=spec, volume=volume, mask=mask, slice_markers=markers)


TRIALS = 12
"""Draws of a clot that shall show exactly the markers asked for."""


def draw_phantom(
    *,
    seed: int = 0,
    location: str | None = None,
    side: str | None = None,
    volume_ml: float | None = None,
    markers: Iterable[str] | None = None,
    growth: float | None = None,
    lesion: bool = True,
    site: int | None = None,
    matrix: int = 512,
    slices: int | None = None,
    on_threshold: bool = False,
) -> Phantom:
    """Draw a patient from a seed; see `hemx_core.api.phantom` for the arguments.

    Raises:
        InputError: an unknown marker, a haematoma described for a head without, or none of some
            draws shows exactly the markers asked for.
        VolumeError: an unknown location or side.
    """
    asked = (location, side, volume_ml, markers, growth)
    if not lesion and any(value is not None for value in asked):
        raise InputError(
            "a head without haematoma beside an option that describes one",
            expected="one or the other",
            remedy="leave out --no-lesion (lesion=False)",
        )
    wanted = None if markers is None else _wanted(tuple(markers))
    scanner = _scanner(seed % 12 + 1 if site is None else site, matrix, slices)

    def draw(trial: int) -> PhantomSpec:
        return random_spec(
            np.random.default_rng([seed, trial]),
            site=scanner,
            lesion_probability=1.0 if lesion else 0.0,
            markers=wanted,
            location=location,
            side=side,
            volume_ml=volume_ml,
            on_threshold=on_threshold,
        )

    first = _first_showing(draw, None if on_threshold or not lesion else wanted)
    if growth is None:
        return first
    return replace(first, follow_up=make_phantom(grow(first.spec, growth)))


def _wanted(codes: tuple[str, ...]) -> dict[str, bool]:
    """Every marker, present if it is named."""
    unknown = sorted(set(codes) - set(MARKER_CODES))
    if unknown:
        raise InputError(
            f"marker {unknown[0]!r}",
            expected=f"some of {', '.join(MARKER_CODES)}, or none",
            remedy="give for example --markers hypodensity,blend (markers=['hypodensity', 'blend'])",
        )
    return {code: code in codes for code in MARKER_CODES}


def _scanner(number: int, matrix: int, slices: int | None) -> SiteSpec:
    """The scanner of a site number, always the same one."""
    drawn = random_site(np.random.default_rng([number, 12]), matrix=matrix, slices=slices)
    return replace(drawn, name=f"site-{number:02d}")


def _first_showing(draw: Callable[[int], PhantomSpec], wanted: dict[str, bool] | None) -> Phantom:
    """The first drawn phantom that shows exactly the markers wanted.

    A hypodensity drawn between two slices may show on neither, so drawing is not enough.
    """
    for trial in range(TRIALS):
        phantom = make_phantom(draw(trial))
        if wanted is None or phantom.patient_markers.tolist() == list(wanted.values()):
            return phantom
    shown = ", ".join(code for code, on in (wanted or {}).items() if on) or "no marker"
    raise InputError(
        f"{shown} on none of {TRIALS} clots drawn",
        expected="a clot large enough to show its markers on a slice",
        remedy="ask for a larger volume, fewer markers, or another seed",
    )


def _geometry(spec: PhantomSpec, scanner: Scanner) -> VolumeGeometry:
    site = spec.site
    pixel = site.field_of_view_mm / site.matrix
    axial = VolumeGeometry.axial(
        scanner.slices, spacing_mm=(site.slice_spacing_mm, pixel, pixel), tilt_deg=site.tilt_deg
    )
    corner = -(site.matrix - 1) / 2 * pixel * (axial.row_direction + axial.column_direction)
    positions = np.zeros((scanner.slices, 3))
    positions[:, 2] = scanner.heights_mm()
    return VolumeGeometry(
        positions_mm=positions + corner,
        row_direction=axial.row_direction,
        column_direction=axial.column_direction,
        pixel_spacing_mm=(pixel, pixel),
        slice_thickness_mm=np.full(scanner.slices, site.slice_thickness_mm),
    )


def _identity(spec: PhantomSpec, slices: int) -> SeriesIdentity:
    """Identity with UIDs that the specification alone determines."""
    return replace(
        make_uids(slices, repr(spec)),
        patient_id=spec.patient_id,
        patient_name="HEMX^PHANTOM",
        acquired_at=spec.acquired_at,
        site=spec.site.name,
        scanner="HEMX phantom",
        source="phantom",
    )


TRUTH_SCHEMA = "hemx-phantom-truth/1"
TRUTH_FILE, MASK_FILE = "truth.json", "truth_masks.npz"
STUDY_NAMES = ("baseline", "follow_up")


def write_phantom(phantoms: Sequence[Phantom], folder: Path) -> list[Path]:
    """Write one or two time points of a patient.

    The DICOM series go to `baseline` and `follow_up`; `truth.json` says what is true of each, and
    `truth_masks.npz` holds one bool mask a study under the study's name, shape
    (slices, rows, columns).

    Returns:
        What was written: the studies' folders, then the two files.
    Raises:
        OutputError: not one or two phantoms, or the folder cannot be written.
    """
    if not 1 <= len(phantoms) <= len(STUDY_NAMES):
        raise OutputError(
            f"{len(phantoms)} time points",
            expected="one or two phantoms of one patient",
            remedy="write them to folders of their own",
        )
    named = dict(zip(STUDY_NAMES, phantoms, strict=False))
    for name, phantom in named.items():
        write_dicom_series(phantom.volume, folder / name, window_hu=phantom.spec.site.window_hu)
    truth = {
        "schema": TRUTH_SCHEMA,
        "markers": list(MARKER_CODES),
        "studies": {name: describe(phantom) for name, phantom in named.items()},
    }
    text = json.dumps(truth, indent=2, default=str) + "\n"
    masks = {name: phantom.mask for name, phantom in named.items()}
    write_whole(folder / TRUTH_FILE, text)
    write_whole(
        folder / MASK_FILE,
        lambda stream: np.savez_compressed(stream, allow_pickle=False, **masks),
    )
    return [*(folder / name for name in named), folder / TRUTH_FILE, folder / MASK_FILE]


def describe(phantom: Phantom) -> dict[str, Any]:
    """What is true of a phantom, and the specification that makes it again, as JSON values."""
    present = phantom.patient_markers
    return {
        "haematoma_volume_ml": round(phantom.haematoma_volume_ml, 3),
        "patient_markers": {
            code: bool(value) for code, value in zip(MARKER_CODES, present, strict=True)
        },
        "slice_markers": phantom.slice_markers.tolist(),
        "slice_area_mm2": [
            round(float(pixels) * phantom.volume.geometry.pixel_area_mm2, 2)
            for pixels in phantom.mask.sum(axis=(1, 2))
        ],
        "series_uid": phantom.volume.identity.series_uid,
        "tilt_deg": round(phantom.volume.geometry.tilt_deg, 3),
        "spec": asdict(phantom.spec),
    }

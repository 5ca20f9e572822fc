"""Specification of a phantom: head, lesion, site and seeds, as frozen dataclasses.

Head coordinates are millimetres with the origin at the level of the basal ganglia: x to the
patient's left, y to the back, z to the vertex (DICOM's LPS directions).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hemx_core.errors import VolumeError

LOCATIONS: tuple[str, ...] = ("putamen", "thalamus", "subcortical")
SIDES: tuple[str, ...] = ("left", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSpec:
    """One head.

    Args:
        scale: size against the template of 134 x 172 mm inside the skull.
        atrophy: 0 (young, narrow spaces) to 1 (old, wide ventricles and sulci).
        skull_mm: mean thickness of the calvaria.
        grey_hu: grey matter, HU.
        white_hu: white matter, HU.
        yaw_deg: turn of the head in the axial plane.
        roll_deg: lean of the head to one shoulder.
        pitch_deg: chin down (positive) or up.
        calcified: "pineal" and "choroid", where these are calcified (a distractor).
    """

    scale: float = 1.0
    atrophy: float = 0.4
    skull_mm: float = 6.0
    grey_hu: float = 37.5
    white_hu: float = 28.5
    yaw_deg: float = 0.0
    roll_deg: float = 0.0
    pitch_deg: float = 0.0
    calcified: tuple[str, ...] = ("pineal",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypodensity:
    """A hypodense region inside the clot, in units of the clot's mean radius.

    Args:
        centre: (x, y, z) from the clot's centre, clot radii.
        radii: half axes (x, y, z), clot radii; the height is at least that of a slice, so that
            the region shows.
        contrast_hu: HU below the clot around it.
        sharp: a sharp oval border (black hole), else a soft, bent one (swirl).
    """

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    contrast_hu: float
    sharp: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """A hypodense part beside the hyperdense one, with a bent border.

    Args:
        direction_deg: where it lies in the axial plane, 0 to the patient's left, 90 to the back.
        offset: how far from the clot's centre the border is, clot radii.
        contrast_hu: HU below the rest of the clot.
    """

    direction_deg: float
    offset: float
    contrast_hu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FluidLevel:
    """A hypodense upper part with a straight horizontal border (patient supine).

    Args:
        height: of the border above the clot's centre (towards the nose), clot radii.
        contrast_hu: HU below the part that has settled.
    """

    height: float
    contrast_hu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionSpec:
    """A haematoma with its markers.

    Args:
        location: one of LOCATIONS.
        side: one of SIDES.
        volume_ml: volume aimed at; skull and falx may cut a few per cent off.
        clot_hu: mean of the hyperdense part.
        heterogeneity_hu: standard deviation of the mild texture inside every clot.
        lobes: number of lobes added to the round body; 0 is round, 3 and more multilobular.
        oedema_mm: mean width of the perihaematomal oedema.
        jitter_mm: shift of the centre against the location's template.
        hypodensities: hypodense regions strictly inside.
        blend: the blend sign's hypodense part; 12 HU or less is a distractor.
        fluid_level: the fluid level.
    Raises:
        VolumeError: a location, side or number that cannot be drawn.
    """

    location: str = "putamen"
    side: str = "left"
    volume_ml: float = 20.0
    clot_hu: float = 62.0
    heterogeneity_hu: float = 2.5
    lobes: int = 0
    oedema_mm: float = 4.0
    jitter_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    hypodensities: tuple[Hypodensity, ...] = ()
    blend: Blend | None = None
    fluid_level: FluidLevel | None = None

    def __post_init__(self) -> None:
        _require(self.location in LOCATIONS, f"location {self.location!r}", f"one of {LOCATIONS}")
        _require(self.side in SIDES, f"side {self.side!r}", f"one of {SIDES}")
        _require(0.3 <= self.volume_ml <= 200, f"a volume of {self.volume_ml} mL", "0.3 to 200 mL")
        _require(0 <= self.lobes <= 12, f"{self.lobes} lobes", "0 to 12 lobes")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSpec:
    """A site's scanner and habits.

    Args:
        name: the site's name, stands in the truth and in InstitutionName.
        matrix: rows and columns.
        slices: number of slices; None covers the head.
        slice_spacing_mm: distance of neighbouring slices along their normal.
        slice_thickness_mm: thickness over which a slice averages.
        field_of_view_mm: width of the picture.
        tilt_deg: gantry tilt.
        noise_sd_hu: standard deviation of the noise in the brain at 0.45 mm pixels.
        sharpness: kernel, -1 (smooth) to 1 (sharp, with edge enhancement).
        offset_hu: calibration error, added everywhere inside the head.
        cupping_hu: how much the middle of the head reads too low.
        window_hu: the site's display window (lower, upper).
        holder: head holder, "arc", "cup" or "none".
    Raises:
        VolumeError: a number that cannot be imaged.
    """

    name: str = "site-01"
    matrix: int = 512
    slices: int | None = None
    slice_spacing_mm: float = 5.0
    slice_thickness_mm: float = 5.0
    field_of_view_mm: float = 230.0
    tilt_deg: float = 0.0
    noise_sd_hu: float = 2.4
    sharpness: float = 0.0
    offset_hu: float = 0.0
    cupping_hu: float = 0.0
    window_hu: tuple[float, float] = (0.0, 80.0)
    holder: str = "arc"

    def __post_init__(self) -> None:
        _require(32 <= self.matrix <= 1024, f"a matrix of {self.matrix}", "32 to 1024")
        _require(
            self.slices is None or 1 <= self.slices <= 600, f"{self.slices} slices", "1 to 600"
        )
        spacing, thickness = self.slice_spacing_mm, self.slice_thickness_mm
        _require(
            0.3 <= spacing <= 15 and 0.3 <= thickness <= 15,
            f"slices of {thickness} mm every {spacing} mm",
            "0.3 to 15 mm",
        )
        _require(
            180 <= self.field_of_view_mm <= 320, f"{self.field_of_view_mm} mm", "180 to 320 mm"
        )
        _require(abs(self.tilt_deg) <= 30, f"a tilt of {self.tilt_deg} degrees", "at most 30")
        _require(
            self.holder in ("arc", "cup", "none"), f"holder {self.holder!r}", "arc, cup or none"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomSpec:
    """Everything that determines a phantom, to the last bit.

    Args:
        seed: draws the anatomy's and the clot's shape.
        noise_seed: draws the noise; another one is another acquisition of the same head.
        head: the head.
        lesion: the haematoma, None for a head without.
        site: the scanner.
        patient_id: goes into DICOM and the truth.
        acquired_at: acquisition time.
        time_point: 0 for the first scan, 1 for the follow-up.
    """

    seed: int = 0
    noise_seed: int = 0
    head: HeadSpec = field(default_factory=HeadSpec)
    lesion: LesionSpec | None = field(default_factory=LesionSpec)
    site: SiteSpec = field(default_factory=SiteSpec)
    patient_id: str = "PHANTOM-000000"
    acquired_at: datetime = datetime(2024, 5, 14, 3, 20, 0)
    time_point: int = 0


def _require(condition: bool, found: str, expected: str) -> None:
    if not condition:
        raise VolumeError(found, expected=expected, remedy="correct the phantom's specification")

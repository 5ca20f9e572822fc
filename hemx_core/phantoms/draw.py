"""Draw random phantoms, and the same patient at a later time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np

from hemx_core.errors import VolumeError
from hemx_core.markers import MARKER_CODES
from hemx_core.phantoms.spec import (
    LOCATIONS,
    SIDES,
    Blend,
    FluidLevel,
    HeadSpec,
    Hypodensity,
    LesionSpec,
    PhantomSpec,
    SiteSpec,
)

PREVALENCE: Mapping[str, float] = {
    "hypodensity": 0.45,
    "irregular": 0.42,
    "blend": 0.40,
    "fluid_level": 0.33,
}


def random_spec(
    rng: np.random.Generator,
    *,
    matrix: int = 512,
    slices: int | None = None,
    site: SiteSpec | None = None,
    lesion_probability: float = 1.0,
    markers: Mapping[str, bool] | None = None,
    location: str | None = None,
    side: str | None = None,
    volume_ml: float | None = None,
    on_threshold: bool = False,
) -> PhantomSpec:
    """Draw a phantom.

    Args:
        rng: draws everything.
        matrix: rows and columns of the pictures (ignored where `site` is given).
        slices: number of slices; None covers the head (ignored where `site` is given).
        site: the scanner; None draws one.
        lesion_probability: share of heads with a haematoma.
        markers: marker code to whether the clot is drawn with it; those not named are drawn with
            about equal odds, independently.
        location: one of LOCATIONS; None draws it.
        side: one of SIDES; None draws it.
        volume_ml: haematoma volume; None draws it (median 16 mL).
        on_threshold: put the contrasts of blend sign and black hole on their thresholds.
    Raises:
        VolumeError: an unknown marker code, location or side.
    """
    unknown = set(markers or {}) - set(MARKER_CODES)
    if unknown:
        raise VolumeError(
            f"marker codes {sorted(unknown)}",
            expected=f"some of {MARKER_CODES}",
            remedy="name markers by their codes",
        )
    seed, noise_seed = (int(value) for value in rng.integers(0, 2**31, 2))
    site = site or random_site(rng, matrix=matrix, slices=slices)
    head = _random_head(rng)
    wanted = {code: bool(rng.random() < PREVALENCE[code]) for code in MARKER_CODES}
    wanted.update(markers or {})
    lesion = _random_lesion(rng, wanted, location, side, volume_ml, on_threshold)
    bleeds = bool(rng.random() < lesion_probability)
    return PhantomSpec(
        seed=seed,
        noise_seed=noise_seed,
        head=head,
        lesion=lesion if bleeds else None,
        site=site,
        patient_id=f"PHANTOM-{seed % 10**6:06d}",
    )


def random_site(
    rng: np.random.Generator, *, matrix: int = 512, slices: int | None = None
) -> SiteSpec:
    """Draw a scanner: noise, kernel, field of view, tilt, spacing, calibration, window, holder."""
    return SiteSpec(
        name=f"site-{int(rng.integers(1, 13)):02d}",
        matrix=matrix,
        slices=slices,
        field_of_view_mm=float(rng.uniform(216, 256)),
        tilt_deg=float(rng.choice([0, 0, 0, 1])) * float(rng.uniform(-18, 18)),
        noise_sd_hu=float(rng.uniform(1.4, 3.6)),
        sharpness=float(rng.uniform(-0.8, 0.5)),
        offset_hu=float(rng.normal(0, 1.2)),
        cupping_hu=float(rng.uniform(0, 2.5)),
        window_hu=(0.0, float(rng.choice([80, 80, 100, 70]))),
        holder=str(rng.choice(["arc", "cup", "none"], p=[0.45, 0.35, 0.2])),
    )


def grow(spec: PhantomSpec, factor: float, *, hours: float = 18.0) -> PhantomSpec:
    """The same patient later: the same head and site, other noise, the clot `factor` times as large.

    Raises:
        VolumeError: no haematoma to grow, or a factor that is not positive.
    """
    if spec.lesion is None or factor <= 0:
        raise VolumeError(
            f"growth by {factor} of {'no haematoma' if spec.lesion is None else 'a haematoma'}",
            expected="a phantom with a haematoma and a positive factor",
            remedy="give the phantom a lesion",
        )
    return replace(
        spec,
        noise_seed=spec.noise_seed + 1,
        lesion=replace(spec.lesion, volume_ml=spec.lesion.volume_ml * factor),
        acquired_at=spec.acquired_at + timedelta(hours=hours),
        time_point=spec.time_point + 1,
    )


def _random_head(rng: np.random.Generator) -> HeadSpec:
    calcified = tuple(
        name for name, share in (("pineal", 0.5), ("choroid", 0.35)) if rng.random() < share
    )
    grey = float(rng.uniform(35.5, 39.5))
    return HeadSpec(
        scale=float(rng.uniform(0.93, 1.04)),
        atrophy=float(rng.beta(2, 2.5)),
        skull_mm=float(rng.uniform(4.8, 7.5)),
        grey_hu=grey,
        white_hu=grey - float(rng.uniform(6.5, 10)),
        yaw_deg=float(rng.normal(0, 6)),
        roll_deg=float(rng.normal(0, 2.5)),
        pitch_deg=float(rng.normal(0, 5)),
        calcified=calcified,
    )


def _random_lesion(
    rng: np.random.Generator,
    wanted: Mapping[str, bool],
    location: str | None,
    side: str | None,
    volume_ml: float | None,
    on_threshold: bool,
) -> LesionSpec:
    place = location or str(rng.choice(LOCATIONS, p=[0.45, 0.25, 0.30]))
    parts = wanted["hypodensity"] + wanted["blend"] + wanted["fluid_level"]
    if volume_ml is None:
        limit = 28.0 if place == "thalamus" else 75.0
        volume_ml = float(
            np.clip(rng.lognormal(np.log(16), 0.7), (2.0, 5.0, 7.0, 10.0)[parts], limit)
        )
    jitter = rng.normal(0, 2.5, 3)
    if place == "subcortical":  # a large lobar clot reaches deeper, it does not leave the skull
        jitter[0] -= 0.9 * max((volume_ml * 239) ** (1 / 3) - 13, 0)
    fluid = _random_fluid(rng) if wanted["fluid_level"] else None
    blend = _random_blend(rng, wanted["blend"], fluid is not None, on_threshold)
    holes = (
        _random_holes(rng, blend, fluid, volume_ml, on_threshold) if wanted["hypodensity"] else ()
    )
    return LesionSpec(
        location=place,
        side=side or str(rng.choice(SIDES)),
        volume_ml=volume_ml,
        clot_hu=float(np.clip(rng.normal(63, 5), 54 if parts else 47, 75)),
        heterogeneity_hu=float(rng.uniform(1.2, 4.0)),
        lobes=int(rng.integers(3, 7)) if wanted["irregular"] else 0,
        oedema_mm=float(rng.uniform(2.0, 9.0)),
        jitter_mm=(float(jitter[0]), float(jitter[1]), float(jitter[2])),
        hypodensities=holes,
        blend=blend,
        fluid_level=fluid,
    )


def _random_fluid(rng: np.random.Generator) -> FluidLevel:
    return FluidLevel(height=float(rng.uniform(0.0, 0.4)), contrast_hu=float(rng.uniform(22, 34)))


def _random_blend(
    rng: np.random.Generator, wanted: bool, fluid: bool, on_threshold: bool
) -> Blend | None:
    """A blend part; without the marker, one in four clots gets a faint one (<= 12 HU)."""
    if not wanted and rng.random() > 0.25:
        return None
    contrast = float(rng.uniform(22, 32) if wanted else rng.uniform(5, 12))
    if wanted and on_threshold:
        contrast = float(rng.uniform(17, 19))
    # Beside a fluid level it lies below the border; alone, nowhere near straight above.
    span = (20, 160) if fluid else (-50, 230)
    return Blend(
        direction_deg=float(rng.uniform(*span)),
        offset=float(rng.uniform(0.1, 0.4)),
        contrast_hu=contrast,
    )


def _random_holes(
    rng: np.random.Generator,
    blend: Blend | None,
    fluid: FluidLevel | None,
    volume_ml: float,
    on_threshold: bool,
) -> tuple[Hypodensity, ...]:
    """One or two hypodense regions, clear of the clot's surface and of its other parts."""
    radius_mm = (volume_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    holes: list[Hypodensity] = []
    for _ in range(int(rng.integers(1, 3))):
        sharp = bool(rng.random() < 0.5)
        least = (2.9 if sharp else 3.6) / radius_mm
        for _attempt in range(60):
            size = np.maximum(rng.uniform(0.16, 0.32, 2), least)
            centre = rng.uniform(-0.5, 0.5, 3) * (1, 1, 0.5)
            if _clear(centre, float(size.max()), blend, fluid):
                break
        else:
            continue
        contrast = rng.uniform(32, 40) if sharp else rng.uniform(22, 32)
        if sharp and on_threshold:
            contrast = rng.uniform(26, 30)
        cx, cy, cz = (float(value) for value in centre)
        radii = (float(size[0]), float(size[1]), float(size.mean() * 1.2))
        holes.append(
            Hypodensity(centre=(cx, cy, cz), radii=radii, contrast_hu=float(contrast), sharp=sharp)
        )
    return tuple(holes)


def _clear(centre: np.ndarray, size: float, blend: Blend | None, fluid: FluidLevel | None) -> bool:
    margin = size + 0.14
    if float(np.hypot(*centre[:2])) + margin > 0.82:
        return False
    if fluid is not None and centre[1] - margin < -fluid.height:
        return False
    if blend is not None and blend.contrast_hu > 15:
        angle = np.deg2rad(blend.direction_deg)
        along = centre[0] * np.cos(angle) + centre[1] * np.sin(angle)
        return bool(along + margin < blend.offset)
    return True

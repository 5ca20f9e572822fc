"""The truth's rules on drawn shapes, and on phantoms made to show one marker."""

import numpy as np
import pytest

from hemx_core.markers import MARKER_CODES
from hemx_core.phantoms import (
    Blend,
    FluidLevel,
    Hypodensity,
    LesionSpec,
    Phantom,
    PhantomSpec,
    SiteSpec,
    make_phantom,
)
from hemx_core.phantoms.fields import Floats
from hemx_core.phantoms.lesion import ClotShares
from hemx_core.phantoms.truth import judge_slice

PIXEL_MM = 0.5
ROWS, COLUMNS = np.mgrid[-40:41, -40:41].astype(np.float32) * PIXEL_MM


def disc(radius_mm: float, x: float = 0.0, y: float = 0.0) -> Floats:
    distance = np.hypot(COLUMNS - x, ROWS - y) - radius_mm
    return np.clip(0.5 - distance / PIXEL_MM, 0, 1).astype(np.float32)


def judge(clot: Floats, lesion: LesionSpec | None = None, **parts: Floats) -> list[int]:
    none = np.zeros_like(clot)
    drawn = {name: parts.get(name, none) for name in ("hypodensity", "blend", "fluid")}
    shares = ClotShares(clot=clot, oedema=none, **drawn)
    return judge_slice(shares, lesion or LesionSpec(), PIXEL_MM).tolist()


def test_a_plain_disc_shows_no_marker() -> None:
    assert judge(disc(12)) == [0, 0, 0, 0]


def test_no_clot_is_absent_and_a_small_one_not_decidable() -> None:
    assert judge(disc(12) * 0) == [0, 0, 0, 0]
    assert judge(disc(4.0)) == [-1, -1, -1, -1]  # 50 mm2


@pytest.mark.parametrize(
    ("radius", "x", "contrast", "expected"),
    [
        (3.0, 0.0, 30.0, 1),
        (3.0, 0.0, 12.0, -1),  # too faint to count, too strong to deny
        (3.0, 0.0, 6.0, 0),
        (1.5, 0.0, 30.0, -1),  # 7 mm2
        (0.8, 0.0, 30.0, 0),
        (3.0, 11.0, 30.0, -1),  # reaches the clot's outside
    ],
)
def test_hypodensity_is_large_deep_and_enclosed(
    radius: float, x: float, contrast: float, expected: int
) -> None:
    clot = disc(12)
    hypodensity = contrast * disc(radius, x) * clot
    assert judge(clot, hypodensity=hypodensity)[0] == expected


def test_a_hypodensity_at_the_blend_parts_border_is_not_enclosed() -> None:
    clot = disc(12)
    lesion = LesionSpec(blend=Blend(direction_deg=0, offset=0, contrast_hu=25))
    blend = 25 * clot * (COLUMNS > 2)
    assert judge(clot, lesion, hypodensity=30 * disc(3) * clot, blend=blend)[0] == -1
    assert judge(clot, lesion, hypodensity=30 * disc(3, -4) * clot, blend=blend)[0] == 1


def test_irregular_counts_lobes_and_not_raggedness() -> None:
    clover = np.maximum.reduce([disc(6), disc(5, 9), disc(5, -6, 8), disc(5, -6, -8)])
    assert judge(clover)[1] == 1
    angle = np.arctan2(ROWS, COLUMNS)
    distance = np.hypot(COLUMNS, ROWS) - 12 - 0.4 * np.sin(40 * angle)
    assert judge(np.clip(0.5 - distance / PIXEL_MM, 0, 1).astype(np.float32))[1] == 0


@pytest.mark.parametrize(
    ("contrast", "border", "expected"),
    [(24, 0.0, 1), (18, 0.0, 1), (17, 0.0, 0), (12, 0.0, 0), (24, 11.0, 0), (24, 9.0, -1)],
)
def test_blend_needs_contrast_and_two_visible_parts(
    contrast: float, border: float, expected: int
) -> None:
    clot = disc(12)
    lesion = LesionSpec(blend=Blend(direction_deg=0, offset=0, contrast_hu=contrast))
    found = judge(clot, lesion, blend=contrast * clot * (border < COLUMNS))
    assert found == [0, 0, expected, 0]


SITE = SiteSpec(matrix=128, slices=10, slice_spacing_mm=5.0, noise_sd_hu=1.0)
HOLE = Hypodensity(centre=(0, 0.1, 0), radii=(0.3, 0.3, 0.4), contrast_hu=34, sharp=True)
SIGNS = {
    "hypodensity": LesionSpec(volume_ml=35, hypodensities=(HOLE,)),
    "irregular": LesionSpec(volume_ml=35, lobes=5),
    "blend": LesionSpec(volume_ml=35, blend=Blend(direction_deg=10, offset=0.2, contrast_hu=26)),
    "fluid_level": LesionSpec(volume_ml=35, fluid_level=FluidLevel(height=0.1, contrast_hu=28)),
}


@pytest.fixture(scope="module")
def signs() -> dict[str, Phantom]:
    """One phantom for each marker, centred on the clot, and one with none of them."""
    lesions = {**SIGNS, "none": LesionSpec(volume_ml=35)}
    return {
        code: make_phantom(PhantomSpec(seed=5, lesion=lesion, site=SITE))
        for code, lesion in lesions.items()
    }


@pytest.mark.parametrize("code", [*MARKER_CODES, "none"])
def test_a_phantom_shows_the_marker_drawn_and_no_other(
    signs: dict[str, Phantom], code: str
) -> None:
    assert signs[code].patient_markers.tolist() == [code == other for other in MARKER_CODES]
    empty = ~signs[code].mask.any(axis=(1, 2))
    assert not signs[code].slice_markers[empty].any()


def _widest(phantom: Phantom) -> int:
    return int(phantom.mask.sum(axis=(1, 2)).argmax())


def test_the_fluid_level_is_dark_on_top_with_a_horizontal_border(
    signs: dict[str, Phantom],
) -> None:
    phantom = signs["fluid_level"]
    index = _widest(phantom)
    hu, mask = phantom.volume.hu[index].astype(float), phantom.mask[index]
    rows = np.flatnonzero(mask.any(axis=1))
    lines = np.array([hu[row][mask[row]].mean() for row in rows])
    half = len(rows) // 2
    assert lines[:3].mean() + 15 < lines[-half:].mean()
    border = int(np.argmax(np.diff(lines))) + rows[0]
    steps = []
    for column in np.flatnonzero(mask[border]):
        inside = hu[rows[0] : rows[-1], column]
        if mask[border - 2 : border + 3, column].all():
            steps.append(int(np.argmax(np.diff(inside))) + rows[0])
    assert len(steps) >= 5
    assert np.ptp(steps) <= 1, "straight and horizontal"


@pytest.mark.parametrize(("code", "contrast"), [("hypodensity", 34), ("blend", 26)])
def test_the_pictures_contrast_is_the_one_drawn(
    signs: dict[str, Phantom], code: str, contrast: float
) -> None:
    phantom, plain = signs[code], signs["none"]
    index = int((phantom.slice_markers[:, MARKER_CODES.index(code)] == 1).argmax()) + 1
    lowered = plain.volume.hu[index].astype(float) - phantom.volume.hu[index]
    assert np.percentile(lowered[phantom.mask[index]], 98) == pytest.approx(contrast, abs=5)
    assert np.abs(np.median(lowered[~plain.mask[index]])) < 1

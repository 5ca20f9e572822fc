import json
from pathlib import Path

import numpy as np
import pytest

import hemx_core
from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.measure.uncertainty import (
    ACCURACY_BOUNDARY_MM,
    REPEAT_BOUNDARY_MM,
    Z_90,
    estimate_volume,
)


def _ball(radius_mm: float, dz: float, shift_mm: float = 0.0) -> tuple[np.ndarray, VolumeGeometry]:
    slices, size = round(60 / dz), 120
    geometry = VolumeGeometry.axial(slices, spacing_mm=(dz, 0.5, 0.5))
    z = (np.arange(slices) - (slices - 1) / 2) * dz + shift_mm
    rows, columns = np.mgrid[:size, :size] * 0.5 - 30
    ball = rows**2 + columns**2 + z[:, None, None] ** 2 <= radius_mm**2
    return ball, geometry


def test_the_surface_of_a_ball_comes_near_the_formula() -> None:
    mask, geometry = _ball(14, 1.0)
    estimate = estimate_volume(mask, geometry)
    # Sides and steps are those of a stack of slabs, which has more surface than the ball (up to 4/pi of
    # it and what pixel outlines add); the calibrated constants are per mm of this surface.
    assert 1.0 < estimate.surface_mm2 / (4 * np.pi * 14**2) < 1.4
    assert estimate.volume_ml == pytest.approx(4 / 3 * np.pi * 14**3 / 1000, rel=0.01)


def test_the_sampling_sd_is_that_of_volumes_at_shifted_slices() -> None:
    shifts = np.linspace(0, 10, 40, endpoint=False)
    estimates = [estimate_volume(*_ball(14, 10.0, shift)) for shift in shifts]
    spread = float(np.std([one.volume_ml for one in estimates]))
    stated = float(np.mean([one.sampling_sd_ml for one in estimates]))
    assert spread / 2 < stated < 2.5 * spread


def test_thin_slices_sample_better() -> None:
    thick, thin = (estimate_volume(*_ball(14, dz)) for dz in (10.0, 2.0))
    assert thin.sampling_sd_ml < thick.sampling_sd_ml / 4


def test_the_interval_holds_what_a_shifted_boundary_gives() -> None:
    estimate = estimate_volume(*_ball(14, 2.0))
    low, high = estimate.interval_ml
    for radius in (14 - ACCURACY_BOUNDARY_MM, 14 + ACCURACY_BOUNDARY_MM):
        assert low < 4 / 3 * np.pi * radius**3 / 1000 < high
    half = (high - low) / 2
    assert half >= Z_90 * estimate.surface_mm2 * ACCURACY_BOUNDARY_MM / 1000 * 0.99


def test_an_empty_mask_is_zero_and_the_interval_never_negative() -> None:
    geometry = VolumeGeometry.axial(3, spacing_mm=(5, 1, 1))
    empty = estimate_volume(np.zeros((3, 9, 9), bool), geometry)
    assert (empty.volume_ml, empty.surface_mm2, empty.sampling_sd_ml) == (0, 0, 0)
    speck = np.zeros((3, 9, 9), bool)
    speck[1, 4, 4] = True
    thin = VolumeGeometry.axial(3, spacing_mm=(1, 1, 1))
    assert estimate_volume(speck, thin).interval_ml[0] == 0


def test_a_mask_that_does_not_fit_is_refused() -> None:
    geometry = VolumeGeometry.axial(3, spacing_mm=(5, 1, 1))
    with pytest.raises(VolumeError):
        estimate_volume(np.zeros((2, 9, 9), bool), geometry)


def test_the_constants_are_those_of_the_results_file() -> None:
    path = Path(hemx_core.__file__).parent.parent / "benchmarks" / "results" / "repeatability.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    assert pytest.approx(found["accuracy_boundary_mm"], abs=0.006) == ACCURACY_BOUNDARY_MM
    assert pytest.approx(found["repeat_boundary_mm"], abs=0.006) == REPEAT_BOUNDARY_MM

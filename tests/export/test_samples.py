from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from export.samples import choose, load_samples, phantom_samples
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec

SPEC = PreprocessingSpec(size=64, pixel_mm=3.6)


def test_chooses_blood_and_quiet_slices_evenly() -> None:
    blood = np.zeros(100, bool)
    blood[40:80] = True
    chosen = choose(blood, 10)
    assert len(chosen) == len(set(chosen)) == 10
    assert chosen == sorted(chosen)
    assert blood[chosen].sum() == 6
    assert {0, 40, 79, 99} <= set(chosen)


@pytest.mark.parametrize(("bloody", "expected"), [(0, 10), (3, 10), (100, 6)])
def test_takes_what_there_is(bloody: int, expected: int) -> None:
    blood = np.zeros(100, bool)
    blood[:bloody] = True
    assert len(choose(blood, 10)) == expected


def test_phantom_slices_are_prepared_and_repeatable() -> None:
    samples = phantom_samples(SPEC, seed=3, studies=1, matrix=96)
    assert samples.images.shape[1:] == (64, 64)
    assert samples.images.dtype == np.float32
    assert samples.images.any((1, 2)).all()
    assert 0 <= samples.images.min() < samples.images.max() <= 1
    assert len(samples) == len(samples.transforms) == len(samples.blood)
    assert 0 < samples.blood.sum() < len(samples)
    again = phantom_samples(SPEC, seed=3, studies=1, matrix=96)
    np.testing.assert_array_equal(samples.images, again.images)
    part = samples.take([2, 0])
    np.testing.assert_array_equal(part.images[1], samples.images[0])


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"slices\.csv"):
        load_samples(SPEC, data=tmp_path, calibration=4)


@pytest.mark.skipif(not os.environ.get("HEMX_DATA"), reason="HEMX_DATA is not set")
def test_real_slices_of_different_patients() -> None:
    calibration, parity = load_samples(SPEC, data=None, calibration=8)
    assert "training" in calibration.source
    assert "16 test" in parity.source
    assert len(calibration) == 2 * 8, "real slices and as many of phantoms"
    assert 6 <= calibration.blood.sum() <= 10
    assert parity.blood.any()

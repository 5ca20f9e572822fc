"""Real series from HEMX_DATA; skipped where it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume
from hemx_core.words import tell

DATA = os.environ.get("HEMX_DATA", "")
pytestmark = pytest.mark.skipif(not DATA, reason="HEMX_DATA is not set")


def note(volume: HUVolume, code: str) -> str:
    """The message of a note, empty where there is none."""
    return next((tell(one) for one in volume.notes if one.code == code), "")


def test_ge_head_with_tilt_and_two_thicknesses() -> None:
    volume = read_series(Path(DATA, "dicom", "ge_tilted_head"))
    assert volume.shape == (28, 512, 512)
    assert "18.5 degrees" in note(volume, "gantry_tilt")
    told = note(volume, "unequal_spacing")
    assert "slices 1 to 14: 4 mm thick, 4.0 mm apart" in told
    assert "slices 15 to 28: 7 mm thick, 7.0 mm apart" in told
    assert not note(volume, "missing_slices")
    assert volume.hu.min() == -1024
    # The middle of the picture, well above the skull base, is brain.
    assert 20 < np.median(volume.hu[20, 200:300, 200:300]) < 45


def test_philips_skull_phantom() -> None:
    volume = read_series(Path(DATA, "dicom", "philips_skull_phantom_5mm"))
    assert volume.shape == (28, 512, 512)
    assert volume.geometry.spacing_mm == pytest.approx((5.0, 0.451171875, 0.451171875))
    assert volume.identity.scanner == "Philips Ingenuity CT"
    assert {one.code for one in volume.notes} == {"series_choice"}


def test_both_patients_in_one_folder() -> None:
    volume = read_series(Path(DATA, "dicom"))
    assert "2 patients" in note(volume, "several_patients")
    assert volume.shape == (28, 512, 512)

"""A phantom on disk: DICOM studies, truth.json and the true masks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hemx_core.errors import OutputError
from hemx_core.markers import MARKER_CODES
from hemx_core.phantom.dicom import write_dicom_series
from hemx_core.phantom.make import Phantom

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
    try:
        draft = folder / f"{TRUTH_FILE}.partial"
        draft.write_text(text, encoding="utf-8")
        draft.replace(folder / TRUTH_FILE)
        draft = folder / f"{MASK_FILE}.partial"
        with draft.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **masks)
        draft.replace(folder / MASK_FILE)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror or error})",
            expected="a folder with enough free space that may be written",
            remedy="choose another folder",
        ) from error
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

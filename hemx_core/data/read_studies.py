"""Real patients as studies with the markers that were read on them. Torch-free.

The readings are a vision model's, not a radiologist's, see `hemx_core.data.readings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemx_core.data import phe_sich
from hemx_core.data.readings import ReadPatient, read_readings
from hemx_core.data.study import UNKNOWN, Study
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.markers import MARKER_CODES


def read_studies(
    folder: Path, patients: Sequence[str], preprocessing: PreprocessingSpec
) -> list[Study]:
    """Prepared slices of patients with what was read on them.

    Args:
        folder: of phe_sich, with `markers_read.csv`.
        patients: whose; those without a reading, and those whose outline both readings call wrong, are
            left out.
        preprocessing: how slices are prepared.
    Raises:
        DatasetError: the data or the readings are missing or damaged.
    """
    rows, readings = phe_sich.read_rows(folder), read_readings(folder)
    studies = []
    for patient in patients:
        reading = readings.get(patient)
        if reading is None or reading.reference_wrong:
            continue
        prepared = phe_sich.prepare_patient(folder, rows[patient], preprocessing)
        index = np.array([row.index for row in rows[patient]], np.int16)
        millilitres = np.prod(phe_sich.ASSUMED_SPACING_MM) / 1000
        studies.append(
            Study(
                patient_id=f"phe_sich-{patient}",
                site="",
                location="",
                image=prepared.image,
                mask=prepared.mask,
                known=prepared.known,
                slice_markers=slice_labels(reading, index),
                patient_markers=patient_row(reading),
                expanded=UNKNOWN,
                slice_index=index,
                haematoma_volume_ml=float(
                    sum(row.haematoma_px for row in rows[patient]) * millilitres
                ),
            )
        )
    return studies


def patient_row(reading: ReadPatient) -> NDArray[np.int8]:
    """The patient's markers, shape (4,): 1 or 0 where both readings are sure of it, else -1."""
    return np.array([reading.label(code) for code in MARKER_CODES], np.int8)


def slice_labels(reading: ReadPatient, index: NDArray[np.int16]) -> NDArray[np.int8]:
    """The markers of slices, shape (slices, 4).

    Both readings "no": no slice shows the marker. Both "clearly yes": the slices that either names show
    it, of the others nobody said anything. All else is not known.

    Args:
        reading: both readings of the patient.
        index: the source's number of each slice, shape (slices,).
    """
    labels = np.full((len(index), len(MARKER_CODES)), UNKNOWN, np.int8)
    for column, code in enumerate(MARKER_CODES):
        label = reading.label(code)
        if label == 0:
            labels[:, column] = 0
        elif label == 1:
            labels[np.isin(index, reading.slices(code)), column] = 1
    return labels

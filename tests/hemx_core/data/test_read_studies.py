import csv

import numpy as np
import pytest

from hemx_core.data.read_studies import read_studies
from hemx_core.data.readings import FILE, READ_CODES
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.markers import MARKER_CODES
from tests.factories import write_phe_sich


@pytest.fixture
def folder(tmp_path):
    """Four patients of three slices; blood on the middle one."""
    return write_phe_sich(tmp_path, patients=5)


def write_readings(folder, *rows):
    """Rows of (patient, {code: (a, b)}, wrong, slices a, slices b); "no" where nothing is said."""
    names = [f"{code}_{which}" for code in (*READ_CODES, "location", "reference_wrong", "slices")
             for which in "ab"]  # fmt: skip
    with (folder / FILE).open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["patient", *names])
        writer.writeheader()
        for patient, answers, wrong, *slices in rows:
            row = dict.fromkeys(names, 0) | {"patient": patient}
            row |= {"location_a": "putamen", "location_b": "putamen"}
            row |= {"reference_wrong_a": wrong, "reference_wrong_b": wrong}
            row |= {"slices_a": slices[0], "slices_b": slices[1]}
            for code, pair in answers.items():
                row |= {f"{code}_a": pair[0], f"{code}_b": pair[1]}
            writer.writerow(row)


def test_readings_become_labels_of_slices_and_patients(folder):
    answers = {"blend": (2, 2), "irregular": (2, 1), "hypodensity": (1, 0)}
    write_readings(
        folder, ("0002", answers, 0, "blend:1", "blend:1-2;irregular:0"), ("0003", {}, 1, "", "")
    )
    (study,) = read_studies(folder, ["0001", "0002", "0003"], PreprocessingSpec())
    assert study.patient_id == "phe_sich-0002"
    assert study.slice_index.tolist() == [0, 1, 2]
    assert study.with_blood.tolist() == [False, True, False]
    named = dict(zip(MARKER_CODES, study.patient_markers.tolist(), strict=True))
    assert named == {"hypodensity": -1, "irregular": -1, "blend": 1, "fluid_level": 0}
    blend = MARKER_CODES.index("blend")
    assert study.slice_markers[:, blend].tolist() == [-1, 1, 1], "what nobody names is not known"
    assert (study.slice_markers[:, MARKER_CODES.index("fluid_level")] == 0).all()
    assert (np.delete(study.slice_markers, [blend, 3], 1) == -1).all()


def test_without_the_table_nothing_is_read(folder):
    with pytest.raises(DatasetError, match="readings"):
        read_studies(folder, ["0002"], PreprocessingSpec())

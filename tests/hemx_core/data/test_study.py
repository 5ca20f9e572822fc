from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from hemx_core.data.study import load_study, patient_truth, save_study
from hemx_core.errors import DatasetError
from tests.factories import make_study


def test_patient_truth_is_one_grey_or_absent() -> None:
    rows = [[-1, -1, -1, -1], [1, -1, 0, 0], [-1, 0, 0, 0]]
    assert patient_truth(np.array(rows, np.int8)).tolist() == [1, -1, 0, 0]


def test_a_stored_study_comes_back(tmp_path: Path) -> None:
    study = make_study(slices=3, size=48, expanded=1)
    save_study(tmp_path / "a.npz", study)
    back = load_study(tmp_path / "a.npz")
    for field in fields(study):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(study, field.name))
    assert not list(tmp_path.glob("*.tmp"))


def test_a_damaged_study_is_refused(tmp_path: Path) -> None:
    save_study(tmp_path / "a.npz", make_study())
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:500])
    with pytest.raises(DatasetError, match=r"a\.npz cannot be read"):
        load_study(tmp_path / "a.npz")

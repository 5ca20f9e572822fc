from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import pytest

from hemx_core.data.study import (
    CombinedSource,
    Study,
    check_split,
    load_study,
    patient_truth,
    save_study,
)
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from tests.factories import make_study


def test_patient_truth_is_one_grey_or_absent() -> None:
    rows = [[-1, -1, -1, -1], [1, -1, 0, 0], [-1, 0, 0, 0]]
    assert patient_truth(np.array(rows, np.int8)).tolist() == [1, -1, 0, 0]


def test_a_stored_study_comes_back(tmp_path: Path) -> None:
    study = make_study(slices=3, size=48, expanded=1)
    save_study(tmp_path / "a.npz", study)
    back = load_study(tmp_path / "a.npz")
    for one in fields(study):
        np.testing.assert_array_equal(getattr(back, one.name), getattr(study, one.name))
    assert not list(tmp_path.glob("*.tmp"))


def test_a_damaged_study_is_refused(tmp_path: Path) -> None:
    save_study(tmp_path / "a.npz", make_study())
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:500])
    with pytest.raises(DatasetError, match=r"a\.npz cannot be read"):
        load_study(tmp_path / "a.npz")


@dataclass
class Source:
    names: list[str]
    preprocessing: PreprocessingSpec = field(default_factory=lambda: PreprocessingSpec(size=32))
    licence: str = "Apache-2.0"

    @property
    def description(self):
        return {"name": "a", "licence": self.licence, "patients": len(self.names)}

    def patients(self, split: str) -> list[Study]:
        check_split(split)
        return [make_study(patient_id=n) for n in self.names if split == "train"]


def test_studies_follow_one_another():
    combined = CombinedSource([Source(["a", "b"]), Source([]), Source(["c"])])
    train = combined.patients("train")
    assert [study.patient_id for study in train] == ["a", "b", "c"]
    assert [train[i].patient_id for i in (0, 2, -1, -3)] == ["a", "c", "c", "a"]
    assert len(train) == 3
    assert len(combined.patients("test")) == 0
    for outside in (3, -4):
        with pytest.raises(IndexError):
            train[outside]


def test_description_names_every_licence_once():
    sources = [Source(["a"]), Source(["b"]), Source(["c"], licence="non-commercial")]
    described = CombinedSource(sources).description
    assert described["licence"] == "Apache-2.0; non-commercial"
    assert described["patients"] == 3
    assert len(described["sources"]) == 3


def test_refuses_nothing_other_preprocessing_and_unknown_splits():
    with pytest.raises(DatasetError, match="no source"):
        CombinedSource([])
    with pytest.raises(DatasetError, match="prepared with"):
        CombinedSource([Source(["a"]), Source(["b"], PreprocessingSpec(size=64))])
    with pytest.raises(DatasetError, match="'dev'"):
        CombinedSource([Source(["a"])]).patients("dev")

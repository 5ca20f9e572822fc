from dataclasses import dataclass, field

import pytest

from hemx_core.data.combined import CombinedSource
from hemx_core.data.study import PreparedStudy, check_split
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from tests.factories import make_study


@dataclass
class Source:
    names: list[str]
    preprocessing: PreprocessingSpec = field(default_factory=lambda: PreprocessingSpec(size=32))
    licence: str = "Apache-2.0"

    @property
    def description(self):
        return {"name": "a", "licence": self.licence, "patients": len(self.names)}

    def patients(self, split: str) -> list[PreparedStudy]:
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

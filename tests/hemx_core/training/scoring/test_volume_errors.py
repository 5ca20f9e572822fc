import json
from pathlib import Path

import pytest

from hemx_core.errors import DatasetError
from hemx_core.training.scoring.volume_errors import (
    GrowthRow,
    VolumeRow,
    read_errors,
    volumes_of,
    write_errors,
)

ROW = VolumeRow(
    patient="0015", fold=0, predicted_ml=12.9, reference_ml=12.5, components=1, false_ml=0.0
)
PAIR = GrowthRow(
    patient="0015",
    fold=None,
    earlier_ml=10.7,
    later_ml=17.1,
    true_earlier_ml=10.6,
    true_later_ml=17.7,
)


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    write_errors(tmp_path / "folds.json", volumes=[ROW], about={"reference": "derived"})
    write_errors(tmp_path / "growth.json", growths=[PAIR, PAIR])
    found = read_errors(tmp_path / "folds.json", tmp_path / "growth.json")
    assert found.volumes == (ROW,)
    assert found.growths == (PAIR, PAIR)
    assert found.about == {"reference": "derived"}


def test_a_patient_stands_once(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="0015 stand twice"):
        write_errors(tmp_path / "twice.json", volumes=[ROW, ROW])
    write_errors(tmp_path / "one.json", volumes=[ROW])
    with pytest.raises(DatasetError, match=r"twice in one\.json, one\.json"):
        read_errors(tmp_path / "one.json", tmp_path / "one.json")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "hemx.volume-errors", "version": 1, "volumes": [{}]}']
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(DatasetError, match=r"other\.json cannot be read"):
        read_errors(tmp_path / "other.json")


def test_rows_of_an_evaluation_have_its_fold() -> None:
    row = {"patient": "0015", "predicted_ml": 12.9, "reference_ml": 12.5, "false_ml": 0.0}
    report = {"per_patient": [row | {"components": 1, "dice": 0.97}]}
    assert volumes_of(json.loads(json.dumps(report)), fold=0) == (ROW,)
    with pytest.raises(DatasetError, match="components"):
        volumes_of({"per_patient": [row]}, fold=0)

from pathlib import Path

import numpy as np
import pytest

from benchmarks.folds import masks
from benchmarks.folds.recipe import SEGMENTER, Place
from hemx_core.data import phe_sich
from hemx_core.data.phe_sich import Fold
from hemx_core.errors import DatasetError
from tests.factories import write_phe_sich

pytestmark = pytest.mark.slow


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """Two folds whose segmenters are sure of the reference, each to its own degree."""
    folder = write_phe_sich(tmp_path, patients=36)
    monkeypatch.setattr(phe_sich, "data_folder", lambda: folder)
    monkeypatch.setattr(masks, "THRESHOLDS", (0.3, 0.5, 0.7))
    rows = phe_sich.read_rows(folder)
    made = [Place(root=tmp_path / "folds", fold=Fold(k, 2)) for k in range(2)]
    for place, sure in zip(made, (0.4, 0.6), strict=True):
        place.folder.mkdir(parents=True)
        found = {
            patient: phe_sich.prepare_patient(folder, rows[patient], SEGMENTER.preprocessing).mask
            * sure
            for patient in masks.held_out(place)
        }
        np.savez(masks.stored(place), allow_pickle=False, **found)
    return made


def test_every_patient_is_scored_once_at_the_other_fold_s_threshold(places: list[Place]) -> None:
    found = masks.score(places)
    # 0.3 and 0.5 are as good where the network is sure to 0.6; the lower one is taken. Both folds want 0.3.
    assert found.report["threshold_by_fold"] == [0.3, 0.3]
    assert found.threshold == 0.3
    assert found.report["patients"] == 35, "the patient without a reference is not scored"
    assert found.report["scores"]["dice"]["smallest"] > 0.9
    assert [row.patient for row in found.errors if row.fold == 0] == masks.held_out(places[0])
    assert [row.patient for row in found.errors if row.fold == 1] == masks.held_out(places[1])
    assert all(abs(row.predicted_ml / row.reference_ml - 1) < 0.2 for row in found.errors)


def test_a_fold_without_probabilities_is_named(places: list[Place]) -> None:
    masks.stored(places[1]).unlink()
    with pytest.raises(DatasetError, match="fold 1"):
        masks.score(places)

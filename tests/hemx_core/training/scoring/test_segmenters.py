from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hemx_core.data import phe_sich
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.training.scoring.segmenters import (
    MaskTable,
    choose_on_grid,
    evaluate_masks,
    grid_table,
    native_table,
)
from hemx_core.training.scoring.volume_errors import volumes_of
from tests.factories import make_study, write_phe_sich

SPEC = PreprocessingSpec(size=512, pixel_mm=0.45)
CHOICE: dict[str, Any] = {"threshold": 0.5, "min_component_ml": 0.0}


class Bright(torch.nn.Module):
    """Probability 0.8 where the picture is brighter than 0.6 (the factory's blood), 0.62 else."""

    def forward(self, image):
        probability = torch.where(image.float() > 0.6, 0.8, 0.62)
        return torch.logit(probability), image.mean((2, 3))


class Source:
    preprocessing = PreprocessingSpec(size=32, pixel_mm=2.0)

    def __init__(self, studies):
        self.studies = studies

    def patients(self, split):
        return self.studies


def test_the_threshold_that_separates_is_chosen_and_scored():
    studies = [make_study(patient_id=f"P{i}", seed=i) for i in range(3)]
    threshold, scores = choose_on_grid(Bright(), Source(studies))
    assert 0.6 < threshold <= 0.8
    assert scores["validation"]["dice_mean"] == scores["test"]["dice_mean"] == 1.0
    assert scores["test"]["volume_error_median"] == 0.0
    assert scores["test"]["patients"] == 3
    assert scores["validation_dice_by_threshold"]["0.50"] < 0.2


def test_studies_of_a_patient_count_together_and_false_blood_on_blood_free_slices_only():
    first, second = make_study(slices=3), make_study(slices=1)
    first.mask[2] = False
    table = grid_table(Bright(), Source([first, second]), "test", (0.5,))
    assert table.counts.tolist() == [[[3 * 64, 4 * 32 * 32, 3 * 64, 32 * 32]]]
    found = table.grid_summary(0)
    assert found["dice_mean"] == pytest.approx(2 * 192 / (4096 + 192), abs=1e-4)
    assert found["false_mm2_mean"] == 1024 * 4.0


def test_open_pixels_count_neither_way():
    study = make_study(slices=1)
    study.known[:] = False
    assert not grid_table(Bright(), Source([study]), "test", (0.5,)).counts.any()


def test_without_blood_nothing_is_chosen():
    study = make_study(slices=1)
    study.mask[:] = False
    assert choose_on_grid(Bright(), Source([study])) is None


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_phe_sich(tmp_path_factory.mktemp("phe_sich"), patients=40)


def perfect(image: np.ndarray) -> np.ndarray:
    """The factory's clot by its grey value."""
    return (np.abs(image - (-20 + 180 * 120 / 255) / 80) < 0.1).astype(np.float32)


def test_a_perfect_segmenter_scores_one_and_a_blind_one_nothing(real: Path) -> None:
    found = evaluate_masks(perfect, SPEC, patients=["0005", "0009"], folder=real, **CHOICE)
    assert found["scores"]["dice"] == {
        "mean": 1.0, "interval": [1.0, 1.0], "median": 1.0, "smallest": 1.0, "largest": 1.0,
    }  # fmt: skip
    assert found["scores"]["surface_mm"]["largest"] == 0
    assert found["overlap"]["patient"] == {"count": 2, "dice": 1.0, "iou": 1.0, "f": 1.0}
    assert [row["patient"] for row in found["per_patient"]] == ["0005", "0009"]
    assert [row.components for row in volumes_of(found, fold=2)] == [1, 1]
    assert found["faults_left_out"] == []
    blind = evaluate_masks(np.zeros_like, SPEC, patients=["0005"], folder=real, **CHOICE)
    assert blind["scores"]["dice"]["mean"] == 0
    assert "surface_mm" not in blind["scores"], "there is no surface to measure from"
    with pytest.raises(DatasetError, match="no patients"):
        evaluate_masks(perfect, SPEC, patients=[], folder=real, **CHOICE)


def test_scores_of_a_perfect_and_of_a_blind_segmenter(real):
    spec = PreprocessingSpec(size=512, pixel_mm=0.45)
    patients = ["0005", "0009"]
    table = native_table(perfect, spec, patients=patients, folder=real)
    summary = table.native_summary([0, 0])
    assert summary["dice_mean"] == 1
    assert summary["volume_error_median"] == 0
    drawn = np.count_nonzero(
        phe_sich.read_mask(real, "haematoma", phe_sich.read_rows(real)["0005"][1])
    )
    assert table.counts[0, 0, 2] * table.pixel == pytest.approx(drawn * 5 * 0.45**2 / 1000)
    none = native_table(np.zeros_like, spec, patients=patients, folder=real)
    blind = none.native_summary([0, 0])
    assert blind["dice_mean"] == 0
    assert blind["volume_error_median"] == 1
    assert blind["false_ml_mean"] == 0


def test_false_blood_is_counted_on_blood_free_slices_only(real):
    spec = PreprocessingSpec(size=512, pixel_mm=0.45, centre=False)

    def square_everywhere(image):
        found = np.zeros_like(image)
        found[200:240, 200:240] = 1
        return found

    table = native_table(square_everywhere, spec, patients=["0005"], folder=real)
    assert table.counts[0, 0, 3] * table.pixel == pytest.approx(2 * 1600 * 5 * 0.45**2 / 1000)
    filtered = native_table(
        square_everywhere, spec, patients=["0005"], folder=real, min_component_ml=50.0
    )
    assert filtered.counts[0, 0, 3] == 0
    assert filtered.unfiltered[0, 0] == table.unfiltered[0, 0] > 0


def test_a_threshold_is_never_chosen_on_the_patient_it_is_scored_on():
    # Found and reference have ten pixels each, so hits are tenths of Dice; patients a, b and c.
    hits = np.array([[9, 5, 8], [1, 9, 9]])
    tens = np.full_like(hits, 10)
    counts = np.stack([hits, tens, tens, 0 * tens], -1)
    table = MaskTable((0.5, 0.7), ("a", "b", "c"), counts, 1.0, 0 * tens)
    assert table.best() == 0
    # Without a, 0.7 wins; without b, 0.5; without c, 0.5.
    places = [table.best(without=row) for row in range(3)]
    dice = [row["dice"] for row in table.native_summary(places)["per_patient"]]
    assert dice == [0.1, 0.5, 0.8]

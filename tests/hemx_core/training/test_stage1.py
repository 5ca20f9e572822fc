import json

import numpy as np
import pytest
import torch

from hemx_core.data import phe_sich
from hemx_core.errors import TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.nn.unet import UNetConfig
from hemx_core.nn.weights import load_segmenter, read_metadata
from hemx_core.training.config import SegmentationTraining
from hemx_core.training.scoring.masks import (
    PatientScore,
    choose_threshold,
    cross_validated,
    score_patients,
    summarise,
)
from hemx_core.training.stage1 import Stage1Files, run_segmentation
from tests.factories import write_phe_sich

SPEC = PreprocessingSpec(size=64, pixel_mm=3.6)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    return write_phe_sich(tmp_path_factory.mktemp("phe_sich"), patients=40)


def test_a_run_writes_weights_decision_and_scores(tmp_path, real):
    files = Stage1Files(
        run_dir=tmp_path / "run",
        weights=tmp_path / "segmenter.safetensors",
        decision=tmp_path / "decision.json",
        results=tmp_path / "results" / "segmentation.json",
        real=real,
    )
    files.decision.write_text('{"crop_size": 32}')
    config = SegmentationTraining(
        steps=2, network=UNetConfig(width=0.2, depth=0.34), preprocessing=SPEC
    )
    report = run_segmentation(config, files, cohort=None, resume=False)
    assert json.loads(files.results.read_text()) == json.loads(json.dumps(report))
    assert len(report["validation"]["per_patient"]) == phe_sich.VALIDATION_PATIENTS
    assert len(report["test"]["per_patient"]) == phe_sich.TEST_PATIENTS
    decision = json.loads(files.decision.read_text())
    assert decision["crop_size"] == 32
    assert PreprocessingSpec.from_json(decision["preprocessing"]) == SPEC
    assert load_segmenter(files.weights)(torch.rand(1, 1, 64, 64))[0].shape == (1, 1, 64, 64)
    _, card = read_metadata(files.weights)
    assert card["licence"] == "research use, non-commercial"
    assert card["data"]["real_slices"] == 8 * 3
    with pytest.raises(TrainingError, match="already holds a run"):
        run_segmentation(config, files, cohort=None, resume=False)


def reference_by_intensity(image):
    """The factory's clot is the only bright square: a perfect segmenter of it."""
    return (np.abs(image - (-20 + 180 * 120 / 255) / 80) < 0.1).astype(np.float32)


def test_scores_of_a_perfect_and_of_a_blind_segmenter(real):
    spec = PreprocessingSpec(size=512, pixel_mm=0.45)
    patients = ["0005", "0009"]
    perfect = score_patients(reference_by_intensity, spec, patients=patients, folder=real)[0.5]
    summary = summarise(perfect)
    assert summary["dice_mean"] == 1
    assert summary["volume_error_median"] == 0
    drawn = np.count_nonzero(
        phe_sich.read_mask(real, "haematoma", phe_sich.read_rows(real)["0005"][1])
    )
    assert perfect[0].reference_ml == pytest.approx(drawn * 5 * 0.45**2 / 1000)
    blind = summarise(score_patients(np.zeros_like, spec, patients=patients, folder=real)[0.5])
    assert blind["dice_mean"] == 0
    assert blind["volume_error_median"] == 1
    assert blind["false_ml_mean"] == 0


def test_false_blood_is_counted_on_blood_free_slices_only(real):
    spec = PreprocessingSpec(size=512, pixel_mm=0.45, centre=False)

    def square_everywhere(image):
        found = np.zeros_like(image)
        found[200:240, 200:240] = 1
        return found

    (score,) = score_patients(square_everywhere, spec, patients=["0005"], folder=real)[0.5]
    assert score.false_ml_on_blood_free_slices == pytest.approx(2 * 1600 * 5 * 0.45**2 / 1000)
    (filtered,) = score_patients(
        square_everywhere, spec, patients=["0005"], folder=real, min_component_ml=50.0
    )[0.5]
    assert filtered.false_ml_on_blood_free_slices == 0
    assert filtered.false_ml_unfiltered == score.false_ml_unfiltered > 0


def test_a_threshold_is_never_chosen_on_the_patient_it_is_scored_on():
    def patient(name, dice):
        return PatientScore(name, dice, 1.0, 1.0, 0.0, 0.0)

    table = {
        0.5: [patient("a", 0.9), patient("b", 0.5), patient("c", 0.8)],
        0.7: [patient("a", 0.1), patient("b", 0.9), patient("c", 0.9)],
    }
    assert choose_threshold(table) == 0.5
    # Without a, 0.7 wins; without b, 0.5; without c, 0.5.
    assert [score.dice for score in cross_validated(table)] == [0.1, 0.5, 0.8]

import json

import pytest
import torch

from hemx_core.data import phe_sich
from hemx_core.errors import TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.nn.config import UNetConfig
from hemx_core.nn.weights import load_segmenter, read_metadata
from hemx_core.training.config import SegmentationTraining
from hemx_core.training.stage1 import Stage1Files, run_segmentation
from tests.factories import write_phe_sich

SPEC = PreprocessingSpec(size=64, pixel_mm=3.6)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    return write_phe_sich(tmp_path_factory.mktemp("phe_sich"), patients=40)


@pytest.mark.slow
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

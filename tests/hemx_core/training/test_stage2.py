import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from hemx_core.data.cohort import build_cohort
from hemx_core.data.study import Study
from hemx_core.errors import DatasetError, ManifestError, TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.config import UNetConfig, WaveletVGGConfig
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights import load_classifier, save_weights, segmenter_config
from hemx_core.phantoms import SiteSpec
from hemx_core.training.config import ClassifierTraining
from hemx_core.training.scoring.calibration import Calibration
from hemx_core.training.stage2 import Stage2Files, absorb_shift, evaluate_classifier, run_classifier
from tests.factories import make_study

CONFIG = ClassifierTraining(
    steps=2, batch=4, crop_size=32, bootstrap=20, network=WaveletVGGConfig(width=0.125)
)


SPEC = PreprocessingSpec(size=64, pixel_mm=3.6)


def _decide(files: Stage2Files, spec: PreprocessingSpec) -> None:
    decided = {"mask_threshold": 0.5, "preprocessing": spec.to_json()}
    files.decision.write_text(json.dumps(decided))


def _files(folder: Path) -> Stage2Files:
    return Stage2Files(
        segmenter=folder / "segmenter.safetensors",
        run_dir=folder / "run",
        weights=folder / "classifier.safetensors",
        decision=folder / "decision.json",
        results=folder / "results" / "classifier.json",
    )


@pytest.mark.filterwarnings("ignore")
def test_a_run_writes_weights_decision_and_scores(tmp_path: Path) -> None:
    torch.manual_seed(1)
    files = _files(tmp_path)
    unet = UNet(UNetConfig(width=0.1, depth=0.2))
    unet.head.bias.data.fill_(5.0)  # untrained: finds blood everywhere
    save_weights(files.segmenter, unet, config=segmenter_config(unet), training={})
    _decide(files, SPEC)
    cohort = build_cohort(
        tmp_path / "cohort",
        patients=20,
        seed=2,
        blood_free=0,
        spec=SPEC,
        sites=(SiteSpec(matrix=64, slices=8, slice_spacing_mm=12),),
    )
    report = run_classifier(CONFIG, files, cohort=cohort)
    assert json.loads(files.results.read_text()) == report
    decision = json.loads(files.decision.read_text())
    assert decision["mask_threshold"] == 0.5
    assert decision["crop_size"] == 32
    assert tuple(decision["markers"]) == MARKER_CODES
    assert all(0.01 <= marker["threshold"] <= 0.99 for marker in decision["markers"].values())
    chosen = {code: marker["aggregation"] for code, marker in decision["markers"].items()}
    assert chosen == report["aggregation"]["chosen"]
    assert not any(marker["validated"] for marker in decision["markers"].values())
    assert all(0.2 <= marker["temperature"] <= 5 for marker in decision["markers"].values())
    assert set(report["test"]["predicted_mask"]) >= set(MARKER_CODES)
    assert report["test"]["patients"] == 3
    data = report["training"]["data"]
    assert data["train_patients"] == sum(data["train_co_occurrence"].values()) == 14
    model = load_classifier(files.weights)
    assert model.encoder_channels == unet.feature_channels
    logits, _ = model(torch.rand(1, 1, 32, 32), torch.rand(1, unet.feature_channels))
    assert torch.isfinite(logits).all()


def test_shift_goes_into_the_bias() -> None:
    model = MarkerClassifier(WaveletVGGConfig(width=0.125), encoder_channels=3).eval()
    inputs = torch.rand(1, 1, 32, 32), torch.rand(1, 3)
    before = model(*inputs)[0]
    shifts = [0.5, -2.0, 0.0, 1.0]
    absorb_shift(model, [Calibration(shift, 1.0, 0.5, estimable=True) for shift in shifts])
    np.testing.assert_allclose((model(*inputs)[0] - before).detach()[0], shifts, atol=1e-6)


def test_refuses_without_stage_1(tmp_path: Path) -> None:
    cohort = build_cohort(tmp_path / "cohort", patients=0)
    with pytest.raises(TrainingError, match="no mask threshold"):
        run_classifier(CONFIG, _files(tmp_path), cohort=cohort)
    _decide(_files(tmp_path), cohort.preprocessing)
    with pytest.raises(ManifestError, match=r"segmenter\.safetensors"):
        run_classifier(CONFIG, _files(tmp_path), cohort=cohort)


def test_refuses_studies_that_were_prepared_otherwise_than_the_segmenters(tmp_path: Path) -> None:
    cohort = build_cohort(tmp_path / "cohort", patients=0)
    _decide(_files(tmp_path), PreprocessingSpec(remove_bone=False))
    with pytest.raises(TrainingError, match="phantoms was prepared"):
        run_classifier(CONFIG, _files(tmp_path), cohort=cohort)


class TwoGroups:
    """Studies that expand are bright; the splits are the same."""

    preprocessing = SPEC
    description: ClassVar = {"name": "two groups", "licence": "none"}

    def patients(self, split: str) -> list[Study]:
        return [
            make_study(patient_id=f"{split}{i}", size=64, slices=2, expanded=i % 2, seed=i)
            for i in range(6)
        ]


@pytest.mark.filterwarnings("ignore")
def test_an_expansion_head_on_masks_out_of_fold_leaves_the_markers_decision(tmp_path: Path) -> None:
    torch.manual_seed(1)
    files = replace(_files(tmp_path), weights=tmp_path / "expansion.safetensors")
    unet = UNet(UNetConfig(width=0.1, depth=0.2))
    unet.head.bias.data.fill_(5.0)
    save_weights(files.segmenter, unet, config=segmenter_config(unet), training={})
    _decide(files, SPEC)
    config = replace(
        CONFIG,
        targets=("expansion",),
        masking="out_of_fold",
        view="slice",
        folds=2,
        fold_steps=1,
        encoder_features=False,
        precision="32-true",
    )
    # Every slice of the factory's studies shows blood.
    with pytest.raises(DatasetError, match="both kinds"):
        run_classifier(config, files, cohort=TwoGroups())
    report = run_classifier(replace(config, masking="true"), files, cohort=TwoGroups())
    decision = json.loads(files.decision.read_text())
    assert "markers" not in decision
    assert tuple(decision["heads"]["expansion"]["markers"]) == ("expansion",)
    assert decision["heads"]["expansion"]["view"] == "slice"
    assert report["training"]["data"]["train_present"] == {"expansion": 3}
    model = load_classifier(files.weights)
    crop, features = torch.rand(2, 1, 32, 32), torch.rand(2, unet.feature_channels)
    assert model(crop, features)[0].shape == (2, 1)
    torch.testing.assert_close(model(crop, features)[0], model(crop, features + 1)[0])


class Bright(torch.nn.Module):
    """Stands in for the U-Net: blood is what is brighter than 0.5; one feature, the mean."""

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return (image.float() - 0.5) * 20, image.float().mean((2, 3))


class MeanGrey(MarkerClassifier):
    """Every marker's logit is the crop's mean grey."""

    def __init__(self) -> None:
        super().__init__(WaveletVGGConfig(width=0.02), 1)

    def forward(
        self, crop: torch.Tensor, _features: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits = 40 * crop.mean((1, 2, 3)) - 20
        return logits[:, None].expand(-1, 4), crop[:, :, ::16, ::16].expand(-1, 4, -1, -1)


class Studies:
    """A source whose odd studies show every marker and are brighter; two studies a patient."""

    preprocessing = PreprocessingSpec(size=64, pixel_mm=3.6)
    description: dict[str, Any] = {"name": "made up"}  # noqa: RUF012

    def patients(self, split: str) -> Sequence[Study]:
        return [self._study(split, number) for number in range(12)]

    def _study(self, split: str, number: int) -> Study:
        one = make_study(
            patient_id=f"{split}-{number // 2}",
            site=f"site-{number % 3}",
            size=64,
            markers=[[number % 2] * 4] * 2,
            seed=number,
        )
        grey = one.image.astype(np.float32) * (1.0 if number % 2 else 0.8)
        return replace(one, image=grey.astype(np.float16))


def test_markers_are_scored_by_study_and_by_site() -> None:
    source = Studies()
    report = evaluate_classifier(
        Bright(), MeanGrey(), source, source, crop_size=32, mask_threshold=0.5
    ).to_json()
    assert report["aggregation"]["chosen"] == dict.fromkeys(MARKER_CODES, "max")
    blend = report["markers"]["blend"]
    assert blend["patients"]["present"] == blend["patients"]["absent"] == 6
    assert blend["scores"]["auc"]["value"] == 1.0
    assert set(report["sites"]["sites"]) == {"site-0", "site-1", "site-2"}

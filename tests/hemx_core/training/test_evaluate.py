from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from hemx_core.commands.evaluate import register
from hemx_core.data import phe_sich
from hemx_core.data.study import PreparedStudy
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet, UNetConfig
from hemx_core.nn.wavelet_vgg import WaveletVGGConfig
from hemx_core.nn.weights import save_weights, segmenter_config
from hemx_core.training.evaluate import evaluate_classifier, evaluate_masks
from tests.factories import make_study, write_phe_sich

SPEC = PreprocessingSpec(size=512, pixel_mm=0.45)
CHOICE: dict[str, Any] = {"threshold": 0.5, "min_component_ml": 0.0}


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

    def patients(self, split: str) -> Sequence[PreparedStudy]:
        return [self._study(split, number) for number in range(12)]

    def _study(self, split: str, number: int) -> PreparedStudy:
        one = make_study(
            patient_id=f"{split}-{number // 2}",
            site=f"site-{number % 3}",
            size=64,
            markers=[[number % 2] * 4] * 2,
            seed=number,
        )
        grey = one.image.astype(np.float32) * (1.0 if number % 2 else 0.8)
        return replace(one, image=grey.astype(np.float16))


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
    assert found["faults_left_out"] == []
    blind = evaluate_masks(np.zeros_like, SPEC, patients=["0005"], folder=real, **CHOICE)
    assert blind["scores"]["dice"]["mean"] == 0
    assert "surface_mm" not in blind["scores"], "there is no surface to measure from"
    with pytest.raises(DatasetError, match="no patients"):
        evaluate_masks(perfect, SPEC, patients=[], folder=real, **CHOICE)


def test_markers_are_scored_by_study_and_by_site() -> None:
    source = Studies()
    report = evaluate_classifier(
        Bright(), MeanGrey(), source, source, crop_size=32, mask_threshold=0.5
    ).to_json()
    assert report["aggregation"]["chosen"] == "max"
    blend = report["markers"]["blend"]
    assert blend["patients"]["present"] == blend["patients"]["absent"] == 6
    assert blend["scores"]["auc"]["value"] == 1.0
    assert set(report["sites"]["sites"]) == {"site-0", "site-1", "site-2"}


def test_the_command_writes_what_it_found(
    tmp_path: Path, real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unet = UNet(UNetConfig(width=0.125, depth=0.1))
    save_weights(
        tmp_path / "segmenter.safetensors", unet, config=segmenter_config(unet), training={}
    )
    spec = PreprocessingSpec(size=64, pixel_mm=3.6)
    decided = {"mask_threshold": 0.5, "preprocessing": spec.to_json(), "min_component_ml": 0.1}
    (tmp_path / "decision.json").write_text(json.dumps(decided))
    monkeypatch.setattr(phe_sich, "data_folder", lambda: real)
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    done = CliRunner().invoke(
        app, ["evaluate", "masks", "--weights", str(tmp_path), "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.output
    written = json.loads((tmp_path / "out" / "masks_test.json").read_text())
    assert written["patients"] == phe_sich.TEST_PATIENTS
    assert written["split"] == "test"
    assert "16 patients: Dice" in done.output

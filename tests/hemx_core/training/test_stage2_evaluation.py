from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from hemx_core.data.study import Study
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.nn.config import WaveletVGGConfig
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.training.stage2 import evaluate_classifier
from tests.factories import make_study


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
    assert report["aggregation"]["chosen"] == "max"
    blend = report["markers"]["blend"]
    assert blend["patients"]["present"] == blend["patients"]["absent"] == 6
    assert blend["scores"]["auc"]["value"] == 1.0
    assert set(report["sites"]["sites"]) == {"site-0", "site-1", "site-2"}

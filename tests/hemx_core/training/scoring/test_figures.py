"""The scorers give what the five scorers and two calibrations gave that they replaced.

`figures_before.json` was written by those, on the input that is made here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.paper import segmenters as paper
from hemx_core.data.study import Study
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.markers import MARKER_CODES, Aggregation
from hemx_core.training.scoring.calibration import Calibration, Scaling, calibrate
from hemx_core.training.scoring.intervals import patient_draws
from hemx_core.training.scoring.masks import overlap_report, pixel_counts, score_masks
from hemx_core.training.scoring.predictions import Predictions
from hemx_core.training.scoring.report import accuracy
from hemx_core.training.scoring.segmenters import (
    choose_on_grid,
    evaluate_masks,
    native_table,
)
from tests.factories import make_study, write_phe_sich

BEFORE = json.loads((Path(__file__).parent / "figures_before.json").read_text(encoding="utf-8"))
RNG = np.random.default_rng(20)
TRUTH = RNG.random((12, 16, 16)) < 0.2
TRUTH[[2, 5, 9]] = False
KNOWN = RNG.random((12, 16, 16)) < 0.95
PROBABILITY = np.clip(0.25 * TRUTH + 0.75 * RNG.random((12, 16, 16)), 0, 1).astype(np.float32)
PATIENT = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2])


def test_overlap_per_image_batch_and_patient() -> None:
    counts = pixel_counts(PROBABILITY >= 0.5, TRUTH, KNOWN)
    assert overlap_report(counts, PATIENT, batch=5) == BEFORE["overlap"]
    found = score_masks(PROBABILITY >= 0.5, TRUTH, KNOWN, spacing_mm=(5, 0.5, 0.4))
    for name, value in BEFORE["one_patient"].items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-6), name


def test_the_papers_levels_under_draws_of_patients() -> None:
    rows = paper.count(PROBABILITY, TRUTH, KNOWN)
    counts = paper.Counts(rows, PATIENT, np.minimum(PATIENT, 1))
    draws = patient_draws(2, draws=3, seed=4)
    for level in paper.LEVELS:
        for name, values in paper.scores(counts, draws, level=level).items():
            expected = np.array(BEFORE["paper"][level][name], float)
            np.testing.assert_allclose(values, expected, atol=1e-9, err_msg=f"{level} {name}")
    assert paper.false_pixels(counts, draws).tolist() == BEFORE["paper_false"]


class Grey(torch.nn.Module):
    """The probability is the grey value."""

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.logit(torch.clamp(image.float(), 0.02, 0.98)), image.mean((2, 3))


class Source:
    preprocessing = PreprocessingSpec(size=32, pixel_mm=2.0)

    def patients(self, split: str) -> list[Study]:
        studies = [make_study(patient_id=f"P{i // 2}", seed=i, slices=3) for i in range(6)]
        studies[1].mask[1] = False
        studies[2].known[:, 10:14] = False
        return studies[:5] if split == "validation" else studies[2:]


def test_threshold_and_scores_on_the_grid() -> None:
    assert list(choose_on_grid(Grey(), Source())) == BEFORE["grid"]  # type: ignore[arg-type]


def _segment() -> Callable[[np.ndarray], np.ndarray]:
    """Finds parts of the factory's clot and, more of it at every call, blood where there is none."""
    calls = iter(range(100))

    def segment(image: np.ndarray) -> np.ndarray:
        call = next(calls)
        clot = np.abs(image - (-20 + 180 * 120 / 255) / 80) < 0.1
        sure = np.linspace(0.3 + 0.02 * call, 0.9, image.shape[1])[None, :]
        found = np.where(clot, sure, 0.1).astype(np.float32)
        found[60 : 60 + 6 * call, 300 : 300 + 4 * call] = 0.35 + 0.04 * (call % 8)
        found[400, 400] = 0.95
        return found

    return segment


def test_real_patients_in_native_pixels(tmp_path: Path) -> None:
    folder = write_phe_sich(tmp_path, patients=40)
    spec = PreprocessingSpec(size=512, pixel_mm=0.45)
    given: dict[str, Any] = {
        "patients": ["0005", "0009", "0013"], "folder": folder, "min_component_ml": 0.1,
    }  # fmt: skip
    table = native_table(_segment(), spec, thresholds=(0.4, 0.5, 0.6), **given)
    assert table.thresholds[table.best()] == BEFORE["native_threshold"]
    others = [table.best(without=row) for row in range(3)]
    assert table.native_summary(others) == BEFORE["native"]
    found = evaluate_masks(_segment(), spec, threshold=0.5, **given)
    assert [row.pop("components") for row in found["per_patient"]] == [1, 2, 2]
    assert {name: found[name] for name in BEFORE["evaluate"]} == BEFORE["evaluate"]


def _predictions() -> Predictions:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, (60, 4)).astype(np.int8)
    truth[::9, 1] = -1
    patient = np.repeat(np.arange(60), 3)
    labels = np.where(rng.random((180, 4)) < 0.8, truth[patient], -1).astype(np.int8)
    logits = 1.6 * truth[patient] + rng.standard_normal((180, 4)) * 1.5 - 0.4
    return Predictions(logits, labels, patient, truth, np.arange(60) // 2)


def test_scores_of_a_training_by_marker() -> None:
    fitted = [Calibration(0.0, t, 0.55, estimable=True) for t in (1.0, 1.2, 0.8, 2.0)]
    ways = (Aggregation.MAX,) * 4
    found = accuracy(_predictions(), fitted, codes=MARKER_CODES, ways=ways, draws=200, seed=5)
    assert all(0 < marker.pop("ece_equal_mass") < 1 for marker in found.values())
    assert found == BEFORE["score"]


@pytest.mark.parametrize("scaling", list(Scaling))
def test_calibrations_and_their_thresholds(scaling: Scaling) -> None:
    found = _predictions()
    for i, expected in enumerate(BEFORE[scaling]):
        logits, labels = found.patient_logits[:, i], found.patient_labels[:, i]
        fitted = calibrate(logits, labels, scaling=scaling, sensitivity=0.9, specificity=0)
        values = [fitted.shift, fitted.temperature, fitted.threshold, fitted.estimable]
        assert values == pytest.approx(expected, abs=1e-5)

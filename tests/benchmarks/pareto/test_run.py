from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.networks import narrow_networks
from benchmarks.harness.settings import Settings
from benchmarks.pareto import classifiers, run, segmenters
from benchmarks.pareto.plan import FLOAT32, TINY, Plan
from benchmarks.pareto.run import auc_scores, dice_scores, marker_aucs, mean_dice
from hemx_core.data.study import Study
from hemx_core.errors import TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.markers import MARKER_CODES
from tests.factories import make_study

TRUTH = {
    "labels": np.zeros((8, 4), np.int8),
    "patient": np.arange(8),
    "patient_labels": np.array([[i % 2] * 4 for i in range(8)], np.int8),
    "cluster": np.arange(8) // 2,
}


def logits(right: float) -> np.ndarray:
    """The first marker by `right`, the others without error."""
    found = np.repeat(np.arange(8)[:, None] % 2, 4, axis=1).astype(np.float64)
    found[:, 0] *= right
    return found


def test_auc_of_each_marker_and_their_mean() -> None:
    scores = auc_scores(marker_aucs(TRUTH, logits(-1.0), draws=50), None)
    assert scores["markers"][MARKER_CODES[0]]["value"] == 0.0
    assert scores["markers"][MARKER_CODES[1]]["value"] == 1.0
    assert scores["score"] == {"value": 0.75, "interval": [0.75, 0.75]}
    assert "against_shipped" not in scores


def test_the_difference_is_paired() -> None:
    good, bad = (marker_aucs(TRUTH, logits(right), draws=50) for right in (1.0, -1.0))
    scores = auc_scores(good, bad)
    assert scores["against_shipped"] == {"value": 0.25, "interval": [0.25, 0.25]}
    assert auc_scores(bad, bad)["against_shipped"] == {"value": 0.0, "interval": [0.0, 0.0]}


def test_a_marker_without_positives_leaves_the_mean_not_estimable() -> None:
    truth = TRUTH | {"patient_labels": TRUTH["patient_labels"] * np.array([0, 1, 1, 1], np.int8)}
    scores = auc_scores(marker_aucs(truth, logits(1.0), draws=50), None)
    assert scores["score"] == {"value": None, "interval": [None, None]}
    assert scores["markers"][MARKER_CODES[1]]["value"] == 1.0


def test_dice_is_a_mean_over_studies() -> None:
    base = np.array([0.9, 0.8, 1.0])
    found = dice_scores(mean_dice(base - 0.1, draws=50), mean_dice(base, draws=50))
    assert found["score"]["value"] == pytest.approx(0.8)
    assert found["against_shipped"] == {"value": -0.1, "interval": [-0.1, -0.1]}


PLAN = replace(TINY, merges=("project",), precisions=(FLOAT32,))


class Source:
    """Eight studies a split, two of each patient; half of them with every marker."""

    preprocessing: PreprocessingSpec = narrow_networks().decision.preprocessing
    description = {"name": "made up", "licence": "none"}  # noqa: RUF012

    def patients(self, split: str) -> list[Study]:
        return [
            make_study(
                patient_id=f"{split}-{number // 2}",
                size=self.preprocessing.size,
                markers=[[number % 2] * 4, [0] * 4],
                seed=number,
            )
            for number in range(8)
        ]


def measure(folder: Path, plan: Plan = PLAN, *, timed: bool = True) -> Any:
    settings = Settings(
        threads=(1,), rounds=1, calls=2, work=folder / "work", results=folder / "results", tiny=True
    )
    return run.measure_front(settings, plan, training_threads=1, measure=timed, source=Source())


@pytest.fixture(scope="module", autouse=True)
def float_recipe() -> Any:
    # int8 takes longer to lower than a test may.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "RECIPE", "desk-fp32")
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pareto")
    assert measure(place, timed=False) is None
    assert not (place / "results").exists()
    return place


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = measure(folder)
    return found


@pytest.mark.slow
def test_every_figure_of_a_point_is_there(report: dict[str, Any]) -> None:
    (classifier,) = report["subjects"]["classifier"]["points"]
    assert classifier["shipped"]
    assert classifier["on_front"]
    assert 0 <= classifier["score"]["value"] <= 1
    assert classifier["against_shipped"]["value"] == 0
    # The program in float32 is the trained network, folded exactly.
    assert classifier["logit_apart_max"] < 1e-3
    (segmenter,) = report["subjects"]["segmenter"]["points"]
    for one in (classifier, segmenter):
        assert one["bytes"] > 1000
        assert one["macs"] > 1000
        figures = one["figures"]["1 thread"]
        assert all(figures[name]["median"] > 0 for name in ("call", "first", "load", "memory"))


@pytest.mark.slow
def test_budget_and_data_are_stated(report: dict[str, Any]) -> None:
    assert (report["budget"]["steps"], report["budget"]["trainings"]) == (PLAN.steps, 1)
    assert report["budget"]["precision"] == ["32-true"]
    assert report["data"]["test"] == {"studies": 8, "patients": 4, "slices": 16}
    assert report["provenance"]["seed"] == PLAN.seed


@pytest.mark.slow
def test_files_are_written(folder: Path, report: dict[str, Any]) -> None:
    stored = json.loads((folder / "results" / "pareto.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(report))
    assert (folder / "results" / "pareto.md").exists()
    assert (folder / "results" / "pareto.png").exists()


@pytest.mark.slow
def test_nothing_is_done_twice(
    folder: Path, report: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_settings: Any) -> None:
        raise AssertionError("done again")

    monkeypatch.setattr(classifiers, "fit_classifier", refuse)
    monkeypatch.setattr(classifiers, "lower", refuse)
    monkeypatch.setattr(segmenters, "build_segmenter", refuse)
    monkeypatch.setattr(segmenters, "dice_of", refuse)
    monkeypatch.setattr("benchmarks.harness.programs.run_fresh", refuse)
    again = measure(folder)
    assert again["subjects"] == report["subjects"]
    assert again["budget"] == report["budget"]


@pytest.mark.slow
def test_another_budget_lies_beside_and_other_data_are_refused(
    folder: Path, report: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(config: Any, *_args: Any, **_settings: Any) -> None:
        asked.append(f"{config.steps}")
        raise RuntimeError("stop here")

    monkeypatch.setattr(classifiers, "fit_classifier", refuse)
    with pytest.raises(RuntimeError, match="stop here"):
        measure(folder, replace(PLAN, steps=4))
    assert asked == ["4"]
    monkeypatch.setattr(Source, "description", {"name": "others"})
    with pytest.raises(TrainingError, match="other settings"):
        measure(folder)

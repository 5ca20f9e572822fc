"""One narrow classifier and segmenter in float32, once through everything, and the run after."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.networks import narrow_networks
from benchmarks.pareto import classifiers, run, segmenters
from benchmarks.pareto.plan import FLOAT32, TINY, Plan
from benchmarks.settings import Settings
from hemx_core.data.study import PreparedStudy
from hemx_core.errors import TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from tests.factories import make_study

PLAN = replace(TINY, merges=("project",), precisions=(FLOAT32,))


class Source:
    """Eight studies a split, two of each patient; half of them with every marker."""

    preprocessing: PreprocessingSpec = narrow_networks().decision.preprocessing
    description = {"name": "made up", "licence": "none"}  # noqa: RUF012

    def patients(self, split: str) -> list[PreparedStudy]:
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


def test_budget_and_data_are_stated(report: dict[str, Any]) -> None:
    assert (report["budget"]["steps"], report["budget"]["trainings"]) == (PLAN.steps, 1)
    assert report["budget"]["precision"] == ["32-true"]
    assert report["data"]["test"] == {"studies": 8, "patients": 4, "slices": 16}
    assert report["provenance"]["seed"] == PLAN.seed


def test_files_are_written(folder: Path, report: dict[str, Any]) -> None:
    stored = json.loads((folder / "results" / "pareto.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(report))
    assert (folder / "results" / "pareto.md").exists()
    assert (folder / "results" / "pareto.png").exists()


def test_nothing_is_done_twice(
    folder: Path, report: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_settings: Any) -> None:
        raise AssertionError("done again")

    monkeypatch.setattr(classifiers, "fit_classifier", refuse)
    monkeypatch.setattr(classifiers, "lower", refuse)
    monkeypatch.setattr(segmenters, "build_segmenter", refuse)
    monkeypatch.setattr(segmenters, "dice_of", refuse)
    monkeypatch.setattr("benchmarks.pareto.costs.run_fresh", refuse)
    again = measure(folder)
    assert again["subjects"] == report["subjects"]
    assert again["budget"] == report["budget"]


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

"""All experiments at the tiny scale, on made-up studies."""

import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.jobs import Runner
from benchmarks.paper.data import Material
from benchmarks.paper.experiments import NAMES, Bench, run_experiments
from benchmarks.paper.scale import TINY
from hemx_core.data.study import Study
from hemx_core.errors import TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from tests.factories import make_study


class Source:
    """Eight studies a split, two of each patient; half of them with every marker."""

    preprocessing: PreprocessingSpec = TINY.preprocessing
    description = {"name": "made up", "licence": "none"}  # noqa: RUF012

    def patients(self, split: str) -> list[Study]:
        return [self._study(split, i) for i in range(8)]

    def _study(self, split: str, number: int) -> Study:
        shown = number % 2
        study = make_study(
            patient_id=f"{split}-{number // 2}",
            slices=3,
            size=TINY.grid,
            location="thalamus" if number % 4 < 2 else "",
            markers=[[shown] * 4, [0] * 4, [-1] * 4],
            expanded=shown,
            seed=number,
        )
        mask = study.mask.copy()
        mask[2] = False
        return replace(study, mask=mask)


def _bench(runs: Path, *, resume: bool) -> Bench:
    material = Material(name="made-up", title="made-up studies", source=Source())
    runner = Runner(runs, resume=resume)
    return Bench(scale=TINY, seeds=(1,), runner=runner, cohort=material, say=lambda _line: None)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Path]]]:
    folder = tmp_path_factory.mktemp("paper")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bench = _bench(folder / "runs", resume=False)
        yield folder, list(run_experiments(bench, NAMES, folder=folder / "results"))


@pytest.mark.slow
def test_every_experiment_writes_json_table_and_plot(done: tuple[Path, list[Path]]) -> None:
    folder, written = done
    assert [path.stem for path in written] == list(NAMES)
    for name in NAMES:
        report = json.loads((folder / "results" / f"{name}.json").read_text())
        assert report["scale"]["name"] == "tiny"
        assert report["data"]["made-up"]["name"] == "made up"
        assert report["jobs"]
        assert report["provenance"]["command"]
        for section in report["sections"]:
            keys = {key for key, _title in section["columns"]}
            for row in section["rows"]:
                assert set(row["cells"]) <= keys
        assert (folder / "results" / f"{name}.png").stat().st_size > 1000


@pytest.mark.slow
def test_paper_figures_stand_beside_ours(done: tuple[Path, list[Path]]) -> None:
    folder, _ = done
    text = (folder / "results" / "merging.md").read_text()
    line = next(one for one in text.splitlines() if one.startswith("| weighted Wavelet VGG16"))
    assert all(figure in line for figure in ("[0.702]", "[0.684]", "[0.576]"))
    assert "[0.721]" in (folder / "results" / "gan.md").read_text()
    assert "[0.152]" not in text


@pytest.mark.slow
def test_resume_does_no_work_twice(
    done: tuple[Path, list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = done
    before = {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*")}

    def refuse(*_args: Any, **_settings: Any) -> None:
        raise AssertionError("trained again")

    for module, name in (
        ("segmenters", "fit_segmenter"),
        ("segmenters", "counts_of"),
        ("classifiers", "fit_classifier"),
        ("classifiers", "predict"),
        ("stage2", "train_gan"),
    ):
        monkeypatch.setattr(f"benchmarks.paper.{module}.{name}", refuse)
    bench = _bench(folder / "runs", resume=True)
    list(run_experiments(bench, NAMES, folder=folder / "again"))
    assert {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*")} == before
    for name in NAMES:
        first, second = (
            json.loads((folder / place / f"{name}.json").read_text())
            for place in ("results", "again")
        )
        assert first["sections"] == second["sections"]
        # A finished job does not ask for the segmenter that it was trained on.
        assert second["jobs"].items() <= first["jobs"].items()


@pytest.mark.slow
def test_finished_runs_are_not_overwritten(done: tuple[Path, list[Path]]) -> None:
    bench = _bench(done[0] / "runs", resume=False)
    with pytest.raises(TrainingError, match="--resume"):
        list(run_experiments(bench, ["location"], folder=done[0] / "again"))


@pytest.mark.slow
def test_masked_and_whole_arms_are_scored_on_the_same_slices(done: tuple[Path, list[Path]]) -> None:
    runs = done[0] / "runs" / "tiny" / "made-up"
    stored = [
        np.load(runs / f"classifier-{arm}" / "seed-1" / "arrays.npz")
        for arm in ("whole", "masked-true", "masked-folds", "wavelet-weighted")
    ]
    for one in stored[1:]:
        np.testing.assert_array_equal(one["predicted_study"], stored[0]["predicted_study"])
        np.testing.assert_array_equal(one["predicted_labels"], stored[0]["predicted_labels"])
    assert len(stored[0]["study_labels"]) == 16
    assert len(np.unique(stored[0]["study_patient"])) == 8

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hemx_core.data.study import PreparedStudy
from hemx_core.errors import TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.nn.sngan import SNGANConfig
from hemx_core.nn.weights_io import load_generator, read_metadata
from hemx_core.training.gan import GENERATOR, GanTraining
from hemx_core.training.gan_cli import gan
from hemx_core.training.gan_run import GRID, GanFiles, run_gan
from tests.factories import make_study

MARKERS = ("hypodensity", "blend")


class Studies:
    """Three patients in each split; one slice of each shows hypodensity."""

    preprocessing = PreprocessingSpec()
    description: dict[str, Any] = {"name": "test"}  # noqa: RUF012

    def patients(self, split: str) -> Sequence[PreparedStudy]:
        start = 10 * len(split)
        markers = [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]
        return [make_study(slices=3, markers=markers, seed=start + i) for i in range(3)]


def _config(classes: int) -> GanTraining:
    network = SNGANConfig(size=8, latent=4, width=2, classes=classes)
    return GanTraining(steps=2, batch=4, n_critic=1, precision="32-true", network=network)


def _files(folder: Path) -> GanFiles:
    return GanFiles(run_dir=folder / "run", weights=folder / "w", results=folder / "r" / "gan.json")


@pytest.mark.filterwarnings("ignore")
def test_a_run_writes_weights_picture_and_scores(tmp_path: Path) -> None:
    files = _files(tmp_path)
    report = run_gan(_config(4), files, source=Studies(), markers=MARKERS, bootstrap=20)
    assert json.loads(files.results.read_text()) == json.loads(json.dumps(report))
    assert report["training"]["crops"] == {
        "none": 3, "hypodensity": 3, "blend": 3, "hypodensity+blend": 0
    }  # fmt: skip
    for split in ("validation", "test"):
        for code in MARKERS:
            score = report[split][code]
            assert 0 <= score["slice_auc"] <= 1
            assert score["slices"] == {"present": 3, "absent": 6}
    assert (files.weights / GRID).exists()
    assert load_generator(files.weights / GENERATOR).config == _config(4).network
    assert read_metadata(files.weights / GENERATOR)[1]["markers"] == list(MARKERS)


def test_a_network_with_other_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="2 classes for 2 markers"):
        run_gan(_config(2), _files(tmp_path), source=Studies(), markers=MARKERS)


def test_the_command_hands_its_options_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def remember(config: GanTraining, files: GanFiles, **rest: Any) -> dict[str, Any]:
        seen.update(rest, config=config, files=files)
        return {"test": {code: {"slice_auc": 0.5} for code in rest["markers"]}}

    monkeypatch.setattr(
        "hemx_core.training.gan_cli.open_asked", lambda _, **asked: asked["phantoms"]
    )
    monkeypatch.setattr("hemx_core.training.gan_run.run_gan", remember)
    app = typer.Typer()
    app.command()(gan)
    words = ["--marker", "hypodensity", "--marker", "blend", "--size", "128", "--steps", "7"]
    words += ["--rate", "0.001", "--n-critic", "2", "--results", str(tmp_path), "--resume"]
    words += ["--phantoms", "20"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    config = seen["config"]
    assert (config.steps, config.n_critic, config.generator_lr) == (7, 2, 0.001)
    assert config.network == SNGANConfig(size=128, classes=4)
    assert seen["files"].results == tmp_path / "gan.json"
    assert seen["markers"] == MARKERS
    assert seen["resume"] is True
    assert seen["source"] == 20
    assert "blend: class score AUC per slice 0.5" in done.output

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from hemx_core.commands.train import gan
from hemx_core.data.study import Study
from hemx_core.errors import DatasetError, TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.nn.config import SNGANConfig
from hemx_core.nn.sngan import Discriminator, Generator
from hemx_core.nn.weights import load_generator, read_metadata
from hemx_core.training.config import GanTraining
from hemx_core.training.gan import GENERATOR, GanCrops
from hemx_core.training.gan_run import (
    GRID,
    GanFiles,
    augment,
    class_score,
    picture_grid,
    run_gan,
    sample,
)
from tests.factories import make_study

CONFIG = SNGANConfig(size=16, latent=8, width=4)


@pytest.fixture
def generator() -> Generator:
    """Untrained; class 1 is much brighter."""
    torch.manual_seed(1)
    network = Generator(CONFIG).eval()
    with torch.no_grad():
        network.blocks[-1].norm2.offset.weight[1] += 2.0
    return network


def test_samples_depend_on_class_and_seed_and_not_on_their_number(generator: Generator) -> None:
    classes = np.arange(70) % 2
    crops = sample(generator, classes, seed=5)
    assert crops.shape == (70, 16, 16)
    assert crops.dtype == np.float32
    assert 0 <= crops.min() < crops.max() <= 1
    assert np.allclose(sample(generator, classes[:3], seed=5), crops[:3], atol=1e-5)
    assert not np.allclose(sample(generator, classes[:3], seed=6), crops[:3], atol=1e-2)
    assert not np.allclose(sample(generator, 1 - classes[:3], seed=5), crops[:3], atol=1e-2)
    assert sample(generator, classes[:0], seed=5).shape == (0, 16, 16)
    with pytest.raises(DatasetError, match="0 to 1"):
        sample(generator, classes + 1, seed=5)


def test_the_class_score_is_the_difference_of_the_scores() -> None:
    torch.manual_seed(2)
    network = Discriminator(SNGANConfig(size=16, width=4, classes=4)).eval()
    crops = np.random.default_rng(1).random((66, 16, 16)).astype(np.float32)
    pictures = torch.from_numpy(crops)[:, None]
    with torch.no_grad():
        by_class = [network(pictures, torch.full((66,), c)).numpy() for c in range(4)]
    assert np.allclose(class_score(network, crops), by_class[1] - by_class[0], atol=1e-4)
    several = class_score(network, crops, positive=(1, 3), negative=(0, 2))
    expected = (by_class[1] + by_class[3] - by_class[0] - by_class[2]) / 2
    assert np.allclose(several, expected, atol=1e-4)


@pytest.mark.parametrize(("share", "present"), [(0.0, 0), (0.5, 5), (0.6, 6), (1.0, 8)])
def test_augmentation_fills_up_the_rarer_class_first(
    generator: Generator, share: float, present: int
) -> None:
    labels = np.array([[1, 0, 1, 0]] * 2 + [[0, 1, 0, 0]] * 8 + [[-1, 0, 0, 0]] * 0, np.int8)
    crops = np.zeros((10, 16, 16), np.float32)
    made, given = augment(crops, labels, generator, share=share, seed=4)
    assert len(made) == len(given) == round(10 * share)
    assert (given[:, 0] == 1).sum() == present
    assert (given[:, 1:] == -1).all()
    assert np.allclose(made, sample(generator, given[:, 0].astype(np.int64), seed=4))


def test_augmentation_ignores_unknown_labels_and_absent_classes(generator: Generator) -> None:
    labels = np.array([[0, 0, 0, 0], [0, 0, 0, 0], [-1, 0, 0, 0], [-1, 0, 0, 0]], np.int8)
    crops = np.zeros((4, 16, 16), np.float32)
    _, given = augment(crops, labels, generator, share=0.5, seed=4)
    assert given[:, 0].tolist() == [0, 0]
    with pytest.raises(DatasetError, match="no crop with known markers"):
        augment(crops[2:], labels[2:], generator, share=0.5, seed=4)
    with pytest.raises(DatasetError, match="2 markers"):
        augment(crops, labels, generator, share=0.5, seed=4, markers=("hypodensity", "blend"))
    with pytest.raises(DatasetError, match="16 pixels"):
        augment(crops[:, :8, :8], labels, generator, share=0.5, seed=4)


def test_the_grid_shows_real_beside_generated_crops(generator: Generator, tmp_path: Path) -> None:
    crops = GanCrops(
        crops=np.stack([np.full((16, 16), grey, np.float32) for grey in (0.2, 0.4, 0.6)]),
        classes=np.array([0, 0, 1]),
        names=("none", "hypodensity"),
    )
    path = tmp_path / "new" / "grid.png"
    picture_grid(path, crops, generator, columns=4, seed=2)
    assert [file.name for file in path.parent.iterdir()] == ["grid.png"]
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    tile, line = 64, 22
    assert picture.shape == (2 * (line + tile + 4), 8 * (tile + 4) + 16)
    first = picture[line : line + tile]
    assert sorted({int(first[0, 0]), int(first[0, tile + 4])}) == [51, 102]
    assert (first[:, 2 * (tile + 4) : 4 * (tile + 4)] == 255).all()  # only two are there
    second = picture[2 * line + tile + 4 :]
    assert second[0, 0] == 153
    left = 4 * (tile + 4) + 16
    shown = second[:tile:4, left : left + tile : 4]
    classes = np.repeat([0, 1], 4)
    expected = np.rint(sample(generator, classes, seed=2)[4] * 255)
    assert np.array_equal(shown, expected)


MARKERS = ("hypodensity", "blend")


class Studies:
    """Three patients in each split; one slice of each shows hypodensity."""

    preprocessing = PreprocessingSpec()
    description: dict[str, Any] = {"name": "test"}  # noqa: RUF012

    def patients(self, split: str) -> Sequence[Study]:
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
        "hemx_core.data.sources.open_sources", lambda asked, *_, **__: asked.phantoms
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

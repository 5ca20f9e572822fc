from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.harness.networks import narrow_networks
from benchmarks.pareto import material
from benchmarks.pareto.material import Material, Scan, at_size, validation_scans
from benchmarks.pareto.plan import TINY, Picture
from benchmarks.pareto.segmenters import dice_of
from hemx_core.imaging.volume import HUVolume
from tests.factories import make_study


class Source:
    """Two studies a split."""

    preprocessing = narrow_networks().decision.preprocessing
    description: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self) -> None:
        self.asked: list[str] = []

    def patients(self, split: str) -> list[Any]:
        self.asked.append(split)
        return [make_study(size=64, markers=[[i] * 4, [0] * 4], seed=i) for i in range(2)]


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Material:
    slices = [np.random.default_rng(i).random((64, 64), np.float32) for i in range(3)]
    monkeypatch.setattr(material, "calibration_slices", lambda *_args, **_settings: slices)
    return Material(networks=narrow_networks(), source=Source(), plan=TINY)


def config(held: Material, view: Any, size: int) -> Any:
    (point, *_) = replace(TINY, pictures=(Picture(view, size),)).classifiers()
    return held.plan.training(point, grid=held.grid)


def test_crops_of_all_sizes_share_their_training_slices(held: Material) -> None:
    first = held.training(config(held, "crop", 32))
    assert held.training(config(held, "crop", 64)) is first
    whole = held.training(config(held, "slice", 32))
    assert first.image.shape[1:] == (64, 64)
    assert whole.image.shape[1:] == (32, 32)
    assert held.source.asked == ["train", "train"]


@pytest.mark.parametrize(("view", "size"), [("crop", 32), ("slice", 32), ("slice", 64)])
def test_tested_and_calibrated_pictures_are_alike(held: Material, view: Any, size: int) -> None:
    test = held.test(config(held, view, size))
    assert test.crop.shape[1:] == (size, size)
    picture, features = held.calibration(config(held, view, size))[0]
    assert picture.shape == (1, 1, size, size)
    assert features.shape[1:] == test.features.shape[1:]


def test_the_networks_keep_the_layout_of_their_weights(held: Material) -> None:
    def layouts() -> list[bool]:
        return [
            one.is_contiguous(memory_format=torch.contiguous_format)
            for one in held.networks.segmenter.parameters()
        ]

    before = layouts()
    held.training(config(held, "crop", 32))
    assert layouts() == before


def test_another_size_covers_the_same_field() -> None:
    spec = at_size(narrow_networks(), 128).decision.preprocessing
    assert (spec.size, spec.pixel_mm) == (128, 1.8)


def test_scans_have_their_truth_beside_them() -> None:
    source, scans = validation_scans(tiny=True)
    assert "2 phantoms" in source
    scan = next(scans)
    assert scan.volume.hu.shape == scan.truth.shape == scan.known.shape
    assert scan.truth.any()


def test_dice_of_a_program_that_finds_the_clot() -> None:
    hu = np.full((3, 64, 64), 30.0)
    row, column = np.mgrid[:64, :64]
    inside = np.hypot(row - 32, column - 32) < 28
    truth = np.zeros((3, 64, 64), bool)
    truth[1, 28:40, 28:40] = True
    hu[:, ~inside] = -1000.0
    hu[truth] = 70.0
    volume = HUVolume(hu, spacing_mm=(5.0, 3.6, 3.6))
    scan = Scan(volume, truth, np.ones_like(truth))

    def program(inputs: Any) -> Any:
        return (inputs[0] > 0.6).astype(np.float32), np.zeros((1, 4), np.float32)

    decision = narrow_networks().decision
    assert dice_of(program, scan, decision) > 0.8
    assert dice_of(lambda inputs: program([0 * inputs[0]]), scan, decision) == 0.0

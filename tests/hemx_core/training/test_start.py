import json
from pathlib import Path

import pytest
import torch

from hemx_core.commands.train import SHIPPED, WEIGHTS, weights_file
from hemx_core.errors import TrainingError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.nn.config import UNetConfig, WaveletVGGConfig
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights import classifier_config, save_weights, segmenter_config
from hemx_core.training.config import ClassifierTraining, SegmentationTraining
from hemx_core.training.start import start_classifier, start_segmentation, take_stage1

GRID = PreprocessingSpec(size=64, pixel_mm=3.6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    unet = UNet(UNetConfig(width=0.1, depth=0.2))
    save_weights(folder / "segmenter.safetensors", unet, config=segmenter_config(unet), training={})
    network = MarkerClassifier(encoder_channels=8, config=WaveletVGGConfig(width=0.125))
    save_weights(
        folder / "classifier.safetensors",
        network,
        config=classifier_config(network),
        training={"settings": {"crop_size": 96}},
    )
    decided = {"mask_threshold": 0.4, "preprocessing": GRID.to_json()}
    (folder / "decision.json").write_text(json.dumps(decided))
    return folder


def test_sizes_and_preprocessing_are_those_of_the_weights(folder: Path) -> None:
    path = folder / "segmenter.safetensors"
    config = start_segmentation(SegmentationTraining(initial=path, steps=3), path)
    assert (config.network.width, config.network.depth) == (0.1, 0.2)
    assert config.preprocessing == GRID
    assert (config.steps, config.initial) == (3, path)
    path = folder / "classifier.safetensors"
    usual = ClassifierTraining(initial=path, network=WaveletVGGConfig(width=0.5))
    tuned = start_classifier(usual, path)
    assert (tuned.network.width, tuned.crop_size) == (0.125, 96)


def test_a_setting_that_differs_is_refused(folder: Path) -> None:
    path = folder / "segmenter.safetensors"
    other = SegmentationTraining(initial=path, network=UNetConfig(width=0.3))
    with pytest.raises(TrainingError, match=r"sizes .* has"):
        start_segmentation(other, path)
    path = folder / "classifier.safetensors"
    narrow = WaveletVGGConfig(width=0.125)
    cropped = ClassifierTraining(initial=path, crop_size=64, network=narrow)
    with pytest.raises(TrainingError, match="crop size 64"):
        start_classifier(cropped, path)


def test_the_rate_is_smaller_where_a_run_goes_on_unless_it_is_given() -> None:
    some = Path("some.safetensors")
    assert SegmentationTraining().peak_lr == 2e-3
    assert SegmentationTraining(initial=some).peak_lr == 2e-4
    assert ClassifierTraining().peak_lr == 8e-4
    assert ClassifierTraining(initial=some).peak_lr == 4e-4
    assert SegmentationTraining(initial=some, peak_lr=2e-3).peak_lr == 2e-3


def test_from_means_the_shipped_ones_a_folder_or_a_file(folder: Path, tmp_path: Path) -> None:
    name = "segmenter.safetensors"
    assert weights_file(SHIPPED, name) == WEIGHTS / name
    assert weights_file(folder, name) == weights_file(folder / name, name) == folder / name
    (tmp_path / "segmenter.pte").touch()
    with pytest.raises(TrainingError, match="programs cannot be trained"):
        weights_file(tmp_path, name)
    with pytest.raises(TrainingError, match="no weights"):
        weights_file(tmp_path / "nowhere", name)


def test_stage_1_is_taken_along_and_what_is_there_stays(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "decision.json").write_text("{}")
    take_stage1(folder, tmp_path)
    assert (tmp_path / "decision.json").read_text() == "{}"
    kept = (tmp_path / "segmenter.safetensors").read_bytes()
    assert kept == (folder / "segmenter.safetensors").read_bytes()

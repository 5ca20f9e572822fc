import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from hemx_core.errors import TrainingError
from hemx_core.imaging.prepare import crop_around
from hemx_core.nn.config import WaveletVGGConfig
from hemx_core.nn.weights import classifier_config, save_weights
from hemx_core.training.classifier import (
    ClassifierModule,
    CropBatches,
    fit_classifier,
    positive_weights,
    predict,
    validation_loader,
    weighted_bce,
)
from hemx_core.training.config import Augmentation, ClassifierTraining
from hemx_core.training.marker_slices import HeldOutSlices, TrainingSlices


def test_weights_are_negatives_over_positives_capped_and_blind_to_unknowns() -> None:
    labels = torch.tensor([[1, 1, 0, -1], [0, 0, 0, 1], [0, 0, 0, 1], [0, -1, 0, 1]])
    labels = torch.cat([labels, torch.tensor([[0, 0, 0, -1]] * 20)])
    assert positive_weights(labels, cap=10).tolist() == [10.0, 10.0, 1.0, 0.10000000149011612]
    assert positive_weights(labels, cap=100)[:2].tolist() == [23.0, 22.0]


def test_equals_equation_2_worked_out_by_hand() -> None:
    logits = torch.tensor([[0.0, 2.0], [1.0, -1.0]])
    labels = torch.tensor([[1, 0], [0, 1]])
    weights = torch.tensor([3.0, 0.5])

    def p(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    terms = [3 * math.log(p(0)), math.log(1 - p(2)), math.log(1 - p(1)), 0.5 * math.log(p(-1))]
    torch.testing.assert_close(
        weighted_bce(logits, labels, weights), torch.tensor(-sum(terms) / 4), rtol=1e-5, atol=0
    )


def test_unknown_labels_count_neither_in_the_sum_nor_in_the_mean() -> None:
    logits = torch.randn(3, 2, requires_grad=True)
    labels = torch.tensor([[1, -1], [0, -1], [-1, -1]])
    loss = weighted_bce(logits, labels, torch.ones(2))
    torch.testing.assert_close(loss, weighted_bce(logits[:2, :1], labels[:2, :1], torch.ones(1)))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[:, 1].tolist() == [0, 0, 0]


def test_nothing_known_is_zero_not_nan() -> None:
    loss = weighted_bce(torch.randn(2, 4), torch.full((2, 4), -1), torch.ones(4))
    assert loss.item() == 0


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -1.0, 2.0])
def test_a_label_that_is_neither_is_left_out_with_its_gradient(odd: float) -> None:
    logits = torch.randn(3, 2, requires_grad=True)
    labels = torch.tensor([[1.0, odd], [0.0, odd], [odd, odd]])
    loss = weighted_bce(logits, labels, torch.ones(2))
    torch.testing.assert_close(loss, weighted_bce(logits[:2, :1], labels[:2, :1], torch.ones(1)))
    loss.backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[:, 1].tolist() == [0, 0, 0]


STILL = Augmentation(
    rotation_deg=0, scale=1, shift_px=0, flip=0, gain=0, offset=0, noise_sd=0, blur_px=0
)
CONFIG = ClassifierTraining(
    steps=4, batch=4, crop_size=32, network=WaveletVGGConfig(width=0.125), augmentation=STILL,
    feature_noise=0, feature_dropout=0,
)  # fmt: skip


def _slices(count: int = 6) -> TrainingSlices:
    """Blobs at known centres; marker 0 is the bright ones, marker 3 is never present."""
    rng = np.random.default_rng(3)
    centre = rng.integers(20, 44, (count, 2)).astype(float)
    labels = np.zeros((count, 4), np.int8)
    labels[::2, 0] = 1
    labels[:, 1] = -1
    image = np.zeros((count, 64, 64), np.float16)
    for i, (row, column) in enumerate(centre.astype(int)):
        image[i, row - 6 : row + 7, column - 6 : column + 7] = 0.9 if labels[i, 0] else 0.4
    image[:, :, :5] = 0.1
    features = rng.normal(size=(count, 2, 5)).astype(np.float32)
    return TrainingSlices(image, centre, features, labels, labels)


def _held_out(slices: TrainingSlices) -> HeldOutSlices:
    crops = []
    for image, centre in zip(slices.image, slices.centre.astype(int), strict=True):
        mask = np.zeros(image.shape, bool)
        mask[tuple(centre)] = True
        crops.append(crop_around(image.astype(np.float32), mask, 32)[0])
    return HeldOutSlices(
        np.stack(crops), slices.features[:, 0], slices.labels, np.arange(len(slices)), slices.labels
    )


def test_without_augmentation_a_crop_is_the_one_that_triage_cuts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hemx_core.training.classifier.grey_values", lambda _rng, image, _: image)
    slices = _slices()
    batch = CropBatches(CONFIG, slices)(0)
    crops = _held_out(slices).crop
    for crop, features in zip(batch["crop"][:, 0], batch["features"], strict=True):
        pick = np.flatnonzero((slices.features[:, 0] == features.numpy()).all(1)).item()
        np.testing.assert_array_equal(crop, crops[pick])


def test_a_step_gives_the_same_batch_again_and_another_step_another() -> None:
    config = replace(CONFIG, augmentation=Augmentation(), feature_noise=0.1)
    first, again = CropBatches(config, _slices()), CropBatches(config, _slices())
    for name in ("crop", "features", "labels"):
        torch.testing.assert_close(first(7)[name], again(7)[name], rtol=0, atol=0)
    assert not torch.equal(first(7)["crop"], first(8)["crop"])


def test_a_flipped_crop_comes_with_the_features_of_the_mirror_image() -> None:
    slices = _slices()
    config = replace(CONFIG, augmentation=replace(STILL, flip=1.0))
    for features in CropBatches(config, slices)(0)["features"].numpy():
        assert (slices.features[:, 1] == features).all(1).any()
        assert not (slices.features[:, 0] == features).all(1).any()


def test_crops_are_never_turned_upside_down() -> None:
    slices = _slices(2)
    ramp = np.linspace(0.1, 0.9, 64, dtype=np.float32)[:, None] * np.ones((1, 64), np.float32)
    slices = replace(slices, image=np.stack([ramp] * 2).astype(np.float16))
    config = replace(CONFIG, augmentation=ClassifierTraining().augmentation)
    batches = CropBatches(config, slices)
    for step in range(10):
        crops = batches(step)["crop"][:, 0].numpy()
        rows = [cv2.GaussianBlur(crop, (0, 0), 3)[:, 8:24].mean(1) for crop in crops]
        assert all(row[4] < row[-5] for row in rows)


def test_feature_dropout_leaves_the_mean() -> None:
    slices = _slices()
    batches = CropBatches(replace(CONFIG, feature_dropout=1.0), slices)
    expected = slices.features.reshape(-1, 5).mean(0)
    np.testing.assert_allclose(batches(0)["features"], [expected] * 4, rtol=1e-6)


def test_learns_a_marker_and_takes_no_harm_from_unknown_or_absent_ones() -> None:
    torch.manual_seed(1)
    slices = _slices(12)
    held_out = _held_out(slices)
    module = ClassifierModule(CONFIG, slices, held_out)
    assert module.weights.tolist() == [1, 1, 1, 1]
    optimiser = torch.optim.AdamW(module.parameters(), lr=3e-3)
    batches = CropBatches(CONFIG, slices)
    module.log = lambda *args, **kwargs: None  # type: ignore[method-assign]
    for step in range(40):
        optimiser.zero_grad()
        module.training_step(batches(step), 0).backward()
        optimiser.step()
    found = predict(module.network, held_out)
    bright = found.labels[:, 0] == 1
    assert found.logits[bright, 0].min() > found.logits[~bright, 0].max()
    assert np.isfinite(found.logits).all()


def test_validation_logs_what_is_estimable() -> None:
    slices = _slices()
    module = ClassifierModule(CONFIG, slices, _held_out(slices)).eval()
    logged: dict[str, float] = {}
    module.log = lambda name, value, **_: logged.update({name: value})  # type: ignore[method-assign]
    module.on_validation_epoch_start()
    with torch.no_grad():
        for batch in validation_loader(_held_out(slices)):
            module.validation_step(batch, 0)
    module.on_validation_epoch_end()
    assert set(logged) == {"val_hypodensity_slice_auc", "val_hypodensity_patient_auc"}


def test_shifted_crops_differ_by_the_shift_alone_and_cost_their_logits_difference() -> None:
    config = replace(CONFIG, consistency=2.0, encoder_features=False)
    slices = _slices()
    batch = CropBatches(config, slices)(0)
    far = [np.argwhere(batch[name][0, 0].numpy() > 0.3).mean(0) for name in ("crop", "shifted")]
    assert 0 < np.abs(far[0] - far[1]).max() <= 2.0
    plain = CropBatches(replace(config, consistency=0.0), slices)(0)
    torch.testing.assert_close(plain["crop"], batch["crop"])
    torch.manual_seed(0)
    module = ClassifierModule(config, slices).eval()
    logged: dict[str, float] = {}
    module.log = lambda name, value, **_: logged.update({name: float(value)})  # type: ignore[method-assign]
    total = float(module.training_step(batch, 0))
    pair = [module.network(batch[name], batch["features"])[0] for name in ("crop", "shifted")]
    apart = float((pair[0] - pair[1]).square().mean())
    assert apart > 0
    assert total == pytest.approx(logged["loss"] + 2.0 * apart, rel=1e-4)


def test_without_weights_every_class_counts_once() -> None:
    slices = replace(_slices(), labels=np.array([[1, 0, 0, 0]] + [[0] * 4] * 5, np.int8))
    assert ClassifierModule(CONFIG, slices).weights.tolist() == [5, 1, 1, 1]
    plain = ClassifierModule(replace(CONFIG, weighted=False), slices)
    assert plain.weights.tolist() == [1, 1, 1, 1]


def test_read_slices_fill_their_places_in_every_batch() -> None:
    drawn, read = _slices(), _slices(3)
    read.labels[:] = 1
    drawn.labels[:] = 0
    batches = CropBatches(replace(CONFIG, real_crops=1), drawn, read)
    for step in range(6):
        assert batches(step)["labels"].sum(1).tolist() == [4, 0, 0, 0]
    alone = CropBatches(replace(CONFIG, real_crops=1), drawn)
    assert alone(0)["labels"].sum() == 0
    assert len(drawn) == 6


def test_shares_of_a_batch_make_up_the_batch() -> None:
    batches = CropBatches(replace(CONFIG, augmentation=Augmentation()), _slices())
    whole, shares = batches(5), [batches.share(5, rank, 2) for rank in (0, 1)]
    for name, tensor in whole.items():
        for rank, share in enumerate(shares):
            torch.testing.assert_close(share[name], tensor[rank::2])


def test_a_fit_without_validation_learns_one_output_and_resumes(tmp_path: Path) -> None:
    config = replace(CONFIG, targets=("blend",), precision="32-true", steps=2)
    slices = _slices()
    slices = replace(slices, labels=slices.labels[:, :1], patient_labels=slices.labels[:, :1])
    first = fit_classifier(config, slices, run_dir=tmp_path)
    again = fit_classifier(config, slices, run_dir=tmp_path, resume=True)
    assert first.head.out_features == 1
    for one, other in zip(first.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    assert list((tmp_path / "tensorboard" / "from_step_0").glob("events*"))


@pytest.mark.parametrize(
    "values",
    [
        {"crop_size": 100},
        {"batch": 1},
        {"view": "head"},
        {"masking": "yes"},
        {"targets": ()},
        {"targets": ("island",)},
        {"precision": "64-true"},
        {"consistency": -1.0},
    ],
)
def test_refuses_settings_that_cannot_work(values: dict[str, Any]) -> None:
    with pytest.raises(TrainingError):
        ClassifierTraining(**values)


def test_fine_tuning_starts_from_the_weights_and_refuses_those_of_another_size(
    tmp_path: Path,
) -> None:
    trained = ClassifierModule(CONFIG, _slices()).network
    path = tmp_path / "classifier.safetensors"
    save_weights(path, trained, config=classifier_config(trained), training={})
    tuned = ClassifierModule(replace(CONFIG, initial=path), _slices()).network
    assert tuned.training
    for name, value in trained.named_parameters():
        torch.testing.assert_close(dict(tuned.named_parameters())[name], value, atol=2e-3, rtol=0)
        assert dict(tuned.named_parameters())[name].requires_grad
    other = replace(CONFIG, initial=path, network=WaveletVGGConfig(width=0.25))
    with pytest.raises(TrainingError, match=r"classifier\.safetensors"):
        ClassifierModule(other, _slices())

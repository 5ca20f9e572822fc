import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hemx_core.errors import DatasetError, TrainingError
from hemx_core.imaging.prepare import crop_around
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.config import SNGANConfig
from hemx_core.nn.weights import load_discriminator, load_generator, read_metadata
from hemx_core.training.config import GanTraining
from hemx_core.training.gan import (
    DISCRIMINATOR,
    GENERATOR,
    Gan,
    GanBatches,
    GanCrops,
    SNGANModule,
    class_names,
    collect_crops,
    marker_classes,
    marker_labels,
    save_gan,
    train_gan,
)
from hemx_core.training.gan_run import class_score, sample
from hemx_core.training.loop import checkpoint_step, latest_checkpoint
from hemx_core.training.scoring.weighted import auc
from tests.factories import make_study


def test_crops_are_cut_as_triage_cuts_them_and_unknown_slices_stay_out() -> None:
    study = make_study(slices=4, markers=[[1, 0, 0, 0], [-1, 1, 0, 0], [0, 1, -1, 0], [1, 1, 1, 1]])
    mask = study.mask.copy()
    mask[3] = False  # no blood: not a crop, whatever its label
    study = replace(study, mask=mask)
    found = collect_crops([make_study(patient_id="P0"), study], size=16)
    assert found.names == ("none", "hypodensity")
    assert found.classes.tolist() == [0, 0, 1, 0]
    assert found.patient.tolist() == [0, 0, 1, 1]
    assert found.counts.tolist() == [3, 1]
    expected, _ = crop_around(study.image[2].astype(np.float32), study.mask[2], 16)
    assert np.array_equal(found.crops[3], expected.astype(np.float16))


def test_several_markers_make_a_class_of_every_combination() -> None:
    markers = ("hypodensity", "blend")
    assert class_names(markers) == ("none", "hypodensity", "blend", "hypodensity+blend")
    labels = np.array([[0, 1, 0, 0], [1, 0, 0, 1], [0, -1, 1, 0], [1, 0, 1, 0], [1, 0, -1, 0]])
    classes = marker_classes(labels.astype(np.int8), markers)
    assert classes.tolist() == [0, 1, 2, 3, -1]
    back = marker_labels(classes[:4], markers)
    assert (back[:, [1, 3]] == -1).all()
    assert np.array_equal(back[:, [0, 2]], labels[:4, [0, 2]])


def test_all_four_markers_are_a_condition() -> None:
    assert len(class_names(MARKER_CODES)) == 16
    every = np.arange(16)
    assert np.array_equal(marker_classes(marker_labels(every, MARKER_CODES), MARKER_CODES), every)


@pytest.mark.parametrize("markers", [(), ("swirl",), ("blend", "blend")])
def test_wrong_markers_are_named(markers: tuple[str, ...]) -> None:
    with pytest.raises(DatasetError, match="markers"):
        class_names(markers)


def test_contradictory_crops_are_refused() -> None:
    crops, classes = np.zeros((3, 8, 8), np.float16), np.zeros(3, np.int64)
    wrong = [
        (crops[:2], classes),
        (crops[:, :4], classes),
        (crops[:0], classes[:0]),
        (crops + np.float16(2), classes),
        (crops * np.float16(np.nan), classes),
        (crops, classes + 2),
        (crops, classes - 1),
    ]
    assert len(GanCrops(crops=crops, classes=classes, names=("a", "b"))) == 3
    for some, kinds in wrong:
        with pytest.raises(DatasetError):
            GanCrops(crops=some, classes=kinds, names=("a", "b"))


def test_patients_without_blood_are_named() -> None:
    study = make_study()
    with pytest.raises(DatasetError, match="no slice with blood"):
        collect_crops([replace(study, mask=np.zeros_like(study.mask))])


SIZE = 16
QUICK = GanTraining(
    steps=4,
    batch=4,
    n_critic=2,
    generator_lr=2e-3,
    discriminator_lr=2e-3,
    averaging=0.98,
    precision="32-true",
    network=SNGANConfig(size=SIZE, latent=8, width=4),
)


def discs(count: int, seed: int) -> GanCrops:
    """Bright noisy discs; those of class 1 have a dark hole somewhere inside."""
    rng = np.random.default_rng(seed)
    classes = np.arange(count) % 2
    row, column = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    crops = np.full((count, SIZE, SIZE), 0.3)
    for crop, holed in zip(crops, classes, strict=True):
        y, x = rng.uniform(-1, 1, 2)
        crop[np.hypot(row - y, column - x) <= rng.uniform(5, 6.7)] = rng.uniform(0.7, 0.9)
        if holed:
            y, x = np.array([y, x]) + rng.uniform(-1.8, 1.8, 2)
            crop[np.hypot(row - y, column - x) <= rng.uniform(1.9, 2.6)] = 0.4
    crops += rng.normal(0, 0.03, crops.shape)
    return GanCrops(
        crops=crops.clip(0, 1).astype(np.float16), classes=classes, names=("whole", "holed")
    )


def _weights(gan: Gan) -> dict[str, torch.Tensor]:
    return {
        f"{kind}.{name}": tensor
        for kind, network in gan._asdict().items()
        for name, tensor in network.state_dict().items()
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_class_score_tells_discs_from_discs_with_a_hole(tmp_path: Path) -> None:
    config = replace(QUICK, steps=120, batch=16)
    gan = train_gan(config, discs(200, seed=1), tmp_path)
    fresh = discs(200, seed=2)
    assert (auc(class_score(gan.discriminator, fresh.crops), fresh.classes) or 0) > 0.8
    made = sample(gan.generator, fresh.classes, seed=3)
    # The generator obeys its class too: the same noise is darker inside with a hole.
    centre = made[:, 5:11, 5:11].min((1, 2))
    assert centre[fresh.classes == 1].mean() < centre[fresh.classes == 0].mean()


@pytest.mark.filterwarnings("ignore")
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    crops = discs(20, seed=1)
    whole = _weights(train_gan(QUICK, crops, tmp_path / "whole"))
    half = _weights(train_gan(replace(QUICK, steps=2), crops, tmp_path / "parts"))
    # n_critic steps of the discriminator do not count.
    assert checkpoint_step(latest_checkpoint(tmp_path / "parts")) == 2
    resumed = _weights(train_gan(QUICK, crops, tmp_path / "parts", resume=True))
    assert checkpoint_step(latest_checkpoint(tmp_path / "parts")) == 4
    assert all(torch.equal(tensor, whole[name]) for name, tensor in resumed.items())
    assert not all(torch.equal(tensor, whole[name]) for name, tensor in half.items())
    with pytest.raises(TrainingError, match="already holds a run"):
        train_gan(QUICK, crops, tmp_path / "parts")


@pytest.mark.filterwarnings("ignore")
def test_both_losses_are_logged(tmp_path: Path) -> None:
    train_gan(replace(QUICK, steps=20, n_critic=1), discs(20, seed=1), tmp_path)
    rows = list(csv.DictReader((tmp_path / "log/from_step_0/metrics.csv").open()))
    assert {"discriminator", "generator"} <= set(rows[0])


def test_batches_depend_on_the_step_alone_and_balance_the_classes() -> None:
    crops = discs(40, seed=1)
    few = GanCrops(crops=crops.crops[:11], classes=np.array([1] + [0] * 10), names=crops.names)
    make = GanBatches(replace(QUICK, batch=64), few)
    again, other = GanBatches(replace(QUICK, batch=64), few)(7), make(8)
    batch = make(7)
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    assert not torch.equal(batch["real"], other["real"])
    assert not torch.equal(batch["noise"], other["noise"])
    assert batch["real"].shape == (2, 64, 1, SIZE, SIZE)
    assert batch["noise"].shape == (3, 64, 8)
    for name in ("real_classes", "fake_classes"):  # one real crop in eleven, half of the batch
        assert 0.35 < float(batch[name].float().mean()) < 0.65
    assert torch.equal(batch["wrong_classes"], 1 - batch["real_classes"])
    only = torch.from_numpy(few.crops[0].astype(np.float32))
    shown = batch["real"][batch["real_classes"] == 1][:, 0]
    straight = (shown == only).all((1, 2))
    assert (straight | (shown == only.flip(1)).all((1, 2))).all()
    assert straight.any()
    assert not straight.all()


def test_a_class_without_crops_is_never_drawn() -> None:
    crops = discs(10, seed=1)
    three = GanCrops(crops=crops.crops, classes=crops.classes * 2, names=("a", "b", "c"))
    batch = GanBatches(replace(QUICK, batch=64), three)(0)
    for name in ("real_classes", "wrong_classes", "fake_classes"):
        assert set(batch[name].unique().tolist()) == {0, 2}


def test_wrong_classes_count_where_asked_for() -> None:
    torch.manual_seed(1)
    module = SNGANModule(QUICK).eval()
    batch = GanBatches(QUICK, discs(20, seed=1))(0)
    plain = module._discriminator_loss(batch, 0)
    module.config = replace(QUICK, mismatch=0.5)
    wrong = module.discriminator(batch["real"][0], batch["wrong_classes"][0])
    expected = plain + 0.5 * (1 + wrong).clamp_min(0).mean()
    assert float((module._discriminator_loss(batch, 0) - expected).detach()) == pytest.approx(
        0, abs=1e-5
    )


def test_the_average_moves_by_one_minus_the_kept_share(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SNGANModule(replace(QUICK, averaging=0.9))
    before = module.averaged.dense.weight.clone()
    with torch.no_grad():
        module.generator.dense.weight.add_(1.0)
    for step, moved in ((0, 1 - 1 / 10), (10_000, 0.1)):
        module.averaged.dense.weight.copy_(before)
        monkeypatch.setattr(SNGANModule, "global_step", step)
        module._average()
        assert torch.allclose(module.averaged.dense.weight, before + moved, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_saved_weights_give_the_same_crops_and_scores(tmp_path: Path) -> None:
    crops = discs(20, seed=1)
    gan = train_gan(QUICK, crops, tmp_path / "run")
    save_gan(tmp_path, gan, training={"markers": ["hypodensity"]})
    generator = load_generator(tmp_path / GENERATOR)
    discriminator = load_discriminator(tmp_path / DISCRIMINATOR)
    assert read_metadata(tmp_path / GENERATOR)[1] == {"markers": ["hypodensity"]}
    made = sample(generator, crops.classes, seed=1)
    assert np.allclose(made, sample(gan.generator, crops.classes, seed=1), atol=5e-3)
    scores = class_score(gan.discriminator, crops.crops)
    loaded = class_score(discriminator, crops.crops)
    assert np.allclose(loaded, scores, atol=0.02 * np.abs(scores).max())


def test_a_network_that_does_not_fit_the_crops_is_refused(tmp_path: Path) -> None:
    crops = discs(4, seed=1)
    for network in (SNGANConfig(size=32, width=2), SNGANConfig(size=SIZE, classes=3, width=2)):
        with pytest.raises(TrainingError, match="crops of 16 pixels in 2 classes"):
            train_gan(replace(QUICK, network=network), crops, tmp_path)
    with pytest.raises(TrainingError, match="batch 1"):
        replace(QUICK, batch=1)
    one = GanCrops(crops=crops.crops, classes=crops.classes * 0, names=crops.names)
    with pytest.raises(TrainingError, match="one class only"):
        GanBatches(replace(QUICK, mismatch=0.5), one)


def test_several_processes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "run")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="several processes"):
        train_gan(QUICK, discs(4, seed=1), tmp_path)

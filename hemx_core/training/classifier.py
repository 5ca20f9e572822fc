"""Stage 2: train the marker classifier on crops round the haematoma, with a frozen encoder.

Its loss is weighted binary cross-entropy over several labels (Eq. 2 of the paper).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import lightning
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from hemx_core.errors import TrainingError
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.weights import classifier_config, load_classifier
from hemx_core.training.augment import grey_values, random_affine
from hemx_core.training.config import ClassifierTraining
from hemx_core.training.loop import Batch, fit, freeze_batch_norm, one_cycle, whole_batch
from hemx_core.training.marker_slices import HeldOutSlices, TrainingSlices
from hemx_core.training.scoring.predictions import Predictions
from hemx_core.training.scoring.weighted import auc


def positive_weights(labels: Tensor, *, cap: float) -> Tensor:
    """Weight of each class's positive term: negatives / positives, within 1 / cap and cap.

    Args:
        labels: shape (samples, classes), 1 present, 0 absent, -1 not known (does not count).
        cap: keeps a rare class from drowning the others. A class without positives gets 1: its
            positive term never occurs.
    Returns:
        shape (classes,), float32.
    """
    positives = (labels == 1).sum(0).float()
    negatives = (labels == 0).sum(0).float()
    weights = (negatives / positives.clamp_min(1)).clamp(1 / cap, cap)
    return torch.where(positives > 0, weights, torch.ones_like(weights))


def weighted_bce(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Eq. 2: - mean of w_c y log p + (1 - y) log(1 - p) over all known labels.

    Args:
        logits: shape (N, C).
        labels: shape (N, C), 1 or 0; anything else, -1 and NaN included, is not known and is left out of
            sum and count.
        weights: shape (C,), see `positive_weights`.
    Returns:
        a scalar; 0 where nothing is known.
    """
    known = (labels == 0) | (labels == 1)
    terms = functional.binary_cross_entropy_with_logits(
        logits.float(),
        torch.where(known, labels, 0).float(),
        pos_weight=weights,
        reduction="none",
    )
    return torch.where(known, terms, 0.0).sum() / known.sum().clamp_min(1)


CONSISTENCY_SHIFT_PX = 1.5
"""One pixel is what int8 masks and rounding move a crop by; a fixed outcome must survive that."""


class CropBatches:
    """Makes the batch of a step; the same step gives the same batch.

    Args:
        config: of the run.
        slices: what a batch is drawn from.
        read: slices of real patients with their readings, which fill `config.real_crops` places of a
            batch; None leaves these to `slices`.
    """

    def __init__(
        self,
        config: ClassifierTraining,
        slices: TrainingSlices,
        read: TrainingSlices | None = None,
    ) -> None:
        self.config = config
        self.slices = slices if read is None else slices.and_then(read)
        self.drawn = len(slices)
        self.read = 0 if read is None else len(read)
        every = slices.features.reshape(-1, slices.features.shape[-1])
        self.mean, self.sd = every.mean(0), every.std(0)

    def __call__(self, step: int) -> Batch:
        """Batch of a step: crop (N, 1, K, K), features (N, channels), labels (N, targets).

        With `consistency`, `shifted` holds the same crops moved by up to `CONSISTENCY_SHIFT_PX`.
        """
        return self.share(step, 0, 1)

    def share(self, step: int, rank: int, world: int) -> Batch:
        """Every `world`-th sample of the step's batch from `rank` on."""
        seed = self.config.seed
        rng = np.random.default_rng((seed, step))
        picks = rng.integers(0, self.drawn, self.config.batch)
        if self.read:
            real = self.config.real_crops
            picks[:real] = self.drawn + rng.integers(0, self.read, real)
        mine = range(rank, len(picks), world)
        drawn = [self._sample(np.random.default_rng((seed, step, i)), int(picks[i])) for i in mine]
        batch = {
            name: torch.from_numpy(np.stack([sample[name] for sample in drawn]))
            for name in drawn[0]
        }
        return batch | {
            "labels": torch.from_numpy(self.slices.labels[picks[mine]].astype(np.int64))
        }

    def _sample(self, rng: np.random.Generator, pick: int) -> dict[str, np.ndarray]:
        config, size = self.config, self.config.crop_size
        matrix = random_affine(rng, size, config.augmentation)
        mirrored = bool(np.linalg.det(matrix[:, :2]) < 0)
        # Slice to crop coordinates first, by whole pixels as `crop_around` does.
        row, column = np.floor(self.slices.centre[pick] - (size - 1) / 2 + 0.5)
        matrix = matrix @ np.array([[1.0, 0.0, -column], [0.0, 1.0, -row], [0.0, 0.0, 1.0]])
        image = self.slices.image[pick].astype(np.float32)
        features = self.slices.features[pick, int(mirrored)]
        noise = rng.standard_normal(features.shape, dtype=np.float32)
        if rng.random() < config.feature_dropout:
            features = self.mean
        sample = {"features": features + config.feature_noise * self.sd * noise}
        grey = int(rng.integers(2**32))  # both crops of a sample get the same grey values
        views = {"crop": (0.0, 0.0)}
        if config.consistency:
            reach = CONSISTENCY_SHIFT_PX
            views["shifted"] = tuple(rng.uniform(-reach, reach, 2))
        for name, shift in views.items():
            moved = matrix.copy()
            moved[:, 2] += shift
            crop = np.asarray(cv2.warpAffine(image, moved, (size, size)), np.float32)
            sample[name] = grey_values(np.random.default_rng(grey), crop, config.augmentation)[None]
        return sample


class ClassifierModule(lightning.LightningModule):
    """Weighted BCE (Eq. 2), AUC per slice and per patient."""

    weights: Tensor

    def __init__(
        self,
        config: ClassifierTraining,
        slices: TrainingSlices,
        validation: HeldOutSlices | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.patient_labels = (validation or slices).patient_labels
        features = torch.from_numpy(slices.features)
        network = _start(config, features.shape[-1])
        network.standardise.fit(features.flatten(0, 1))
        if not config.encoder_features:
            network.standardise.silence()
        self.network = network.to(memory_format=torch.channels_last)
        # Of the drawn slices: what is read of real ones is too little to estimate a share from.
        weights = positive_weights(torch.from_numpy(slices.labels), cap=config.weight_cap)
        self.register_buffer("weights", weights if config.weighted else torch.ones_like(weights))
        self._validated: list[tuple[Tensor, ...]] = []
        self.train()  # Lightning starts with the mode that it finds

    def train(self, mode: bool = True) -> ClassifierModule:
        """Set the mode; frozen batch normalisation stays as it is."""
        super().train(mode)
        if self.config.frozen_batch_norm:
            freeze_batch_norm(self.network)
        return self

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Loss of a batch, over all processes."""
        crop, features = batch["crop"], batch["features"]
        if self.config.consistency:
            crop, features = torch.cat([crop, batch["shifted"]]), torch.cat([features, features])
        logits, _cam = self.network(crop.to(memory_format=torch.channels_last), features)
        pair = [whole_batch(part) for part in logits.float().split(len(batch["crop"]))]
        loss = weighted_bce(pair[0], whole_batch(batch["labels"]), self.weights)
        self.log("loss", loss, prog_bar=True)
        if self.config.consistency:
            apart = (pair[0] - pair[1]).square().mean()
            self.log("consistency", apart)
            loss = loss + self.config.consistency * apart
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._validated = []

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Keep the logits of a batch (crop, features, labels, patient)."""
        crop, features, labels, patient = batch
        logits, _cam = self.network(crop.to(memory_format=torch.channels_last), features)
        self._validated.append((logits.float(), labels, patient))

    def on_validation_epoch_end(self) -> None:
        """Log each target's AUC over slices and over patients, where estimable."""
        logits, labels, patient = (
            torch.cat(part).cpu().numpy() for part in zip(*self._validated, strict=True)
        )
        found = Predictions(logits.astype(np.float64), labels, patient, self.patient_labels)
        for i, code in enumerate(self.config.targets):
            for level, scores, true in (
                ("slice", found.logits, found.labels),
                ("patient", found.patient_logits, found.patient_labels),
            ):
                value = auc(scores[:, i], true[:, i])
                if value is not None:
                    self.log(f"val_{code}_{level}_auc", value, prog_bar=level == "patient")

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW, one cycle."""
        config = self.config
        return one_cycle(
            self, steps=config.steps, peak=config.peak_lr, weight_decay=config.weight_decay
        )


def _start(config: ClassifierTraining, encoder_channels: int) -> MarkerClassifier:
    """A new network, or the one to fine-tune.

    Raises:
        TrainingError: the weights are of other sizes, targets or encoder than the run.
    """
    fresh = MarkerClassifier(
        config.network, encoder_channels=encoder_channels, outputs=len(config.targets)
    )
    if config.initial is None:
        return fresh
    known = load_classifier(config.initial)
    if classifier_config(known) != classifier_config(fresh):
        raise TrainingError(
            f"{config.initial.name} with {classifier_config(known)}",
            expected=str(classifier_config(fresh)),
            remedy="give the settings of those weights, or start without --from",
        )
    return known.train().requires_grad_(True)


def validation_loader(slices: HeldOutSlices) -> DataLoader[Any]:
    """Batches of (crop, features, labels, patient number)."""
    return DataLoader(
        TensorDataset(
            torch.from_numpy(slices.crop)[:, None],
            torch.from_numpy(slices.features),
            torch.from_numpy(slices.labels),
            torch.from_numpy(slices.patient),
        ),
        batch_size=16,
    )


def fit_classifier(
    config: ClassifierTraining,
    training: TrainingSlices,
    validation: HeldOutSlices | None = None,
    *,
    run_dir: Path,
    resume: bool = False,
    read: TrainingSlices | None = None,
) -> MarkerClassifier:
    """Train a classifier; writes checkpoints and logs into `run_dir` and nothing else.

    Args:
        config: settings; view, masking and targets were applied by whoever collected the slices.
        training: slices to learn from.
        validation: scored during training; may be missing.
        run_dir: of this run alone.
        resume: go on from the newest checkpoint in `run_dir`.
        read: slices of real patients with their readings, see `CropBatches`.
    Returns:
        The trained network in float32, on the CPU, in evaluation mode.
    Raises:
        TrainingError: the folder holds a run and `resume` is not set.
    """
    lightning.seed_everything(config.seed, verbose=False)
    module = ClassifierModule(config, training, validation)
    batches = CropBatches(config, training, read)
    if config.initial is None:
        module.network.trunk.even_bands(batches(0)["crop"])
    fit(
        module,
        batches,
        run_dir=run_dir,
        max_steps=config.steps,
        validation=validation_loader(validation) if validation else None,
        resume=resume,
        precision=config.precision,
        compute=config.compute,
        seed=config.seed,
    )
    return module.network.float().cpu().eval()


@torch.inference_mode()
def predict(network: MarkerClassifier, slices: HeldOutSlices) -> Predictions:
    """Logits of held-out slices, in float32 and evaluation mode."""
    network = network.float().eval()
    logits = []
    for crop, features, _labels, _patient in validation_loader(slices):
        logits.append(
            network(crop.to(memory_format=torch.channels_last), features)[0].float().numpy()
        )
    return Predictions(
        np.concatenate(logits).astype(np.float64),
        slices.labels,
        slices.patient,
        slices.patient_labels,
        slices.cluster,
        slices.area,
        slices.index,
    )

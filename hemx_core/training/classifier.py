"""Stage 2: the marker classifier learns on crops round the haematoma, the encoder frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from hemx_core.data.augment import Augmentation, grey_values, random_affine
from hemx_core.errors import TrainingError
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.wavelet_vgg import WaveletVGGConfig
from hemx_core.training.loop import Batch, one_cycle
from hemx_core.training.losses import positive_weights, weighted_bce
from hemx_core.training.marker_slices import HeldOutSlices, TrainingSlices
from hemx_core.training.metrics import Predictions, auc

CROP_AUGMENTATION = Augmentation(
    rotation_deg=6.0,
    scale=1.12,
    shift_px=8.0,
    gain=0.08,
    offset=0.04,
    noise_sd=0.03,
    blur_px=0.6,
)
"""Milder than stage 1's: a fluid level must stay level, and 18 HU (0.22) must stay visible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierTraining:
    """Settings of a stage-2 run.

    Args:
        steps: optimiser steps.
        batch: crops in a batch, drawn uniformly from the training slices.
        peak_lr: of the one-cycle schedule.
        weight_decay: of AdamW.
        crop_size: rows and columns of the crops, pixels of the segmenter's grid.
        weight_cap: most that a class's positive term weighs (Eq. 2).
        feature_noise: standard deviation of noise added to the standardised encoder features.
        feature_dropout: share of samples whose encoder features are replaced by their mean, so that
            the crop alone must answer.
        sensitivity: share of validation patients with a marker that its threshold must find.
        bootstrap: draws for each interval.
        seed: of weights, batches, augmentation and bootstrap.
    """

    steps: int = 3000
    batch: int = 16
    peak_lr: float = 8e-4
    weight_decay: float = 0.02
    crop_size: int = 128
    weight_cap: float = 10.0
    feature_noise: float = 0.1
    feature_dropout: float = 0.2
    sensitivity: float = 0.9
    bootstrap: int = 1000
    seed: int = 1
    network: WaveletVGGConfig = field(default_factory=WaveletVGGConfig)
    augmentation: Augmentation = CROP_AUGMENTATION

    def __post_init__(self) -> None:
        if self.crop_size < 32 or self.crop_size % 32 or self.batch < 2:
            raise TrainingError(
                f"crops of {self.crop_size} pixels in batches of {self.batch}",
                expected="a size divisible by 32, and batches of at least 2 (batch normalisation)",
                remedy="choose other settings",
            )


class CropBatches:
    """Makes the batch of a step; the same step gives the same batch."""

    def __init__(self, config: ClassifierTraining, slices: TrainingSlices) -> None:
        self.config = config
        self.slices = slices
        every = slices.features.reshape(-1, slices.features.shape[-1])
        self.mean, self.sd = every.mean(0), every.std(0)

    def __call__(self, step: int) -> Batch:
        """Batch of a step: crop (N, 1, K, K), features (N, channels), labels (N, 4)."""
        rng = np.random.default_rng((self.config.seed, step))
        picks = rng.integers(0, len(self.slices), self.config.batch)
        drawn = [self._sample(rng, int(pick)) for pick in picks]
        return {
            "crop": torch.from_numpy(np.stack([crop for crop, _ in drawn])[:, None]),
            "features": torch.from_numpy(np.stack([features for _, features in drawn])),
            "labels": torch.from_numpy(self.slices.labels[picks].astype(np.int64)),
        }

    def _sample(self, rng: np.random.Generator, pick: int) -> tuple[np.ndarray, np.ndarray]:
        config, size = self.config, self.config.crop_size
        matrix = random_affine(rng, size, config.augmentation)
        mirrored = bool(np.linalg.det(matrix[:, :2]) < 0)
        # Slice to crop coordinates first, by whole pixels as `crop_around` does.
        row, column = np.floor(self.slices.centre[pick] - (size - 1) / 2 + 0.5)
        matrix = matrix @ np.array([[1.0, 0.0, -column], [0.0, 1.0, -row], [0.0, 0.0, 1.0]])
        image = self.slices.image[pick].astype(np.float32)
        crop = np.asarray(cv2.warpAffine(image, matrix, (size, size)), np.float32)
        features = self.slices.features[pick, int(mirrored)]
        noise = rng.standard_normal(features.shape, dtype=np.float32)
        if rng.random() < config.feature_dropout:
            features = self.mean
        features = features + config.feature_noise * self.sd * noise
        return grey_values(rng, crop, config.augmentation), features


class ClassifierModule(lightning.LightningModule):
    """Weighted BCE (Eq. 2), AUC per slice and per patient."""

    weights: Tensor

    def __init__(
        self, config: ClassifierTraining, slices: TrainingSlices, validation: HeldOutSlices
    ) -> None:
        super().__init__()
        self.config = config
        self.patient_labels = validation.patient_labels
        features = torch.from_numpy(slices.features)
        network = MarkerClassifier(config.network, encoder_channels=features.shape[-1])
        network.standardise.fit(features.flatten(0, 1))
        self.network = network.to(memory_format=torch.channels_last)
        weights = positive_weights(torch.from_numpy(slices.labels), cap=config.weight_cap)
        self.register_buffer("weights", weights)
        self._validated: list[tuple[Tensor, ...]] = []

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Loss of a batch."""
        crop = batch["crop"].to(memory_format=torch.channels_last)
        logits, _cam = self.network(crop, batch["features"])
        loss = weighted_bce(logits, batch["labels"], self.weights)
        self.log("loss", loss, prog_bar=True)
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
        """Log each marker's AUC over slices and over patients, where estimable."""
        logits, labels, patient = (
            torch.cat(part).cpu().numpy() for part in zip(*self._validated, strict=True)
        )
        found = Predictions(logits.astype(np.float64), labels, patient, self.patient_labels)
        for i, code in enumerate(MARKER_CODES):
            for level, scores, true in (
                ("slice", found.logits, found.labels),
                ("patient", found.patient_logits, found.patient_labels),
            ):
                value = auc(scores[:, i], true[:, i])
                if np.isfinite(value):
                    self.log(f"val_{code}_{level}_auc", value, prog_bar=level == "patient")

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW, one cycle."""
        config = self.config
        return one_cycle(
            self, steps=config.steps, peak=config.peak_lr, weight_decay=config.weight_decay
        )


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
    )

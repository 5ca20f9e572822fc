"""Slices of a phantom cohort with the frozen U-Net's answers: what stage 2 trains and is tested on.

The encoder is frozen, so its pooled features are computed once: of every training slice, and of its
left-right mirror image, which stands for the flipped crops. Rotation, scale and grey values change
the crop only; `ClassifierTraining.feature_noise` stands in for what they would do to the features.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from hemx_core.costs import Progress
from hemx_core.data.phantom_cohort import CohortPatients
from hemx_core.errors import DatasetError
from hemx_core.imaging.crop import centroid, crop_around
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.unet import UNet

BATCH = 8
Features = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSlices:
    """Training slices that show blood and have a known label.

    Args:
        image: prepared slices, shape (slices, S, S), float16.
        centre: (row, column) of the true mask's centroid, shape (slices, 2).
        features: of the slice and of its mirror image, shape (slices, 2, channels).
        labels: 1, 0 or -1, shape (slices, 4).
        patient_labels: of all patients, shape (patients, 4).
    """

    image: NDArray[np.float16]
    centre: NDArray[np.float64]
    features: Features
    labels: NDArray[np.int8]
    patient_labels: NDArray[np.int8]

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.image)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutSlices:
    """Crops for validation or test, without augmentation.

    Args:
        crop: shape (slices, K, K), float32.
        features: shape (slices, channels).
        labels: shape (slices, 4).
        patient: number of each slice's patient, shape (slices,).
        patient_labels: shape (patients, 4).
    """

    crop: NDArray[np.float32]
    features: Features
    labels: NDArray[np.int8]
    patient: NDArray[np.int64]
    patient_labels: NDArray[np.int8]


def training_slices(
    unet: UNet, patients: CohortPatients, *, progress: Progress | None = None
) -> TrainingSlices:
    """Collect the training slices and their encoder features.

    Raises:
        DatasetError: no slice with blood has a known label.
    """
    images, labels, features, truth = [], [], [], []
    centres: list[tuple[float, float]] = []
    for done, patient in enumerate(patients, start=1):
        truth.append(patient.patient_markers)
        keep = patient.with_blood & (patient.slice_markers >= 0).any(1)
        if keep.any():
            image = patient.image[keep]
            images.append(image)
            labels.append(patient.slice_markers[keep])
            centres.extend(centroid(mask) for mask in patient.mask[keep])
            pair = [encode(unet, view) for view in (image, image[:, :, ::-1])]
            features.append(np.stack(pair, 1))
        if progress:
            progress("features", done, len(patients))
    if not images:
        raise DatasetError(
            "no training slice with blood and a known label",
            expected="phantoms with haematomas",
            remedy="build a larger cohort",
        )
    return TrainingSlices(
        np.concatenate(images),
        np.array(centres),
        np.concatenate(features),
        np.concatenate(labels),
        np.stack(truth),
    )


def held_out_slices(
    unet: UNet,
    patients: CohortPatients,
    *,
    crop_size: int,
    mask_threshold: float,
    min_area_px: int,
) -> dict[str, HeldOutSlices]:
    """Validation or test slices, cut in two ways.

    Args:
        unet: the trained segmenter.
        patients: of the split.
        crop_size: rows and columns of the crops.
        mask_threshold: probability from which a pixel counts as blood.
        min_area_px: predicted masks below this count as empty.
    Returns:
        `true`: slices with blood, crops centred on the true mask; `predicted`: slices on which the
        segmenter finds blood, crops centred on its mask, as triage cuts them.
    """
    drawn: dict[str, list[tuple[NDArray[np.float32], Features, NDArray[np.int8], int]]]
    drawn = {"true": [], "predicted": []}
    truth = []
    for number, patient in enumerate(patients):
        truth.append(patient.patient_markers)
        probabilities, features = segment(unet, patient.image)
        found = probabilities >= mask_threshold
        for i, label in enumerate(patient.slice_markers):
            image = patient.image[i].astype(np.float32)
            for name, mask, least in (
                ("true", patient.mask[i], 1),
                ("predicted", found[i], min_area_px),
            ):
                if np.count_nonzero(mask) >= least:
                    crop, _ = crop_around(image, mask, crop_size)
                    drawn[name].append((crop, features[i], label, number))
    labels = np.stack(truth) if truth else np.zeros((0, len(MARKER_CODES)), np.int8)
    return {name: _held_out(rows, labels, name) for name, rows in drawn.items()}


@torch.inference_mode()
@torch.autocast("cpu", dtype=torch.bfloat16)
def encode(unet: UNet, image: NDArray[np.floating]) -> Features:
    """Pooled encoder features of slices, (slices, S, S) to (slices, channels)."""
    parts = [unet.encode(part)[-1].mean((2, 3)).float().numpy() for part in _batches(image)]
    return np.concatenate(parts)


@torch.inference_mode()
@torch.autocast("cpu", dtype=torch.bfloat16)
def segment(unet: UNet, image: NDArray[np.floating]) -> tuple[NDArray[np.float32], Features]:
    """Probabilities (slices, S, S) and pooled encoder features (slices, channels)."""
    probabilities, features = [], []
    for part in _batches(image):
        logits, pooled = unet(part)
        probabilities.append(torch.sigmoid(logits.float())[:, 0].numpy())
        features.append(pooled.float().numpy())
    return np.concatenate(probabilities), np.concatenate(features)


def _batches(image: NDArray[np.floating]) -> Iterator[torch.Tensor]:
    for start in range(0, len(image), BATCH):
        part = torch.from_numpy(image[start : start + BATCH].astype(np.float32))[:, None]
        yield part.contiguous(memory_format=torch.channels_last)


def _held_out(
    rows: list[tuple[NDArray[np.float32], Features, NDArray[np.int8], int]],
    patient_labels: NDArray[np.int8],
    name: str,
) -> HeldOutSlices:
    if not rows:
        raise DatasetError(
            f"no held-out slice with a {name} mask",
            expected="validation and test patients with haematomas that the segmenter finds",
            remedy="build a larger cohort, or train the segmenter longer",
        )
    crops, features, labels, patient = zip(*rows, strict=True)
    return HeldOutSlices(
        np.stack(crops), np.stack(features), np.stack(labels), np.array(patient), patient_labels
    )

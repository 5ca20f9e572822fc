"""Slices with the frozen U-Net's outputs, on which stage 2 is trained and tested.

Masks of training slices may come from segmenters that did not train on the patient (out of fold).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from hemx_core.costs import Progress
from hemx_core.data.study import (
    UNKNOWN,
    Labels,
    Study,
    patient_labels,
    says_something,
    study_labels,
)
from hemx_core.errors import DatasetError, TrainingError
from hemx_core.imaging.prepare import centroid, crop_around
from hemx_core.nn.inference import Features, encode, segment
from hemx_core.nn.unet import UNet
from hemx_core.training.config import ClassifierTraining

TrainSegmenter = Callable[[Sequence[Study], int], UNet]
"""Given the studies to train on and the fold's number, returns the trained U-Net."""


def out_of_fold_masks(
    train_segmenter: TrainSegmenter,
    studies: Sequence[Study],
    *,
    folds: int = 5,
    mask_threshold: float = 0.5,
    seed: int = 1,
    progress: Progress | None = None,
) -> list[NDArray[np.bool_]]:
    """Predict every study by the one of `folds` segmenters that did not see its patient.

    Args:
        train_segmenter: trains the segmenter of a fold.
        studies: of the training patients.
        folds: groups of patients of like size, at random.
        mask_threshold: probability from which a pixel counts as blood.
        seed: of the groups.
        progress: told after every fold, stage `folds`.
    Returns:
        a mask for each study, shape (slices, S, S), in the order of the studies.
    Raises:
        TrainingError: fewer than two folds, or fewer patients than folds.
    """
    fold_of = patient_folds([study.patient_id for study in studies], folds=folds, seed=seed)
    masks: list[NDArray[np.bool_]] = [np.zeros(0, bool)] * len(studies)
    for fold in range(folds):
        seen = [study for study, own in zip(studies, fold_of, strict=True) if own != fold]
        unet = train_segmenter(seen, fold).eval().to(memory_format=torch.channels_last)
        for place, (study, own) in enumerate(zip(studies, fold_of, strict=True)):
            if own == fold:
                masks[place] = segment(unet, study.image)[0] >= mask_threshold
        if progress:
            progress("folds", fold + 1, folds)
    return masks


def patient_folds(patient_ids: Sequence[str], *, folds: int, seed: int) -> list[int]:
    """The fold of each study; studies of a patient share it.

    Raises:
        TrainingError: fewer than two folds, or fewer patients than folds.
    """
    patients = sorted(set(patient_ids))
    if folds < 2 or len(patients) < folds:
        raise TrainingError(
            f"{folds} folds of {len(patients)} patients",
            expected="at least two folds and a patient for each",
            remedy="choose another number of folds, or add patients",
        )
    order = np.random.default_rng((seed, folds)).permutation(len(patients))
    fold_of = {patients[who]: place % folds for place, who in enumerate(order)}
    return [fold_of[patient] for patient in patient_ids]


Mask = NDArray[np.bool_]
Picture = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSlices:
    """Training slices that show blood and have a known label.

    Args:
        image: prepared slices, shape (slices, S, S), float16; masked and shrunk as the run asks.
        centre: (row, column) of the crop's middle, shape (slices, 2).
        features: of the slice and of its mirror image, shape (slices, 2, channels).
        labels: 1, 0 or -1, shape (slices, targets).
        patient_labels: of all patients, shape (patients, targets).
    """

    image: NDArray[np.float16]
    centre: NDArray[np.float64]
    features: Features
    labels: Labels
    patient_labels: Labels

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.image)

    def and_then(self, more: TrainingSlices) -> TrainingSlices:
        """These slices and others behind them; both seen by the same encoder."""
        names = (field.name for field in fields(self))
        return TrainingSlices(
            *(np.concatenate([getattr(self, name), getattr(more, name)]) for name in names)
        )


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutSlices:
    """Crops for validation or test, without augmentation.

    Args:
        crop: shape (slices, K, K), float32.
        features: shape (slices, channels).
        labels: shape (slices, targets).
        patient: number of each slice's study, shape (slices,).
        patient_labels: of the studies, shape (studies, targets).
        cluster: number of each study's patient, shape (studies,); None: one study each.
        area: pixels of blood on each slice by the mask it was cut with, shape (slices,); None: not known.
        index: number of each slice in its volume, shape (slices,); None: not known.
    """

    crop: Picture
    features: Features
    labels: Labels
    patient: NDArray[np.int64]
    patient_labels: Labels
    cluster: NDArray[np.int64] | None = None
    area: NDArray[np.float64] | None = None
    index: NDArray[np.int64] | None = None


@dataclass(slots=True)
class _Rows:
    """Slices while they are collected."""

    pictures: list[Picture] = field(default_factory=list)
    features: list[Features] = field(default_factory=list)
    labels: list[Labels] = field(default_factory=list)
    patients: list[int] = field(default_factory=list)
    areas: list[int] = field(default_factory=list)
    index: list[int] = field(default_factory=list)

    def held_out(self, truth: Labels, cluster: NDArray[np.int64], name: str) -> HeldOutSlices:
        if not self.pictures:
            raise DatasetError(
                f"no held-out slice with a {name} mask",
                expected="validation and test patients with haematomas that the segmenter finds",
                remedy="build a larger cohort, or train the segmenter longer",
            )
        return HeldOutSlices(
            np.stack(self.pictures),
            np.stack(self.features),
            np.stack(self.labels),
            np.array(self.patients),
            truth,
            cluster,
            np.array(self.areas, np.float64),
            np.array(self.index, np.int64),
        )


def training_slices(
    unet: UNet,
    studies: Sequence[Study],
    *,
    config: ClassifierTraining | None = None,
    masks: Sequence[Mask] | None = None,
    progress: Progress | None = None,
) -> TrainingSlices:
    """Collect the training slices and their encoder features.

    Args:
        unet: the frozen segmenter.
        studies: of the training patients.
        config: says view, masking and targets.
        masks: of every study, shape (slices, S, S) each, from `out_of_fold_masks`: needed for that
            masking, which leaves out slices on which they are empty.
        progress: told after every study, stage `features`.
    Raises:
        DatasetError: no slice with blood has a known label.
        TrainingError: the masking needs masks and there are none.
    """
    config = config or ClassifierTraining()
    if config.masking == "out_of_fold" and masks is None:
        raise TrainingError(
            "masking `out_of_fold` without masks",
            expected="a mask of every training study",
            remedy="make them with `out_of_fold_masks`",
        )
    images, centres, labels = [], [], []
    features: list[Features] = []
    for done, study in enumerate(studies):
        mask = study.mask if config.masking != "out_of_fold" or masks is None else masks[done]
        known = study_labels(study, config.targets)
        keep = study.with_blood & mask.any((1, 2)) & (known != UNKNOWN).any(1)
        if keep.any():
            image = study.image[keep]
            shown = image if config.masking == "none" else image * mask[keep]
            size = config.crop_size
            if config.view == "slice":
                shown = np.stack([_shrunk(picture, size) for picture in shown]).astype(np.float16)
                centres += [((size - 1) / 2, (size - 1) / 2)] * len(shown)
            else:
                centres += [centroid(drawn) for drawn in mask[keep]]
            images.append(shown)
            labels.append(known[keep])
            if config.encoder_features or not features:
                encoded = np.stack([encode(unet, view) for view in (image, image[:, :, ::-1])], 1)
            if config.encoder_features:
                features.append(encoded)
            else:  # the network will not see them, and encoding takes longer than all else
                features.append(np.zeros((len(image), *encoded.shape[1:]), encoded.dtype))
        if progress:
            progress("features", done + 1, len(studies))
    if not images:
        raise DatasetError(
            "no training slice with blood and a known label",
            expected="labelled studies with haematomas",
            remedy="build a larger cohort, or label more slices",
        )
    truth, _ = patient_labels(studies, config.targets)
    return TrainingSlices(
        np.concatenate(images),
        np.array(centres),
        np.concatenate(features),
        np.concatenate(labels),
        truth,
    )


def held_out_slices(
    unet: UNet,
    studies: Sequence[Study],
    *,
    config: ClassifierTraining,
    mask_threshold: float,
    min_area_px: int,
) -> dict[str, HeldOutSlices]:
    """Validation or test slices, cut in two ways.

    A study is what triage answers for; one about which no target is known is left out.

    Args:
        unet: the trained segmenter.
        studies: of the split.
        config: says view, crop size, masking and targets.
        mask_threshold: probability from which a pixel counts as blood.
        min_area_px: predicted masks below this count as empty.
    Returns:
        `true`: slices with blood, cut by (and where asked masked with) the true mask; `predicted`:
        slices on which the segmenter finds blood, cut by its mask, as triage cuts them.
    Raises:
        DatasetError: no slice of one kind.
    """
    rows = {"true": _Rows(), "predicted": _Rows()}
    kept = [study for study in studies if says_something(study, config.targets)]
    truth, cluster = patient_labels(kept, config.targets)
    for number, study in enumerate(kept):
        labels = study_labels(study, config.targets)
        probabilities, features = segment(unet, study.image)
        found = probabilities >= mask_threshold
        for i, image in enumerate(study.image.astype(np.float32)):
            for name, mask, least in (
                ("true", study.mask[i], 1),
                ("predicted", found[i], min_area_px),
            ):
                area_px = int(np.count_nonzero(mask))
                if area_px >= least:
                    kind = rows[name]
                    kind.areas.append(area_px)
                    kind.index.append(int(study.slice_index[i]))
                    kind.pictures.append(picture(image, mask, config))
                    kind.features.append(features[i])
                    kind.labels.append(labels[i])
                    kind.patients.append(number)
    return {name: kind.held_out(truth, cluster, name) for name, kind in rows.items()}


def picture(image: Picture, mask: Mask, config: ClassifierTraining) -> Picture:
    """What the classifier sees of a held-out slice, shape (K, K): see `ClassifierTraining`."""
    shown = image if config.masking == "none" else image * mask
    if config.view == "slice":
        return _shrunk(shown, config.crop_size)
    return crop_around(shown, mask, config.crop_size)[0]


def _shrunk(image: NDArray[np.floating], size: int) -> Picture:
    """The whole slice on a grid of another size, each pixel the mean of what it covers."""
    whole = image.astype(np.float32)
    return np.asarray(cv2.resize(whole, (size, size), interpolation=cv2.INTER_AREA), np.float32)

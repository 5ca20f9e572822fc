"""Masks of training slices by segmenters that did not train on the patient.

Trained on true masks, a classifier meets other masks later. A segmenter's masks of its own training
slices are nearly the true ones, so they would not teach it what predicted masks look like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from hemx_core.costs import Progress
from hemx_core.data.study import PreparedStudy
from hemx_core.errors import TrainingError
from hemx_core.nn.unet import UNet
from hemx_core.training.frozen import segment

TrainSegmenter = Callable[[Sequence[PreparedStudy], int], UNet]
"""Given the studies to train on and the fold's number, returns the trained U-Net."""


def out_of_fold_masks(
    train_segmenter: TrainSegmenter,
    studies: Sequence[PreparedStudy],
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
    return [fold_of[one] for one in patient_ids]

"""Train a fold's networks; each stage is resumed where it was left, and skipped where it is done."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import torch

from benchmarks.folds.recipe import (
    LESIONS,
    PHANTOMS,
    SEGMENTER,
    SEGMENTER_LESIONS,
    Arm,
    Place,
)
from hemx_core.data import phe_sich
from hemx_core.data.cohort import build_cohort
from hemx_core.data.read_studies import read_studies
from hemx_core.data.real_lesions import build_real_lesion_cohort
from hemx_core.data.study import Study, StudySource
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights import (
    classifier_config,
    load_classifier,
    load_segmenter,
    save_weights,
    segmenter_config,
)
from hemx_core.training.classifier import fit_classifier
from hemx_core.training.config import SegmentationTraining, settings_card
from hemx_core.training.marker_slices import TrainingSlices, training_slices
from hemx_core.training.segmentation import fit_segmenter
from hemx_core.training.slice_pools import Pools, pool_of

LICENCE = "research use, non-commercial"


def lesions(place: Place, *, workers: int = 1) -> StudySource:
    """The fold's resynthesised haematomas; for all patients those for training alone."""
    return build_real_lesion_cohort(
        place.lesions,
        patients=LESIONS,
        spec=SEGMENTER.preprocessing,
        fold=place.fold,
        workers=workers,
        splits=("train",) if place.fold.number is None else ("train", "test"),
    )


def phantoms(place: Place) -> StudySource:
    """Drawn heads, the same for all folds."""
    return build_cohort(place.phantoms, patients=PHANTOMS, spec=SEGMENTER.preprocessing)


def segmenter(place: Place) -> UNet:
    """The fold's segmenter, trained if need be: real slices, resynthesised haematomas, phantoms."""
    if place.segmenter.is_file():
        return load_segmenter(place.segmenter)
    config = replace(SEGMENTER, initial=place.start)
    pools = segmenter_pools(place, config)
    network = fit_segmenter(
        config, pools, [], run_dir=place.folder / "segmenter", resume=True, initial=place.start
    )
    training = {
        "stage": "segmentation",
        "data": {
            "real": phe_sich.ATTRIBUTION,
            "fold": place.name,
            "real_slices": len(pools.real or ()),
            "phantom_slices": len(pools.phantom or ()),
        },
        "licence": LICENCE,
        "settings": settings_card(config),
    }
    save_weights(place.segmenter, network, config=segmenter_config(network), training=training)
    return network


def segmenter_pools(place: Place, config: SegmentationTraining) -> Pools:
    """What the segmenter learns from: nothing of the patients that are held out."""
    real = phe_sich.load_patients(config.preprocessing, split="train", fold=place.fold)
    others: list[Study] = [
        *islice(iter(lesions(place).patients("train")), SEGMENTER_LESIONS),
        *phantoms(place).patients("train"),
    ]
    return Pools(pool_of(real), pool_of(others))


def classifier(place: Place, arm: Arm) -> MarkerClassifier:
    """An arm's classifier of the fold, trained if need be. It sees no encoder features.

    So it needs no segmenter: crops are cut round the true masks.
    """
    if place.classifier(arm).is_file():
        return load_classifier(place.classifier(arm))
    config = arm.training
    drawn, read = classifier_slices(place, arm)
    network = fit_classifier(
        config, drawn, None, run_dir=place.folder / arm.name, resume=True, read=read
    )
    data: dict[str, Any] = {
        "attribution": phe_sich.ATTRIBUTION,
        "fold": place.name,
        "drawn_slices": len(drawn),
        "read_slices": len(read),
        "readings": "by a vision model, not by a radiologist",
    }
    training = {
        "stage": "classifier",
        "data": data,
        "licence": LICENCE,
        "targets": list(config.targets),
        "settings": settings_card(config),
    }
    save_weights(
        place.classifier(arm), network, config=classifier_config(network), training=training
    )
    return network


def classifier_slices(place: Place, arm: Arm) -> tuple[TrainingSlices, TrainingSlices]:
    """Slices of resynthesised haematomas, and of the fold's training patients with their readings."""
    config, blind = arm.training, UNet().eval()
    studies: list[Study] = list(lesions(place).patients("train"))
    if arm.phantoms:
        studies += phantoms(place).patients("train")
    drawn = training_slices(blind, studies, config=config)
    folder = phe_sich.data_folder()
    patients = phe_sich.split_by_fold(phe_sich.read_rows(folder), place.fold)["train"]
    read = read_studies(folder, patients, SEGMENTER.preprocessing)
    return drawn, training_slices(blind, read, config=config)


def quiet() -> None:
    """One thread: folds run side by side."""
    torch.set_num_threads(1)

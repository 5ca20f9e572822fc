"""Masks of all folds together: one patient, one segmenter that has not seen them.

A fold is cut at the mask threshold that the other folds choose by the highest mean Dice; the weights of
all patients at the one that all folds choose. Patients of the test split choose nothing.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.folds.recipe import SEGMENTER, Place
from hemx_core.data import phe_sich
from hemx_core.errors import DatasetError
from hemx_core.files import write_whole
from hemx_core.imaging.prepare import prepare
from hemx_core.nn.inference import segment
from hemx_core.nn.weights import load_segmenter
from hemx_core.training.scoring.masks import PatientMasks, overlap
from hemx_core.training.scoring.segmenters import (
    THRESHOLDS,
    MaskTable,
    Segment,
    evaluate_masks,
    mask_means,
    native_table,
)
from hemx_core.training.scoring.volume_errors import VolumeRow, volumes_of
from hemx_core.training.stage1 import MIN_COMPONENT_ML


def held_out(place: Place) -> list[str]:
    """The fold's patients with blood in the reference."""
    rows = phe_sich.read_rows(phe_sich.data_folder())
    own = phe_sich.split_by_fold(rows, place.fold)["test"]
    return [patient for patient in own if any(row.haematoma_px for row in rows[patient])]


def stored(place: Place) -> Path:
    """Where a fold's probabilities lie."""
    return place.folder / "probabilities.npz"


def predict_masks(place: Place) -> Path:
    """Store the probabilities of the fold's patients on the network's grid, by its own segmenter.

    Raises:
        ManifestError: the segmenter is not trained yet.
    """
    network, folder = load_segmenter(place.segmenter), phe_sich.data_folder()
    rows, found = phe_sich.read_rows(folder), {}
    for patient in held_out(place):
        slices = prepare(phe_sich.read_volume(folder, rows[patient]), SEGMENTER.preprocessing)
        images = np.stack([one.image for one in slices])
        found[patient] = segment(network, images)[0].astype(np.float16)
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **found)
    write_whole(stored(place), content.getvalue())
    return stored(place)


def read_back(place: Place, patients: Sequence[str]) -> Segment:
    """Answers with the stored probabilities, slice after slice of the patients in this order."""
    with np.load(stored(place), allow_pickle=False) as kept:
        slices = iter([one for patient in patients for one in kept[patient].astype(np.float32)])

    def answer(_image: NDArray[np.float32]) -> NDArray[np.float32]:
        return next(slices)

    return answer


@dataclass(frozen=True, slots=True, eq=False)
class MaskScores:
    """What the folds say of the recipe.

    Args:
        threshold: that all folds choose, for the weights of all patients.
        report: for JSON.
        errors: a row for each patient, for the intervals.
    """

    threshold: float
    report: dict[str, Any]
    errors: tuple[VolumeRow, ...]


def score(places: Sequence[Place]) -> MaskScores:
    """Choose thresholds and score every patient once.

    Raises:
        DatasetError: a fold has no stored probabilities.
    """
    folder = phe_sich.data_folder()
    test = set(phe_sich.split_patients(phe_sich.read_rows(folder))["test"])
    patients = [held_out(place) for place in places]
    tables = []
    for place, own in zip(places, patients, strict=True):
        if not stored(place).is_file():
            raise DatasetError(
                f"no probabilities of fold {place.name}",
                expected=f"{stored(place).name} in its folder",
                remedy="run `python -m benchmarks folds predict-masks` first",
            )
        tables.append(
            native_table(
                read_back(place, own),
                SEGMENTER.preprocessing,
                patients=own,
                folder=folder,
                thresholds=THRESHOLDS,
                min_component_ml=MIN_COMPONENT_ML,
            )
        )
    reports, by_fold = [], []
    errors: list[VolumeRow] = []
    for number, (place, own) in enumerate(zip(places, patients, strict=True)):
        threshold = chosen([t for k, t in enumerate(tables) if k != number], test)
        report = evaluate_masks(
            read_back(place, own),
            SEGMENTER.preprocessing,
            patients=own,
            folder=folder,
            threshold=threshold,
            min_component_ml=MIN_COMPONENT_ML,
        )
        reports.append(report)
        by_fold.append(threshold)
        errors += volumes_of(report, fold=number)
    rows = [row for report in reports for row in report["per_patient"]]
    threshold = chosen(tables, test)
    return MaskScores(
        threshold,
        {
            "reference": reports[0]["reference"],
            "patients": len(rows),
            "threshold": threshold,
            "threshold_by_fold": by_fold,
            "scores": mask_means([_scores(row) for row in rows]),
            "faults_left_out": [fault for report in reports for fault in report["faults_left_out"]],
            "per_patient": rows,
        },
        tuple(errors),
    )


def chosen(tables: Sequence[MaskTable], test: set[str]) -> float:
    """The threshold of the highest mean Dice over patients who may choose."""
    dice = [
        overlap(table.counts[:, [patient not in test for patient in table.patients]])["dice"]
        for table in tables
    ]
    means = np.concatenate(dice, axis=1).mean(1)
    return float(THRESHOLDS[int(np.argmax(means))])


def _scores(row: Mapping[str, Any]) -> PatientMasks:
    return PatientMasks(**{field.name: row[field.name] for field in fields(PatientMasks)})

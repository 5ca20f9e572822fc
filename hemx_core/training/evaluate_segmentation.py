"""Scores of a segmenter on held-out patients, in native pixels, through the steps of triage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hemx_core.data import phe_sich
from hemx_core.evaluation.segmentation import score_masks
from hemx_core.imaging.prepare import prepare
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.measure.haematoma import clean_mask
from hemx_core.nn.unet import UNet

Mask = NDArray[np.bool_]
Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Prepared slice (size, size) in [0, 1] to probabilities of the same shape."""


@dataclass(frozen=True, slots=True)
class PatientScore:
    """One patient, against the derived reference, without the pixels it leaves open."""

    patient: str
    dice: float
    reference_ml: float
    predicted_ml: float
    false_ml_on_blood_free_slices: float
    false_ml_unfiltered: float

    @property
    def volume_error(self) -> float:
        """|predicted - reference| / reference."""
        return abs(self.predicted_ml - self.reference_ml) / self.reference_ml


def torch_predictor(network: UNet) -> Predict:
    """A trained network as a predictor, float32."""
    network = network.eval()

    def predict(image: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits, _ = network(torch.from_numpy(image)[None, None])
        return np.asarray(torch.sigmoid(logits)[0, 0].numpy(), dtype=np.float32)

    return predict


THRESHOLDS = tuple(round(0.3 + 0.05 * step, 2) for step in range(13))
"""Mask thresholds to choose from: 0.3 to 0.9."""

Table = dict[float, list[PatientScore]]
"""Scores of the same patients, in the same order, at several thresholds."""


def score_patients(
    predict: Predict,
    spec: PreprocessingSpec,
    *,
    patients: Sequence[str],
    folder: Path,
    thresholds: Sequence[float] = (0.5,),
    min_component_ml: float = 0.0,
) -> Table:
    """Score a predictor on patients of the PHE-SICH data.

    Args:
        predict: prepared slice to probabilities.
        spec: how slices are prepared.
        patients: whom to score.
        folder: the data set.
        thresholds: probabilities from which a pixel counts as blood, each scored.
        min_component_ml: components below this are dropped, as triage does.
    """
    rows = phe_sich.read_rows(folder)
    table: Table = {threshold: [] for threshold in thresholds}
    for patient in patients:
        volume = phe_sich.read_volume(folder, rows[patient])
        found = np.stack([s.transform.to_native(predict(s.image)) for s in prepare(volume, spec)])
        truth, known, _ = phe_sich.read_reference(folder, rows[patient], volume)
        for threshold, scores in table.items():
            raw = found >= threshold
            kept = clean_mask(raw, volume, min_component_ml=min_component_ml).mask
            scores.append(_score(patient, raw, kept, truth, known, volume.geometry))
    return table


def choose_threshold(table: Table, *, without: int | None = None) -> float:
    """The threshold of the highest mean Dice, of all patients or of all but one."""
    return max(
        table,
        key=lambda t: np.mean([score.dice for i, score in enumerate(table[t]) if i != without]),
    )


def cross_validated(table: Table) -> list[PatientScore]:
    """Each patient's score at the threshold that the other patients choose."""
    count = len(next(iter(table.values())))
    return [table[choose_threshold(table, without=i)][i] for i in range(count)]


def _score(
    patient: str,
    raw: Mask,
    kept: Mask,
    truth: Mask,
    known: Mask,
    geometry: VolumeGeometry,
) -> PatientScore:
    found = score_masks(kept, truth, known, spacing_mm=geometry.spacing_mm, surface=False)
    unfiltered = score_masks(raw, truth, known, spacing_mm=geometry.spacing_mm, surface=False)
    return PatientScore(
        patient,
        found.dice,
        found.reference_ml,
        found.predicted_ml,
        found.false_ml,
        unfiltered.false_ml,
    )


def summarise(scores: Sequence[PatientScore]) -> dict[str, Any]:
    """Means and worst cases over patients, and the patients' own rows."""
    dice = np.array([score.dice for score in scores])
    false = np.array([score.false_ml_on_blood_free_slices for score in scores])
    errors = np.array([score.volume_error for score in scores])
    return {
        "reference": "derived reference without its unsure pixels and faults; "
        "spacing assumed 5 x 0.45 x 0.45 mm",
        "patients": len(scores),
        "dice_mean": round(float(dice.mean()), 4),
        "dice_worst": round(float(dice.min()), 4),
        "volume_error_median": round(float(np.median(errors)), 4),
        "false_ml_mean": round(float(false.mean()), 4),
        "false_ml_worst": round(float(false.max()), 4),
        "per_patient": [
            {k: v if isinstance(v, str) else round(v, 4) for k, v in asdict(score).items()}
            for score in scores
        ],
    }

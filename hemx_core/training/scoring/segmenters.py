"""A segmenter scored on patients: real ones in native pixels, a source's own on the network's grid.

Real patients go through the steps of triage. A source's studies do not keep their slice thickness, so
false blood is an area there and a volume error is that of pixel counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.costs import Progress
from hemx_core.data import phe_sich
from hemx_core.data.reference_check import Fault
from hemx_core.data.study import StudySource
from hemx_core.errors import DatasetError
from hemx_core.imaging.prepare import prepare
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.clean import clean_mask, find_components
from hemx_core.nn.inference import segment
from hemx_core.nn.unet import UNet
from hemx_core.training.scoring.intervals import from_draws, patient_draws
from hemx_core.training.scoring.masks import (
    Counts,
    Mask,
    PatientMasks,
    means_over_patients,
    overlap,
    overlap_report,
    pixel_counts,
    score_masks,
    voxel_ml,
)
from hemx_core.training.scoring.predictions import Array, rounded
from hemx_core.training.scoring.thresholds import Criterion, choose_threshold
from hemx_core.training.scoring.weighted import weighted_mean

Segment = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Prepared slice (S, S) in [0, 1] to probabilities of blood, same shape."""
THRESHOLDS = tuple(round(0.3 + 0.05 * step, 2) for step in range(13))
"""Mask thresholds to choose from: 0.3 to 0.9."""
BATCH, DRAWS, SEED = 8, 2000, 1


@dataclass(frozen=True, slots=True, eq=False)
class NativeStudy:
    """What a segmenter makes of a real patient, beside the derived reference.

    Args:
        patient: its name.
        volume: the CT.
        probabilities: of blood in native pixels, shape (slices, rows, columns).
        truth, known: the reference and where it may be relied on, same shape, bool.
        faults: where the reference contradicts the picture.
    """

    patient: str
    volume: HUVolume
    probabilities: NDArray[np.float32]
    truth: Mask
    known: Mask
    faults: tuple[Fault, ...]

    def cleaned(self, mask: Mask, min_component_ml: float) -> Mask:
        """The mask that triage reports."""
        return clean_mask(mask, self.volume, min_component_ml=min_component_ml).mask


def native_probabilities(
    segment: Segment, volume: HUVolume, spec: PreprocessingSpec
) -> NDArray[np.float32]:
    """Probabilities of blood in native pixels, shape (slices, rows, columns)."""
    return np.stack([s.transform.to_native(segment(s.image)) for s in prepare(volume, spec)])


def native_studies(
    segment: Segment,
    spec: PreprocessingSpec,
    *,
    patients: Sequence[str],
    folder: Path,
    checked: bool = True,
) -> Iterator[NativeStudy]:
    """Patients of PHE-SICH, one after the other.

    Args:
        segment: the network.
        spec: how it takes slices.
        patients: whom to score.
        folder: the data set.
        checked: leave open where the reference contradicts the picture (`data.reference_check`).
    """
    rows = phe_sich.read_rows(folder)
    for patient in patients:
        volume = phe_sich.read_volume(folder, rows[patient])
        probabilities = native_probabilities(segment, volume, spec)
        truth, known, faults = phe_sich.read_reference(
            folder, rows[patient], volume, checked=checked
        )
        yield NativeStudy(patient, volume, probabilities, truth, known, faults)


@dataclass(frozen=True, slots=True, eq=False)
class MaskTable:
    """Pixel counts of the same patients at several thresholds.

    Args:
        thresholds: probabilities from which a pixel counts as blood.
        patients: their names.
        counts: shape (thresholds, patients, 4), see `masks.Counts`.
        pixel: of native masks mL, of the grid mm².
        unfiltered: false pixels before small components are dropped, shape (thresholds, patients).
    """

    thresholds: tuple[float, ...]
    patients: tuple[str, ...]
    counts: Counts
    pixel: float
    unfiltered: NDArray[np.int64]

    def dice(self, *, without: int | None = None) -> Array:
        """Mean Dice of the patients with blood, of all of them or of all but one, shape (thresholds,)."""
        kept = self.counts[0, :, 2] > 0
        if without is not None:
            kept[without] = False
        return np.asarray(overlap(self.counts[:, kept])["dice"].mean(1))

    def best(self, *, without: int | None = None) -> int:
        """Number of the threshold of the highest mean Dice; for the argument see `dice`."""
        dice = self.dice(without=without)
        return self.thresholds.index(
            choose_threshold(self.thresholds, Criterion.DICE, {"dice": dice})
        )

    def dice_by_threshold(self) -> dict[str, float | None]:
        """Mean Dice at each threshold, for JSON."""
        pairs = zip(self.thresholds, self.dice(), strict=True)
        return {f"{threshold:.2f}": rounded(mean) for threshold, mean in pairs}

    def grid_summary(self, place: int) -> dict[str, Any]:
        """Scores at a threshold on the network's grid, for JSON."""
        counts = self.counts[place]
        return {
            "level": "grid of the network",
            "patients": len(counts),
            "patients_with_blood": int((counts[:, 2] > 0).sum()),
            **means_over_patients(counts),
            "false_mm2_mean": rounded(counts[:, 3].mean() * self.pixel, 2),
        }

    def native_summary(self, places: Sequence[int]) -> dict[str, Any]:
        """Means and worst cases, and the patients' own rows, each at a threshold of its own."""
        rows = range(len(self.patients))
        counts = self.counts[places, rows]
        false = counts[:, 3] * self.pixel
        dice, unfiltered = overlap(counts)["dice"], self.unfiltered[places, rows] * self.pixel
        return {
            "reference": _reference(checked=True),
            "patients": len(counts),
            **means_over_patients(counts),
            "false_ml_mean": rounded(false.mean()),
            "false_ml_worst": rounded(false.max()),
            "per_patient": [
                {
                    "patient": self.patients[row],
                    "dice": rounded(dice[row]),
                    "reference_ml": rounded(counts[row, 2] * self.pixel),
                    "predicted_ml": rounded(counts[row, 1] * self.pixel),
                    "false_ml_on_blood_free_slices": rounded(false[row]),
                    "false_ml_unfiltered": rounded(unfiltered[row]),
                }
                for row in rows
            ],
        }


def native_table(
    segment: Segment,
    spec: PreprocessingSpec,
    *,
    patients: Sequence[str],
    folder: Path,
    thresholds: Sequence[float] = (0.5,),
    min_component_ml: float = 0.0,
) -> MaskTable:
    """Counts of PHE-SICH patients in native pixels; components below the least are dropped."""
    kept = np.zeros((len(thresholds), len(patients), 4), np.int64)
    unfiltered = np.zeros((len(thresholds), len(patients)), np.int64)
    studies = native_studies(segment, spec, patients=patients, folder=folder)
    for row, study in enumerate(studies):
        for place, threshold in enumerate(thresholds):
            raw = study.probabilities >= threshold
            mask = study.cleaned(raw, min_component_ml)
            kept[place, row] = pixel_counts(mask, study.truth, study.known).sum(0)
            unfiltered[place, row] = pixel_counts(raw, study.truth, study.known)[:, 3].sum()
    pixel = voxel_ml(phe_sich.ASSUMED_SPACING_MM)
    return MaskTable(tuple(thresholds), tuple(patients), kept, pixel, unfiltered)


def grid_table(
    network: UNet, source: StudySource, split: str, thresholds: Sequence[float]
) -> MaskTable:
    """Counts of a source's patients on the network's grid."""
    sums: dict[str, Counts] = {}
    for study in source.patients(split):
        probabilities, _features = segment(network, study.image)
        found = [
            pixel_counts(probabilities >= threshold, study.mask, study.known).sum(0)
            for threshold in thresholds
        ]
        sums[study.patient_id] = sums.get(study.patient_id, 0) + np.stack(found)
    counts = np.stack(list(sums.values()), 1) if sums else np.zeros((len(thresholds), 0, 4), int)
    pixel = source.preprocessing.pixel_mm**2
    return MaskTable(tuple(thresholds), tuple(sums), counts, pixel, counts[..., 3])


def choose_on_grid(network: UNet, source: StudySource) -> tuple[float, dict[str, Any]] | None:
    """The threshold of the highest mean Dice on validation patients, and scores on test patients.

    Returns:
        the threshold and what goes into the results; None where no validation patient bleeds.
    """
    validation = grid_table(network, source, "validation", THRESHOLDS)
    if not validation.counts[..., 2].any():
        return None
    best = validation.best()
    scores = {
        "validation_dice_by_threshold": validation.dice_by_threshold(),
        "validation": validation.grid_summary(best),
    }
    test = grid_table(network, source, "test", (THRESHOLDS[best],))
    return THRESHOLDS[best], scores | ({"test": test.grid_summary(0)} if test.patients else {})


def choose_on_native(
    segment: Segment, spec: PreprocessingSpec, folder: Path, *, min_component_ml: float
) -> tuple[float, dict[str, Any]]:
    """The same for PHE-SICH; each validation patient is cut at the threshold the others choose."""
    splits = phe_sich.split_patients(phe_sich.read_rows(folder))

    def table(split: str, thresholds: Sequence[float]) -> MaskTable:
        return native_table(
            segment,
            spec,
            patients=splits[split],
            folder=folder,
            thresholds=thresholds,
            min_component_ml=min_component_ml,
        )

    validation = table("validation", THRESHOLDS)
    threshold = THRESHOLDS[validation.best()]
    others = [validation.best(without=row) for row in range(len(validation.patients))]
    return threshold, {
        "validation_dice_by_threshold": validation.dice_by_threshold(),
        "validation": validation.native_summary(others),
        "test": table("test", (threshold,)).native_summary([0] * len(splits["test"])),
    }


def evaluate_masks(
    segment: Segment,
    spec: PreprocessingSpec,
    *,
    patients: Sequence[str],
    folder: Path,
    threshold: float,
    min_component_ml: float,
    checked: bool = True,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Masks of PHE-SICH patients as triage makes them, against the derived reference.

    Args:
        segment: the network.
        spec: how it takes slices.
        patients: held out from its training.
        folder: the data set.
        threshold: probability from which a pixel counts as blood.
        min_component_ml: smaller components are dropped.
        checked: see `native_studies`.
        progress: told after every patient, stage `masks`.
    Returns:
        JSON values: overlap per image, batch and patient; means over patients with 95 % bootstrap
        intervals; one row for each patient, see `volume_errors.volumes_of`.
    Raises:
        DatasetError: no patients, or the data set is not complete.
    """
    if not patients:
        raise DatasetError("no patients", expected="held-out patients", remedy="choose a split")
    counts, owner, scores, faults = [], [], [], []
    components: list[int] = []
    studies = native_studies(segment, spec, patients=patients, folder=folder, checked=checked)
    for number, study in enumerate(studies):
        mask = study.cleaned(study.probabilities >= threshold, min_component_ml)
        geometry = study.volume.geometry
        components.append(len(find_components(mask, geometry).volumes_ml))
        counts.append(pixel_counts(mask, study.truth, study.known))
        owner += [number] * len(mask)
        scores.append(score_masks(mask, study.truth, study.known, spacing_mm=geometry.spacing_mm))
        faults += [{"patient": study.patient} | asdict(fault) for fault in study.faults]
        if progress:
            progress("masks", number + 1, len(patients))
    return {
        "reference": _reference(checked=checked),
        "faults_left_out": faults,
        "threshold": threshold,
        "patients": len(patients),
        "scores": mask_means(scores),
        "overlap": overlap_report(np.concatenate(counts), np.array(owner), batch=BATCH),
        "per_patient": [
            {"patient": patient} | score.to_json() | {"components": count}
            for patient, score, count in zip(patients, scores, components, strict=True)
        ],
    }


def _reference(*, checked: bool) -> str:
    return (
        "derived reference without its unsure pixels"
        + (" and faults" if checked else "")
        + "; spacing assumed 5 x 0.45 x 0.45 mm"
    )


def mask_means(scores: Sequence[PatientMasks]) -> dict[str, Any]:
    """Means over patients with bootstrap intervals, and the worst."""
    columns: dict[str, list[float | None]] = {
        "dice": [score.dice for score in scores],
        "iou": [score.iou for score in scores],
        "volume_error_percent": [abs(score.error_percent or 0.0) for score in scores],
        "false_ml": [score.false_ml for score in scores],
        "surface_mm": [score.surface_mm for score in scores],
        "hausdorff95_mm": [score.hausdorff95_mm for score in scores],
    }
    known = {name: [v for v in values if v is not None] for name, values in columns.items()}
    return {name: _summary(np.array(values)) for name, values in known.items() if values}


def _summary(values: Array) -> dict[str, Any]:
    draws = patient_draws(len(values), draws=DRAWS, seed=SEED)
    mean = from_draws(weighted_mean(values, draws))
    return {
        "mean": rounded(mean.value),
        "interval": [rounded(mean.lower), rounded(mean.upper)],
        "median": rounded(np.median(values)),
        "smallest": rounded(values.min()),
        "largest": rounded(values.max()),
    }

"""What a gate needs to know of a bundle: the record behind `hemx dev validate`.

    files, programs    sizes, delegate coverage and memory plan          read from the files
    parity             masks and probabilities, exported and trained     slice by slice
    masks, markers     Dice, volume and AUC against the reference        per patient

Parity (`export.verify`) says how far single answers move; `masks` and `markers` say whether it matters: Dice
and volume against the reference, and each marker's AUC per patient, both ways on the same patients. What
explains a loss, operator by operator, is `hemx benchmark layer-error`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.gates import Gate, accuracy_gates, parity_gates, program_gates
from export.networks import Decision, Networks
from export.program_facts import MethodFacts, read_program
from export.recipes import Recipe
from export.verify import MIN_BLOOD_MM2, OneToTwo, Parity, TwoToTwo, torch_functions
from hemx_core.bundle.load import Models
from hemx_core.bundle.signature import SIGNATURE_NAME
from hemx_core.costs import Progress
from hemx_core.data.study import Study
from hemx_core.errors import DatasetError
from hemx_core.imaging.prepare import crop_around
from hemx_core.manifest import MANIFEST_NAME, ModelManifest
from hemx_core.markers import MARKER_CODES
from hemx_core.training.scoring.aggregation import patient_logits
from hemx_core.training.scoring.intervals import Estimate, cluster_draws, from_draws
from hemx_core.training.scoring.masks import overlap
from hemx_core.training.scoring.predictions import Predictions, rounded
from hemx_core.training.scoring.segmenters import MaskTable, native_table
from hemx_core.training.scoring.weighted import auc, weighted_auc

WAYS = ("trained", "exported")
BOOTSTRAP, SEED = 1000, 1


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One way to answer: `trained` (torch, float32) or `exported` (the written programs)."""

    segment: OneToTwo
    classify: TwoToTwo


def two_ways(networks: Networks, models: Models) -> dict[str, Way]:
    """The trained networks and the written programs."""
    return {
        "trained": Way(*torch_functions(networks)),
        "exported": Way(models.segment, models.classify),
    }


def validate_masks(
    ways: dict[str, Way], decision: Decision, folder: Path, patients: Sequence[str]
) -> dict[str, Any]:
    """Dice and volume against the reference of PHE-SICH patients, both ways and their difference.

    Args:
        ways: see `two_ways`.
        decision: threshold, smallest component and preprocessing.
        folder: the data set.
        patients: held-out patients.
    Returns:
        JSON values; `dice_drop` is the loss of mean Dice from trained to exported.
    """
    scores = {name: _score(way, decision, folder, patients) for name, way in ways.items()}
    dice = {name: overlap(table.counts[0])["dice"] for name, table in scores.items()}
    volume = {name: table.counts[0, :, 1] * table.pixel for name, table in scores.items()}
    apart = np.abs(volume["exported"] - volume["trained"])
    return {
        "patients": len(patients),
        **{name: _summary(table) for name, table in scores.items()},
        "dice_drop": round(float((dice["trained"] - dice["exported"]).mean()), 5),
        "dice_drop_worst": round(float((dice["trained"] - dice["exported"]).max()), 5),
        "volume_difference_ml_mean": round(float(apart.mean()), 4),
        "volume_difference_ml_worst": round(float(apart.max()), 4),
    }


def validate_markers(
    ways: dict[str, Way],
    decision: Decision,
    studies: Sequence[Study],
    *,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """AUC of each marker per patient, both ways, with the interval of the difference.

    Args:
        ways: see `two_ways`.
        decision: threshold, crop size, and how slices make a patient.
        studies: of held-out patients.
        progress: told after every study, stage `markers`.
    Returns:
        JSON values by marker code; `drop` is the loss of AUC, `drop_95` its interval over patients
        (paired percentile bootstrap); None where the marker is not estimable.
    Raises:
        DatasetError: no studies.
    """
    if not studies:
        raise DatasetError(
            "no held-out studies", expected="patients never trained on", remedy="enlarge the cohort"
        )
    found = {name: _predictions(way, decision, studies, progress) for name, way in ways.items()}
    aggregations = [marker.aggregation for marker in decision.markers]
    trained, exported = (patient_logits(found[name], aggregations) for name in WAYS)
    labels = found["trained"].patient_labels
    table = {}
    for i, code in enumerate(MARKER_CODES):
        pair = trained[:, i], exported[:, i]
        before, after = (auc(logits, labels[:, i]) for logits in pair)
        drop = _drop(*pair, labels[:, i], found["trained"].clusters)
        table[code] = {
            "trained": rounded(before, 5),
            "exported": rounded(after, 5),
            "drop": rounded(drop.value, 5),
            "drop_95": [rounded(drop.lower, 5), rounded(drop.upper, 5)],
            "present": int((labels[:, i] == 1).sum()),
            "absent": int((labels[:, i] == 0).sum()),
        }
    return {"patients": len(labels), "markers": table}


def _score(way: Way, decision: Decision, folder: Path, patients: Sequence[str]) -> MaskTable:
    return native_table(
        lambda image: way.segment(image)[0],
        decision.preprocessing,
        patients=patients,
        folder=folder,
        thresholds=(decision.mask_threshold,),
        min_component_ml=decision.min_component_ml,
    )


def _summary(table: MaskTable) -> dict[str, Any]:
    found = table.native_summary([0] * len(table.patients))
    return {
        name: found[name]
        for name in ("dice_mean", "dice_worst", "volume_error_median", "false_ml_mean")
    }


def _predictions(
    way: Way, decision: Decision, studies: Sequence[Study], progress: Progress | None
) -> Predictions:
    """Logits of every slice on which this way finds blood, as triage classifies them."""
    least = MIN_BLOOD_MM2 / decision.preprocessing.pixel_mm**2
    names = list(dict.fromkeys(study.patient_id for study in studies))
    logits, labels, owner, truth = [], [], [], []
    areas, numbers = [], []
    for number, study in enumerate(studies):
        truth.append(study.patient_markers)
        rows = zip(study.image, study.slice_markers, study.slice_index, strict=True)
        for image, label, index in rows:
            plain = image.astype(np.float32)
            probabilities, features = way.segment(plain)
            mask = probabilities >= decision.mask_threshold
            if np.count_nonzero(mask) < least:
                continue
            crop, _ = crop_around(plain, mask, decision.crop_size)
            logits.append(way.classify(crop, features)[0])
            labels.append(label)
            owner.append(number)
            areas.append(np.count_nonzero(mask))
            numbers.append(index)
        if progress:
            progress("markers", number + 1, len(studies))
    shape = (len(owner), len(MARKER_CODES))
    return Predictions(
        np.array(logits, np.float64).reshape(shape),
        np.array(labels, np.int8).reshape(shape),
        np.array(owner, np.int64),
        np.stack(truth),
        np.array([names.index(study.patient_id) for study in studies], np.int64),
        np.array(areas, np.float64),
        np.array(numbers, np.int64),
    )


def _drop(
    trained: NDArray[np.float64],
    exported: NDArray[np.float64],
    labels: NDArray[np.int8],
    cluster: NDArray[np.int64],
) -> Estimate:
    """Trained minus exported AUC, both on the same patients in every draw."""
    weights = cluster_draws(cluster, draws=BOOTSTRAP, seed=SEED)
    before, after = (weighted_auc(logits, labels, weights) for logits in (trained, exported))
    return from_draws(before - after)


def bundle_files(folder: Path, manifest: ModelManifest) -> dict[str, int]:
    """Bytes of every file of a bundle."""
    names = [*(file.file for file in manifest.files), MANIFEST_NAME, SIGNATURE_NAME]
    return {name: (folder / name).stat().st_size for name in names if (folder / name).is_file()}


def bundle_programs(folder: Path, manifest: ModelManifest) -> dict[str, MethodFacts]:
    """Coverage and memory plan of both programs, read from the files."""
    specs = {"segmenter": manifest.segmenter, "classifier": manifest.classifier}
    return {name: read_program((folder / s.file).read_bytes())[0] for name, s in specs.items()}


def validation_record(
    folder: Path,
    models: Models,
    recipe: Recipe,
    *,
    parity: Parity,
    masks: dict[str, Any] | None,
    markers: dict[str, Any] | None,
) -> tuple[dict[str, Any], list[Gate]]:
    """Put everything together and hold it against the recipe.

    Args:
        folder: the bundle.
        models: its programs.
        recipe: its gates.
        parity: from `measure_parity`.
        masks: from `validate_masks`, if there were reference masks.
        markers: from `validate_markers`, if there were labelled studies.
    Returns:
        JSON values, and the gates.
    """
    manifest = models.manifest
    files, programs = bundle_files(folder, manifest), bundle_programs(folder, manifest)
    gates = [
        *program_gates(programs, sum(files.values()), recipe),
        *parity_gates(parity, recipe),
        *accuracy_gates(masks, markers, recipe),
    ]
    record = {
        "recipe": recipe.name,
        "segmenter_sha256": manifest.segmenter.sha256,
        "classifier_sha256": manifest.classifier.sha256,
        "passed": all(gate.passed for gate in gates),
        "gates": [gate.to_json() for gate in gates],
        "files": files,
        "programs": {name: facts.to_json() for name, facts in programs.items()},
        "parity": parity.to_json(),
        "masks": masks,
        **(markers or {"patients": 0, "markers": {}}),
    }
    return record, gates

"""The classifier of all patients with what the folds decided, as weights and `decision.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.folds.markers import Scored
from benchmarks.folds.recipe import Arm, Place
from hemx_core import provenance
from hemx_core.errors import TrainingError
from hemx_core.markers import MARKER_CODES, ReadBy
from hemx_core.nn.weights import classifier_config, load_classifier, read_metadata, save_weights
from hemx_core.training.scoring.read_patients import write_validation
from hemx_core.training.stage2 import absorb_shift, decision

DRAWN = "resynthesised haematomas of held-out patients, five folds; calibration error at published prevalence"


def ship(place: Place, arm: Arm, scored: Scored, weights: Path) -> None:
    """Write classifier and decisions beside the segmenter's.

    Args:
        place: of the weights of all patients.
        arm: which classifier.
        scored: what the folds decided and reached.
        weights: folder with the segmenter's `decision.json`; other entries of it stay.
    Raises:
        TrainingError: the weights of all patients are not trained yet.
    """
    source = place.classifier(arm)
    if place.fold.number is not None or not source.is_file():
        raise TrainingError(
            f"no weights of all patients for {arm.name}",
            expected=f"{source.name} in {source.parent}",
            remedy="run `python -m benchmarks folds classifier all` first",
        )
    network = load_classifier(source)
    calibrations = list(scored.decision.calibrations)
    absorb_shift(network, calibrations)
    card = read_metadata(source)[1]
    save_weights(
        weights / "classifier.safetensors",
        network,
        config=classifier_config(network),
        training=card,
    )
    decided = decision(calibrations, scored.decision.choice.ways, arm.training)
    file = weights / "decision.json"
    provenance.merge_json(file, decided | {"accuracy": {"markers": accuracy(scored)}})
    write_validation(file, scored.read, read_by=ReadBy.VISION_MODEL)


def accuracy(scored: Scored) -> dict[str, Any]:
    """For the manifest: what the markers of drawn studies are told by, per code."""
    found: dict[str, Any] = {}
    for code in MARKER_CODES:
        scores = scored.drawn[code]
        found[code] = {
            "patient_auc": scores["auc"]["value"],
            "patient_auc_95": scores["auc"]["interval"],
            **{
                name: scores[name]["value"]
                for name in ("sensitivity", "specificity", "ece_equal_mass")
            },
            "patients": scores["studies"],
        }
    studies = sum(next(iter(found.values()))["patients"].values())
    return found | {"patients_classified": studies, "data": DRAWN}

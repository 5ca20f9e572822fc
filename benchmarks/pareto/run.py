"""`pareto`: train, export, score and measure every point; what is finished is not done again.

Scores have intervals over patients, and paired differences from the shipped point's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.harness.jobs import Finished, Runner
from benchmarks.harness.networks import open_networks, segmenter_digest, weights_digest
from benchmarks.harness.programs import Written, measure_programs
from benchmarks.harness.settings import TINY_SIZE_NAME, Settings
from benchmarks.pareto import classifiers, segmenters
from benchmarks.pareto.material import Material, open_cohort
from benchmarks.pareto.plan import (
    ClassifierPoint,
    Plan,
    SegmenterPoint,
    shipped_classifier,
    shipped_segmenter,
)
from benchmarks.pareto.report import subject_report, write_report
from export.networks import Networks
from export.recipes import Recipe, find_recipe
from hemx_core import provenance
from hemx_core.data.study import StudySource
from hemx_core.markers import MARKER_CODES
from hemx_core.records import Json
from hemx_core.training.scoring.intervals import cluster_draws, from_draws, patient_draws
from hemx_core.training.scoring.predictions import Array, Predictions
from hemx_core.training.scoring.weighted import weighted_auc, weighted_mean

Arrays = Mapping[str, NDArray[Any]]
DRAW_SEED = 2026


def marker_aucs(truth: Arrays, logits: Array, *, draws: int) -> Array:
    """AUC of each marker per study under every draw of patients.

    Args:
        truth: `labels`, `patient`, `patient_labels`, `cluster`, see `Predictions`.
        logits: shape (slices, markers); a study's logit is the largest of its slices.
        draws: of the bootstrap; the same for all points, so that they are compared in pairs.
    Returns:
        shape (markers, 1 + draws), the estimate first; NaN where not estimable.
    """
    names = ("labels", "patient", "patient_labels", "cluster")
    answers = Predictions(logits, *(truth[name] for name in names))
    weights = cluster_draws(answers.clusters, draws=draws, seed=DRAW_SEED)
    columns = range(answers.patient_labels.shape[1])
    return np.stack(
        [
            weighted_auc(answers.patient_logits[:, i], answers.patient_labels[:, i], weights)
            for i in columns
        ]
    )


def auc_scores(aucs: Array, shipped: Array | None) -> Json:
    """Mean AUC and each marker's, with intervals; differences where there is a shipped point.

    Args:
        aucs: from `marker_aucs`.
        shipped: the same of the shipped point.
    """
    scores = {
        "score": from_draws(aucs.mean(0)).to_json(),
        "markers": {
            code: from_draws(auc).to_json() for code, auc in zip(MARKER_CODES, aucs, strict=True)
        },
    }
    if shipped is not None:
        scores["against_shipped"] = from_draws(aucs.mean(0) - shipped.mean(0)).to_json()
    return scores


def mean_dice(dice: Array, *, draws: int) -> Array:
    """Mean Dice under every draw of patients, shape (1 + draws,); `dice` has one a patient."""
    return weighted_mean(dice, patient_draws(len(dice), draws=draws, seed=DRAW_SEED))


def dice_scores(means: Array, shipped: Array | None) -> Json:
    """Mean Dice with its interval, and the difference where there is a shipped point."""
    scores = {"score": from_draws(means).to_json()}
    if shipped is not None:
        scores["against_shipped"] = from_draws(means - shipped).to_json()
    return scores


Costs = dict[str, dict[str, Json]]
RECIPE = "tablet-int8"


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Every point trained, exported and scored.

    Args:
        networks: the shipped ones.
        recipe: that makes the shipped points of them.
        classifiers: points with their training and their program.
        segmenters: points with their program.
        shipped: answers of the shipped classifier's weights.
        store: file for the timed visits.
    """

    networks: Networks
    recipe: Recipe
    classifiers: list[tuple[ClassifierPoint, Finished, Finished]]
    segmenters: list[tuple[SegmenterPoint, Finished]]
    shipped: Finished
    store: Path

    def programs(self) -> dict[str, Written]:
        """What is timed, by the points' names."""
        jobs = [(point.name, job) for point, _trained, job in self.classifiers]
        jobs += [(point.name, job) for point, job in self.segmenters]
        return {
            name: Written(job.folder / classifiers.PROGRAM, job.values["sha256"])
            for name, job in jobs
        }


def measure_front(
    settings: Settings,
    plan: Plan,
    *,
    cohorts: Path = Path("runs"),
    training_threads: int = 2,
    workers: int = 1,
    measure: bool = True,
    source: StudySource | None = None,
) -> Json | None:
    """Everything from trainings to the three files in `settings.results`.

    Args:
        settings: weights, threads, rounds, calls and folders; the bundle is not used.
        plan: points and budget.
        cohorts: folder of the cohorts' folders.
        training_threads: of torch, for trainings and scores; times are measured with
            `settings.threads`.
        workers: processes that build a cohort.
        measure: time the programs and write the files; else stop once everything is trained,
            exported and scored.
        source: labelled studies, instead of those that `plan` names.
    Returns:
        What pareto.json holds; None without `measure`.
    Raises:
        TrainingError: the work folder holds a point of the same name with other settings.
        DatasetError: the cohort has no training or test slices with blood.
        DelegationError: an operator of a program falls out of the delegate.
    """
    torch.set_num_threads(training_threads)
    cv2.setNumThreads(training_threads)
    networks = open_networks(settings.weights, tiny=settings.tiny)
    cohort = source or open_cohort(
        networks, plan, cohorts, workers=workers, tiny=settings.tiny, progress=_teller(settings)
    )
    ready = prepare(settings, plan, networks, cohort)
    if not measure:
        return None
    costs = measure_programs(settings, ready.programs(), ready.store)
    _point, trained, _job = ready.classifiers[0]
    report = {
        "provenance": provenance.provenance(seed=plan.seed),
        "recipe": RECIPE,
        "budget": _budget(plan, [classifier for _, classifier, _ in ready.classifiers]),
        "data": _data(cohort, trained, ready.segmenters[0][1]),
        "rounds": settings.rounds,
        "calls": settings.calls,
        "shipped_weights": auc_scores(_aucs(ready.shipped, ready.shipped, plan), None),
        "subjects": {
            "classifier": _classifiers(ready, costs, plan),
            "segmenter": _segmenters(ready, costs, plan),
        },
    }
    write_report(report, settings.results)
    return report


def prepare(settings: Settings, plan: Plan, networks: Networks, cohort: StudySource) -> Prepared:
    """Train, export and score every point that is not finished; errors as `measure_front`."""
    tiny, tell = settings.tiny, settings.tell
    root = settings.work / TINY_SIZE_NAME if tiny else settings.work
    runner = Runner(root, resume=True, say=tell)
    recipe, key = find_recipe(RECIPE), segmenter_digest(settings.weights, tiny=tiny)
    material = Material(networks=networks, source=cohort, plan=plan, tiny=tiny, tell=tell)
    found = []
    for point in plan.classifiers():
        trained = classifiers.train(runner, material, point, key)
        found.append((point, trained, classifiers.export(runner, material, point, recipe)))
    own = shipped_classifier(networks, recipe)
    both = weights_digest(settings.weights, tiny=tiny)
    shipped = classifiers.shipped_answers(runner, material, own, both)
    masks = [
        (mask, segmenters.export(runner, networks, plan, mask, recipe, key=key, tiny=tiny))
        for mask in plan.segmenters()
    ]
    return Prepared(networks, recipe, found, masks, shipped, root / "rounds.jsonl")


def _classifiers(ready: Prepared, costs: Costs, plan: Plan) -> Json:
    shipped = shipped_classifier(ready.networks, ready.recipe).name
    aucs = {point.name: _aucs(trained, job, plan) for point, trained, job in ready.classifiers}
    entries = [
        {
            **point.to_json(),
            **_size(job),
            "parameters": trained.values["parameters"],
            "training_seconds": trained.values["training_seconds"],
            "logit_apart_max": float(abs(job.arrays["logits"] - trained.arrays["logits"]).max()),
            **auc_scores(aucs[point.name], aucs.get(shipped)),
        }
        for point, trained, job in ready.classifiers
    ]
    return subject_report(entries, costs, shipped=shipped, score="mean AUC")


def _segmenters(ready: Prepared, costs: Costs, plan: Plan) -> Json:
    shipped = shipped_segmenter(ready.networks, ready.recipe).name
    means = {
        point.name: mean_dice(job.arrays["dice"], draws=plan.draws)
        for point, job in ready.segmenters
    }
    entries = [
        {**point.to_json(), **_size(job), **dice_scores(means[point.name], means.get(shipped))}
        for point, job in ready.segmenters
    ]
    return subject_report(entries, costs, shipped=shipped, score="mean Dice")


def _aucs(truth: Finished, answers: Finished, plan: Plan) -> Array:
    return marker_aucs(truth.arrays, answers.arrays["logits"], draws=plan.draws)


def _budget(plan: Plan, trained: list[Finished]) -> Json:
    """What every training was given, and what all of them took."""
    once = {outcome.folder: outcome.values for outcome in trained}
    return {
        "steps": plan.steps,
        "batch": plan.batch,
        "peak_lr": plan.peak_lr,
        "seed": plan.seed,
        "trainings": len(once),
        "training_slices": trained[0].values["training_slices"],
        "precision": sorted({training["training_precision"] for training in once.values()}),
        "threads": sorted({training["training_threads"] for training in once.values()}),
        "minutes": round(sum(training["training_seconds"] for training in once.values()) / 60, 1),
    }


def _data(cohort: StudySource, trained: Finished, masks: Finished) -> Json:
    cluster = trained.arrays["cluster"]
    return {
        "cohort": dict(cohort.description),
        "test": {
            "studies": len(cluster),
            "patients": len(set(cluster.tolist())),
            "slices": len(trained.arrays["patient"]),
        },
        "masks": {"source": masks.values["source"], "studies": len(masks.arrays["dice"])},
    }


def _size(job: Finished) -> Json:
    return {"bytes": job.values["bytes"], "macs": job.values["macs"]}


def _teller(settings: Settings) -> Any:
    def progress(stage: str, done: int, total: int) -> None:
        if done == total or done % max(1, total // 10) == 0:
            settings.tell(f"{stage}: {done} of {total}")

    return progress

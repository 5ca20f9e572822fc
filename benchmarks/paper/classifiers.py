"""Jobs that train a (Wavelet) VGG16 on the frozen U-Net, and the tables of their AUCs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.jobs import Finished, Job, Outcome
from benchmarks.paper.experiments import Bench
from benchmarks.paper.report import Row, Section
from benchmarks.paper.stage2 import MASK_THRESHOLD, Scored, crops_alone, slices_of, with_synthetic
from benchmarks.paper.stats import Estimate, delong_test, difference, estimate
from hemx_core.markers import MARKER_CODES, MARKERS
from hemx_core.nn.config import Merge, WaveletVGGConfig
from hemx_core.training.classifier import fit_classifier, predict
from hemx_core.training.config import ClassifierTraining, Masking, View
from hemx_core.training.scoring.predictions import Array, Predictions
from hemx_core.training.scoring.weighted import weighted_auc

Level = Literal["slice", "patient"]
Kind = Literal["true", "predicted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierArm:
    """One arm of a classification experiment.

    Args:
        arm: its folder's name.
        title: in words.
        merge: `project` (or another) for Wavelet VGG16, `max` for VGG16.
        weighted, view, masking, encoder_features, targets: see `ClassifierTraining`.
        crops_only: train and score on crops round the true masks without their slices, as generated
            crops are.
        synthetic: generated crops to add, as a share of the real ones; needs `crops_only`.
        alike: as many generated crops of either class; else they even out the classes.
    """

    arm: str
    title: str
    merge: Merge = "project"
    weighted: bool = True
    view: View = "crop"
    masking: Masking = "none"
    encoder_features: bool = True
    targets: tuple[str, ...] = MARKER_CODES
    crops_only: bool = False
    synthetic: float = 0.0
    alike: bool = False


def run_arm(bench: Bench, arm: ClassifierArm, seed: int) -> Finished:
    """Train an arm and keep its logits of held-out slices, or take what was trained before."""
    config = training_config(bench, arm, seed)

    def work(folder: Path, resume: bool) -> Outcome:
        training, scored = (
            crops_alone(bench, config) if arm.crops_only else slices_of(bench, config)
        )
        if arm.synthetic:
            training = with_synthetic(
                bench, training, seed=seed, share=arm.synthetic, alike=arm.alike
            )
        network = fit_classifier(config, training, run_dir=folder, resume=resume)
        found = {kind: predict(network, rows) for kind, rows in scored.rows.items()}
        values = {
            "training_slices": len(training),
            "parameters": sum(p.numel() for p in network.trunk.parameters()),
        }
        return Outcome(values, _arrays(found, scored))

    parts = ["unet", "segment", "vgg", "classify", "whole" if arm.view == "slice" else "crop"]
    parts += ["fold"] if arm.masking == "out_of_fold" else []
    parts += ["gan" if arm.synthetic else "gan_crop"] if arm.crops_only else []
    settings = bench.settings(
        bench.cohort,
        seed,
        bench.scale.part(*parts),
        kind="classifier",
        segmenter_seed=bench.seeds[0],
        mask_threshold=MASK_THRESHOLD,
        merge=arm.merge,
        weighted=arm.weighted,
        view=arm.view,
        masking=arm.masking,
        encoder_features=arm.encoder_features,
        targets=arm.targets,
        crops_only=arm.crops_only,
        synthetic=arm.synthetic,
        **({"alike": True} if arm.alike else {}),
    )
    name = bench.name(bench.cohort, f"classifier-{arm.arm}", seed)
    return bench.run(Job(name=name, settings=settings, work=work))


def training_config(bench: Bench, arm: ClassifierArm, seed: int) -> ClassifierTraining:
    """Settings of an arm's training."""
    scale = bench.scale
    whole = arm.view == "slice"
    crop = scale.gan_crop if arm.crops_only else scale.crop
    return ClassifierTraining(
        steps=scale.classify_steps,
        batch=scale.whole_batch if whole else scale.classify_batch,
        peak_lr=scale.classify_lr,
        crop_size=scale.whole if whole else crop,
        weighted=arm.weighted,
        view=arm.view,
        masking=arm.masking,
        encoder_features=arm.encoder_features,
        targets=arm.targets,
        seed=seed,
        network=WaveletVGGConfig(width=scale.vgg_width, merge=arm.merge),
        augmentation=replace(ClassifierTraining().augmentation, shift_px=8.0 * scale.grid / 256),
        precision=scale.precision,
    )


def auc_of(
    bench: Bench, found: Finished, column: int, *, level: Level, kind: Kind = "true"
) -> Array:
    """AUC of one output under each draw of patients; shape (draws,), NaN where not estimable."""
    one = predictions(found, kind)
    patient = found.arrays["study_patient"]
    draws = bench.draws(int(patient.max()) + 1)
    if level == "slice":
        return weighted_auc(
            one.logits[:, column], one.labels[:, column], draws[:, patient[one.patient]]
        )
    return weighted_auc(
        one.patient_logits[:, column], one.patient_labels[:, column], draws[:, patient]
    )


def predictions(found: Finished, kind: Kind) -> Predictions:
    """What a job answered; the carrier's patients are our studies."""
    arrays = found.arrays
    names = (f"{kind}_logits", f"{kind}_labels", f"{kind}_study", "study_labels")
    return Predictions(*(arrays[name] for name in names))


def label_counts(found: Finished, targets: Sequence[str], kind: Kind = "true") -> str:
    """Scored slices and studies with and without each target, in words."""
    one = predictions(found, kind)

    def share(labels: NDArray[np.int8]) -> str:
        return f"{int((labels == 1).sum())} of {int((labels >= 0).sum())}"

    parts = [
        f"{target} {share(one.labels[:, i])} slices and {share(one.patient_labels[:, i])} studies"
        for i, target in enumerate(targets)
    ]
    patients = len(np.unique(found.arrays["study_patient"]))
    return f"Scored: {len(one.patient_labels)} studies of {patients} patients; {'; '.join(parts)}."


def _arrays(found: Mapping[str, Predictions], scored: Scored) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {"study_patient": scored.study_patient}
    for kind, outcomes in found.items():
        arrays |= {
            f"{kind}_logits": outcomes.logits,
            f"{kind}_labels": outcomes.labels,
            f"{kind}_study": outcomes.patient,
            "study_labels": outcomes.patient_labels,
        }
    return arrays


Runs = Mapping[str, Sequence[Finished]]
"""Finished jobs of each arm, one for each seed."""
Pair = tuple[str, str, str]
"""Two arms, and what the second minus the first is called."""

COLUMNS = [(marker.code, marker.name_en) for marker in MARKERS]
WORDS = {"slice": "per slice", "patient": "per study"}
DELONG = (
    "p: DeLong's test on the mean logits of the seeds, study by study (studies on one patient's slices "
    "are taken as independent there; the intervals do not)."
)


def auc_sections(
    bench: Bench,
    arms: Sequence[ClassifierArm],
    *,
    paper: Mapping[str, Mapping[str, float]],
    pairs: Sequence[Pair],
    note: str,
    kind: Kind = "true",
) -> list[Section]:
    """AUC of the four markers per slice and per study.

    Args:
        bench: runs the arms that are not finished.
        arms: in the order of the table.
        paper: its AUCs by arm and marker; they stand beside ours per slice.
        pairs: differences to show.
        note: on what was done.
        kind: slices scored, by true or by predicted mask.
    """
    runs = {arm.arm: [run_arm(bench, arm, seed) for seed in bench.seeds] for arm in arms}
    counts = label_counts(runs[arms[0].arm][0], MARKER_CODES, kind)
    found = []
    for level in ("slice", "patient"):
        rows = [
            Row(
                arm=arm.arm,
                title=arm.title,
                cells=cells(bench, runs[arm.arm], level, kind),
                paper=paper.get(arm.arm, {}) if level == "slice" else {},
            )
            for arm in arms
        ]
        words = (
            "A study's logit is the largest of its slices. " + DELONG
            if level == "patient"
            else "The paper does not say per what its AUCs are; they stand beside those per slice."
        )
        found.append(
            Section(
                title=f"AUC {WORDS[level]}: {bench.cohort.title}",
                note=f"{note} {counts} {words}",
                columns=COLUMNS,
                rows=rows,
                differences=[gain(bench, runs, pair, level, kind) for pair in pairs],
            )
        )
    return found


def cells(
    bench: Bench,
    runs: Sequence[Finished],
    level: Level,
    kind: Kind = "true",
    *,
    targets: Sequence[str] = MARKER_CODES,
) -> dict[str, Estimate]:
    """AUC of every target, mean over the seeds."""
    return {
        code: estimate([auc_of(bench, run, i, level=level, kind=kind) for run in runs])
        for i, code in enumerate(targets)
    }


def gain(
    bench: Bench,
    runs: Runs,
    pair: Pair,
    level: Level,
    kind: Kind = "true",
    *,
    targets: Sequence[str] = MARKER_CODES,
) -> Row:
    """Difference of two arms, paired by patient, seed and, per study, with DeLong's p."""
    first, second, title = pair
    found = {}
    for i, code in enumerate(targets):
        before, after = (
            [auc_of(bench, outcome, i, level=level, kind=kind) for outcome in runs[arm]]
            for arm in (first, second)
        )
        found[code] = difference(before, after)
        if level == "patient":
            found[code] = replace(found[code], p=delong_p(runs[first], runs[second], i, kind))
    return Row(arm=f"{second}-{first}", title=title, cells=found)


def delong_p(
    first: Sequence[Finished], second: Sequence[Finished], column: int, kind: Kind = "true"
) -> float | None:
    """p of DeLong's test between two arms' mean logits of each study; None where it has none."""
    before, after = (
        np.mean([predictions(run, kind).patient_logits[:, column] for run in runs], 0)
        for runs in (first, second)
    )
    labels = predictions(first[0], kind).patient_labels[:, column]
    found = delong_test(before, after, labels)
    return found.p_value if found else None

"""Jobs that train a (Wavelet) VGG16 on the frozen U-Net, and the AUCs of what they answer.

Stage 1 is one U-Net, that of the first seed, so all arms and seeds are scored on the same slices. A
study is scored by itself (a patient of the cohort may carry several lesions, one a study); the
bootstrap draws patients with all their studies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.paper.bench import Bench
from benchmarks.paper.jobs import Finished, Job, Outcome
from benchmarks.paper.stage2_slices import (
    MASK_THRESHOLD,
    Scored,
    crops_alone,
    slices_of,
    with_synthetic,
)
from hemx_core.evaluation.predictions import Array, Predictions
from hemx_core.evaluation.weighted import weighted_auc
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.wavelet_vgg import Merge, WaveletVGGConfig
from hemx_core.training.classifier import fit_classifier, predict
from hemx_core.training.classifier_config import ClassifierTraining, Masking, View

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
    for kind, one in found.items():
        arrays |= {
            f"{kind}_logits": one.logits,
            f"{kind}_labels": one.labels,
            f"{kind}_study": one.patient,
            "study_labels": one.patient_labels,
        }
    return arrays

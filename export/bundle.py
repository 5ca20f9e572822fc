"""Write both programs and their manifest, if every gate is passed.

Temperatures and thresholds can be updated without exporting the graphs again (`hemx dev evaluate markers
--recalibrate` fits them on more studies): the programs compute logits, which do not change. The
effect of int8 on probabilities does: parity is measured again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import hemx_core
from export.calibration import calibration_crops, ordinary_slices
from export.folding.twins import fold_classifier, fold_unet
from export.lower import lower
from export.networks import Networks, check_recipe, load_networks
from export.quantize import quantize
from export.recipes import Precision, Recipe
from export.reference import write_reference
from export.samples import Samples
from export.sign import SigningKey, local_key, sign_bundle
from export.verify import Parity, check_parity, measure_parity
from hemx_core.bundle.load import load_models
from hemx_core.bundle.signature import SIGNATURE_NAME
from hemx_core.errors import ManifestError
from hemx_core.files import draft_folder, publish_files
from hemx_core.manifest import MANIFEST_NAME, ModelManifest, ProgramSpec, TensorSpec, read_manifest
from hemx_core.markers import MARKER_CODES

SEGMENTER_FILE = "segmenter.pte"
CLASSIFIER_FILE = "classifier.pte"
IMAGE_AXES = "batch, channel, row, column"
Inputs = tuple[Tensor, ...]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Program:
    """A lowered program before it is written: its bytes, and its specification without a file."""

    pte: bytes
    spec: ProgramSpec


def export_bundle(
    networks: Networks,
    recipe: Recipe,
    *,
    calibration: Sequence[NDArray[np.float32]],
    parity: Samples,
    out: Path,
    key: SigningKey | None = None,
    tell: Tell = lambda message: None,
) -> ModelManifest:
    """Fold, quantize, lower, verify and write a bundle.

    Args:
        networks: the trained networks and their decision rules.
        recipe: precisions and gates.
        calibration: prepared slices, each (size, size), float32; unused where all is float32.
        parity: slices of other patients to verify with.
        out: folder of the bundle; files of other names in it are left alone.
        key: signs the bundle; by default the key of this computer, made at first use.
        tell: told what is being done.
    Returns:
        The manifest as written.
    Raises:
        ExportError: a part of the export failed or a gate was missed; `out` is as it was then.
    """
    check_recipe(networks, recipe)
    # Before minutes of work, not after: there may be no place for a key.
    key = key or local_key()
    calibration = ordinary_slices(networks.segmenter, calibration)
    tell(f"folding and lowering the segmenter, {len(calibration)} slices to calibrate")
    segmenter = build_segmenter(networks, recipe, calibration)
    tell("folding and lowering the classifier")
    classifier = build_classifier(networks, recipe, calibration)
    with draft_folder(out) as folder:
        manifest = write_draft(folder, networks, recipe, segmenter, classifier)
        tell(f"verifying on {len(parity)} slices: {parity.source}")
        # A draft has no signature: it gets one when it has passed.
        with load_models(folder, allow_unsigned=True) as models:
            measured = measure_parity(networks, models, parity)
            check_parity(measured, recipe)
            tell("recording reference outputs for the self-test")
            manifest = write_reference(folder, models, manifest)
        manifest = replace(manifest, parity=measured.to_json())
        manifest.save(folder)
        sign_bundle(folder, key)
        publish(folder, out)
    return manifest


def build_segmenter(
    networks: Networks, recipe: Recipe, calibration: Sequence[NDArray[np.float32]]
) -> Program:
    """The segmenter's program."""
    size, batch = networks.decision.preprocessing.size, recipe.slices_a_call
    twin = fold_unet(networks.segmenter)
    inputs = [(torch.from_numpy(image)[None, None],) for image in calibration]
    example = (torch.zeros(batch, 1, size, size),)
    pte = _program(twin, recipe.segmenter, example, inputs, recipe.segmenter_float)
    features = TensorSpec("features", (batch, twin.feature_channels), "float32", "batch, channel")
    image = TensorSpec("image", (batch, 1, size, size), "float32", IMAGE_AXES)
    return Program(
        pte, _spec(SEGMENTER_FILE, pte, (image,), (replace(image, name="probabilities"), features))
    )


def build_classifier(
    networks: Networks, recipe: Recipe, calibration: Sequence[NDArray[np.float32]]
) -> Program:
    """The classifier's program, calibrated on crops where the trained segmenter sees blood."""
    precision = recipe.classifier
    size, channels = networks.decision.crop_size, networks.segmenter.feature_channels
    twin = fold_classifier(networks.classifier)
    example = (torch.zeros(1, 1, size, size), torch.zeros(1, channels))
    crops = [] if precision is Precision.FLOAT32 else calibration_crops(networks, calibration)
    pte = _program(twin, precision, example, crops, recipe.classifier_float)
    crop = TensorSpec("crop", (1, 1, size, size), "float32", IMAGE_AXES)
    features = TensorSpec("features", (1, channels), "float32", "batch, channel")
    logits = TensorSpec("logits", (1, len(MARKER_CODES)), "float32", "batch, marker")
    coarse = twin(*example)[1].shape
    cam = TensorSpec("cam", tuple(coarse), "float32", "batch, marker, row, column")
    return Program(pte, _spec(CLASSIFIER_FILE, pte, (crop, features), (logits, cam)))


def write_draft(
    folder: Path, networks: Networks, recipe: Recipe, segmenter: Program, classifier: Program
) -> ModelManifest:
    """Write both programs and a manifest without parity into a folder."""
    for program in (segmenter, classifier):
        (folder / program.spec.file).write_bytes(program.pte)
    decision = networks.decision
    manifest = ModelManifest(
        recipe=recipe.name,
        executorch=importlib.metadata.version("executorch"),
        preprocessing=decision.preprocessing,
        segmenter=segmenter.spec,
        classifier=classifier.spec,
        crop_size=decision.crop_size,
        mask_threshold=decision.mask_threshold,
        min_component_ml=decision.min_component_ml,
        markers=decision.markers,
        training=networks.training,
        accuracy=decision.accuracy,
        hemx=hemx_core.__version__,
        volume_interval=decision.volume_interval,
        growth_interval=decision.growth_interval,
    )
    manifest.save(folder)
    return manifest


def publish(draft: Path, out: Path) -> None:
    """Move a verified bundle into place.

    The old manifest goes first and the new one comes last: whenever this is interrupted, `out`
    holds the old bundle, no bundle, or the new one, never a mixture that loads.
    """
    files = [file.file for file in ModelManifest.from_bytes(read_manifest(draft)).files]
    (out / MANIFEST_NAME).unlink(missing_ok=True)
    publish_files(draft, out, (*files, SIGNATURE_NAME, MANIFEST_NAME))


def summary(manifest: ModelManifest) -> list[tuple[str, str]]:
    """Names and values for the summary of a bundle."""
    parity = Parity(**manifest.parity)
    return [
        ("recipe", manifest.recipe),
        *((file.file, f"{file.bytes / 2**20:.1f} MiB") for file in manifest.files),
        ("parity slices", f"{parity.slices} ({parity.source})"),
        ("mask Dice", f"{parity.mask_dice:.4f}, worst slice {parity.worst_slice_dice:.4f}"),
        (
            "marker probability",
            f"{parity.marker_p95:.4f} apart (p95), at most {parity.marker_max:.4f}",
        ),
    ]


def _program(
    twin: nn.Module,
    precision: Precision,
    example: Inputs,
    calibration: list[Inputs],
    float_modules: tuple[str, ...],
) -> bytes:
    graph: nn.Module = twin
    if precision is Precision.INT8:
        graph = quantize(twin, calibration, float_modules, batch=len(example[0]))
    return lower(graph, example).pte


def _spec(
    file: str, pte: bytes, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]
) -> ProgramSpec:
    return ProgramSpec(file, hashlib.sha256(pte).hexdigest(), len(pte), inputs, outputs)


def recalibrate_bundle(
    folder: Path, weights: Path, key: SigningKey, *, recipe: Recipe, parity: Samples
) -> ModelManifest:
    """Replace the manifest's markers, accuracy and intervals by those of `decision.json`, verify and sign.

    Args:
        folder: the bundle; whole before and after, or left without a manifest where this is interrupted.
        weights: folder of the weight files that the bundle was exported from.
        key: signs the new manifest.
        recipe: the bundle's; its parity gates must be passed at the new temperatures.
        parity: slices to verify with, as the export takes them.
    Returns:
        The new manifest.
    Raises:
        ManifestError: the bundle was exported from other weights or other decisions, or is malformed.
        IntegrityError: a file differs from the manifest.
        ParityError: a gate is missed; the bundle is as it was.
    """
    manifest = ModelManifest.load(folder)
    networks = load_networks(weights)
    decision = networks.decision
    same = ("preprocessing", "mask_threshold", "min_component_ml", "crop_size")
    if manifest.training != networks.training or any(
        getattr(manifest, name) != getattr(decision, name) for name in same
    ):
        raise ManifestError(
            f"a bundle that was not exported from the weights in {weights.name}",
            expected="the same training cards, preprocessing, mask settings and crop size",
            remedy="export the bundle again",
        )
    names = ("markers", "accuracy", "volume_interval", "growth_interval")
    found = replace(manifest, **{name: getattr(decision, name) for name in names})
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".recalibrate-") as name:
        draft = Path(name)
        for spec in manifest.files:
            shutil.copyfile(folder / spec.file, draft / spec.file)
        found.save(draft)
        with load_models(draft, allow_unsigned=True) as models:
            measured = measure_parity(networks, models, parity)
        check_parity(measured, recipe)
        found = replace(found, parity=measured.to_json())
        found.save(draft)
        sign_bundle(draft, key)
        publish(draft, folder)
    return found

"""A bundle's temperatures and thresholds anew, without exporting its graphs again.

`hemx evaluate markers --recalibrate` fits them on more studies and keeps them beside the weights; the
programs compute logits, which do not change. What int8 does to a probability does: parity is measured anew.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from export.bundle import publish
from export.networks import load_networks
from export.recipes import Recipe
from export.samples import Samples
from export.sign import SigningKey, sign_bundle
from export.verify import check_parity, measure_parity
from hemx_core.errors import ManifestError
from hemx_core.manifest import ModelManifest
from hemx_core.runtime.bundle import load_models


def recalibrate_bundle(
    folder: Path, weights: Path, key: SigningKey, *, recipe: Recipe, parity: Samples
) -> ModelManifest:
    """Replace the manifest's markers and accuracy by those of `decision.json`, verify and sign.

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
    found = replace(manifest, markers=decision.markers, accuracy=decision.accuracy)
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

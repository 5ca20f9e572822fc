"""A bundle's temperatures and thresholds anew, without exporting its graphs again.

`hemx evaluate markers --recalibrate` fits them on more studies and keeps them beside the weights; the
programs compute logits, which do not change.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from export.bundle import publish
from export.networks import load_networks
from export.sign import SigningKey, sign_bundle
from hemx_core.errors import ManifestError
from hemx_core.manifest import ModelManifest


def recalibrate_bundle(folder: Path, weights: Path, key: SigningKey) -> ModelManifest:
    """Replace the manifest's markers and accuracy by those of `decision.json`, and sign.

    The manifest's parity stays that of the export, at its temperatures; `hemx validate` measures it anew.

    Args:
        folder: the bundle; whole before and after, or left without a manifest where this is interrupted.
        weights: folder of the weight files that the bundle was exported from.
        key: signs the new manifest.
    Returns:
        The new manifest.
    Raises:
        ManifestError: the bundle was exported from other weights or other decisions, or is malformed.
        IntegrityError: a file differs from the manifest.
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
        sign_bundle(draft, key)
        publish(draft, folder)
    return found

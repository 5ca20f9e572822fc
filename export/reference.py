"""The reference inputs and outputs that a bundle carries, for the self-test on every device."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemx_core.bundle.load import Models
from hemx_core.bundle.self_test import REFERENCE_NAME, record_references, run_self_test
from hemx_core.imaging.prepare import prepare
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.manifest import FileSpec, ModelManifest
from hemx_core.markers import MARKER_CODES
from hemx_core.phantoms import make_phantom, random_spec

HEADS = ((21, ("hypodensity", "irregular")), (22, ("blend", "fluid_level")))
"""Seed and markers of each phantom: between them every marker once."""
VOLUME_ML = 28.0
MATRIX = 256


def reference_images(spec: PreprocessingSpec) -> list[NDArray[np.float32]]:
    """Prepared slices of phantoms: the largest haematoma of each head, an edge of one, and one without blood.

    Phantoms always: what ships in a bundle shows no patient.

    Args:
        spec: how the segmenter's slices are prepared.
    Returns:
        Slices, each (size, size), float32, [0, 1].
    """
    chosen: list[NDArray[np.float32]] = []
    for seed, markers in HEADS:
        drawn = random_spec(
            np.random.default_rng([seed, 0]),
            matrix=MATRIX,
            markers={code: code in markers for code in MARKER_CODES},
            location="putamen",
            volume_ml=VOLUME_ML,
        )
        phantom = make_phantom(drawn)
        images = [image.image for image in prepare(phantom.volume, spec)]
        areas = phantom.mask.sum(axis=(1, 2))
        chosen.append(images[int(areas.argmax())])
    bloody = np.flatnonzero(areas)
    brain = [
        int(np.count_nonzero(image)) if area == 0 else -1
        for image, area in zip(images, areas, strict=True)
    ]
    return [*chosen, images[int(bloody[0])], images[int(np.argmax(brain))]]


def write_reference(folder: Path, models: Models, manifest: ModelManifest) -> ModelManifest:
    """Write what the programs make of the reference slices, and hold them to it once.

    Args:
        folder: the draft of the bundle.
        models: its loaded programs.
        manifest: the draft's manifest.
    Returns:
        The manifest with the file in it; it is not saved.
    Raises:
        SelfTestError: the programs do not repeat their own outputs, or these are not finite.
    """
    content = record_references(models, reference_images(manifest.preprocessing)).to_bytes()
    (folder / REFERENCE_NAME).write_bytes(content)
    file = FileSpec(REFERENCE_NAME, hashlib.sha256(content).hexdigest(), len(content))
    manifest = replace(manifest, reference=file)
    run_self_test(replace(models, folder=folder, manifest=manifest)).require()
    return manifest

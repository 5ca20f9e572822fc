"""Fixtures that several parts share because they are slow to make."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before torch is imported: on matrices as small as the tests', threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A configuration folder of the tests' own: keys made in tests stay out of the user's."""
    folder = tmp_path_factory.mktemp("configuration")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEMX_CONFIG", str(folder))
        yield folder


@pytest.fixture(scope="session")
def exported_bundle(tmp_path_factory: pytest.TempPathFactory, configuration: Path) -> Path:
    """A real float32 bundle of tiny untrained networks, a grid of 64 and crops of 32 pixels."""
    from export.bundle import export_bundle
    from export.recipes import Precision, Recipe
    from tests.export.networks import random_samples, tiny_networks

    folder = tmp_path_factory.mktemp("bundle")
    recipe = Recipe(
        name="tiny-fp32", size=64, segmenter=Precision.FLOAT32, classifier=Precision.FLOAT32
    )
    export_bundle(tiny_networks(), recipe, calibration=[], parity=random_samples(3), out=folder)
    return folder

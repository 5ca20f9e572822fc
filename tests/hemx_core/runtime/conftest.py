"""What tests of several runtimes share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hemx_core.manifest import ModelManifest, ProgramSpec
from hemx_core.runtime.process import ProcessBackend


@pytest.fixture
def exported(exported_bundle: Path) -> tuple[Path, ProgramSpec]:
    """A narrow classifier as a program: two inputs, two outputs."""
    spec = ModelManifest.load(exported_bundle).classifier
    return exported_bundle / spec.file, spec


@pytest.fixture
def backend() -> Iterator[ProcessBackend]:
    """A process of the test's own."""
    one = ProcessBackend(threads=1)
    yield one
    one.close()

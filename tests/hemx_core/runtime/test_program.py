from __future__ import annotations

from pathlib import Path

import pytest

from hemx_core.manifest import ProgramSpec
from hemx_core.runtime.program import Backend
from tests.factories import FakeBackend, write_fake_bundle
from tests.hemx_core.runtime.contract import ProgramContract


class TestFakeBackend(ProgramContract):
    """The fake that other tests stand on keeps the contract too."""

    @pytest.fixture
    def backend(self) -> Backend:
        return FakeBackend()

    @pytest.fixture
    def program_file(self, tmp_path: Path) -> tuple[Path, ProgramSpec]:
        spec = write_fake_bundle(tmp_path, size=64).segmenter
        return tmp_path / spec.file, spec

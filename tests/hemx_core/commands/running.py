"""Running `hemx` as a shell does, on studies and models that are made in memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import hemx_core
from hemx_core import api
from hemx_core.commands.main import main
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from tests.factories import ThresholdModels, simple_head


def run(*arguments: object) -> int:
    """Exit code of `hemx` with these arguments."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["hemx", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_info:
            main()
    return int(exit_info.value.code or 0)


class Asked:
    """A head in memory and fake models; keeps what was asked of reader and bundle.

    Args:
        clot_mm: radius of the head's clot; that of a study named "later" is 4 mm larger.
        second_patient: patient ID of a study named "later".
    """

    def __init__(self, clot_mm: float = 14.0, second_patient: str = "ID-4711") -> None:
        self.clot_mm = clot_mm
        self.second_patient = second_patient
        self.paths: list[Path] = []
        self.series: str | None = None
        self.bundles: list[tuple[Path | None, bool]] = []

    def read_series(
        self, path: Path, *, series: str | None = None, progress: object = None
    ) -> HUVolume:
        """Stands in for the reader."""
        self.paths.append(path)
        self.series = series
        later = path.name == "later"
        identity = SeriesIdentity(
            patient_id=self.second_patient if later else "ID-4711",
            series_description="Head",
            series_uid=path.name,
        )
        return simple_head(clot_mm=self.clot_mm + 4 * later, identity=identity)

    def load_models(
        self, folder: Path | None = None, *, threads: int | None, allow_unsigned: bool
    ) -> ThresholdModels:
        """Stands in for the loading of a bundle."""
        self.bundles.append((folder, allow_unsigned))
        return ThresholdModels()


def fake(patch: pytest.MonkeyPatch) -> Asked:
    """Put the stand-ins in place."""
    asked = Asked()
    patch.setattr(api, "read_series", asked.read_series)
    patch.setattr(hemx_core, "load_models", asked.load_models)
    return asked

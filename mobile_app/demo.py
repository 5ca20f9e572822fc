"""The phantom study of `hemx app --demo`, and the work that triages it or a study in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hemx_core.imaging.volume import HUVolume
from hemx_core.markers import MARKER_CODES
from hemx_core.result import SliceUpdate, TriageResult
from hemx_core.triage import TriageModels, triage_volume
from mobile_app.jobs import Report

Part = HUVolume | SliceUpdate


def phantom_volume(seed: int = 7) -> HUVolume:
    """The same head every time: 28 mL in the putamen, inhomogeneous and irregular."""
    import numpy as np

    from hemx_core.phantom import make_phantom, random_spec

    spec = random_spec(
        np.random.default_rng([seed, 0]),
        lesion_probability=1.0,
        markers={code: code in ("hypodensity", "irregular") for code in MARKER_CODES},
        location="putamen",
        volume_ml=28.0,
    )
    return make_phantom(spec).volume


def read_volume(path: Path, report: Report[Part]) -> HUVolume:
    """Read a DICOM series; see `read_series`."""
    from hemx_core.imaging.reader import read_series

    return read_series(path, progress=report.progress)


def bundle_models() -> TriageModels:
    """The shipped bundle on the device's runtime."""
    from hemx_core.runtime.bundle import load_models

    return load_models()


def triage_work(
    study: Path | None, models: Callable[[], TriageModels]
) -> Callable[[Report[Part]], TriageResult]:
    """Work for `Jobs.run`: hands over the volume, then its slices; returns the result.

    Args:
        study: a series; None makes the phantom.
        models: loads the models, in the job's thread.
    """

    def work(report: Report[Part]) -> TriageResult:
        report.progress("making", 0, 1)
        volume = phantom_volume() if study is None else read_volume(study, report)
        report.result(volume)
        report.progress("loading", 0, 1)
        loaded = models()
        try:
            return triage_volume(volume, loaded, progress=report.progress, on_slice=report.result)
        finally:
            getattr(loaded, "close", lambda: None)()

    return work

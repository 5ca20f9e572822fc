"""The synthetic patient of `hemx app --demo`: two studies, six hours apart, written as DICOM.

They go the way of every study: through the files, the import and the store, in a temporary folder that is
deleted when the app closes. Demo data never lies among a clinic's studies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hemx_core.markers import MARKER_CODES

if TYPE_CHECKING:
    from hemx_core.imaging.volume import HUVolume
    from mobile_app.store import Store, Study
    from mobile_app.work.jobs import Report

PATIENT_NAME = "Demo^Hanako=デモ^花子"
PATIENT_ID = "DEMO-001"
VOLUMES_ML = {datetime(2026, 11, 24, 8, 15): 18.0, datetime(2026, 11, 24, 14, 20): 28.0}
"""When each study was acquired, and how much blood it shows."""


def phantom_volume(volume_ml: float = 28.0, seed: int = 7) -> HUVolume:
    """The same head every time: blood in the putamen, inhomogeneous and irregular."""
    import numpy as np

    from hemx_core.phantoms import make_phantom, random_spec

    spec = random_spec(
        np.random.default_rng([seed, 0]),
        lesion_probability=1.0,
        markers={code: code in ("hypodensity", "irregular") for code in MARKER_CODES},
        location="putamen",
        volume_ml=volume_ml,
    )
    return make_phantom(spec).volume


def demo_volume(acquired_at: datetime, volume_ml: float) -> HUVolume:
    """The phantom as a study of the demo's patient."""
    from hemx_core.phantoms.dicom import make_uids

    volume = phantom_volume(volume_ml)
    identity = replace(
        make_uids(len(volume.hu), "demo", f"{volume_ml:g}"),
        patient_name=PATIENT_NAME,
        patient_id=PATIENT_ID,
        series_description="Head 5 mm, synthetic",
        acquired_at=acquired_at,
        site="Demo",
    )
    return replace(volume, identity=identity)


def import_demo(store: Store) -> Callable[[Report[Any]], Study]:
    """Work that makes the studies and imports them; returns the later one, to be opened."""

    def work(report: Report[Any]) -> Study:
        from hemx_core.phantoms.dicom import write_dicom_series
        from mobile_app.work.library import import_series

        for done, (acquired_at, volume_ml) in enumerate(VOLUMES_ML.items()):
            report.progress("making", done, len(VOLUMES_ML))
            with TemporaryDirectory(prefix="hemx-demo-") as folder:
                write_dicom_series(demo_volume(acquired_at, volume_ml), Path(folder) / "series")
                study = import_series(store, Path(folder))(report)
        return study

    return work

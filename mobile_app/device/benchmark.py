"""The benchmark of the device screen: runs it, keeps its last record, and judges it; no Kivy.

The same record and budget as `python -m benchmarks` (docs/benchmark_format.md), so a tablet's file stands in
the same tables. The runtime is loaded once before memory is measured: its libraries are the app's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hemx_core import provenance
from hemx_core.bundle.load import Models
from hemx_core.device.budget import Budget, load_budgets
from hemx_core.profile import ProfileOptions, profile_study
from hemx_core.records import Json
from mobile_app.store import Store
from mobile_app.work.jobs import Report

ASSETS = Path(__file__).parents[1] / "assets"
BUILD = ASSETS / "build.json"
"""What the app was built from; written where the Android app is staged, absent in a checkout."""

LAST = "benchmark"
"""Setting: the last record."""
DEVICE_CLASS = "device_class"
RUNS = 3


def benchmark_work(
    store: Store, load: Callable[[], Models], *, options: ProfileOptions
) -> Callable[[Report[Any]], Json]:
    """Work for `jobs`: the record, which is kept as the last one.

    Args:
        store: keeps the record.
        load: loads a bundle anew; the benchmark closes what it gives.
        options: see `ProfileOptions`.
    Raises (in the job):
        HemxError: what loading, the self-test or triage raise.
    """

    def work(report: Report[Any]) -> Json:
        with load() as models:
            process = models.process_id
        record = profile_study(load, options=options, progress=report.progress, process=process)
        store.settings.set(LAST, record)
        return record

    return work


def app_options(threads: int) -> ProfileOptions:
    """What the app measures: the budget's study, three times."""
    slices = next(iter(budgets().values())).slices
    return ProfileOptions(
        slices=slices, runs=RUNS, threads=threads, source="app", commit=build_commit()
    )


def last_record(store: Store) -> Json | None:
    """The last record; None where there is none of this format."""
    from hemx_core.device.record import FORMAT, FORMAT_VERSION

    record = store.settings.get(LAST)
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        return None
    return record if record.get("format_version") == FORMAT_VERSION else None


def budgets() -> dict[str, Budget]:
    """The budgets that the app carries.

    Raises:
        BenchmarkError: the file is damaged.
    """
    return load_budgets()


def device_class(store: Store) -> str:
    """The class that was chosen last; a tablet at first."""
    chosen = store.settings.get(DEVICE_CLASS)
    return chosen if chosen in budgets() else "tablet"


def set_device_class(store: Store, name: str) -> None:
    """Keep the class."""
    store.settings.set(DEVICE_CLASS, name)


def build_commit() -> str:
    """The commit that the app was built from; empty where nothing tells."""
    try:
        return str(json.loads(BUILD.read_text(encoding="utf-8"))["commit"])
    except (OSError, ValueError, KeyError, TypeError):
        return provenance.commit()

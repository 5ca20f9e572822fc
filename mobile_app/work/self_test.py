"""When the device's self-test is due, what its result covers, and what needs it; no Kivy.

ensure_self_test(store, models) -> report      runs it where it is due; raises where triage must be refused
last_self_test(store)           -> what is known, for the device screen
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from hemx_core import __version__
from hemx_core.bundle.load import LOCAL_KEY, UNSIGNED, Models
from hemx_core.bundle.self_test import OnSlice, SelfTestReport, run_self_test
from hemx_core.device.machine import on_android, system_identity
from hemx_core.records import RecordError, from_values, to_values
from mobile_app.store import Store

SELF_TEST = "self_test"
"""Setting: a `KnownSelfTest`."""

NO_REFERENCES = "these models bring no reference outputs: they cannot be tested on this device"


@dataclass(frozen=True, slots=True)
class KnownSelfTest:
    """The last self-test.

    Args:
        report: its answer.
        at: when, UTC.
        of: what it holds for; see `tested_of`.
    """

    report: SelfTestReport
    at: datetime
    of: dict[str, str]


def ensure_self_test(
    store: Store,
    models: Models,
    *,
    again: bool = False,
    on_slice: OnSlice | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> SelfTestReport:
    """Answer whether these models may triage here; call it in a job.

    A test that passed holds until the bundle, the app, the runtime, the device or its system changes; one
    that failed is made again every time.

    Args:
        store: keeps the answer.
        models: the loaded bundle.
        again: test although an earlier test holds.
        on_slice: told after each reference slice.
        now: the clock.
    Returns:
        A report that passed; or, of a developer's bundle without references, one of nothing tested.
    Raises:
        SelfTestError: the models compute something else here, or must be tested and cannot be.
        IntegrityError: the references are missing or differ from the manifest.
        BackendError: a program failed.
    """
    of = tested_of(models)
    if models.manifest.reference is None:
        report = SelfTestReport((), 0, untested=NO_REFERENCES)
        _keep(store, KnownSelfTest(report, now(), of))
        if must_be_tested(models):
            report.require()
        return report
    known = last_self_test(store)
    if known is not None and known.of == of and known.report.passed and not again:
        return known.report
    report = run_self_test(models, on_slice=on_slice)
    _keep(store, KnownSelfTest(report, now(), of))
    report.require()
    return report


def must_be_tested(models: Models) -> bool:
    """Whether models without references are refused: on a tablet, and where a release key signed them.

    A developer's own bundle, unsigned or signed on this computer, runs on a desk; its results say so.
    """
    own = {UNSIGNED.code, LOCAL_KEY.code}
    return on_android() or not own & {note.code for note in models.notes}


def tested_of(models: Models) -> dict[str, str]:
    """What an answer holds for. A reset tablet or an update of its system may bring other kernels."""
    manifest = models.manifest.to_json().encode()
    return {
        "manifest": hashlib.sha256(manifest).hexdigest(),
        "hemx": __version__,
        "runtime": f"{models.backend_name} {models.backend_version}",
        "system": system_identity(),
    }


def last_self_test(store: Store) -> KnownSelfTest | None:
    """The last self-test that was made; None where there was none, or what is stored is not readable."""
    try:
        return from_values(KnownSelfTest, store.settings.get(SELF_TEST))
    except RecordError:
        return None


def _keep(store: Store, known: KnownSelfTest) -> None:
    store.settings.set(SELF_TEST, to_values(replace(known, at=known.at.replace(microsecond=0))))

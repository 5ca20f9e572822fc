from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hemx_core.bundle.load import LOCAL_KEY, Models, load_models
from hemx_core.errors import IntegrityError, SelfTestError
from mobile_app.store import Store
from mobile_app.work import self_test
from mobile_app.work.device_models import DeviceModels
from mobile_app.work.self_test import ensure_self_test, last_self_test
from tests.factories import FakeBackend, write_fake_bundle, write_tested_bundle, wrong_functions


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bundle"
    write_tested_bundle(folder)
    monkeypatch.setenv("HEMX_MODELS", str(folder))
    return folder


def loaded(folder: Path, **wrong: float) -> Models:
    return load_models(folder, FakeBackend(wrong_functions(**wrong)))


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each self-test that was really run."""
    made: list[int] = []
    real = self_test.run_self_test

    def counted(*given: object, **named: object) -> object:
        made.append(1)
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(self_test, "run_self_test", counted)
    return made


def test_it_runs_once_and_its_answer_is_remembered(
    store: Store, bundle: Path, runs: list[int]
) -> None:
    assert last_self_test(store) is None
    at = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
    report = ensure_self_test(store, loaded(bundle), now=lambda: at)
    assert report.passed
    assert ensure_self_test(store, loaded(bundle)) == report
    assert len(runs) == 1
    known = last_self_test(store)
    assert known is not None
    assert (known.report, known.at) == (report, at)
    ensure_self_test(store, loaded(bundle), again=True)
    assert len(runs) == 2


def test_another_bundle_app_runtime_or_system_is_tested_anew(
    store: Store, bundle: Path, runs: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ensure_self_test(store, loaded(bundle))
    models = loaded(bundle)
    ensure_self_test(store, replace(models, manifest=replace(models.manifest, hemx="other")))
    ensure_self_test(store, replace(models, backend_version="other"))
    monkeypatch.setattr(self_test, "__version__", "99")
    ensure_self_test(store, models)
    monkeypatch.setattr(self_test, "system_identity", lambda: "Android 99")
    ensure_self_test(store, models)
    assert len(runs) == 5
    ensure_self_test(store, models)
    assert len(runs) == 5


def test_a_failure_is_shown_and_never_taken_for_a_pass(
    store: Store, bundle: Path, runs: list[int]
) -> None:
    ensure_self_test(store, loaded(bundle))
    for _ in range(2):
        with pytest.raises(SelfTestError, match="segment mask differs"):
            ensure_self_test(store, loaded(bundle, segment=0.6), again=True)
    known = last_self_test(store)
    assert known is not None
    assert not known.report.passed
    # Without being asked again as well: what failed is not remembered as good.
    with pytest.raises(SelfTestError):
        ensure_self_test(store, loaded(bundle, segment=0.6))
    assert len(runs) == 4
    assert ensure_self_test(store, loaded(bundle)).passed


def test_triage_is_refused_where_the_runtime_computes_something_else(
    store: Store, bundle: Path
) -> None:
    broken = FakeBackend(wrong_functions(classify=2.0))
    models = DeviceModels(store, backend=lambda _threads: broken)
    for _ in range(2):
        with pytest.raises(SelfTestError, match="classify marker differs"):
            models.get()
    assert all(program.closed for program in broken.opened)
    good = DeviceModels(store, backend=lambda _threads: FakeBackend())
    assert good.get().notes == (LOCAL_KEY,)


def test_damaged_references_refuse(store: Store, bundle: Path) -> None:
    models = loaded(bundle)
    (bundle / "reference.npz").write_bytes(b"")
    with pytest.raises(IntegrityError, match=r"reference\.npz"):
        ensure_self_test(store, models)


def test_a_developer_s_bundle_without_references_runs_and_is_not_called_passed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_fake_bundle(tmp_path / "old")
    models = load_models(tmp_path / "old", FakeBackend())
    assert models.notes == (LOCAL_KEY,)
    report = ensure_self_test(store, models)
    assert (report.tested, report.passed) == (False, False)
    (tmp_path / "old" / "manifest.sig").unlink()
    unsigned = load_models(tmp_path / "old", FakeBackend(), allow_unsigned=True)
    assert not ensure_self_test(store, unsigned).tested
    monkeypatch.setenv("HEMX_MODELS", str(tmp_path / "old"))
    write_fake_bundle(tmp_path / "old")
    notes = DeviceModels(store, backend=lambda _threads: FakeBackend()).get().notes
    assert [note.code for note in notes] == ["models_local_key", "models_untested"]


def test_a_release_or_a_tablet_needs_references(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_fake_bundle(tmp_path / "old")
    models = load_models(tmp_path / "old", FakeBackend())
    with pytest.raises(SelfTestError, match="no reference outputs"):
        ensure_self_test(store, replace(models, notes=()))
    monkeypatch.setenv("ANDROID_ARGUMENT", "")
    monkeypatch.setattr(self_test, "system_identity", lambda: "Android")
    with pytest.raises(SelfTestError, match="no reference outputs"):
        ensure_self_test(store, models)
    known = last_self_test(store)
    assert known is not None
    assert not known.report.tested


def test_what_is_stored_and_not_readable_counts_as_nothing(
    store: Store, bundle: Path, runs: list[int]
) -> None:
    for stored in (1, {}, {"report": {}, "at": "", "of": {}}, {"of": 1}):
        store.settings.set("self_test", stored)
        assert last_self_test(store) is None
    ensure_self_test(store, loaded(bundle))
    assert len(runs) == 1
    assert last_self_test(store).at > datetime.now(UTC) - timedelta(minutes=1)  # type: ignore[union-attr]

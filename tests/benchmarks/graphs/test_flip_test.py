from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.cli import benchmark_app
from benchmarks.graphs import flip_test as module
from benchmarks.graphs.flip_test import FLIPS, flip, flip_test, plan_flips
from hemx_core.bundle.signature import SIGNATURE_NAME
from hemx_core.errors import ExportError, IntegrityError, ModelError
from hemx_core.manifest import MANIFEST_NAME, ModelManifest
from tests.factories import write_fake_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, configuration: Path) -> Path:
    folder = tmp_path_factory.mktemp("flips")
    write_fake_bundle(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_thousand_flips_are_a_thousand_refusals_and_the_bundle_is_only_read(
    bundle: Path,
) -> None:
    before = contents(bundle)
    told: list[tuple[int, int]] = []
    report = flip_test(bundle, tell=lambda *given: told.append(given))
    assert report.passed
    assert sum(report.refusals.values()) == sum(report.flips.values()) == FLIPS == 1000
    assert report.refusals == report.flips
    names = {MANIFEST_NAME, SIGNATURE_NAME, *(f.file for f in ModelManifest.load(bundle).files)}
    assert set(report.flips) == names
    assert min(report.flips.values()) >= FLIPS // len(names) - 1
    assert set(report.reasons) >= {"SignatureError", "IntegrityError"}
    assert contents(bundle) == before
    assert told[-1] == (FLIPS, FLIPS)


def test_a_bundle_that_is_not_checked_whole_is_found_out(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test of the test: programs that nobody hashes are accepted, and reported."""
    monkeypatch.setattr(ModelManifest, "verify_files", lambda self, folder: None)
    report = flip_test(bundle, flips=40)
    assert not report.passed
    assert {name for name, _ in report.accepted} == {
        f.file for f in ModelManifest.load(bundle).files
    }
    assert report.to_json()["refusals"] < report.to_json()["flips"] == 40


def test_a_damaged_bundle_proves_nothing(bundle: Path, tmp_path: Path) -> None:
    write_fake_bundle(tmp_path)
    flip(tmp_path / "segmenter.pte", 77)
    with pytest.raises(IntegrityError):
        flip_test(tmp_path)


def test_flips_are_spread_and_repeatable() -> None:
    sizes = {"a": 1, "b": 1000, "c": 2000}
    plan = plan_flips(sizes, 100, seed=1)
    assert plan == plan_flips(sizes, 100, seed=1) != plan_flips(sizes, 100, seed=2)
    assert len(set(plan)) == 100
    counts = {name: sum(one == name for one, _ in plan) for name in sizes}
    assert counts == {"a": 8, "b": 46, "c": 46}
    assert all(bit < 8 * sizes[name] for name, bit in plan)
    for flips in (2, 8 * 3001 + 1):
        with pytest.raises(ExportError, match="flips over 3 files"):
            plan_flips(sizes, flips, seed=1)


def test_the_command_writes_a_result_file(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "flips.json"
    arguments = ["flip-test", str(bundle), "--flips", "20", "--seed", "5", "--out", str(out)]
    result = CliRunner().invoke(benchmark_app, arguments)
    assert result.exit_code == 0, result.output
    assert "20 of 20" in result.output
    found = json.loads(out.read_text())
    assert (found["flips"], found["refusals"], found["seed"], found["accepted"]) == (20, 20, 5, [])
    assert found["provenance"]["versions"]["hemx"]
    assert found["recipe"] == ModelManifest.load(bundle).recipe


def test_the_command_fails_when_a_flip_passes(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "refusal", lambda folder, keys: None)
    arguments = ["flip-test", str(bundle), "--flips", "10", "--out", str(tmp_path / "flips.json")]
    result = CliRunner().invoke(benchmark_app, arguments)
    assert result.exit_code != 0
    assert isinstance(result.exception, ModelError)
    assert json.loads((tmp_path / "flips.json").read_text())["refusals"] == 0

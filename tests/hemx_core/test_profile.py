from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from hemx_core.bundle.load import Models, load_models
from hemx_core.device.record import read_records, write_record
from hemx_core.errors import BenchmarkError, OutputError
from hemx_core.profile import (
    ProfileOptions,
    Timings,
    profile_study,
    summarise_seconds,
)
from tests.factories import FakeBackend, write_fake_bundle, write_tested_bundle

SMALL = ProfileOptions(
    slices=6, runs=2, matrix=128, threads=1, source="app", commit="abc", label="X"
)
STAGES = {"read", "check", "prepare", "segment", "measure", "signs", "classify"}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write_tested_bundle(tmp_path / "bundle", size=256, crop_size=128)
    return tmp_path / "bundle"


def test_a_record_holds_what_its_description_promises(bundle: Path) -> None:
    told: list[tuple[str, int, int]] = []
    loaded: list[Models] = []

    def load() -> Models:
        loaded.append(load_models(bundle, FakeBackend()))
        return loaded[-1]

    record = profile_study(load, options=SMALL, progress=lambda *one: told.append(one))
    described = (Path(__file__).parents[2] / "docs" / "benchmark_format.md").read_text("utf-8")
    assert not [key for key in record if f"`{key}`" not in described]
    assert not [key for key in record["timings"] if f"`{key}`" not in described]
    assert not [key for key in record["device"] if f"`{key}`" not in described]
    assert set(record["timings"]) == STAGES | {"load", "self_test", "first_slice", "study"}
    assert (record["source"], record["commit"], record["device"]["name"]) == ("app", "abc", "X")
    assert record["runtime"] == {"backend": "fake", "version": "0", "threads": 1}
    assert record["input"]["slices"] == 6
    assert record["timings"]["segment"]["calls"] == 12
    assert record["timings"]["study"]["calls"] == record["timings"]["load"]["calls"] == 2
    assert len(record["study_ms"]) == 2
    assert record["self_test"]["passed"] is True
    assert record["outputs"]["slices_with_blood"] > 0
    files = [path for path in bundle.iterdir() if path.name != "manifest.sig"]
    assert record["bundle"]["bytes"] == sum(path.stat().st_size for path in files)
    assert len(loaded) == 2
    assert all(models.segmenter.closed and models.classifier.closed for models in loaded)  # type: ignore[attr-defined]
    assert told[0] == ("phantom", 0, 1)
    assert told[-1] == ("run", 2, 2)
    assert ("segment", 6, 6) in told
    json.dumps(record, allow_nan=False)


def test_times_add_up(bundle: Path) -> None:
    record = profile_study(lambda: load_models(bundle, FakeBackend()), options=SMALL)
    timings = record["timings"]
    parts = sum(timings[name]["median_ms"] * timings[name]["calls"] / 2 for name in STAGES)
    assert 0.5 * timings["study"]["median_ms"] < parts < 1.6 * timings["study"]["median_ms"]
    assert timings["first_slice"]["first_ms"] < timings["study"]["first_ms"]


def test_memory_counts_what_the_study_takes_and_not_what_was_there(bundle: Path) -> None:
    class Greedy(FakeBackend):
        def __init__(self) -> None:
            super().__init__()
            self.kept = np.ones(64 * 2**20, np.uint8)

    before = np.ones(64 * 2**20, np.uint8)
    record = profile_study(lambda: load_models(bundle, FakeBackend()), options=SMALL)
    greedy = profile_study(lambda: load_models(bundle, Greedy()), options=SMALL)
    del before
    more = greedy["memory"]["above_base_mib"] - record["memory"]["above_base_mib"]
    assert record["memory"]["above_base_mib"] < 60
    assert 50 < more < 150


def test_the_same_outputs_have_the_same_fingerprint_and_others_another(bundle: Path) -> None:
    def fingerprint(**changed: int) -> str:
        options = ProfileOptions(slices=6, runs=1, matrix=128, **changed)  # type: ignore[arg-type]
        record = profile_study(lambda: load_models(bundle, FakeBackend()), options=options)
        return str(record["fingerprint"])

    assert fingerprint() == fingerprint()
    assert fingerprint(seed=8) != fingerprint()


def test_outputs_that_change_from_run_to_run_are_no_benchmark(bundle: Path) -> None:
    drift = count()

    def load() -> Models:
        functions = dict(FakeBackend().functions)
        right, step = functions["classifier.pte"], next(drift)

        def classify(inputs):  # type: ignore[no-untyped-def]
            logits, cam = right(inputs)
            return logits + np.float32(step), cam

        functions["classifier.pte"] = classify
        return load_models(bundle, FakeBackend(functions))

    with pytest.raises(BenchmarkError, match="different outputs"):
        profile_study(load, options=SMALL)


def test_an_older_bundle_is_profiled_without_a_self_test(tmp_path: Path) -> None:
    write_fake_bundle(tmp_path)
    record = profile_study(lambda: load_models(tmp_path, FakeBackend()), options=SMALL)
    assert record["self_test"] is None
    assert "self_test" not in record["timings"]


def test_what_progress_raises_ends_it_and_closes_the_models(bundle: Path) -> None:
    backend = FakeBackend()

    class EndError(Exception):
        pass

    def end(stage: str, _done: int, _total: int) -> None:
        if stage == "segment":
            raise EndError

    with pytest.raises(EndError):
        profile_study(lambda: load_models(bundle, backend), options=SMALL, progress=end)
    assert [program.closed for program in backend.opened] == [True, True]


def test_statistics_leave_the_first_call_out() -> None:
    assert summarise_seconds([1.0, 0.1, 0.2, 0.3]) == {
        "calls": 4,
        "first_ms": 1000.0,
        "median_ms": 200.0,
        "p95_ms": 290.0,
    }
    assert summarise_seconds([0.5])["median_ms"] == 500.0
    timings = Timings()
    timings.add("x", 0.25)
    assert timings.to_json()["x"]["first_ms"] == 250.0


@pytest.mark.parametrize("wrong", [{"slices": 0}, {"runs": 0}])
def test_nothing_to_measure_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BenchmarkError, match="at least one"):
        ProfileOptions(**wrong)  # type: ignore[arg-type]


def test_records_are_added_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "new" / "records.jsonl"
    record = {"format": "hemx-benchmark", "format_version": 1, "name": "端末"}
    write_record(path, record)
    write_record(path, record | {"name": "2"})
    assert [one["name"] for one in read_records(path)] == ["端末", "2"]
    assert len(path.read_text("utf-8").splitlines()) == 2
    assert [one.name for one in path.parent.iterdir()] == ["records.jsonl"]
    with pytest.raises(OutputError, match="cannot be written"):
        write_record(path / "below", record)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"format": "x"}', '{"format": "hemx-benchmark", "format_version": 2}']
)
def test_what_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(BenchmarkError, match="no file of benchmark records"):
        read_records(path)
    with pytest.raises(BenchmarkError):
        read_records(tmp_path / "missing.jsonl")

"""`run`, `peers` and their resumption on narrow networks, once through everything."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.cli import benchmark_app
from benchmarks.harness.records import figures_of, load_records
from benchmarks.harness.settings import Settings
from benchmarks.peers.roster import EAGER
from hemx_core.errors import BenchmarkError

# All of them: what they share is exported and timed in fixtures of the module.
pytestmark = pytest.mark.slow

ORT = "ONNX Runtime fp32"
NO_ORT = (
    importlib.util.find_spec("onnxruntime") is None
    or importlib.util.find_spec("onnxscript") is None
)


def invoke(work: Path, *words: str) -> None:
    result = CliRunner().invoke(
        benchmark_app, [*words, "--work", str(work)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


def peers(work: Path) -> list[dict[str, Any]]:
    names = EAGER if NO_ORT else f"{EAGER},{ORT}"
    options = ["--tiny", "--threads", "1", "--calls", "2", "--rounds", "1", "--only", names]
    invoke(work, "peers", *options, "--subjects", "segmenter,study")
    return load_records(work / "results" / "peers.jsonl")


@pytest.fixture(scope="module")
def contest(work: Path) -> list[dict[str, Any]]:
    return peers(work)


def row(records: list[dict[str, Any]], subject: str, peer: str) -> dict[str, Any]:
    (found,) = [one for one in records if (one["subject"], one["peer"]) == (subject, peer)]
    return found


def test_a_contestant_is_measured(contest: list[dict[str, Any]]) -> None:
    eager = row(contest, "segmenter", EAGER)
    figures = figures_of(eager)
    assert eager["status"] == "ok"
    assert len(figures["call"]["rounds"]) == 1
    assert all(figures[name]["median"] > 0 for name in ("call", "first", "load", "size"))
    assert eager["accuracy"]["mask_dice"] == 1.0
    assert eager["device"]["processor"]
    assert eager["versions"]["torch"]


@pytest.mark.skipif(NO_ORT, reason="onnxruntime or onnxscript is not installed (extra peers)")
def test_a_peer_of_the_same_graph_gives_the_same_answers(contest: list[dict[str, Any]]) -> None:
    assert row(contest, "segmenter", ORT)["accuracy"]["probability_max"] < 1e-4


def test_the_whole_study_agrees_between_torch_and_the_bundle(contest: list[dict[str, Any]]) -> None:
    studies = [one for one in contest if one["subject"] == "study"]
    assert len(studies) == 2
    # The narrow bundle is float32: the same masks and markers, to the digits that are kept.
    assert studies[0]["outputs"] == studies[1]["outputs"]
    assert all(figures_of(one)["call"]["median"] > 0 for one in studies)


def test_a_second_run_takes_finished_rounds(contest: list[dict[str, Any]], work: Path) -> None:
    again = peers(work)
    assert [figures_of(one) for one in again] == [figures_of(one) for one in contest]


def test_run_measures_stages_and_whole_studies(work: Path) -> None:
    invoke(work, "run", "--tiny", "--threads", "1", "--rounds", "1")
    (record,) = load_records(work / "results" / "run.jsonl")
    figures = figures_of(record)
    assert record["kind"] == "study"
    assert record["input"]["slices"] == 30
    for stage in ("load", "read", "check", "prepare", "segment", "first_slice", "measure", "study"):
        assert figures[stage]["median"] > 0
        assert figures[f"first {stage}"]["median"] > 0
    assert figures["study"]["median"] > figures["segment"]["median"]
    assert record["bundle"]["bytes"] > 0


def test_a_subject_that_there_is_not_is_refused(work: Path) -> None:
    with pytest.raises(BenchmarkError, match="subjects liver"):
        invoke(work, "peers", "--tiny", "--subjects", "liver")


def test_no_rounds_are_refused() -> None:
    with pytest.raises(BenchmarkError, match="at least one of each"):
        Settings(rounds=0)

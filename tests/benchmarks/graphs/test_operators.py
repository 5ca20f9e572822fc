"""`operators`: tracing and loading narrow programs, records, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.cli import benchmark_app
from benchmarks.graphs import operators
from benchmarks.graphs.operators import ALL, CALL, KIND, LOOKUP_TABLE, MEMORY_KIND, kind_of
from benchmarks.harness.markdown import render
from benchmarks.harness.records import (
    MIB,
    MS,
    figure,
    figures_of,
    load_records,
    new_record,
    write_records,
)
from benchmarks.harness.settings import Settings
from benchmarks.pages.fill import block
from benchmarks.pages.performance import operator_facts
from tests.benchmarks.squeezed import squeezed

ADD, TABLE = "Add (ND)", "Invalid Unary Op"


def section(records: list[dict[str, Any]]) -> str:
    return squeezed(render("operators", **operator_facts(records)))


def traced(*scale: float) -> list[dict[str, Any]]:
    """Rounds of two calls: additions of 1 and 3 ms and a table of 4 ms, then 1 ms more of each."""
    names = [f"{ADD} #1", f"{TABLE} #1", f"{ADD} #2"]
    return [
        {
            "operators": [
                {"name": name, "calls_ms": [one * ms, one * (ms + 1)]}
                for name, ms in zip(names, (1, 4, 3), strict=True)
            ],
            "slices": 4,
            "calls_ms": [one * 10, one * 14],
            "fingerprint": ["f", 0.5],
        }
        for one in scale
    ]


def test_kinds_are_named_without_numbers_and_the_lookup_table_is_called_one() -> None:
    assert kind_of("Add (ND) #13") == "Add (ND)"
    assert kind_of("Fully Connected (NC, QS8, QC8W) GEMM #1") == (
        "Fully Connected (NC, QS8, QC8W) GEMM"
    )
    assert kind_of("Invalid Unary Op #113") == LOOKUP_TABLE


def test_a_record_sums_each_kind_in_a_call_and_lists_the_slowest() -> None:
    record = operators._time_record("segmenter", 1, traced(1.0, 2.0, 3.0))
    figures = figures_of(record)
    assert figures[ADD]["rounds"] == [5.0, 10.0, 15.0]  # Of calls of 4 and 6 ms.
    assert figures[LOOKUP_TABLE]["median"] == 9.0
    assert figures[ALL]["median"] == 19.0
    assert figures[CALL]["median"] == 24.0
    assert record["counts"] == {ADD: 2, LOOKUP_TABLE: 1}
    assert [(one["place"], one["ms"]) for one in record["slowest"]] == [
        (1, 9.0),
        (2, 7.0),
        (0, 3.0),
    ]


def test_only_a_dozen_of_the_slowest_are_kept() -> None:
    several = [{"name": f"{ADD} #{n}", "calls_ms": [float(n)]} for n in range(1, 21)]
    rounds = [{"operators": several, "slices": 1, "calls_ms": [300.0], "fingerprint": []}]
    slowest = operators._time_record("segmenter", 1, rounds)["slowest"]
    assert [one["ms"] for one in slowest] == [float(n) for n in range(20, 8, -1)]


def times(
    threads: int, program: str = "segmenter", slices: int = 1, **kinds: float
) -> dict[str, Any]:
    figures = {name: figure([ms], MS) for name, ms in kinds.items()}
    total = sum(kinds.values())
    figures |= {ALL: figure([total], MS), CALL: figure([total + 1], MS)}
    return new_record(
        KIND,
        f"{program} | {threads}",
        figures,
        program=program,
        threads=threads,
        slices=slices,
        counts={name: place + 2 for place, name in enumerate(kinds)},
    )


def memory(*, reserved: float) -> dict[str, Any]:
    sizes = {"file": 14.0, "load_peak": 32.0, "loaded": 17.0, "called": 45.0, "indirection": 21.0}
    figures = {
        name: figure([size], MIB)
        for name, size in (sizes | {"indirection_reserved": reserved}).items()
    }
    facts = {"program": "segmenter", "threads": 1, "macs": {"conv": 320_000_000}}
    return new_record(MEMORY_KIND, "segmenter | memory", figures, **facts)


ONE = times(1, conv=16.0, slow=3.0, tiny=0.8, nothing=0.0, **{LOOKUP_TABLE: 0.2})
TWO = times(2, conv=9.0, slow=2.5, tiny=2.0, nothing=0.0, **{LOOKUP_TABLE: 0.1})


def test_what_scales_badly_loses_time() -> None:
    text = section([ONE, TWO])
    # 2.5 ms are 1 more than half of 3; `tiny` became slower.
    assert "| slow | 3 | 3 ms | 2.5 ms | 1.20 | 1 ms |" in text
    assert "| tiny | 4 | 0.8 ms | 2 ms | 0.40 | 1.6 ms |" in text


def test_the_section_says_what_the_rows_hold() -> None:
    text = section([TWO, ONE, memory(reserved=30.0)])
    # 320 million in 16 ms.
    assert "| conv | 2 | 16 ms | 9 ms | 1.78 | 1 ms | 80.0% | 20 |" in text
    assert "| nothing | 5 | 0 ms | 0 ms | – | – | 0.0% | – |" in text
    assert "| all operators | 20 | 20 ms | 13.6 ms | 1.47 | 3.6 ms | 100.0% |" in text
    assert text.index("| conv |") < text.index("| slow |") < text.index("| tiny |")
    assert "Its `Invalid Unary Op` is the int8 lookup table (activation)." in text
    assert "| peak while loading: mapped file and packed weights together | 32 MiB |" in text
    assert "The first call adds 28 MiB to the segmenter, of which 21 MiB are pointers" in text
    assert "never written" in text


def test_nothing_is_said_that_the_rows_do_not_hold() -> None:
    text = section([times(1, conv=16.0), memory(reserved=21.0)])
    assert "| conv | 2 | 16 ms | – | – | 100.0% |" in text
    assert "Invalid Unary Op" not in text
    assert "never written" not in text


def test_the_page_has_the_section(tmp_path: Path) -> None:
    rows = [ONE, TWO, memory(reserved=30.0)]
    write_records(tmp_path / "performance" / "operators.jsonl", rows)
    assert squeezed(block("operators", results=tmp_path)) == section(rows)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def records(work: Path) -> list[dict[str, Any]]:
    options = ["--tiny", "--threads", "1", "--rounds", "1", "--work", str(work)]
    done = CliRunner().invoke(benchmark_app, ["operators", *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = load_records(work / "results" / "operators.jsonl")
    assert section(found) in squeezed(done.output)
    return found


@pytest.mark.slow
def test_narrow_programs_are_traced(records: list[dict[str, Any]]) -> None:
    traces = {one["program"]: one for one in records if one["kind"] == KIND}
    assert list(traces) == ["segmenter", "classifier"]
    segmenter = traces["segmenter"]
    # Five upsamplings, folded, of the decoder.
    assert segmenter["counts"]["Deconvolution (NHWC, F32) Subconv2D"] == 5
    figures = figures_of(segmenter)
    assert 0 < figures[ALL]["median"] <= figures[CALL]["median"]
    assert len(segmenter["slowest"]) == 12
    assert segmenter["slowest"][0]["ms"] > 0


@pytest.mark.slow
def test_the_first_call_does_not_count(records: list[dict[str, Any]], work: Path) -> None:
    (path,) = work.glob("**/rounds/operators.jsonl")
    visits = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    (found,) = [one["values"] for one in visits if one["name"] == "segmenter | 1 thread"]
    # Of `--tiny` three are timed; four are made.
    assert len(found["calls_ms"]) == 3
    assert {len(one["calls_ms"]) for one in found["operators"]} == {3}


@pytest.mark.slow
def test_narrow_programs_are_loaded(records: list[dict[str, Any]]) -> None:
    (segmenter, classifier) = [one for one in records if one["kind"] == MEMORY_KIND]
    figures = {name: one["median"] for name, one in figures_of(segmenter).items()}
    assert 0 < figures["loaded"] <= figures["load_peak"]
    # Its pointers are in memory from the first call on.
    assert figures["called"] - figures["loaded"] >= figures["indirection"] > 0
    assert figures["indirection_reserved"] > figures["indirection"]
    assert sum(segmenter["written_bytes"].values()) == pytest.approx(
        figures["indirection"] * 2**20, rel=1e-3
    )
    assert "XNNConvTranspose2d" not in classifier["written_bytes"]
    # The narrow encoder has neither depthwise nor pointwise convolutions.
    assert set(segmenter["macs"]) == {"IGEMM", "Subconv2D"}


@pytest.mark.slow
def test_finished_rounds_are_taken(
    records: list[dict[str, Any]], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured_again(*_: object, **__: object) -> None:
        raise AssertionError("a finished visit is made again")

    monkeypatch.setattr(operators, "run_fresh", measured_again)
    settings = Settings(
        threads=(1,), rounds=1, calls=3, work=work, results=work / "again", tiny=True
    )
    again = operators.measure_operators(settings)
    assert [figures_of(one) for one in again] == [figures_of(one) for one in records]


def test_the_tracer_gets_no_more_calls_than_its_buffer_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def pretend(function: Any, arguments: dict[str, Any], **_: object) -> dict[str, Any]:
        if function is operators.trace_program:
            asked.append(arguments["calls"])
            return traced(1.0)[0]
        sizes = dict.fromkeys(("loaded_mib", "load_peak_mib", "called_mib", "file_bytes"), 1.0)
        empty: dict[str, int] = {}
        nothing = {"written_bytes": empty, "reserved_bytes": empty, "macs": empty}
        nothing["fingerprint"] = [0.5]
        return {**sizes, **nothing, "method": "sampled"}

    monkeypatch.setattr(operators, "run_fresh", pretend)
    monkeypatch.setattr(Settings, "open_bundle", lambda self: tmp_path)
    monkeypatch.setattr(Settings, "key", lambda self: "k")
    found = operators.measure_operators(Settings(rounds=1, work=tmp_path, results=tmp_path / "r"))
    assert asked == [operators.MOST_CALLS] * 4
    assert [one["threads"] for one in found] == [1, 2, 1, 2, 1, 1]
    assert load_records(tmp_path / "r" / "operators.jsonl") == found


def test_a_call_of_several_slices_is_told() -> None:
    text = section([times(1, slices=4, conv=16.0), times(1, "classifier", conv=1.0)])
    assert "### Segmenter, a call of 4 slices\n" in text
    assert "### Classifier\n" in text

"""The document and the pictures from small result files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks.graphs.growth_cost import KIND, PEAK_KIND
from benchmarks.harness.records import BYTES, MIB, MS, figure, new_record, write_records
from benchmarks.harness.tables import number, table
from benchmarks.pages import performance as performance_docs
from benchmarks.peers.roster import OURS
from benchmarks.run import merge
from tests.benchmarks.pages.test_graphs import fold_lines
from tests.benchmarks.pareto.made_up import report
from tests.benchmarks.test_run import process_record

FACTS = {
    "sources": {"timed": "2 phantoms", "judged": "3 patients", "calibration": "4 patients"},
    "calibration": {"segmenter": 9, "classifier": 5},
    "judged": {"segmenter": 3, "classifier": 3},
}


def peer(
    name: str, call: float, *, subject: str = "segmenter", status: str = "ok"
) -> dict[str, Any]:
    figures = {
        "call": figure([call] * 3, MS),
        "first": figure([2 * call], MS),
        "load": figure([3 * call], MS),
        "memory": figure([call], MIB),
        "size": figure([1.5e7], BYTES),
    }
    return new_record(
        "peer",
        f"{subject} {name}",
        figures if status == "ok" else {},
        subject=subject,
        peer=name,
        precision="int8",
        graph="trained",
        threads=1,
        status=status,
        accuracy={"mask_dice": 0.9984},
        material=FACTS,
    )


def growth(axis: str, value: float, call: float) -> dict[str, Any]:
    figures = {"call": figure([call], MS), "memory": figure([50.0 + value / 10], MIB)}
    facts = {
        "axis": axis,
        "value": value,
        "axis_name": axis,
        "work": 1e7 * value**2,
        "work_name": "work",
    }
    if axis == "slices":
        facts["volume_mib"] = 0.2 * value
        facts["outputs"] = {"slices_with_blood": 5}
    return new_record(KIND, f"{axis} {value}", figures, threads=1, **facts)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_records(
        tmp_path / "peers.jsonl",
        [
            peer(OURS, 30.0),
            peer("OpenVINO int8", 40.0),
            peer("LiteRT int8", 0.0, status="not installed: litert-torch"),
        ],
    )
    record = {
        **new_record("study", "s", {}),
        **merge("study of 30 slices | 1 thread", [process_record(900.0)]),
    }
    write_records(tmp_path / "run.jsonl", [record])
    ways = [("one", 900.0, True), ("four", 700.0, False)]
    write_records(
        tmp_path / "threads.jsonl",
        [
            new_record(
                "threads",
                name,
                {
                    "call": figure([call], MS),
                    "first": figure([call], MS),
                    "memory": figure([90.0], MIB),
                },
                shipped=ships,
                status="ok",
            )
            for name, call, ships in ways
        ],
    )
    peak = new_record(
        PEAK_KIND, "int8 peak", {"rate": figure([50.0], "GMAC/s")}, threads=1, shapes={"big": 50.0}
    )
    rows = [
        growth(axis, value, 2.0 * value) for axis in ("slices", "size") for value in (8.0, 16.0)
    ]
    write_records(tmp_path / "growth_cost.jsonl", [*rows, peak])
    return tmp_path


def test_the_page_says_what_the_files_hold(results: Path, tmp_path: Path) -> None:
    validation = tmp_path / "validation.json"
    drops = {"a": {"drop": 0.004}, "b": {"drop": 0.02}, "c": {"drop": None}}
    validation.write_text(
        json.dumps({"source": {"name": "x"}, "masks": {"dice_drop": 0.001}, "markers": drops})
    )
    page = performance_docs.page(results, validation)
    assert "| 0.75 (0.75 to 0.75) | hit |" in page  # 30 against 40 ms, at most 0.9.
    assert "| LiteRT int8 | not installed: litert-torch |" in page
    assert "| hemx int8 | Dice 0.9984 | 30 ms (30 ms) | 60 ms | 90 ms | 30 MiB | 15 MB |" in page
    # 3 x and 2 x 30 ms against 40 ms; the one that is not installed is not told.
    assert "takes 150 ms on 1 thread; OpenVINO int8 200 ms." in page
    assert "Dice drop 0.0010 (at most 0.005), hit" in page
    assert "largest AUC drop 0.0200 (b; at most 0.01), **missed**" in page
    assert "Fastest inside 250 MiB, the tablet's memory budget: four." in page
    assert "one (ships)" in page
    # 640 million multiply-accumulates in 16 ms at 50 a nanosecond: 12.8 ms.
    assert "| 8 | 16 ms (16 ms) | 51 MiB | 0.64 | 80% of the time |" in page
    assert "Time: 2 ms a slice" in page
    assert "Time grows with size to the power 1.00, multiply-accumulates with 2.00" in page
    assert "Budget tablet, study of 30 slices, 1 thread: study seconds 0.9 of 8 s" in page
    assert "MiB of each slice that shows blood: 5 of the largest study's 16." in page
    assert "| first / later median (p95) | study of 30 slices, 1 thread |\n| --- | --- |" in page


def test_without_files_nothing_is_claimed(tmp_path: Path) -> None:
    none = tmp_path / "none.json"
    page = performance_docs.page(tmp_path, none, pareto=none, layer_error=none, finalists=none)
    assert page.count("Not measured yet.") == 11
    assert "hit" not in page


def test_the_front_is_a_section_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "pareto.json"
    path.write_text(json.dumps(report()), encoding="utf-8")
    page = performance_docs.page(tmp_path, tmp_path / "none.json", pareto=path)
    front = page.split("## Pareto front")[1]
    assert "(../benchmarks/results/pareto.png)" in front
    assert "The shipped point (project, crop 128, width 0.5, int8) is on it" in front
    assert "Measured on P, 2 cores, 8.0 GiB, Linux; torch 2; commit abc, 2026-11-26." in front


def test_lines_of_the_export_are_sections(tmp_path: Path) -> None:
    lines = "".join(json.dumps(one) + "\n" for one in fold_lines())
    (tmp_path / "fold_gain.jsonl").write_text(lines, encoding="utf-8")
    page = performance_docs.page(tmp_path, tmp_path / "none.json")
    fold = page.split("## Folding passes")[1].split("## ")[0]
    assert "| segmenter | upsampling | 1.40 | 1.60 |" in fold
    assert "Measured on P, 2 cores, 8.0 GiB, Linux; torch 2; commit abc, 2026-11-26." in fold


def test_the_pictures_are_drawn_beside_their_files(results: Path) -> None:
    performance_docs.draw(results)
    for name in ("peers", "threads", "growth_cost"):
        assert min(Image.open(results / f"{name}.png").size) > 100


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (123.4, MS, "123 ms"),
        (1.234, MS, "1.23 ms"),
        (14.4e6, BYTES, "14.4 MB"),
        (9.94, MIB, "9.9 MiB"),
        (56.3, MIB, "56 MiB"),
    ],
)
def test_numbers(value: float, unit: str, text: str) -> None:
    assert number(value, unit) == text


def test_a_table() -> None:
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"

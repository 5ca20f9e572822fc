"""The results of the parts as one page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.robustness.outcome import Outcome, Row, summary
from benchmarks.robustness.report import page, parts_table, read_results


def write(folder: Path, part: str, **more: object) -> None:
    rows = [
        Row(name="a", outcome=Outcome.TYPED, why="no_images", seconds=0.5, mib=3.0),
        Row(name="b", outcome=Outcome.SILENT, why="1 slices are lost"),
    ]
    told = {"command": "robustness", "commit": "0123", "created_at": "2026-11-30T00:00:00"}
    values = {"provenance": told, **summary(rows), **more}
    (folder / f"{part}.json").write_text(json.dumps(values))


def test_counts_and_faults_are_shown(tmp_path: Path) -> None:
    write(tmp_path, "attacks")
    write(tmp_path, "kills", under_way={"save": 2})
    write(tmp_path, "mutants", kinds={"DICOM": summary([])})
    found = read_results(tmp_path)
    assert list(found) == ["mutants", "attacks", "kills"]
    text = page(found)
    assert "1 slices are lost" in text
    assert "save 2" in text
    row = next(line for line in parts_table(found).splitlines() if "Kills" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")][1:] == [
        "2", "", "", "1", "", "", "", "1", "0.5", "3.0",
    ]  # fmt: skip


def test_no_results_are_no_page(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_results(tmp_path)

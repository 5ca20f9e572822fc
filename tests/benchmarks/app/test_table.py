from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.app import cancel, first_frame, frames, memory, study
from benchmarks.app.verdicts import HEAD, machine, rows
from hemx_core.provenance import write_json
from tests.benchmarks.app.test_judges import HOW, both, frame_run, run_of, stops, way


def write(folder: Path, *, slowest: float = 20.0) -> None:
    ways = [way(name, 0.5, 3.0) for name in (study.FIRST, study.LATER, study.WARM)]
    for report in (
        first_frame.judge([frame_run(1.0, "numpy")], [0.5]),
        study.judge(ways, [0.5], **HOW),
        frames.judge([run_of(10.0, slowest)], [0.5], **HOW),
        memory.judge(both(*[150.0] * 10), [0.5], **HOW),
        cancel.judge([stops(0.03)], [0.5], **HOW),
    ):
        write_json(folder / f"{report['what']}.json", report)


def test_every_verdict_and_what_belongs_beside_it_is_a_row(tmp_path: Path) -> None:
    write(tmp_path)
    found = rows(tmp_path)
    assert {len(one) for one in found} == {len(HEAD)}
    told = {one[0]: one[1:4] for one in found}
    assert told["Process start to first frame, median"] == ("1 s", "2 s", "pass")
    assert told["Slowest frame"] == ("20 ms", "100 ms", "pass")
    assert told["The same with the desktop runtime's libraries"][0] == "290 MB (100)"
    assert told["Of the first start: loading, self-test"][0] == "1.50 s, 0.40 s"
    assert "30 slices" in machine(tmp_path)


def test_a_broken_limit_is_told(tmp_path: Path) -> None:
    write(tmp_path, slowest=160.0)
    broken = [one[0] for one in rows(tmp_path) if one[3] == "**fail**"]
    assert broken == ["Frames over 100 ms", "Slowest frame"]


def test_a_missing_measurement_is_no_table(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "memory.json").unlink()
    with pytest.raises(OSError, match="memory"):
        rows(tmp_path)

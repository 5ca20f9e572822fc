"""Mutants of every kind: the same for a seed, kept in pieces, and none changes anything in silence."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from benchmarks.robustness import kinds, mutants
from benchmarks.robustness.kinds import all_kinds
from benchmarks.robustness.mutants import run_mutants
from benchmarks.robustness.mutate import DAMAGES, mutate
from benchmarks.robustness.outcome import Answer, Outcome
from benchmarks.robustness.plain import differences

QUIET = lambda _: None  # noqa: E731


def test_damage_is_the_same_for_a_seed_and_changes_something() -> None:
    content = bytes(range(256)) * 8 + b" 12.5\\-3 "
    found = [mutate(content, random.Random(f"{seed}")) for seed in range(300)]
    assert found == [mutate(content, random.Random(f"{seed}")) for seed in range(300)]
    assert {name for _, names in found for name in names.split("+")} == set(DAMAGES)
    assert sum(damaged == content for damaged, _ in found) < 30


def test_there_are_thirteen_kinds(tmp_path: Path) -> None:
    assert len(all_kinds(tmp_path)) == 13


def test_some_of_the_quick_kinds(tmp_path: Path) -> None:
    names = ("DICOM", "tables", "NIfTI")
    found = run_mutants(24, names=names, work=tmp_path, tell=QUIET)
    assert found["all"]["cases"] == 24
    assert found["all"]["faults"] == []
    assert set(found["kinds"]) == set(names)
    lines = (tmp_path / "mutants.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"][1] for line in lines] == list(names)


def test_a_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_mutants(4, names=["tables"], work=tmp_path, tell=QUIET)
    monkeypatch.setattr(mutants, "_ask", None)
    assert run_mutants(4, names=["tables"], work=tmp_path, tell=QUIET) == first
    monkeypatch.setattr(mutants, "_fingerprint", lambda: "other code")
    with pytest.raises(TypeError):
        run_mutants(4, names=["tables"], work=tmp_path, tell=QUIET)


def test_the_first_fault_ends_a_short_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: Any) -> tuple[Answer, Any]:
        return (Outcome.RIGHT if not said else Outcome.SILENT, "x"), said.append(1)

    said: list[int] = []
    made = all_kinds

    def wrong(folder: Path) -> dict[str, kinds.Kind]:
        found = dict(made(folder))
        found["tables"]._look_at = look  # type: ignore[attr-defined]
        return found

    monkeypatch.setattr(mutants, "all_kinds", wrong)
    told: list[str] = []
    found = run_mutants(500, names=["tables"], first_fault_ends=True, tell=told.append)
    assert found["all"]["cases"] == mutants.PIECE
    assert "silent" in told[0]


def test_a_reading_that_differs_is_noticed(tmp_path: Path) -> None:
    import hemx_core as hemx

    kind = all_kinds(tmp_path)["DICOM"]
    kind.prepare()
    assert isinstance(kind, kinds.Study)
    volume = hemx.read_series(kind.path)
    assert differences(volume, kind.slices) == ""
    hu = volume.hu.copy()
    hu[3, 5, 5] += 1
    changed = hemx.Volume(hu, geometry=volume.geometry, identity=volume.identity)
    assert "slice 3" in differences(changed, kind.slices)
    shorter = hemx.Volume(volume.hu[:5], spacing_mm=(5.0, 0.5, 0.4))
    assert differences(shorter, kind.slices) != ""

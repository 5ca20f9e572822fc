"""Figures of docs/security.md, from the results of `robustness`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.robustness.report import kinds_table, parts_table, read_results


def parts(results: Path) -> str:
    """A row for each part of the run."""
    return parts_table(read_results(results / "robustness"))


def kinds(results: Path) -> str:
    """A row for each kind of damaged input."""
    found = read_results(results / "robustness")
    if "mutants" not in found:
        raise FileNotFoundError(results)
    return kinds_table(found["mutants"])

"""The results of all parts as Markdown, and as the figures of docs/security.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.harness.markdown import table
from benchmarks.robustness.outcome import Outcome
from hemx_core.records import Json

PARTS: Mapping[str, str] = {
    "mutants": "Damaged inputs of 13 kinds",
    "attacks": "Archives, folders, headers, streams that mean harm",
    "bundles": "Bundles that mean harm",
    "kills": "Kills while the store works",
    "store": "Damaged stores",
    "full": "Full disks",
    "canaries": "Planted names",
    "guided": "Guided by coverage",
}
"""Part to its title, in the order of the table."""
_HEAD = ("Part", "Cases", *(str(outcome).capitalize() for outcome in Outcome))
_MORE = ("Most CPU, s", "Most memory, MiB")


def read_results(folder: Path) -> dict[str, Json]:
    """The result files of a folder that are there.

    Raises:
        FileNotFoundError: there are none.
    """
    found = {
        part: json.loads((folder / f"{part}.json").read_text(encoding="utf-8"))
        for part in PARTS
        if (folder / f"{part}.json").exists()
    }
    if not found:
        raise FileNotFoundError(folder)
    return found


def parts_table(results: Mapping[str, Json]) -> str:
    """A row for each part."""
    rows = [(PARTS[part], *_row(result)) for part, result in results.items() if "counts" in result]
    return table((*_HEAD, *_MORE), rows)


def kinds_table(result: Json) -> str:
    """A row for each kind of damaged input."""
    rows = [(kind, *_row(found)) for kind, found in result["kinds"].items()]
    return table(("Kind", *_HEAD[1:], *_MORE), [*rows, ("All", *_row(result))])


def _row(result: Json) -> tuple[object, ...]:
    counts = [result["counts"][str(outcome)] or "" for outcome in Outcome]
    return (result["cases"], *counts, result["most_seconds"], result["most_mib"])


def page(results: Mapping[str, Json]) -> str:
    """The whole page."""
    parts = ["# Robustness", parts_table(results)]
    for part, result in results.items():
        told = result["provenance"]
        parts.append(f"## {PARTS[part]}")
        parts.append(f"`{told['command']}`, commit {told['commit']}, {told['created_at'][:10]}.")
        if part == "mutants":
            parts.append(kinds_table(result))
        if part == "kills":
            parts.append(f"Under way when killed: {_listed(result['under_way'])}.")
        if part == "guided":
            parts.append(
                f"{result['cases']} runs in {result['seconds']} s, coverage {result['coverage']}, "
                f"{result['corpus']} inputs in the corpus, {len(result['faults'])} crashes."
            )
        if result["faults"]:
            rows = [(one["name"], one["outcome"], one.get("why", "")) for one in result["faults"]]
            parts.append(table(("Case", "Outcome", "Why"), rows))
    return "\n\n".join(parts) + "\n"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())

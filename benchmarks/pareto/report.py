"""What `pareto` found, as JSON, table and picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.medians import ratio_of_medians
from benchmarks.pareto.front import Candidate, dominators

Json = dict[str, Any]
NAME = "pareto"
CALL, MEMORY = "call", "memory"


def subject_report(
    entries: Sequence[Json], figures: Mapping[str, Mapping[str, Json]], *, shipped: str, score: str
) -> Json:
    """One front: its points with scores, costs and standing.

    Args:
        entries: points with `name`, `score` and whatever else stands in the tables.
        figures: of each point, by number of threads, as `measure_programs` gives them; the first
            number's time and memory make the front.
        shipped: name of the shipped point; it need not be among the entries.
        score: what the score is, in words.
    Returns:
        `score_name`, `threads` (whose figures make the front), `shipped` (None where it was not
        measured) and `points`, fastest first, each with `figures`, `on_front`, `dominated_by` and,
        beside a shipped point, `time_ratio` and `memory_ratio`. A point whose score is not estimable
        is not on the front and dominated by nobody.
    """
    threads = next(iter(next(iter(figures.values()))))
    names = [one["name"] for one in entries]
    base = figures[shipped][threads] if shipped in names else None
    beaten = dominators(
        [_candidate(one, figures[one["name"]][threads]) for one in entries if _scored(one)]
    )
    points = []
    for one in entries:
        name, found = one["name"], figures[one["name"]]
        points.append(
            {
                **one,
                "shipped": name == shipped,
                "on_front": name in beaten and not beaten[name],
                "dominated_by": beaten.get(name, []),
                "figures": dict(found),
                **(_ratios(found[threads], base) if base is not None else {}),
            }
        )
    points.sort(key=lambda one: one["figures"][threads][CALL]["median"])
    return {
        "score_name": score,
        "threads": threads,
        "shipped": shipped if base is not None else None,
        "points": points,
    }


def write_report(report: Json, folder: Path) -> Path:
    """Write pareto.json, pareto.md and pareto.png into a folder; the path of the first."""
    from benchmarks.pareto.table import markdown
    from benchmarks.plots import plot_pareto
    from hemx_core.provenance import write_json

    path = folder / f"{NAME}.json"
    write_json(path, report)
    draft = folder / f"{NAME}.md.tmp"
    draft.write_text(markdown(report), encoding="utf-8")
    draft.replace(folder / f"{NAME}.md")
    plot_pareto(report, folder / f"{NAME}.png")
    return path


def _scored(entry: Json) -> bool:
    return entry["score"]["value"] is not None


def _candidate(entry: Json, figures: Json) -> Candidate:
    """A point as the tables show it: what the machine's noise moves by less is a tie."""
    return Candidate(
        name=entry["name"],
        score=round(entry["score"]["value"], 3),
        latency_ms=float(f"{figures[CALL]['median']:.3g}"),
        memory_mib=float(f"{figures[MEMORY]['median']:.3g}"),
    )


def _ratios(figures: Json, base: Json) -> Json:
    """Time and memory over the shipped point's; the time with an interval over the rounds."""
    time = ratio_of_medians(figures[CALL]["rounds"], base[CALL]["rounds"], paired=True)
    memory = base[MEMORY]["median"]
    ratio = round(figures[MEMORY]["median"] / memory, 3) if memory else None
    return {"time_ratio": time.to_json(), "memory_ratio": ratio}

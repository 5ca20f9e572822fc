"""What `pareto` found: the front, where the shipped point stands and why, as JSON, Markdown and picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.markdown import ABSENT, interval, number, render, shown, table
from benchmarks.harness.records import BYTES, ratio_of_medians
from hemx_core.files import write_whole
from hemx_core.markers import MARKERS
from hemx_core.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A point in the space of the three figures.

    Args:
        name: of the point.
        score: AUC or Dice; more is better.
        latency_ms: of a call; less is better.
        memory_mib: peak above base; less is better.
    """

    name: str
    score: float
    latency_ms: float
    memory_mib: float

    def dominates(self, other: Candidate) -> bool:
        """Whether this is at least as good in every figure and better in one.

        Equal points do not dominate each other: both may be on the front.
        """
        pairs = (
            (self.score, other.score),
            (-self.latency_ms, -other.latency_ms),
            (-self.memory_mib, -other.memory_mib),
        )
        return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def dominators(candidates: Sequence[Candidate]) -> dict[str, list[str]]:
    """For each point the names of those that dominate it, best score first; the front has none."""
    found = {}
    for candidate in candidates:
        better = [other for other in candidates if other.dominates(candidate)]
        better.sort(key=lambda other: (-other.score, other.latency_ms, other.memory_mib))
        found[candidate.name] = [other.name for other in better]
    return found


def points_table(subject: Json, *, front_only: bool = False) -> str:
    """Points fastest first, numbered as in the picture."""
    points = list(enumerate(subject["points"], 1))
    if front_only:
        points = [(place, p) for place, p in points if p["on_front"] or p["shipped"]]
    places = {point["name"]: place for place, point in enumerate(subject["points"], 1)}
    counts = list(subject["points"][0]["figures"])
    markers = MARKERS if "markers" in subject["points"][0] else ()
    head = [
        *("", "point", subject["score_name"], "minus the shipped point's"),
        *(marker.name_en for marker in markers),
        *(f"{count}, median (p95)" for count in counts),
        *("time × shipped", "memory above base", "memory × shipped", "file", "GMAC", "front"),
    ]
    rows = [
        [
            place,
            f"**{point['name']}** (ships)" if point["shipped"] else point["name"],
            _estimate(point["score"]),
            ABSENT if point["shipped"] else _estimate(point.get("against_shipped"), "+.3f"),
            *(interval(point["markers"][marker.code]["value"], None, None) for marker in markers),
            *(shown({"figures": point["figures"][n]}, CALL, p95=True) for n in counts),
            ABSENT if point["shipped"] else _ratio(point.get("time_ratio")),
            shown({"figures": point["figures"][subject["threads"]]}, MEMORY),
            ABSENT if point["shipped"] else _ratio({"value": point.get("memory_ratio")}),
            number(point["bytes"], BYTES),
            f"{point['macs'] / 1e9:.3g}",
            _standing(point, places),
        ]
        for place, point in points
    ]
    return table(head, rows)


def _estimate(found: Json | None, form: str = ".3f") -> str:
    if found is None:
        return ABSENT
    low, high = found["interval"]
    return interval(found["value"], low, high, form)


def _ratio(found: Json | None) -> str:
    found = found or {"value": None}
    return interval(found["value"], found.get("low"), found.get("high"), ".2f")


def _standing(point: Json, places: Mapping[str, int]) -> str:
    if point["on_front"]:
        return "yes"
    beaten = [places[name] for name in point["dominated_by"]]
    if not beaten:
        return ABSENT
    more = f" and {len(beaten) - 1} more" if len(beaten) > 1 else ""
    return f"dominated by {beaten[0]}{more}"


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
    names = [entry["name"] for entry in entries]
    base = figures[shipped][threads] if shipped in names else None
    beaten = dominators(
        [_candidate(entry, figures[entry["name"]][threads]) for entry in entries if _scored(entry)]
    )
    points = []
    for entry in entries:
        name, found = entry["name"], figures[entry["name"]]
        points.append(
            {
                **entry,
                "shipped": name == shipped,
                "on_front": name in beaten and not beaten[name],
                "dominated_by": beaten.get(name, []),
                "figures": dict(found),
                **(_ratios(found[threads], base) if base is not None else {}),
            }
        )
    points.sort(key=lambda point: point["figures"][threads][CALL]["median"])
    return {
        "score_name": score,
        "threads": threads,
        "shipped": shipped if base is not None else None,
        "points": points,
    }


def write_report(report: Json, folder: Path) -> Path:
    """Write pareto.json, pareto.md and pareto.png into a folder; the path of the first."""
    from benchmarks.harness.plots import plot_pareto
    from hemx_core.provenance import write_json

    path = folder / f"{NAME}.json"
    write_json(path, report)
    tables = {name: points_table(subject) for name, subject in report["subjects"].items()}
    text = render("pareto_report", report=report, tables=tables)
    write_whole(folder / f"{NAME}.md", text + "\n")
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

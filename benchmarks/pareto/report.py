"""What `pareto` found: the front, where the shipped point stands and why, as JSON, Markdown and picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.records import BYTES, MIB, MS, ratio_of_medians
from benchmarks.harness.tables import ABSENT, number, table
from hemx_core.files import write_whole
from hemx_core.markers import MARKERS


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
    for one in candidates:
        better = [other for other in candidates if other.dominates(one)]
        better.sort(key=lambda other: (-other.score, other.latency_ms, other.memory_mib))
        found[one.name] = [other.name for other in better]
    return found


Json = dict[str, Any]
FEW = 3
"""Points that a sentence names; the table has the others."""


def reason(subject: Json) -> list[str]:
    """Sentences on one front, as `subject_report` made it."""
    points = [one for one in subject["points"] if one["score"]["value"] is not None]
    front = [one for one in points if one["on_front"]]
    first = (
        f"{len(front)} of {len(points)} points are on the front of {subject['score_name']}, time and "
        f"memory ({subject['threads']})."
    )
    shipped = next((one for one in points if one["shipped"]), None)
    if shipped is None:
        return [first, "The shipped point is not among them, so nothing is said of it."]
    best = max(points, key=lambda one: one["score"]["value"])
    cheaper = [one for one in front if _faster(one) and not _worse(one)]
    return [
        first,
        _standing_in_words(shipped, points, subject["score_name"]),
        _best(best, shipped, subject["score_name"]),
        _cheaper(cheaper, front, subject["score_name"]),
        _verdict(shipped, points, cheaper),
    ]


def compared(point: Json) -> str:
    """A point against the shipped one: score, time and memory, in words."""
    time = point["time_ratio"]
    low_high = f"{time['low']:.2f} to {time['high']:.2f}"
    memory = point["memory_ratio"]
    return (
        f"{_difference(point)}, {time['value']:.2f} × its time ({low_high})"
        f"{'' if memory is None else f', {memory:.2f} × its memory'}"
    )


def _standing_in_words(shipped: Json, points: list[Json], score: str) -> str:
    if shipped["on_front"]:
        return (
            f"The shipped point ({shipped['name']}) is on it: no other point has at least its "
            f"{score} at no more time and no more memory."
        )
    names = shipped["dominated_by"]
    several = [one for name in names[:FEW] for one in points if one["name"] == name]
    told = "; ".join(f"{one['name']} ({compared(one)})" for one in several)
    more = f"; and {len(names) - FEW} more" if len(names) > FEW else ""
    count = "1 point has" if len(names) == 1 else f"{len(names)} points have"
    return (
        f"The shipped point ({shipped['name']}) is not on it: {count} at least its {score} at no "
        f"more time and no more memory: {told}{more}."
    )


def _best(best: Json, shipped: Json, score: str) -> str:
    if best["score"]["value"] <= shipped["score"]["value"]:
        return f"No point has a higher {score}."
    return f"The highest {score} is that of {best['name']}: {compared(best)}."


def _cheaper(cheaper: list[Json], front: list[Json], score: str) -> str:
    if not any(_faster(one) for one in front):
        return "No point on the front is faster."
    if not cheaper:
        return f"Every faster point on the front has a lower {score}, shown by its interval."
    ordered = sorted(cheaper, key=lambda one: -one["score"]["value"])
    told = "; ".join(f"{one['name']} ({compared(one)})" for one in ordered[:FEW])
    more = f"; and {len(ordered) - FEW} more" if len(ordered) > FEW else ""
    return f"Faster on the front, and not shown to have a lower {score}: {told}{more}."


def _verdict(shipped: Json, points: list[Json], cheaper: list[Json]) -> str:
    better = [one for one in points if (_interval(one)[0] or 0.0) > 0]
    for one in better:
        if one["name"] in shipped["dominated_by"]:
            return (
                f"So the figures speak against the shipped point: {one['name']} is shown to be better and "
                "costs no more."
            )
    if better:
        least = min(better, key=lambda one: float(one["time_ratio"]["value"]))
        return (
            f"So the shipped point is a compromise: {least['name']} is shown to be better, by "
            f"{compared(least)}."
        )
    if cheaper:
        return (
            "So these figures do not tell the shipped point from faster ones: those are the candidates "
            "for the next recipe, once trained as long as the shipped weights were."
        )
    if shipped["on_front"]:
        return "So it ships: nothing is shown to be better, and nothing faster is as good."
    return "So the figures do not speak for it: what dominates it deserves a full training."


def _difference(point: Json) -> str:
    value = point["against_shipped"]["value"]
    low, high = _interval(point)
    if value is None:
        return "difference not estimable"
    if low is None or high is None:
        return f"{value:+.3f} (no interval)"
    includes = "includes 0" if low <= 0 <= high else "excludes 0"
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f}, {includes})"


def _interval(point: Json) -> tuple[float | None, float | None]:
    low, high = point["against_shipped"]["interval"]
    return low, high


def _faster(point: Json) -> bool:
    """Faster than the shipped point beyond the rounds' noise."""
    return not point["shipped"] and bool(point["time_ratio"]["high"] < 1)


def _worse(point: Json) -> bool:
    """Shown to score lower than the shipped point."""
    high = _interval(point)[1]
    return high is not None and high < 0


TITLES = {"classifier": "Classifier", "segmenter": "Segmenter"}


def markdown(report: Json) -> str:
    """The whole report: how it was made, and for each front its words and all of its points."""
    parts = ["# Pareto front", "![Score against time and memory](pareto.png)", *notes(report)]
    for name, subject in report["subjects"].items():
        parts += [f"## {TITLES[name]}", " ".join(reason(subject)), points_table(subject)]
    made = report["provenance"]
    parts.append(
        f"`{made['command']}`, commit {made['commit'] or 'unknown'}, {made['created_at'][:10]}, "
        f"{made['machine']['processor']}, {made['machine']['cores']} cores; {report['rounds']} fresh "
        f"processes of {report['calls']} calls for each program and number of threads, interleaved."
    )
    return "\n\n".join(parts) + "\n"


def section(report: Json, picture: str) -> str:
    """What docs/performance.md says: words, and the points on the fronts with the shipped ones."""
    parts = [f"![Score against time and memory]({picture})", *notes(report)]
    for name, subject in report["subjects"].items():
        parts += [
            f"### {TITLES[name]}: the front",
            " ".join(reason(subject)),
            points_table(subject, front_only=True),
        ]
    parts.append(f"All points: [pareto.md]({picture.removesuffix('.png')}.md).")
    return "\n\n".join(parts)


def finalists_section(report: Json) -> str:
    """What docs/performance.md says of classifiers that were trained longer: budget, words, all of them."""
    subject = report["subjects"]["classifier"]
    return "\n\n".join([notes(report)[0], " ".join(reason(subject)), points_table(subject)])


def notes(report: Json) -> list[str]:
    """Paragraphs on budget, data and what the figures do not say."""
    budget, data = report["budget"], report["data"]
    test, reference = data["test"], report["shipped_weights"]["score"]
    samples = budget["steps"] * budget["batch"] / max(1, budget["training_slices"])
    precision, threads = (", ".join(map(str, budget[name])) for name in ("precision", "threads"))
    return [
        f"Every classifier was trained from scratch for {budget['steps']} steps of {budget['batch']} "
        f"pictures ({samples:.1f} passes over {budget['training_slices']} slices), peak rate "
        f"{budget['peak_lr']:g}, seed {budget['seed']}, {precision}; {budget['trainings']} trainings took "
        f"{budget['minutes']:.0f} minutes on {threads} thread(s). That is far less than the shipped weights "
        f"had (theirs on the same studies: mean AUC {_estimate(reference)}), so the AUCs compare the points "
        "with each other and say nothing of the product. Larger networks and pictures may need more steps, "
        "and with one seed an interval covers the patients and not the training's own chance.",
        f"AUC is per study on {test['studies']} test studies of {test['patients']} patients "
        f"({test['slices']} slices on which the shipped segmenter finds blood, before its export; "
        f"{data['cohort'].get('name', 'cohort')}), mean of the four markers, through the exported program "
        "of the point's precision. The shipped classifier's design was chosen from such figures of the same "
        "patients, so its lead is optimistic. Dice is of the shipped weights through the exported program, "
        f"per study: {data['masks']['source']}; another size covers the same field with larger pixels, "
        "for which the weights were not trained. Intervals draw patients; differences are paired, and not "
        "corrected for the number of points. Time and memory make a front as medians of three significant "
        "digits: what differs less is a tie.",
    ]


def points_table(subject: Json, *, front_only: bool = False) -> str:
    """Points fastest first, numbered as in the picture."""
    points = list(enumerate(subject["points"], 1))
    if front_only:
        points = [pair for pair in points if pair[1]["on_front"] or pair[1]["shipped"]]
    counts = list(subject["points"][0]["figures"])
    scored = "markers" in subject["points"][0]
    codes = [(one.code, one.name_en) for one in MARKERS] if scored else []
    head = [
        "",
        "point",
        subject["score_name"],
        "minus the shipped point's",
        *(name for _code, name in codes),
        *(f"{count}, median (p95)" for count in counts),
        "memory above base",
        "file",
        "GMAC",
        "front",
    ]
    lines = []
    for place, one in points:
        calls = [one["figures"][count]["call"] for count in counts]
        memory = one["figures"][subject["threads"]]["memory"]["median"]
        lines.append(
            [
                str(place),
                f"**{one['name']}** (ships)" if one["shipped"] else one["name"],
                _estimate(one["score"]),
                ABSENT if one["shipped"] else _estimate(one.get("against_shipped"), sign="+"),
                *(_short(one["markers"][code]) for code, _name in codes),
                *(f"{number(c['median'], MS)} ({number(c['p95'], MS)})" for c in calls),
                number(memory, MIB),
                number(one["bytes"], BYTES),
                f"{one['macs'] / 1e9:.3g}",
                _standing(one, subject),
            ]
        )
    return table(head, lines)


def _standing(point: Json, subject: Json) -> str:
    if point["on_front"]:
        return "yes"
    numbers = {one["name"]: place for place, one in enumerate(subject["points"], 1)}
    beaten = [numbers[name] for name in point["dominated_by"]]
    if not beaten:
        return ABSENT
    more = f" and {len(beaten) - 1} more" if len(beaten) > 1 else ""
    return f"dominated by {beaten[0]}{more}"


def _estimate(one: Json | None, sign: str = "") -> str:
    if one is None or one["value"] is None:
        return ABSENT
    low, high = one["interval"]
    text = f"{one['value']:{sign}.3f}"
    return text if low is None else f"{text} ({low:{sign}.3f} to {high:{sign}.3f})"


def _short(one: Json) -> str:
    return ABSENT if one["value"] is None else f"{one['value']:.3f}"


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
    from benchmarks.harness.plots import plot_pareto
    from hemx_core.provenance import write_json

    path = folder / f"{NAME}.json"
    write_json(path, report)
    write_whole(folder / f"{NAME}.md", markdown(report))
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

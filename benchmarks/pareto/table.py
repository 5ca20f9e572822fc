"""The fronts as Markdown, from pareto.json alone."""

from __future__ import annotations

from typing import Any

from benchmarks.markdown import ABSENT, number, table
from benchmarks.pareto.reason import reason
from benchmarks.records import BYTES, MIB, MS
from hemx_core.markers import MARKERS

Json = dict[str, Any]
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

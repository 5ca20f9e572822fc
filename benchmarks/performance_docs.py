"""docs/performance.md from the result files: `python -m benchmarks.performance_docs [--check]`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import export_text, growth_text, operators_text
from benchmarks.goals import BUNDLE_LIMIT_BYTES, agrees, alone, outcomes
from benchmarks.markdown import goals_table, machine_line, peers_table, shown, stages_table, table
from benchmarks.pareto.table import finalists_section
from benchmarks.pareto.table import section as pareto_section
from benchmarks.peers import contest
from benchmarks.peers.roster import OURS
from benchmarks.plots import plot_growth, plot_peers, plot_strategies
from benchmarks.records import RESULTS, figures_of, load_records, threads_name
from benchmarks.run import judge_run

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
VALIDATION = ROOT / "benchmarks" / "results" / "validation.json"
PARETO = ROOT / "benchmarks" / "results" / "pareto.json"
FINALISTS = ROOT / "benchmarks" / "results" / "pareto_finalists" / "pareto.json"
LAYER_ERROR = ROOT / "benchmarks" / "results" / "layer_error.json"
NOT_MEASURED = "Not measured yet.\n"
DICE_DROP, AUC_DROP = 0.005, 0.01
WAITS = 4
"""Peers whose wait for a first answer is told, shortest first."""

HEAD = """# Performance

<!-- Made by `python -m benchmarks.performance_docs` from benchmarks/results/performance; do not edit. -->

Two commands make every figure of the export's goals: `python -m benchmarks run --budget tablet` and
`python -m benchmarks peers`; `python -m benchmarks threads`, `operators`, `growth-cost` and `pareto`,
`hemx fold-gain`, `hemx layouts` and `hemx layer-error` make the rest. Everything is measured in fresh
processes that take turns (the order moves on by one place in each round, every other round runs backwards),
with outputs compared before speeds. A figure is the median over rounds of a round's median, with the 95th
percentile of all calls in brackets. A ratio is one of medians of one run; its interval draws the rounds anew,
both sides together. Memory is the peak resident size above the process with the runtime and the inputs in it,
before the model is loaded. No figure here comes from a phone or tablet: none was at hand.
"""


def page(
    results: Path = RESULTS,
    validation: Path = VALIDATION,
    plots: str = "../benchmarks/results/performance",
    pareto: Path = PARETO,
    layer_error: Path = LAYER_ERROR,
    finalists: Path = FINALISTS,
) -> str:
    """The whole document."""
    parts = [
        HEAD,
        _section(
            "Goals of the export", results / contest.FILE, lambda rows: _goals(rows, validation)
        ),
        _section(
            "The same graphs in every runtime",
            results / contest.FILE,
            lambda rows: _peers(rows, plots),
        ),
        _lines("Folding passes", results / "fold_gain.jsonl", export_text.folding),
        _lines("Two files or one", results / "layouts.jsonl", export_text.layouts),
        _report("Layers in int8", layer_error, export_text.float_layers),
        _section("A study on this machine", results / "run.jsonl", _studies),
        _section(
            "Two threads and studies",
            results / "threads.jsonl",
            lambda rows: _strategies(rows, plots),
        ),
        _section("Where time and memory go", results / "operators.jsonl", operators_text.section),
        _section(
            "How the cost grows",
            results / "growth_cost.jsonl",
            lambda rows: growth_text.growth(rows, plots),
        ),
        _report(
            "Pareto front",
            pareto,
            lambda found: pareto_section(found, f"{plots.rsplit('/', 1)[0]}/pareto.png"),
        ),
        _report("Pareto front: some trained longer", finalists, finalists_section),
    ]
    return "\n".join(parts)


def draw(results: Path = RESULTS) -> None:
    """The pictures, beside their files."""
    jobs = (("peers", plot_peers), ("threads", plot_strategies), ("growth_cost", plot_growth))
    for name, plot in jobs:
        rows = [
            one
            for one in load_records(results / f"{name}.jsonl")
            if "call" in figures_of(one) and one.get("subject") != contest.STUDY
        ]
        if rows:
            plot(rows, results / f"{name}.png")


def main(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail if it would.")
    ] = False,
) -> None:
    """Write docs/performance.md and the pictures."""
    text = page()
    if check:
        known = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        if known != text:
            typer.echo(
                "docs/performance.md differs: run python -m benchmarks.performance_docs", err=True
            )
            raise typer.Exit(1)
        return
    draw()
    draft = PAGE.with_suffix(".tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(PAGE)


def _section(title: str, path: Path, body: Callable[[list[Json]], str]) -> str:
    return _made(title, load_records(path), body)


def _lines(title: str, path: Path, body: Callable[[list[Json]], str]) -> str:
    """As `_section`, of a file that the export writes: lines without the records' head."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return _made(title, [json.loads(line) for line in text.splitlines()], body)


def _made(title: str, rows: list[Json], body: Callable[[list[Json]], str]) -> str:
    if not rows:
        return f"## {title}\n\n{NOT_MEASURED}"
    return f"## {title}\n\n{body(rows)}\n\nMeasured on {machine_line(rows[-1])}.\n"


def _report(title: str, path: Path, body: Callable[[Json], str]) -> str:
    if not path.exists():
        return f"## {title}\n\n{NOT_MEASURED}"
    report = json.loads(path.read_text(encoding="utf-8"))
    made = report["provenance"]
    line = machine_line({**made, "device": made["machine"]})
    return f"## {title}\n\n{body(report)}\n\nMeasured on {line}.\n"


def _goals(rows: list[Json], validation: Path) -> str:
    sizes = [one["figures"]["size"]["median"] for one in rows if one["subject"] == contest.STUDY]
    lines = [goals_table(outcomes(rows)), ""]
    if sizes:
        word = "hit" if sizes[0] < BUNDLE_LIMIT_BYTES else "**missed**"
        lines.append(
            f"Bundle under {BUNDLE_LIMIT_BYTES / 1e6:.0f} MB: {sizes[0] / 1e6:.1f} MB, {word}."
        )
    lines.append(_accuracy(validation))
    lines.append(_alone(rows))
    waits = first_answers(rows)
    if OURS in waits:
        others = {name: wait for name, wait in waits.items() if name != OURS}
        told = sorted(others, key=lambda name: others[name])[:WAITS]
        lines.append(
            "\nLoading is not comparable alone: some runtimes map a file and pack its weights at the first "
            "call, ours hashes it and packs at once. From file to first answer the segmenter takes "
            f"{waits[OURS]:.0f} ms on 1 thread; "
            + ", ".join(f"{name} {others[name]:.0f} ms" for name in told)
            + "."
        )
    return "\n".join(lines)


def _alone(rows: list[Json]) -> str:
    said = [
        f"{', '.join(f'{one.value:.2f} x {name}' for name, one in ratios.items())} on {threads_name(count)}"
        for count, ratios in alone(rows).items()
        if ratios
    ]
    if not said:
        return ""
    return (
        "\nPeers as users export them take a slice a call, ours as many as a study gains from. With one on "
        f"both sides the segmenter takes, against the fastest int8 of each runtime, {'; '.join(said)}."
    )


def first_answers(rows: list[Json]) -> dict[str, float]:
    """Medians of load and first call of the segmenter on one thread together, ms, by contestant."""
    return {
        one["peer"]: figures_of(one)["load"]["median"] + figures_of(one)["first"]["median"]
        for one in rows
        if (one["subject"], one["threads"]) == ("segmenter", 1)
        and {"load", "first"} <= set(figures_of(one))
        and agrees(one)
    }


def _accuracy(path: Path) -> str:
    """The accuracy gates, from `hemx validate`."""
    if not path.exists():
        return "Accuracy gates on real slices: not measured (`hemx validate`)."
    found = json.loads(path.read_text(encoding="utf-8"))
    masks, said = found.get("masks"), []
    if masks is not None:
        drop = masks["dice_drop"]
        said.append(f"Dice drop {drop:.4f} (at most {DICE_DROP}), {_word(drop <= DICE_DROP)}")
    drops = {code: row["drop"] for code, row in found.get("markers", {}).items()}
    known = {code: drop for code, drop in drops.items() if drop is not None}
    if known:
        worst = max(known, key=lambda code: known[code])
        word = _word(known[worst] <= AUC_DROP)
        said.append(f"largest AUC drop {known[worst]:.4f} ({worst}; at most {AUC_DROP}), {word}")
    source = found.get("source") or "see the file"
    name = source if isinstance(source, str) else source.get("name", "see the file")
    return f"Accuracy gates (markers on {name}): {'; '.join(said)}."


def _word(hit: bool) -> str:
    return "hit" if hit else "**missed**"


def _peers(rows: list[Json], plots: str) -> str:
    parts = [f"![Time of a slice in every runtime]({plots}/peers.png)\n"]
    for subject in dict.fromkeys(one["subject"] for one in rows):
        title = {"segmenter": "Segmenter, a slice", "classifier": "Classifier, a crop"}.get(
            subject, "Whole study"
        )
        parts.append(f"### {title}\n\n{peers_table(rows, subject)}\n")
    facts = next((one["material"] for one in rows if "material" in one), None)
    if facts is not None:
        sources, counts = facts["sources"], facts["calibration"]
        parts.append(
            f"Timed on {sources['timed']}. Judged on {facts['judged']['segmenter']} slices: "
            f"{sources['judged']}. Every int8 contestant was calibrated on the same {counts['segmenter']} "
            f"slices ({sources['calibration']}), those for the classifier on the {counts['classifier']} of "
            "them that show blood. ONNX Runtime int8 is static QDQ, weights per channel; u8s8 is its "
            "documentation's advice for x86 without VNNI. OpenVINO int8 is NNCF's post-training quantization "
            "with its defaults. The max-pool VGG16 is untrained: for its time only. "
            f"{_several(rows)}"
        )
    return "\n".join(parts)


def _several(rows: list[Json]) -> str:
    """Who takes several slices a call, and what that does to the columns."""
    slices = {
        one["peer"]: one.get("slices_a_call", 1)
        for one in rows
        if one["subject"] == "segmenter" and one.get("figures")
    }
    several = [name for name, count in slices.items() if count > 1]
    if not several:
        return ""
    return (
        f"{slices[several[0]]} slices a call, as a study has them, go through {'; '.join(several)}: their "
        "time is for each of these slices, their first call and memory are of the whole call."
    )


def _studies(rows: list[Json]) -> str:
    lines = [stages_table(rows), ""]
    for device_class in ("phone", "tablet", "desk"):
        for what, verdicts in judge_run(rows, device_class).items():
            said = ", ".join(
                f"{one.line.replace('_', ' ')} {one.found:.3g} of {one.limit:g} {one.unit}"
                f"{'' if one.passed else ' (**over**)'}"
                for one in verdicts
                if one.found is not None
            )
            lines.append(f"- Budget {device_class}, {what.replace(' | ', ', ')}: {said}")
    lines.append(
        "\nThe desk's memory counts the runtime with torch's libraries, which phone and tablet do not have."
    )
    return "\n".join(lines)


def _strategies(rows: list[Json], plots: str) -> str:
    usable = sorted(
        (one for one in rows if one["figures"]), key=lambda one: figures_of(one)["call"]["median"]
    )
    lines = [
        [
            one["what"] + (" (ships)" if one["shipped"] else ""),
            shown(one, "call", p95=True),
            shown(one, "first"),
            shown(one, "memory"),
        ]
        for one in usable
    ]
    lines += [[one["what"], one["status"], "–", "–"] for one in rows if not one["figures"]]
    limit = growth_text.memory_limit("tablet")
    inside = [one for one in usable if figures_of(one)["memory"]["median"] <= limit]
    best = inside[0]["what"] if inside else "none"
    shown_rows = table(["", "study, median (p95)", "first study", "memory above base"], lines)
    return (
        f"![Study time of every strategy]({plots}/threads.png)\n\n{shown_rows}\n\n"
        f"Fastest inside {limit:g} MiB, the tablet's memory budget: {best}."
    )


if __name__ == "__main__":
    typer.run(main)

"""docs/performance.md from the result files: `python -m benchmarks.pages.performance [--check]`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.harness.plots import plot_growth
from benchmarks.harness.records import RESULTS, figures_of, load_records
from benchmarks.harness.tables import machine_line, shown, stages_table, table
from benchmarks.pages import contest as contest_text
from benchmarks.pages import contest as growth_text
from benchmarks.pages import graphs as export_text
from benchmarks.pages import graphs as operators_text
from benchmarks.pages.contest import plot_peers, plot_strategies
from benchmarks.pareto.report import finalists_section
from benchmarks.pareto.report import section as pareto_section
from benchmarks.peers import contest
from benchmarks.run import judge_run
from hemx_core.files import write_whole

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "performance.md"
VALIDATION = ROOT / "benchmarks" / "results" / "validation.json"
PARETO = ROOT / "benchmarks" / "results" / "pareto.json"
FINALISTS = ROOT / "benchmarks" / "results" / "pareto_finalists" / "pareto.json"
LAYER_ERROR = ROOT / "benchmarks" / "results" / "layer_error.json"
NOT_MEASURED = "Not measured yet.\n"

HEAD = """# Performance

<!-- Made by `python -m benchmarks.pages.performance` from benchmarks/results/performance; do not edit. -->

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
            "Goals of the export",
            results / contest.FILE,
            lambda rows: contest_text.goals(rows, validation),
        ),
        _section(
            "The same graphs in every runtime",
            results / contest.FILE,
            lambda rows: contest_text.peers(rows, plots),
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
                "docs/performance.md differs: run python -m benchmarks.pages.performance", err=True
            )
            raise typer.Exit(1)
        return
    draw()
    write_whole(PAGE, text)


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

"""`pages`: fill the documents' figures from the result files; with `--check` fail where they differ.

A block between `<!-- figures:NAME -->` and `<!-- /figures -->`, in any page of `PAGES`, is replaced by what
`BLOCKS[NAME]` finds in the result files: a table, or the facts of templates/NAME.md.j2. `NAME:WORD` gives
the word too, as an argument. So no figure is typed by hand, and no sentence is made by code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.harness import plots
from benchmarks.harness.markdown import render
from benchmarks.harness.records import figures_of, load_records
from benchmarks.pages import accuracy, performance, security
from benchmarks.peers.contest import STUDY
from benchmarks.peers.goals import OWN
from benchmarks.peers.roster import OURS
from hemx_core.files import write_whole

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAGES = (
    "docs/accuracy.md",
    "docs/app.md",
    "docs/experiments.md",
    "docs/performance.md",
    "docs/security.md",
    "hemx_core/weights/MODEL_CARD.md",
)
NOT_MEASURED = "Not measured yet."
BLOCK = re.compile(r"(<!-- figures:(\w+)(?::(\w+))? -->\n).*?(<!-- /figures -->)", re.DOTALL)
BLOCKS: dict[str, Callable[..., str | dict[str, Any]]] = {
    "validated": accuracy.validated,
    "segmentation": accuracy.segmentation,
    "classifier": accuracy.classifier,
    "read": accuracy.read,
    "signs": accuracy.signs,
    "growth": accuracy.expansion,
    "intervals": accuracy.intervals,
    "validation": accuracy.validation,
    "parity": accuracy.parity,
    "world": accuracy.world,
    "robustness": security.parts,
    "mutants": security.kinds,
    "study": accuracy.study,
    "app": accuracy.app,
    "experiment": accuracy.experiment,
    "goals": performance.goals,
    "peers": performance.peers,
    "folding": performance.folding,
    "layouts": performance.layouts,
    "float_layers": performance.float_layers,
    "studies": performance.studies,
    "strategies": performance.strategies,
    "operators": performance.operators,
    "growth_cost": performance.growth,
    "pareto": performance.pareto,
    "finalists": performance.finalists,
}


def block(name: str, word: str | None = None, *, results: Path = RESULTS) -> str:
    """What stands between the marks of a block.

    Args:
        name: of the block; an unknown one is a KeyError.
        word: its argument, if it takes one.
        results: folder of the result files; where the block's is missing, nothing is claimed.
    """
    try:
        found = BLOCKS[name](results, *([word] if word else []))
    except FileNotFoundError:
        return NOT_MEASURED
    return found if isinstance(found, str) else render(name, **found)


def fill(text: str, *, results: Path = RESULTS) -> str:
    """The text with every block filled."""
    return BLOCK.sub(lambda m: f"{m[1]}\n{block(m[2], m[3], results=results)}\n\n{m[4]}", text)


def outdated(*, results: Path = RESULTS) -> dict[Path, str]:
    """The pages that differ from the result files, with the text they should have."""
    texts = {ROOT / page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
    return {path: new for path, old in texts.items() if (new := fill(old, results=results)) != old}


def draw(folder: Path = RESULTS / "performance") -> None:
    """The pictures of docs/performance.md, beside their files."""
    for name, plot in (
        ("peers", partial(plots.plot_peers, ours=OURS, own=OWN)),
        ("threads", plots.plot_strategies),
        ("growth_cost", plots.plot_growth),
    ):
        rows = [
            record
            for record in load_records(folder / f"{name}.jsonl")
            if "call" in figures_of(record) and record.get("subject") != STUDY
        ]
        if rows:
            plot(rows, folder / f"{name}.png")


def pages(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 where a page differs.")
    ] = False,
) -> None:
    """Fill the figures of the documents from the result files."""
    changed = outdated()
    for path in changed:
        typer.echo(f"{path.relative_to(ROOT)} {'differs' if check else 'filled'}", err=check)
    if check and changed:
        raise typer.Exit(1)
    if not check:
        draw()
        for path, text in changed.items():
            write_whole(path, text)

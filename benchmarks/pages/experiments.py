"""Fill docs/experiments.md from the result files; `--check` fails where they differ.

    python -m benchmarks.pages.experiments [--check]

A block between `<!-- experiment:NAME -->` and `<!-- /experiment -->` is replaced by NAME's tables and
plot, so no figure is typed by hand.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.paper.report import RESULTS, run_line, section_table
from hemx_core.files import write_whole

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "experiments.md"
BLOCK = re.compile(r"(<!-- experiment:(\w+) -->\n).*?(<!-- /experiment -->)", re.DOTALL)


def render(text: str, results: Path) -> str:
    """The text with every block filled; `results` holds the JSON files."""
    return BLOCK.sub(lambda found: f"{found[1]}{block(found[2], results)}\n{found[3]}", text)


def block(name: str, results: Path) -> str:
    """Tables and plot of an experiment; a sentence where it has not been run."""
    path = results / f"{name}.json"
    if not path.exists():
        return f"\nNot run here; `hemx experiment {name}` runs it.\n"
    report = json.loads(path.read_text(encoding="utf-8"))
    tables = [section_table(section).replace("## ", "#### ", 1) for section in report["sections"]]
    picture = f"![{report['title']}](../benchmarks/results/paper/{name}.png)"
    return "\n".join(["", "\n\n".join([run_line(report), *tables, picture]), ""])


def main(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail if it would.")
    ] = False,
) -> None:
    """Fill docs/experiments.md."""
    old = DOCUMENT.read_text(encoding="utf-8")
    new = render(old, RESULTS)
    if new == old:
        return
    if check:
        typer.echo(
            "docs/experiments.md differs from the results; run python -m benchmarks.pages.experiments",
            err=True,
        )
        raise typer.Exit(1)
    write_whole(DOCUMENT, new)


if __name__ == "__main__":
    typer.run(main)

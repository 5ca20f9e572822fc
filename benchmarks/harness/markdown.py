"""Result files as Markdown: tables by tabulate, text by jinja2, figures with three digits and a unit."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from tabulate import tabulate

from benchmarks.harness.records import BYTES, MIB, figures_of, threads_name
from hemx_core.records import Json

TEMPLATES = Path(__file__).resolve().parents[1] / "pages" / "templates"
ABSENT = "–"
WIDTH = 100


def render(template: str, **facts: Any) -> str:
    """A template of benchmarks/pages/templates with its facts filled in; an unknown fact is an error.

    Paragraphs are wrapped anew, so a template's own line ends and blank lines do not matter.
    """
    text = _environment().get_template(f"{template}.md.j2").render(facts)
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(block if block[0] in "|#!" else _wrapped(block) for block in blocks)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; the cells stand as they are, a bar in them escaped."""
    cells = [[str(cell).replace("|", r"\|") for cell in row] for row in (head, *rows)]
    return str(tabulate(cells[1:], cells[0], tablefmt="github", disable_numparse=True))


def number(value: float, unit: str) -> str:
    """Three significant digits with the unit; sizes in MB."""
    if unit == BYTES:
        return f"{value / 1e6:.3g} MB" if value >= 1e5 else f"{value / 1e3:.3g} kB"
    if unit == MIB:
        return f"{value:.0f} MiB" if value >= 10 else f"{value:.1f} MiB"
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def shown(record: Json, name: str, *, p95: bool = False) -> str:
    """A figure of a record, or a dash."""
    figure = figures_of(record).get(name)
    if figure is None:
        return ABSENT
    text = number(figure["median"], figure["unit"])
    return f"{text} ({number(figure['p95'], figure['unit'])})" if p95 else text


def interval(value: float | None, low: float | None, high: float | None, form: str = ".3f") -> str:
    """A value with its interval; a dash for what was not estimable."""
    if value is None:
        return ABSENT
    text = format(value, form)
    return text if low is None or high is None else f"{text} ({low:{form}} to {high:{form}})"


def machine_line(record: Json) -> str:
    """Where and when a record was measured, and with what."""
    device, versions = record["device"], record["versions"]
    names = [name for name in ("torch", "executorch", "numpy") if name in versions]
    return ", ".join(
        [
            f"{device['processor']}, {device['cores']} cores, {device['memory_gib']} GiB",
            f"{device['system']}; {', '.join(f'{name} {versions[name]}' for name in names)}; "
            f"commit {record['commit'] or 'unknown'}",
            record["created_at"][:10],
        ]
    )


def _wrapped(paragraph: str) -> str:
    words = " ".join(paragraph.split())
    return textwrap.fill(words, WIDTH, break_long_words=False, break_on_hyphens=False)


@cache
def _environment() -> Environment:
    # Markdown for people who read it as text: nothing is escaped for HTML.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "threads": threads_name, "machine": machine_line}
    environment.globals |= {"interval": interval}
    return environment

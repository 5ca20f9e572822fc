"""Blocks of figures: found, filled, checked; the documents are true to the result files."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from benchmarks.cli import benchmark_app
from benchmarks.harness.markdown import TEMPLATES, number, render, table
from benchmarks.harness.records import BYTES, MIB, MS
from benchmarks.pages import fill
from benchmarks.pages.fill import BLOCK, BLOCKS, NOT_MEASURED, PAGES, ROOT
from benchmarks.paper.experiments import NAMES
from tests.benchmarks.pages.test_performance import performance


def test_documents_show_the_figures_of_the_result_files() -> None:
    assert fill.outdated() == {}


def test_every_block_stands_in_a_page_and_every_template_is_used() -> None:
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in PAGES]
    marks = {mark for text in texts for mark in BLOCK.findall(text)}
    assert {name for _, name, _, _ in marks} == set(BLOCKS)
    assert {word for _, name, word, _ in marks if name == "experiment"} == set(NAMES)
    templates = {path.name.removesuffix(".md.j2") for path in TEMPLATES.iterdir()}
    assert templates - set(BLOCKS) == {"pareto_notes", "pareto_report"}


def test_a_block_is_filled_and_the_text_round_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BLOCKS, "one", lambda results, word="none": f"{results.name} {word}")
    text = "before\n<!-- figures:one -->\nold\n<!-- /figures -->\nafter\n"
    filled = fill.fill(text, results=Path("r"))
    assert filled == "before\n<!-- figures:one -->\n\nr none\n\n<!-- /figures -->\nafter\n"
    assert fill.fill(filled, results=Path("r")) == filled
    assert "r two" in fill.fill(text.replace(":one", ":one:two"), results=Path("r"))


def test_an_unknown_block_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill.fill("<!-- figures:nothing -->\n<!-- /figures -->")


@pytest.mark.parametrize("name", sorted(set(BLOCKS) - {"experiment", "validated"}))
def test_without_files_nothing_is_claimed(name: str, tmp_path: Path) -> None:
    assert fill.block(name, results=tmp_path) == NOT_MEASURED


def test_a_page_that_differs_fails_the_check_and_is_filled_without_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- figures:one -->\n\nold\n\n<!-- /figures -->\n", encoding="utf-8")
    monkeypatch.setattr(fill, "ROOT", tmp_path)
    monkeypatch.setattr(fill, "PAGES", ("page.md",))
    monkeypatch.setattr(fill, "draw", lambda: None)
    monkeypatch.setitem(BLOCKS, "one", lambda results: "new")
    checked = CliRunner().invoke(benchmark_app, ["pages", "--check"])
    assert (checked.exit_code, "page.md differs" in checked.output) == (1, True)
    assert "old" in page.read_text(encoding="utf-8")
    assert CliRunner().invoke(benchmark_app, ["pages"]).exit_code == 0
    assert "\nnew\n" in page.read_text(encoding="utf-8")
    assert CliRunner().invoke(benchmark_app, ["pages", "--check"]).exit_code == 0
    assert list(tmp_path.iterdir()) == [page]


def test_the_pictures_are_drawn_beside_their_files(tmp_path: Path) -> None:
    performance(tmp_path)
    fill.draw(tmp_path / "performance")
    for name in ("peers", "threads", "growth_cost"):
        assert min(Image.open(tmp_path / "performance" / f"{name}.png").size) > 100


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (123.4, MS, "123 ms"),
        (1.234, MS, "1.23 ms"),
        (14.4e6, BYTES, "14.4 MB"),
        (9.94, MIB, "9.9 MiB"),
        (56.3, MIB, "56 MiB"),
    ],
)
def test_numbers(value: float, unit: str, text: str) -> None:
    assert number(value, unit) == text


def test_a_table_leaves_its_cells_as_they_are() -> None:
    rows = table(["a", ""], [["1.50", "x | y"], [2, ""]]).splitlines()
    assert [[cell.strip() for cell in row.split(" | ")] for row in rows[::2]] == [
        ["| a", "|"],
        ["| 1.50", r"x \| y |"],
    ]


def test_a_fact_that_is_not_given_is_an_error() -> None:
    with pytest.raises(Exception, match="'table' is undefined"):
        render("strategies")

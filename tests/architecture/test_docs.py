"""The documents: short, wrapped, with links that lead somewhere and decisions that are listed."""

import re
from pathlib import Path

import pytest

import hemx_core as hemx
from tests.architecture.house import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
WIDTH = 100
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def test_the_readme_is_a_page() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 80
    assert [line for line in lines if len(line) > WIDTH and not line.startswith("![")] == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_prose_is_wrapped(page: Path) -> None:
    prose = FENCE.sub("", page.read_text(encoding="utf-8")).splitlines()
    free = ("|", "![", "    ")  # tables, pictures, code
    assert [line for line in prose if len(line) > WIDTH and not line.startswith(free)] == []


def test_what_documents_call_in_python_is_offered() -> None:
    code = [block for page in PAGES for block in PYTHON.findall(page.read_text(encoding="utf-8"))]
    used = {name for block in code for name in re.findall(r"\bhemx\.(\w+)", block)}
    assert {"triage", "compare", "load_models", "Volume"} <= used
    assert used <= set(hemx.__all__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    paths = [link.partition("#")[0] for link in links if "://" not in link]
    assert [path for path in paths if path and not (page.parent / path).exists()] == []


def test_decisions_are_numbered_and_listed() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))
    listed = LINK.findall((DOCS / "decisions" / "index.md").read_text(encoding="utf-8"))
    assert sorted(listed) == [path.name for path in DECISIONS]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_has_context_and_evidence(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(path.name[:4])}. ")
    headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert headings[:3] == ["Context", "Decision", "Evidence"]
    sections = re.split(r"^#.*$", text, flags=re.MULTILINE)
    assert all(section.strip() for section in sections[2:])

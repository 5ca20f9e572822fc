"""A Markdown page as plain blocks that a screen can show; enough for the model card, and no more; no Kivy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
MARKS = re.compile(r"\*\*|__|`|(?<!\w)\*(?=\w)|(?<=[\w.])\*(?!\w)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
RULE = re.compile(r"\|(\s*:?-+:?\s*\|)+")
BULLET = "•"


class Kind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    TEXT = "text"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or list entry, or a row of a table."""

    kind: Kind
    text: str


def blocks(markdown: str) -> list[Block]:
    """The page's blocks in order; comments, marks and the targets of links are left out.

    A row of a table reads "first: second, third", with the column's name before each further cell
    where there are more than two columns.
    """
    found: list[Block] = []
    header: list[str] = []
    fresh = True
    for line in COMMENT.sub("", markdown).splitlines():
        line = line.strip()
        if line.startswith("|"):
            if RULE.fullmatch(line):
                continue
            cells = [plain(cell) for cell in line.strip("|").split("|")]
            if not header:
                header = cells
            else:
                found.append(Block(Kind.ROW, _row(header, cells)))
            continue
        header = []
        if not line:
            fresh = True
        elif line.startswith("#"):
            found.append(Block(Kind.HEADING, plain(line.lstrip("#"))))
            fresh = True
        elif line.startswith(("- ", "* ")):
            found.append(Block(Kind.TEXT, f"{BULLET} {plain(line[2:])}"))
            fresh = False
        elif fresh or not found:
            found.append(Block(Kind.TEXT, plain(line)))
            fresh = False
        else:
            found[-1] = Block(found[-1].kind, f"{found[-1].text} {plain(line)}")
    return found


def plain(text: str) -> str:
    """Text without marks; a link is its words."""
    return MARKS.sub("", LINK.sub(r"\1", text)).strip()


def pages(text: str, *, characters: int = 2400) -> list[str]:
    """A long text cut at line ends: one label cannot hold it, its texture would be too high.

    Args:
        text: any text; a line longer than a page is cut where the page ends.
        characters: most on a page.
    """
    found, page = [], ""
    for line in text.splitlines():
        while len(line) > characters:
            found += [page] * bool(page) + [line[:characters]]
            page, line = "", line[characters:]
        if len(page) + len(line) + 1 > characters:
            found.append(page)
            page = ""
        page += line + "\n"
    return [*found, page] if page or not found else found


def _row(header: list[str], cells: list[str]) -> str:
    if len(cells) == 2:
        return f"{cells[0]}: {cells[1]}"
    named = [
        f"{name} {cell}" if name else cell
        for name, cell in zip(header[1:], cells[1:], strict=False)
    ]
    return f"{cells[0]}: {', '.join(named)}"

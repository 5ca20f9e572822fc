from __future__ import annotations

from pathlib import Path

import hemx_core
from mobile_app.device.markdown import Block, Kind, blocks, pages

CARD = Path(hemx_core.__file__).parent / "weights" / "MODEL_CARD.md"

PAGE = """# Title

First line
goes **on** in *italics*, see [the page](../x.md).

<!-- figures:a -->
| Name | Value |
| --- | --- |
| Dice | `0.97` |
<!-- /figures -->

| Marker | AUC | Cases |
| :--- | --- | ---: |
| Blend | 0.97 | 29 |

- **One**: a
  b
- Two
"""


def test_every_kind_of_block() -> None:
    assert blocks(PAGE) == [
        Block(Kind.HEADING, "Title"),
        Block(Kind.TEXT, "First line goes on in italics, see the page."),
        Block(Kind.ROW, "Dice: 0.97"),
        Block(Kind.ROW, "Blend: AUC 0.97, Cases 29"),
        Block(Kind.TEXT, "• One: a b"),
        Block(Kind.TEXT, "• Two"),
    ]


def test_the_model_card_reads_as_text() -> None:
    found = blocks(CARD.read_text("utf-8"))
    assert found[0].kind is Kind.HEADING
    told = "\n".join(one.text for one in found)
    assert "medical device" in told
    assert not [mark for mark in ("**", "`", "<!--", "](", "| ", "---") if mark in told]
    assert sum(one.kind is Kind.HEADING for one in found) >= 4


def test_pages_are_cut_at_line_ends_and_lose_nothing() -> None:
    text = "\n".join(f"line {number}" for number in range(500)) + "\n"
    cut = pages(text, characters=300)
    assert "".join(cut) == text
    assert max(map(len, cut)) <= 300
    long = pages("x" * 1000, characters=300)
    assert "".join(long) == "x" * 1000 + "\n"
    assert pages("") == [""]

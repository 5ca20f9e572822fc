"""Tables without their padding, and paragraphs without their line ends, so that a test can look for them."""

from __future__ import annotations

import re


def squeezed(text: str) -> str:
    """Every table row and every paragraph on a line of its own, with single spaces."""
    blocks = (
        block if block.startswith("|") else " ".join(block.split())
        for block in re.split(r"\n\n+", text)
    )
    return re.sub(" +", " ", "\n\n".join(blocks))

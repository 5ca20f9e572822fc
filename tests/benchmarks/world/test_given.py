"""Expectations in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.world import given
from benchmarks.world.expect import Expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            {"volume": "full +- 5 %", "advice": "as full", "note": "says that slices lie apart"},
            Expected(volume=0.05, advice=True, note="."),
        ),
        (
            {"slices": "all; or the rest is told with WARNING", "volume": "full +- 1 %"},
            Expected(volume=0.01, slices=True, partial=True, warning="."),
        ),
        ({"answer": "refused: no head"}, Expected(right=False, refusal=".")),
        (
            {"answer": "never a bare 'none found': WARNING how many mm"},
            Expected(right=False, warning="."),
        ),
        (
            {"answers": "indeterminate for every definition"},
            Expected(answer="indeterminate", warning="."),
        ),
        (
            {"series": "CRANIO SENZA MDC is read; the other is set aside"},
            Expected(series="^CRANIO\\ SENZA\\ MDC$"),
        ),
    ],
)
def test_words_are_read(words: dict[str, str], expected: Expected) -> None:
    assert given.expected(words) == expected


def test_words_stand_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "expected.json").write_text(json.dumps({"a": {"volume": "full", "note": "x"}}))
    assert given.in_words(given.read_cases(tmp_path)["a"]) == "volume: full; note: x"

"""The ways of breaking code, on a few lines of it."""

from __future__ import annotations

import pytest

pytest.importorskip("cosmic_ray", reason="the extra `mutants` is not installed")

from tests.mutants.__main__ import read_accepted
from tests.mutants.operators import mutants

SOURCE = """
LIMIT: float = 30.0


def judge(volume: float, *, name: str | None = None) -> str | None:
    if volume >= LIMIT:
        store.note(name)
        return max(
            one(volume),
            volume * 2,
        )
    raise ValueError(f"{volume + 1} is small")
"""


def _broken() -> set[tuple[str, str]]:
    return {(one.before, one.after) for one in mutants(SOURCE)}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LIMIT: float = 30.0", "LIMIT: float = 31.0"),
        ("if volume >= LIMIT:", "if volume > LIMIT:"),
        ("if volume >= LIMIT:", "if volume < LIMIT:"),
        ("if volume >= LIMIT:", "if not volume >= LIMIT:"),
        ("store.note(name)", "pass"),
        ("return max(", "return min("),
        ("volume * 2,", "volume / 2,"),
        ('raise ValueError(f"{volume + 1} is small")', "pass"),
    ],
)
def test_each_kind_of_fault_is_made(before: str, after: str) -> None:
    assert (before, after) in _broken()


def test_annotations_signatures_and_the_text_of_an_error_stay() -> None:
    assert not any("def judge" in before for before, _ in _broken())
    assert not any("volume - 1" in after for _, after in _broken())


def test_every_mutant_names_its_function_and_lines() -> None:
    for mutant in mutants(SOURCE):
        assert mutant.function == (
            "" if "LIMIT:" in mutant.before and "if" not in mutant.before else "judge"
        )
        assert mutant.source != SOURCE
        assert mutant.lines.start >= 2


def test_a_survivor_is_accepted_by_its_place_and_text_with_a_reason() -> None:
    text = "a.py | f\n- x = 1\n+ x = 2\n# why\n\nb.py |\n- y\n+ z\n# so\n"
    assert read_accepted(text) == {
        ("a.py", "f", "x = 1", "x = 2"): "why",
        ("b.py", "", "y", "z"): "so",
    }

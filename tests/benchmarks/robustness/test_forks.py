"""A case may hang, crash, panic or take memory: each is told, and the next one is asked all the same."""

from __future__ import annotations

import os
import signal

import pytest

from benchmarks.robustness import forks
from benchmarks.robustness.outcome import Answer, Outcome
from hemx_core.errors import NoSeriesError


class Panic(BaseException):
    """As decoders written in Rust raise it."""


def question(name: str) -> Answer:
    if name == "typed":
        raise NoSeriesError("no_images", folder="x", others=0, lost=None)
    if name == "untyped":
        raise IndexError("x")
    if name == "panic":
        raise Panic
    if name == "crash":
        os.kill(os.getpid(), signal.SIGTERM)
    if name == "hang":
        while True:
            pass
    if name == "memory":
        return Outcome.RIGHT, str(len(bytearray(b"x") * 40_000_000))
    return Outcome.RIGHT, ""


def test_every_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "MOST_SECONDS", 0.2)
    monkeypatch.setattr(forks, "MOST_MIB", 20.0)
    names = ["right", "typed", "untyped", "panic", "crash", "memory", "hang", "right"]
    rows = list(forks.ask_all(question, names))
    assert [row.name for row in rows] == names
    assert [str(row.outcome) for row in rows] == [
        "right", "typed", "untyped", "untyped", "untyped", "memory", "hang", "right",
    ]  # fmt: skip
    assert rows[1].why == "no_images"
    assert "signal 15" in rows[4].why
    assert rows[5].mib > 20


def test_what_is_made_in_a_child_counts_for_nothing() -> None:
    forks.in_child(lambda: None)
    with pytest.raises(RuntimeError, match="made"):
        forks.in_child(lambda: 1 / 0)

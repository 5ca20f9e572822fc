"""On a medium without room the store opens, lists and deletes; a real one, filled to the last byte."""

from __future__ import annotations

import pytest

from benchmarks.robustness.full import WAYS, run_full
from benchmarks.robustness.outcome import Outcome


def test_a_full_medium() -> None:
    rows = run_full()
    if not rows:
        pytest.skip("this system mounts nothing for a user")
    assert [(row.outcome, row.why) for row in rows] == [(Outcome.RIGHT, "")] * len(WAYS)

"""Killed at any moment the store opens again with every finished result and no half one."""

from __future__ import annotations

import os

import pytest

from benchmarks.harness.process import run_fresh
from benchmarks.robustness.kills import run_kills

POINTS = 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the test forks")
@pytest.mark.timeout(240)
def test_killed_at_fifty_random_points() -> None:
    found = run_fresh(run_kills, {"points": POINTS})
    assert found["faults"] == []
    assert found["counts"]["right"] == POINTS
    # Else the kills would have missed what the test is about.
    assert found["under_way"]["save"] >= 4, found
    assert found["under_way"]["import"] >= 4, found
    assert found["under_way"].get("back up", 0) >= 1, found
    assert found["saved"] >= POINTS / 2

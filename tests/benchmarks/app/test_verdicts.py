from __future__ import annotations

import math

import pytest

from benchmarks.app.verdicts import Verdict, figure, percentile, report
from hemx_core.errors import BenchmarkError


def verdict(found: float) -> Verdict:
    return Verdict(claim="a", found=found, limit=2.0, unit="s")


def test_a_figure_at_its_limit_passes_and_one_beyond_or_unknown_fails() -> None:
    assert verdict(2.0).passed
    assert not verdict(2.0001).passed
    assert not verdict(math.nan).passed
    assert not verdict(math.inf).passed


def test_a_verdict_says_what_it_is() -> None:
    assert verdict(1.0).told() == "pass  a: 1 s (limit 2)"
    assert verdict(3.0).told().startswith("FAIL")
    assert verdict(3.0).to_json()["passed"] is False


def test_a_figure_keeps_every_value() -> None:
    found = figure([3.0, 1.0, 8.0], "s")
    assert found == {"median": 3.0, "largest": 8.0, "unit": "s", "values": [3.0, 1.0, 8.0]}


def test_percentiles_are_values_that_were_measured() -> None:
    values = list(range(100, 0, -1))
    assert percentile(values, 0.99) == 99
    assert percentile(values, 0.5) == 50
    assert percentile(values, 1.0) == 100
    assert percentile([7], 0.01) == 7


def test_nothing_measured_is_refused() -> None:
    for act in (lambda: figure([], "s"), lambda: percentile([], 0.5)):
        with pytest.raises(BenchmarkError):
            act()


def test_one_broken_verdict_fails_the_report() -> None:
    good, bad = verdict(1.0), verdict(3.0)
    assert report("x", {}, [good, good], loads=[1.0])["passed"]
    assert not report("x", {}, [good, bad], loads=[1.0])["passed"]
    assert not report("x", {}, [], loads=[1.0])["passed"]


def test_a_report_says_where_it_comes_from() -> None:
    found = report("x", {"a": 1}, [verdict(1.0)], loads=[0.123], seed=7, slices=30)
    assert found["provenance"]["seed"] == 7
    assert {"command", "commit", "machine", "versions"} <= set(found["provenance"])
    assert (found["load_1min"], found["slices"]) == ([0.12], 30)

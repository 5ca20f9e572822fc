from typing import Any

from benchmarks.pareto.reason import reason
from tests.benchmarks.pareto.made_up import SHIPPED, classifiers, estimate


def said(*rows: tuple[str, float | None, Any, float, float]) -> str:
    return " ".join(reason(classifiers(*rows)))


def test_a_shipped_point_that_nothing_beats() -> None:
    text = said(
        ("bigger", 0.9, estimate(0.0, -0.01, 0.01), 40, 20),
        ("quick", 0.7, estimate(-0.2, -0.3, -0.1), 5, 5),
    )
    assert "2 of 3 points are on the front of mean AUC, time and memory (1 thread)." in text
    assert f"The shipped point ({SHIPPED}) is on it" in text
    assert "No point has a higher mean AUC." in text
    assert "Every faster point on the front has a lower mean AUC" in text
    assert "So it ships" in text


def test_a_dominated_shipped_point_is_told_by_whom_and_by_how_much() -> None:
    text = said(("cheap", 0.91, estimate(0.01, -0.02, 0.04), 10, 6))
    assert f"({SHIPPED}) is not on it: 1 point has at least its mean AUC" in text
    assert "cheap (+0.010 (-0.020 to +0.040, includes 0), 0.50 × its time (0.50 to 0.50)" in text
    assert "0.67 × its memory" in text
    assert "do not tell the shipped point from faster ones" in text


def test_a_point_that_is_better_and_costs_no_more_speaks_against_it() -> None:
    text = said(("both", 0.99, estimate(0.09, 0.02, 0.15), 10, 6))
    assert "excludes 0" in text
    assert "speak against the shipped point: both is shown to be better" in text


def test_a_better_and_dearer_point_makes_it_a_compromise() -> None:
    text = said(("dear", 0.99, estimate(0.09, 0.02, 0.15), 50, 30))
    assert "The highest mean AUC is that of dear: +0.090" in text
    assert "compromise: dear is shown to be better, by +0.090" in text
    assert "No point on the front is faster." in text


def test_a_point_that_only_ties_in_time_dominates_without_being_faster() -> None:
    text = said(("small", 0.9, estimate(0.0, -0.02, 0.02), 20, 6))
    assert "what dominates it deserves a full training" in text


def test_many_points_are_counted_and_not_all_named() -> None:
    rows = [(f"p{i}", 0.95, estimate(0.05, -0.1, 0.2), 10 + i, 8 - i) for i in range(5)]
    text = said(*rows)
    assert "5 points have" in text
    assert "and 2 more" in text


def test_without_the_shipped_point_nothing_is_said_of_it() -> None:
    subject = classifiers(("other", 0.9, estimate(0.0, 0.0, 0.0), 10, 6))
    subject["points"] = [one for one in subject["points"] if not one["shipped"]]
    assert reason(subject)[1].startswith("The shipped point is not among them")


def test_a_score_without_an_interval_or_not_estimable_is_no_error() -> None:
    text = said(("few", 0.95, estimate(0.05), 10, 6), ("none", None, estimate(None), 5, 5))
    assert "+0.050 (no interval)" in text
    assert "none" not in text

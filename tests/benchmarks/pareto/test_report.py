import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmarks.pareto.report import (
    Candidate,
    dominators,
    points_table,
    subject_report,
    write_report,
)
from tests.benchmarks.pareto.made_up import SHIPPED, classifiers, costs, entry, estimate, report
from tests.benchmarks.squeezed import squeezed


def point(name: str, score: float, latency: float, memory: float) -> Candidate:
    return Candidate(name=name, score=score, latency_ms=latency, memory_mib=memory)


def test_better_in_one_figure_and_equal_in_the_others_dominates() -> None:
    base = point("base", 0.9, 20, 10)
    for other in (point("a", 0.91, 20, 10), point("b", 0.9, 19, 10), point("c", 0.9, 20, 9)):
        assert other.dominates(base)
        assert not base.dominates(other)


def test_a_trade_dominates_in_neither_direction() -> None:
    quick, right = point("quick", 0.8, 5, 10), point("right", 0.9, 20, 10)
    assert not quick.dominates(right)
    assert not right.dominates(quick)


def test_equal_points_are_both_on_the_front() -> None:
    found = dominators([point("a", 0.9, 20, 10), point("b", 0.9, 20, 10)])
    assert found == {"a": [], "b": []}


def test_who_dominates_is_told_best_score_first() -> None:
    found = dominators(
        [
            point("worst", 0.5, 50, 50),
            point("good", 0.8, 10, 10),
            point("best", 0.9, 20, 10),
            point("good too", 0.8, 9, 12),
        ]
    )
    assert found["worst"] == ["best", "good too", "good"]
    assert [name for name, several in found.items() if not several] == ["good", "best", "good too"]


def test_no_points_no_front() -> None:
    assert dominators([]) == {}


FIGURES = st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=12)


@given(FIGURES)
def test_every_dominated_point_is_dominated_by_one_on_the_front(
    figures: list[tuple[int, int, int]],
) -> None:
    candidates = [point(str(i), *map(float, one)) for i, one in enumerate(figures)]
    found = dominators(candidates)
    front = {name for name, several in found.items() if not several}
    assert front
    assert all(set(several) & front for name, several in found.items() if name not in front)


def rows_of(subject: Any, **options: bool) -> list[str]:
    return squeezed(points_table(subject, **options)).splitlines()


def test_a_point_is_told_against_the_shipped_one() -> None:
    rows = rows_of(classifiers(("cheap", 0.91, estimate(0.01, -0.02, 0.04), 10, 6)))
    (cheap,) = [row for row in rows if "| cheap |" in row]
    assert "| +0.010 (-0.020 to +0.040) |" in cheap
    assert "| 0.50 (0.50 to 0.50) | 6.0 MiB | 0.67 |" in cheap
    (ships,) = [row for row in rows if "(ships)" in row]
    assert ships.endswith("| dominated by 1 |")


def test_many_dominating_points_are_counted() -> None:
    points = [(f"p{i}", 0.95, estimate(0.05, -0.1, 0.2), 10 + i, 8 - i) for i in range(5)]
    (ships,) = [row for row in rows_of(classifiers(*points)) if "(ships)" in row]
    assert "and 4 more |" in ships


def test_a_score_without_an_interval_or_not_estimable_is_no_error() -> None:
    points = [("few", 0.95, estimate(0.05), 10, 6), ("none", None, estimate(None), 5, 5)]
    text = "\n".join(rows_of(classifiers(*points)))
    assert "| few | 0.950 (0.900 to 1.000) | +0.050 |" in text
    assert "| none | – | – |" in text


def test_without_the_shipped_point_there_are_no_ratios_in_the_table() -> None:
    subject = subject_report(
        [entry("a", 0.9, estimate(None))], {"a": costs(3, 4)}, shipped="b", score="mean AUC"
    )
    assert "| – | 4.0 MiB | – | 4 MB |" in rows_of(subject)[2]


def test_the_report_says_budget_data_and_every_point(tmp_path: Path) -> None:
    write_report(report(), tmp_path)
    text = squeezed((tmp_path / "pareto.md").read_text(encoding="utf-8"))
    assert text.startswith("# Pareto front\n\n![Score against time and memory](pareto.png)")
    assert "10 steps of 8 pictures (2.0 passes over 40 slices)" in text
    assert "3 trainings took 12 minutes on 2 thread(s)" in text
    assert "mean AUC 0.970 (0.950 to 0.990)" in text
    assert "6 test studies of 3 patients" in text
    assert "2 phantoms" in text
    assert "`pareto`, commit abc, 2026-11-26, P, 2 cores; 2 fresh processes of 5 calls" in text
    for subject in report()["subjects"].values():
        assert all(one["name"] in text for one in subject["points"])


def test_a_row_of_the_table() -> None:
    rows = rows_of(report()["subjects"]["classifier"])
    ships = next(row for row in rows if SHIPPED in row and "(ships)" in row)
    assert "| 3 | **" in ships
    assert "0.900 (0.850 to 0.950) | – | 0.900 |" in ships
    assert "20.1 ms (20.2 ms) | 20.1 ms (20.2 ms) | – | 9.0 MiB | – | 4 MB | 2 | yes |" in ships
    beaten = next(row for row in rows if "float32" in row)
    assert "+0.000 (-0.010 to +0.010)" in beaten
    assert beaten.endswith("| dominated by 3 |")
    unknown = next(row for row in rows if "ll, crop 128" in row)
    assert unknown.endswith("| – |")


def test_a_segmenter_has_no_columns_of_markers() -> None:
    head = points_table(report()["subjects"]["segmenter"]).splitlines()[0]
    assert "Fluid level" not in head
    assert "mean Dice" in head


def test_points_stand_fastest_first_with_their_standing() -> None:
    subject = classifiers(
        ("beaten", 0.8, estimate(-0.1, -0.2, 0.0), 30, 12),
        ("quick", 0.7, estimate(-0.2, -0.3, -0.1), 5, 5),
        ("unknown", None, estimate(None), 1, 1),
    )
    points = {one["name"]: one for one in subject["points"]}
    assert list(points) == ["unknown", "quick", SHIPPED, "beaten"]
    assert points["beaten"]["dominated_by"] == [SHIPPED]
    assert [name for name, one in points.items() if one["on_front"]] == ["quick", SHIPPED]
    assert points["unknown"]["dominated_by"] == []
    assert points["beaten"]["time_ratio"]["value"] == pytest.approx(1.5)
    assert points["quick"]["memory_ratio"] == pytest.approx(0.556)
    assert subject["shipped"] == SHIPPED


def test_what_noise_moves_is_a_tie() -> None:
    same = ("same", 0.9001, estimate(0.0001, -0.01, 0.01), 19.999, 8.999)
    subject = classifiers(same)
    assert all(one["on_front"] for one in subject["points"])


def test_without_the_shipped_point_there_are_no_ratios() -> None:
    subject = subject_report(
        [entry("a", 0.9, estimate(None))], {"a": costs(3, 4)}, shipped="b", score="mean AUC"
    )
    assert subject["shipped"] is None
    assert "time_ratio" not in subject["points"][0]


def test_three_files_are_written(tmp_path: Path) -> None:
    path = write_report(report(), tmp_path / "results")
    assert json.loads(path.read_text(encoding="utf-8")) == report()
    assert (tmp_path / "results" / "pareto.md").read_text(encoding="utf-8").startswith("# Pareto")
    assert min(Image.open(tmp_path / "results" / "pareto.png").size) > 100
    assert not list(tmp_path.rglob("*.tmp"))

import json
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.pareto.report import subject_report, write_report
from tests.benchmarks.pareto.made_up import SHIPPED, classifiers, costs, entry, estimate, report


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

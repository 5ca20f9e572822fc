import json

from benchmarks.pareto.table import finalists_section, markdown, points_table, section
from tests.benchmarks.pareto.made_up import SHIPPED, report


def test_the_report_says_budget_data_and_every_point() -> None:
    text = markdown(report())
    assert "10 steps of 8 pictures (2.0 passes over 40 slices)" in text
    assert "3 trainings took 12 minutes on 2 thread(s)" in text
    assert "mean AUC 0.970 (0.950 to 0.990)" in text
    assert "6 test studies of 3 patients" in text
    assert "2 phantoms" in text
    assert "`pareto`, commit abc, 2026-11-26, P, 2 cores; 2 fresh processes of 5 calls" in text
    for subject in report()["subjects"].values():
        assert all(one["name"] in text for one in subject["points"])


def test_a_row_of_the_table() -> None:
    rows = points_table(report()["subjects"]["classifier"]).splitlines()
    ships = next(row for row in rows if SHIPPED in row and "(ships)" in row)
    assert "| 3 | **" in ships
    assert "0.900 (0.850 to 0.950) | – | 0.900 |" in ships
    assert "20.1 ms (20.2 ms) | 20.1 ms (20.2 ms) | 9.0 MiB | 4 MB | 2 | yes |" in ships
    beaten = next(row for row in rows if "float32" in row)
    assert "+0.000 (-0.010 to +0.010)" in beaten
    assert beaten.endswith("| dominated by 3 |")
    unknown = next(row for row in rows if "ll, crop 128" in row)
    assert unknown.endswith("| – |")


def test_a_segmenter_has_no_columns_of_markers() -> None:
    head = points_table(report()["subjects"]["segmenter"]).splitlines()[0]
    assert "Fluid level" not in head
    assert "mean Dice" in head


def test_the_page_shows_the_front_only_and_numbers_it_as_the_picture() -> None:
    text = section(json.loads(json.dumps(report())), "../results/pareto.png")
    assert "![Score against time and memory](../results/pareto.png)" in text
    assert "[pareto.md](../results/pareto.md)" in text
    assert "| 1 | ll, crop 96, width 0.25, int8 |" in text
    assert "| project, crop 128, width 0.5, float32 |" not in text


def test_those_trained_longer_are_all_shown_without_the_segmenter() -> None:
    text = finalists_section(report())
    assert "10 steps of 8 pictures" in text
    points = report()["subjects"]["classifier"]["points"]
    assert all(f"{one['name']}" in text for one in points)
    assert "pixels, int8" not in text

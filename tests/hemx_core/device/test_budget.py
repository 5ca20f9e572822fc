from __future__ import annotations

from pathlib import Path

import pytest

from hemx_core.device.budget import BUDGETS, PATHS, UNITS, find_budget, judge, load_budgets, passes
from hemx_core.errors import BenchmarkError

RECORD = {
    "kind": "study",
    "input": {"slices": 30},
    "timings": {"study": {"median_ms": 4000.0}, "first_slice": {"first_ms": 700.0}},
    "memory": {"above_base_mib": 120.0},
    "bundle": {"bytes": 18_000_000},
}


def test_every_class_has_every_line_and_every_figure_a_reason() -> None:
    budgets = load_budgets()
    assert list(budgets) == ["phone", "tablet", "desk"]
    assert all(set(one.limits) == set(PATHS) == set(UNITS) for one in budgets.values())
    lines = BUDGETS.read_text("utf-8").splitlines()
    for line, before in zip(lines[1:], lines, strict=False):
        if "=" in line and not line.startswith("#"):
            assert before.startswith("# "), f"no reason stands above {line!r}"


def test_the_tablet_s_budget_is_what_the_app_promises() -> None:
    tablet = load_budgets()["tablet"]
    assert tablet.slices == 30
    assert tablet.limits == {
        "study_seconds": 8.0,
        "first_slice_seconds": 1.0,
        "memory_mib": 250.0,
        "bundle_mb": 35.0,
    }


def test_verdicts_line_by_line() -> None:
    tablet = load_budgets()["tablet"]
    verdicts = judge(RECORD, tablet)
    assert [(one.line, round(one.found or 0, 6), one.unit) for one in verdicts] == [
        ("study_seconds", 4.0, "s"),
        ("first_slice_seconds", 0.7, "s"),
        ("memory_mib", 120.0, "MiB"),
        ("bundle_mb", 18.0, "MB"),
    ]
    assert passes(verdicts)
    slow = RECORD | {"timings": {"study": {"median_ms": 8001.0}, "first_slice": {"first_ms": 1.0}}}
    verdicts = judge(slow, tablet)
    assert [one.passed for one in verdicts] == [False, True, True, True]
    assert not passes(verdicts)


def test_an_unknown_figure_does_not_pass() -> None:
    unknown = RECORD | {"memory": {"above_base_mib": None}, "bundle": {}}
    verdicts = judge(unknown, load_budgets()["desk"])
    assert [one.found for one in verdicts][2:] == [None, None]
    assert [one.passed for one in verdicts] == [True, True, False, False]


@pytest.mark.parametrize(
    "change", [{"input": {"slices": 12}}, {"input": {}}, {"kind": "growth"}, {"kind": None}]
)
def test_another_study_than_the_budget_s_is_not_judged(change: dict[str, object]) -> None:
    with pytest.raises(BenchmarkError, match="whole study of 30 slices"):
        judge(RECORD | change, load_budgets()["tablet"])


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="one of phone, tablet, desk"):
        find_budget(load_budgets(), "watch")
    assert find_budget(load_budgets(), "desk").device_class == "desk"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "slices = 30\n[tablet]\nstudy_seconds = 1",
        "slices = 0\n[tablet]\nstudy_seconds = 1\nfirst_slice_seconds = 1\nmemory_mib = 1\nbundle_mb = 1",
        "slices = 30\n[t]\nstudy_seconds = 0\nfirst_slice_seconds = 1\nmemory_mib = 1\nbundle_mb = 1",
        "slices = 30\ntablet = 3",
        "slices =",
    ],
)
def test_a_budget_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "budget.toml"
    path.write_text(text)
    with pytest.raises(BenchmarkError, match=r"budget\.toml that cannot be used"):
        load_budgets(path)
    with pytest.raises(BenchmarkError):
        load_budgets(tmp_path / "none.toml")

"""The goals' ratios, and who counts as the best peer."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.harness.records import BYTES, MIB, MS, figure
from benchmarks.peers.contest import STUDY
from benchmarks.peers.goals import alone, best, outcomes
from benchmarks.peers.roster import EAGER, FOLDED, MAX_POOL, OURS, OURS_ALONE, STOCK, TRAINED


def row(
    peer: str,
    call: float,
    *,
    subject: str = "segmenter",
    precision: str = "int8",
    graph: str = TRAINED,
    memory: float = 100.0,
    load: float = 100.0,
    threads: int = 1,
) -> dict[str, Any]:
    return {
        "subject": subject,
        "peer": peer,
        "precision": precision,
        "graph": graph,
        "threads": threads,
        "status": "ok",
        "figures": {
            "call": figure([call] * 3, MS),
            "load": figure([load] * 3, MS),
            "memory": figure([memory] * 3, MIB),
            "size": figure([5.0], BYTES),
        },
    }


ROWS = [
    row(OURS, 30.0, memory=30.0, load=5.0),
    row(STOCK, 60.0),
    row("ONNX Runtime fp32", 20.0, precision="fp32"),
    row("ONNX Runtime int8", 60.0),
    row("ONNX Runtime int8, u8s8", 50.0),
    row("OpenVINO int8", 40.0),
    row("OpenVINO int8, our folded graph", 25.0, graph=FOLDED, memory=120.0),
    row(OURS, 10.0, subject="classifier"),
    row(MAX_POOL, 8.0, subject="classifier"),
    row("LiteRT int8", 20.0, subject="classifier"),
    row("ncnn fp32", 5.0, subject="classifier", precision="fp32"),
    row(OURS, 300.0, subject=STUDY),
    row(EAGER, 1000.0, subject=STUDY, precision="fp32"),
]


def found() -> dict[str, Any]:
    return {one.goal: one for one in outcomes(ROWS)}


@pytest.mark.parametrize(
    ("start", "against", "ratio", "hit"),
    [
        # The faster of the two ways in which users export to it.
        ("Segmenter: time, ONNX", "ONNX Runtime int8, u8s8", 0.6, True),
        ("Segmenter: time, OpenVINO", "OpenVINO int8", 0.75, True),
        # Any precision, and with our folded graph.
        ("Segmenter: time, best", "ONNX Runtime fp32", 1.5, False),
        ("Segmenter: memory", "ONNX Runtime fp32", 0.3, True),
        ("Segmenter: load", "ONNX Runtime fp32", 0.05, True),
        ("Segmenter: time, naive", STOCK, 0.5, True),
        ("Classifier: time, best", "LiteRT int8", 0.5, True),
        ("Classifier: time, plain", MAX_POOL, 1.25, False),
        ("Study", EAGER, 0.3, True),
    ],
)
def test_goal(start: str, against: str, ratio: float, hit: bool) -> None:
    (one,) = [outcome for goal, outcome in found().items() if goal.startswith(start)]
    assert one.against == against
    assert one.ratio.value == pytest.approx(ratio)
    assert one.hit is hit


def test_the_best_peer_may_be_asked_without_our_folds() -> None:
    assert best(ROWS, "segmenter", 1, prefix="OpenVINO")["graph"] == FOLDED  # type: ignore[index]
    chosen = best(ROWS, "segmenter", 1, prefix="OpenVINO", folded=False)
    assert chosen is not None
    assert chosen["peer"] == "OpenVINO int8"


def test_what_was_not_measured_is_neither_hit_nor_missed() -> None:
    alone = outcomes([ROWS[0]])
    assert alone
    assert all(one.hit is None for one in alone)


def test_every_number_of_threads_has_its_own_goals() -> None:
    both = outcomes([*ROWS, *({**one, "threads": 2} for one in ROWS)])
    assert len(both) == 2 * len(outcomes(ROWS))


@pytest.mark.parametrize("accuracy", [{"mask_dice": 0.9}, {"probability_p95": 0.5}])
def test_a_contestant_with_other_answers_is_not_compared(accuracy: dict[str, float]) -> None:
    wrong = {**row("Fast int8", 1.0), "accuracy": accuracy}
    chosen = best([*ROWS, wrong], "segmenter", 1, precision="int8", folded=False)
    assert chosen is not None
    assert chosen["peer"] == "OpenVINO int8"


def test_a_slice_a_call_is_compared_with_a_slice_a_call() -> None:
    several = row("LiteRT int8, 4 slices a call", 10.0) | {"slices_a_call": 4}
    rows = [*ROWS, several, row("LiteRT int8", 40.0), row(OURS_ALONE, 32.0)]
    (ratios,) = alone(rows).values()
    # OpenVINO's folded one counts as well where it took a slice a call.
    values = {name: one.value for name, one in ratios.items()}
    assert values == pytest.approx({"ONNX Runtime": 0.64, "OpenVINO": 1.28, "LiteRT": 0.8})
    assert alone(ROWS) == {}

"""A made-up report: four classifiers and two segmenters with given figures."""

from __future__ import annotations

from benchmarks.harness.records import MIB, MS, figure
from benchmarks.pareto.report import subject_report
from hemx_core.markers import MARKER_CODES
from hemx_core.records import Json

THREADS = ("1 thread", "2 threads")
SHIPPED = "project, crop 128, width 0.5, int8"


def costs(call: float, memory: float) -> dict[str, Json]:
    """Figures of a point: two rounds, the same on both numbers of threads."""
    found = {
        "call": figure([call, 1.01 * call], MS),
        "first": figure([2 * call], MS),
        "load": figure([call], MS),
        "memory": figure([memory], MIB),
    }
    return dict.fromkeys(THREADS, found)


def estimate(value: float | None, low: float | None = None, high: float | None = None) -> Json:
    return {"value": value, "interval": [low, high]}


def entry(name: str, score: float | None, against: Json, *, markers: bool = True) -> Json:
    found = {
        "name": name,
        "precision": name.rsplit(", ", 1)[-1],
        "bytes": 4_000_000,
        "macs": 2_000_000_000,
        "score": estimate(score, None if score is None else score - 0.05, score and score + 0.05),
        "against_shipped": against,
    }
    return found | (
        {"markers": {code: estimate(score) for code in MARKER_CODES}} if markers else {}
    )


def classifiers(*rows: tuple[str, float | None, Json, float, float]) -> Json:
    """The shipped point (0.9, 20 ms, 9 MiB) and others: name, score, difference, ms, MiB."""
    every = [(SHIPPED, 0.9, estimate(0.0, 0.0, 0.0), 20.0, 9.0), *rows]
    return subject_report(
        [entry(name, score, against) for name, score, against, _call, _memory in every],
        {name: costs(call, memory) for name, _score, _against, call, memory in every},
        shipped=SHIPPED,
        score="mean AUC",
    )


def report() -> Json:
    """A whole one."""
    masks = ("256 pixels, int8", "256 pixels, float32")
    return {
        "provenance": {
            "created_at": "2026-11-26T13:00:00+00:00",
            "command": "pareto",
            "commit": "abc",
            "seed": 1,
            "machine": {"processor": "P", "cores": 2, "memory_gib": 8.0, "system": "Linux"},
            "versions": {"torch": "2"},
        },
        "budget": {
            "steps": 10,
            "batch": 8,
            "peak_lr": 8e-4,
            "seed": 1,
            "trainings": 3,
            "training_slices": 40,
            "precision": ["bf16-mixed"],
            "threads": [2],
            "minutes": 12.3,
        },
        "data": {
            "cohort": {"name": "made up"},
            "test": {"studies": 6, "patients": 3, "slices": 30},
            "masks": {"source": "2 phantoms", "studies": 2},
        },
        "rounds": 2,
        "calls": 5,
        "shipped_weights": {"score": estimate(0.97, 0.95, 0.99)},
        "subjects": {
            "classifier": classifiers(
                ("project, crop 128, width 0.5, float32", 0.9, estimate(0.0, -0.01, 0.01), 60, 20),
                ("ll, crop 96, width 0.25, int8", 0.7, estimate(-0.2, -0.3, -0.1), 3, 5),
                ("ll, crop 128, width 0.5, int8", None, estimate(None), 15, 8),
            ),
            "segmenter": subject_report(
                [entry(name, 0.95, estimate(0.0, 0.0, 0.0), markers=False) for name in masks],
                {masks[0]: costs(35, 40), masks[1]: costs(90, 100)},
                shipped=masks[0],
                score="mean Dice",
            ),
        },
    }

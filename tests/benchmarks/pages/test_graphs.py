"""The sections on folding, layout and layers, from small made-up results."""

from __future__ import annotations

from typing import Any

from benchmarks.graphs.fold_gain import KEPT
from benchmarks.graphs.layouts import JOINT, TWO_FILES, TWO_METHODS
from benchmarks.pages.graphs import WORST_LAYERS, float_layers, folding, layouts

Json = dict[str, Any]
FACTS = {
    "device": {"processor": "P", "cores": 2, "memory_gib": 8.0, "system": "Linux"},
    "versions": {"torch": "2"},
    "commit": "abc",
    "created_at": "2026-11-26T10:00:00+00:00",
}


def fold_line(name: str, threads: int, time: float, *, outside: tuple[str, ...] = ()) -> Json:
    return {
        "network": "segmenter",
        "precision": "int8",
        "threads": threads,
        "runs": 20,
        "rounds": 5,
        "pass": name,
        "folded": {"peak_mib": 44.4},
        "unfolded": {"peak_mib": 31.6},
        "program": {"delegates": 1 + len(outside), "operators": list(outside)},
        "latency_ratio": time,
        "memory_ratio": 0.712,
        "load_ratio": 1.01,
        **FACTS,
    }


def fold_lines() -> list[Json]:
    return [
        fold_line("upsampling", 1, 1.4, outside=("aten::upsample", "aten::upsample")),
        fold_line("upsampling", 2, 1.6, outside=("aten::upsample", "aten::upsample")),
        fold_line(KEPT, 1, 1.05),
        fold_line(KEPT, 2, 1.07),
    ]


def test_a_pass_is_a_row_with_what_it_costs_to_leave_it_out() -> None:
    text = folding(fold_lines())
    assert "| | without |" in text.replace("|  |", "| |")
    assert "| segmenter | upsampling | 1.40 | 1.60 | 0.71 | 1.01 | 3 | aten::upsample |" in text
    assert f"| segmenter | {KEPT} | 1.05 | 1.07 | 0.71 | 1.01 | 1 | none |" in text
    assert "32 instead of 44 MiB, for 1.05 x and 1.07 x the time on 1 and 2 threads" in text


def test_nothing_is_said_of_buffers_that_were_not_measured() -> None:
    assert "MiB" not in folding([one for one in fold_lines() if one["pass"] != KEPT])


def test_layouts_are_compared_with_what_ships() -> None:
    found = [
        {
            "layout": name,
            "threads": threads,
            "study_ms": study / threads,
            "load_ms": 40.0,
            "peak_mib": peak,
            "file_bytes": 18_000_000,
            **FACTS,
        }
        for name, study, peak in (
            (TWO_FILES, 1000.0, 50.0),
            (TWO_METHODS, 1010.0, 60.0),
            (JOINT, 1500.0, 55.0),
        )
        for threads in (1, 2)
    ]
    text = layouts(found)
    assert "| two files (ships) | 1000 ms | 500 ms | 40 ms | 50 MiB | 18 MB |" in text
    assert "the joint graph needs 1.50 x the time" in text
    assert "program need 1.01 x the time and 1.20 x the memory" in text


def network(layers: int, *, tried: bool) -> Json:
    kinds = {"operator": "conv2d", "quantized": True, "sqnr_db": 30.0}
    rows = [{"module": f"m{n}", "own_sqnr_db": 40.0 - n, **kinds} for n in range(layers)]
    rows.append({"module": "m_float", "own_sqnr_db": 1.0, **kinds, "quantized": False})
    return {
        "outputs_db": {"mask": 31.25},
        "tried": ["m9"] if tried else [],
        "outputs_db_mixed": {"mask": 31.5} if tried else None,
        "chosen": [],
        "layers": rows,
    }


def test_the_worst_layers_come_first_and_the_choice_is_told() -> None:
    report = {
        "recipe": "tablet-int8",
        "rule": {"floor_db": 20.0, "gain_db": 1.0},
        "source": "16 slices",
        "networks": {
            "segmenter": network(12, tried=True),
            "classifier": network(2, tried=False),
        },
    }
    text = float_layers(report)
    rows = [one for one in text.splitlines() if one.startswith("| m") and "conv2d" in one]
    assert rows[0] == "| m11 | conv2d | 29.0 | 30.0 |"
    assert len(rows) == WORST_LAYERS + 2
    assert (
        "mask 31.2 dB in int8, mask 31.5 dB with 1 modules in float32. Kept in float32: none"
        in text
    )
    assert "none was tried in float32" in text

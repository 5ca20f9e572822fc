"""The commands that measure: what they write and say; the slow parts are given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.cli import benchmark_app
from benchmarks.graphs import cli as measure_cli
from benchmarks.graphs.float_layers import Choice
from benchmarks.graphs.layer_error import LayerError, NetworkError
from tests.export.networks import random_samples, tiny_networks

ROW = LayerError(
    module="decoder.4.refine.0",
    operator="conv2d_9",
    quantized=True,
    parameters=2304,
    mse=1e-4,
    sqnr_db=21.5,
    own_mse=2e-5,
    own_sqnr_db=18.25,
)
ERROR = NetworkError((ROW,), (30.0, 25.0))
CHOICES = {
    "segmenter": Choice(
        outputs=("probabilities", "features"),
        int8=ERROR,
        tried=("decoder.4.refine.0",),
        mixed=NetworkError((ROW,), (33.0, 25.0)),
        chosen=("decoder.4.refine.0",),
    ),
    "classifier": Choice(outputs=("logits", "cam"), int8=ERROR, tried=(), mixed=None, chosen=()),
}
COST = {"load_ms": 3.0, "peak_mib": 40.0, "file_bytes": 2**20, "study_ms": 1500.0}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command on given slices and networks."""
    given = (tiny_networks(), random_samples(2), random_samples(5))
    monkeypatch.setattr(measure_cli, "_prepared", lambda weights, data, count: given)

    def invoke(*arguments: object) -> str:
        result = CliRunner().invoke(benchmark_app, [str(one) for one in arguments])
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    return invoke


def test_layer_error_writes_every_layer_and_says_what_belongs_into_the_recipe(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def choose_networks(networks: object, recipe: object, **named: Any) -> dict[str, Choice]:
        asked.update(named)
        return CHOICES

    monkeypatch.setattr("benchmarks.graphs.float_layers.choose_networks", choose_networks)
    output = run("layer-error", "--slices", 5, "--out", tmp_path / "l.json")
    assert len(asked["slices"]) == 3  # three fifths with blood; there are no others
    assert len(asked["calibration"]) == 2
    report = json.loads((tmp_path / "l.json").read_text())
    assert report["recipe"] == "tablet-int8"
    assert report["rule"] == {"floor_db": 20.0, "gain_db": 3.0}
    segmenter = report["networks"]["segmenter"]
    assert segmenter["chosen"] == ["decoder.4.refine.0"]
    assert segmenter["outputs_db_mixed"] == {"probabilities": 33.0, "features": 25.0}
    assert segmenter["layers"] == [ROW.to_json()]
    assert "segmenter_float=('decoder.4.refine.0',) belongs into the row 'tablet-int8'" in output
    assert "| decoder.4.refine.0 | conv2d_9 | 18.2 | 21.5 | 0.0001 | 2304 |" in output


def test_fold_gain_writes_a_line_for_each_pass(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = {
        "network": "segmenter",
        "threads": 2,
        "pass": "upsampling",
        "latency_ratio": 1.5,
        "memory_ratio": 1.25,
    }
    asked: dict[str, Any] = {}

    def fold_gain(networks: object, precision: object, **named: Any) -> list[dict[str, Any]]:
        asked.update(named)
        return [line]

    monkeypatch.setattr("benchmarks.graphs.fold_gain.fold_gain", fold_gain)
    out = tmp_path / "deep" / "f.jsonl"
    output = run("fold-gain", "--runs", 3, "--threads", 2, "--out", out)
    assert (asked["runs"], asked["rounds"], asked["threads"]) == (3, 5, [2])
    assert set(asked["calibration"]) == {"segmenter", "classifier"}
    assert [json.loads(one) for one in out.read_text().splitlines()] == [line]
    assert "1.50 x time, 1.25 x memory without it" in output


def test_layouts_writes_a_line_for_each(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [{"layout": name, "threads": 1, **COST} for name in ("two files", "joint forward")]
    monkeypatch.setattr("benchmarks.graphs.layouts.compare_layouts", lambda *given, **named: lines)
    out = tmp_path / "l.jsonl"
    output = run("layouts", "--out", out)
    assert [json.loads(one) for one in out.read_text().splitlines()] == lines
    assert "joint forward  1 threads  load 3 ms, study 1500 ms, 40 MiB, 1.0 MiB on disk" in output

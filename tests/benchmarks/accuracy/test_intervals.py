import json
from math import exp, log
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.intervals import judge_growths, judge_volumes, main
from hemx_core.intervals import GrowthInterval, VolumeInterval
from hemx_core.records import from_values
from hemx_core.training.scoring.volume_errors import GrowthRow, VolumeRow, write_errors


def _volumes(count: int, *, seed: int = 0, first: int = 0) -> list[VolumeRow]:
    rng = np.random.default_rng(seed)
    return [
        VolumeRow(
            patient=f"{first + number:04}",
            fold=number % 5,
            predicted_ml=(predicted := float(exp(rng.uniform(log(1), log(60))))),
            reference_ml=predicted * float(exp(rng.normal(0, 0.08))),
            components=1 + number % 4 // 3,
            false_ml=0.1,
        )
        for number in range(count)
    ]


def _growths(count: int) -> list[GrowthRow]:
    rng = np.random.default_rng(5)
    rows = []
    for number in range(count):
        true = np.array([10.0, 10.0 * rng.uniform(0.8, 2)])
        earlier, later = true * np.exp(rng.normal(0, 0.05, 2))
        rows.append(
            GrowthRow(
                patient=f"{number // 2:04}",
                fold=None,
                earlier_ml=float(earlier),
                later_ml=float(later),
                true_earlier_ml=float(true[0]),
                true_later_ml=float(true[1]),
            )
        )
    return rows


def test_volumes_are_judged_in_all_parts() -> None:
    rows = _volumes(60)
    missed = VolumeRow(
        patient="9999", fold=0, predicted_ml=0.0, reference_ml=2.0, components=0, false_ml=0.0
    )
    report = judge_volumes([*rows, missed])
    parts = report["parts"]
    assert parts["all"]["rows"] == 60
    assert 0.85 < parts["all"]["value"] < 0.95
    assert parts["one component"]["rows"] == 45
    assert parts["several components"]["rows"] == 15
    assert [parts[f"{name} third"]["rows"] for name in ("smallest", "middle", "largest")] == [
        20
    ] * 3
    assert parts["all"]["median_width"] < 0.4
    assert report["folds_left_out"]["rows"] == 60
    assert report["not_found"] == 1
    inside = [row["inside"] for row in report["per_patient"]]
    assert [row["patient"] for row in report["per_patient"]] == [row.patient for row in rows]
    assert np.mean(inside) == pytest.approx(parts["all"]["value"], abs=1e-4)
    for row in report["per_patient"]:
        low, high = row["interval_ml"]
        assert row["inside"] == (low <= row["reference_ml"] <= high)


def test_growth_is_judged_patient_by_patient() -> None:
    report = judge_growths(_growths(80))
    assert (report["pairs"], report["patients"]) == (80, 40)
    for name in ("percent", "ml"):
        assert report[name]["value"] >= 0.85
        low, high = report[name]["interval"]
        assert low < report[name]["value"] <= high


def test_the_command_writes_results_and_what_the_export_reads(tmp_path: Path) -> None:
    errors, pairs, check = (tmp_path / f"{name}.json" for name in ("errors", "pairs", "check"))
    write_errors(errors, volumes=_volumes(60), about={"reference": "made up"})
    write_errors(pairs, growths=_growths(40))
    write_errors(check, volumes=_volumes(40, seed=1, first=500))
    decision = tmp_path / "decision.json"
    decision.write_text(json.dumps({"mask_threshold": 0.5, "volume_interval": {"old": 1}}))
    out = tmp_path / "intervals.json"
    main([errors, pairs], check=[check], decision=decision, out=out)
    report, decided = (json.loads(path.read_text()) for path in (out, decision))
    assert report["about"] == {"reference": "made up"}
    assert report["volume"]["check"]["rows"] == 40
    assert decided["mask_threshold"] == 0.5
    fitted = from_values(VolumeInterval, decided["volume_interval"])
    assert fitted.one.errors == 45
    assert from_values(GrowthInterval, decided["growth_interval"]).ml.errors == 40

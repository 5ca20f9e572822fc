"""Blocks on accuracy, the app and the experiments, from small made-up results."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from benchmarks.app import cancel, first_frame, frames, memory, study
from benchmarks.pages.accuracy import validated
from benchmarks.pages.fill import NOT_MEASURED, block
from benchmarks.paper.report import Row, Section, write_report
from benchmarks.paper.scale import TINY
from benchmarks.paper.stats import Estimate
from hemx_core.markers import ReadBy
from hemx_core.measure.signs import SIGNS
from hemx_core.provenance import write_json
from tests.benchmarks.app.test_judges import HOW, both, frame_run, run_of, stops, way
from tests.benchmarks.squeezed import squeezed
from tests.factories import SHOWN, make_manifest


def test_the_first_table_says_which_markers_are_validated_and_on_what() -> None:
    shown = make_manifest(validated=(False, False, True, False))
    drawn = replace(
        SHOWN, read_by=ReadBy.SYNTHETIC, present=0, sensitivity=None, sensitivity_95=None
    )
    fluid_level = replace(shown.markers[3], evidence=drawn)
    text = squeezed(validated(Path(), replace(shown, markers=(*shown.markers[:3], fluid_level))))
    assert "| Hypodensity | **no** | none |" in text
    blend = "| Blend sign | yes | read by a vision model, not by a radiologist | 8, 51 |"
    assert f"{blend} 0.750 (0.409 to 0.928) | 0.902 (0.790 to 0.957) |" in text
    assert "| Fluid level | **no** | synthetic only | 0, 51 |" in text


def test_masks_of_both_splits_are_told(tmp_path: Path) -> None:
    (tmp_path / "evaluation").mkdir()
    for split, dice in (("validation", 0.9512), ("test", 0.91)):
        figure = {"mean": dice, "interval": [0.9, 0.98], "median": 3.1, "smallest": 0.8}
        names = ("dice", "volume_error_percent", "false_ml")
        report = {"patients": 16, "scores": dict.fromkeys(names, figure)}
        (tmp_path / "evaluation" / f"masks_{split}.json").write_text(json.dumps(report))
    text = squeezed(block("segmentation", results=tmp_path))
    assert "| 0.951 (0.900 to 0.980) | 0.910 (0.900 to 0.980) |" in text
    assert "| 3.1% | 3.1% |" in text


def write_app(folder: Path, *, slowest: float = 20.0) -> None:
    ways = [way(name, 0.5, 3.0) for name in (study.FIRST, study.LATER, study.WARM)]
    for report in (
        first_frame.judge([frame_run(1.0, "numpy")], [0.5]),
        study.judge(ways, [0.5], **HOW),
        frames.judge([run_of(10.0, slowest)], [0.5], **HOW),
        memory.judge(both(*[150.0] * 10), [0.5], **HOW),
        cancel.judge([stops(0.03)], [0.5], **HOW),
    ):
        write_json(folder / "app" / f"{report['what']}.json", report)


def test_every_verdict_of_the_app_and_what_belongs_beside_it_is_a_row(tmp_path: Path) -> None:
    write_app(tmp_path)
    text = squeezed(block("app", results=tmp_path))
    assert "| Process start to first frame, median | 1 s | 2 s | pass | 0.5 |" in text
    assert "| Slowest frame | 20 ms | 100 ms | pass |" in text
    assert "| The same with the desktop runtime's libraries | 290 MB (100) |" in text
    assert "| Of the first start: loading, self-test | 1.50 s, 0.40 s |" in text
    assert "30 slices" in text
    assert "fail" not in text


def test_a_broken_limit_is_told(tmp_path: Path) -> None:
    write_app(tmp_path, slowest=160.0)
    text = squeezed(block("app", results=tmp_path))
    broken = [row.split(" | ")[0] for row in text.splitlines() if "**fail**" in row]
    assert broken == ["| Frames over 100 ms", "| Slowest frame"]


def test_a_missing_measurement_is_no_table(tmp_path: Path) -> None:
    write_app(tmp_path)
    (tmp_path / "app" / "memory.json").unlink()
    assert block("app", results=tmp_path) == NOT_MEASURED


def test_an_experiment_is_its_tables_and_picture(tmp_path: Path) -> None:
    figure = Estimate(0.75, 0.7, 0.8, None, 1)
    row = Row(arm="one", title="one arm", cells={"auc": figure})
    section = Section(title="AUC", note="Note.", columns=[("auc", "AUC")], rows=[row])
    scale = TINY.to_json()
    facts = {"title": "Title", "scale": scale, "seeds": [1], "minutes": 1.0, "threads": 1}
    write_report(tmp_path / "paper", "merging", [section], facts=facts)
    text = squeezed(block("experiment", "merging", results=tmp_path))
    assert "#### AUC\n\nNote.\n\n" in text
    assert "| one arm | 0.750 (0.700 to 0.800) |" in text
    assert text.endswith("![Title](../benchmarks/results/paper/merging.png)")
    assert block("experiment", "location", results=tmp_path) == NOT_MEASURED


def test_signs_of_read_patients_stand_beside_those_of_phantoms(tmp_path: Path) -> None:
    none = {"hits": 0, "of": 0, "value": None, "interval": None}
    some = {"hits": 4, "of": 5, "value": 0.8, "interval": [0.28, 0.99]}
    read = {code: {"sensitivity": some, "specificity": none, "patients": 59} for code in ("blend",)}
    real = {"one_patient_left_out": read, "test": None}
    phantoms = {code: {"sensitivity": 1.0, "specificity": 0.97} for code in SIGNS}
    drawn = {"held_out_seed_d": phantoms, "held_out_phantoms": 60}
    (tmp_path / "signs_real.json").write_text(json.dumps(real))
    (tmp_path / "signs.json").write_text(json.dumps(drawn))
    text = squeezed(block("signs", results=tmp_path))
    assert "not by a radiologist" in text
    assert "59 patients, one left out" in text
    assert "| Blend sign | 4 of 5 (0.28 to 0.99) | no case | – | – | 1.00 | 0.97 |" in text
    assert "Fluid level" not in text

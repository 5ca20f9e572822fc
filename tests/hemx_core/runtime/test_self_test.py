from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hemx_core.errors import SelfTestError
from hemx_core.runtime.bundle import load_models
from hemx_core.runtime.self_test import (
    Measure,
    MethodTest,
    SelfTestReport,
    Tolerances,
    run_self_test,
)
from tests.factories import FakeBackend, write_fake_bundle, write_tested_bundle, wrong_functions


def run_on(folder: Path, functions: dict | None = None, **given: object) -> SelfTestReport:
    with load_models(folder, FakeBackend(functions)) as models:
        return run_self_test(models, **given)  # type: ignore[arg-type]


def failed(report: SelfTestReport) -> set[str]:
    return {one.name for method in report.methods for one in method.measures if not one.passed}


def test_the_same_programs_pass_and_say_what_it_took(tmp_path: Path) -> None:
    write_tested_bundle(tmp_path)
    seen: list[tuple[int, int]] = []
    report = run_on(tmp_path, on_slice=lambda done, total: seen.append((done, total)))
    report.require()
    assert report.passed
    assert seen == [(1, 2), (2, 2)]
    assert [one.method for one in report.methods] == ["segment", "classify"]
    assert all(one.milliseconds > 0 for one in report.methods)
    assert report.methods[0].measures[0] == Measure("mask", 0.0, Tolerances().mask)


@pytest.mark.parametrize(
    ("wrong", "method", "names"),
    [
        ({"segment": 0.02}, "segment", {"probability"}),
        ({"segment": 0.6}, "segment", {"mask", "probability"}),
        ({"classify": 1.0}, "classify", {"marker", "logits"}),
        ({"classify": -30.0}, "classify", {"marker", "logits"}),
    ],
)
def test_a_tampered_runtime_is_refused_by_name(
    tmp_path: Path, wrong: dict[str, float], method: str, names: set[str]
) -> None:
    write_tested_bundle(tmp_path)
    report = run_on(tmp_path, wrong_functions(**wrong))
    assert failed(report) == names
    assert not report.passed
    with pytest.raises(SelfTestError, match=f"on this device: .*{method} {sorted(names)[0]}"):
        report.require()


def test_a_rounding_step_passes(tmp_path: Path) -> None:
    write_tested_bundle(tmp_path)
    assert run_on(tmp_path, wrong_functions(segment=0.0002, classify=0.1)).passed


def test_wrong_features_and_maps_are_found(tmp_path: Path) -> None:
    write_tested_bundle(tmp_path)
    right = FakeBackend().functions

    def segment(inputs):  # type: ignore[no-untyped-def]
        probabilities, features = right["segmenter.pte"](inputs)
        return probabilities, features[:, ::-1] * np.float32(1.5)

    def classify(inputs):  # type: ignore[no-untyped-def]
        logits, cam = right["classifier.pte"](inputs)
        return logits, cam[..., ::-1, :] + np.float32(0.2)

    report = run_on(tmp_path, {"segmenter.pte": segment, "classifier.pte": classify})
    assert failed(report) == {"features", "cams"}


def test_not_a_number_never_passes(tmp_path: Path) -> None:
    write_tested_bundle(tmp_path)
    report = run_on(tmp_path, wrong_functions(classify=float("nan")))
    assert failed(report) == {"marker", "logits"}
    assert report.methods[1].worst.name == "marker"


def test_each_program_is_judged_on_its_own(tmp_path: Path) -> None:
    write_tested_bundle(tmp_path)
    report = run_on(tmp_path, wrong_functions(segment=0.6))
    assert [one.passed for one in report.methods] == [False, True]


def test_a_bundle_without_references_is_not_passed(tmp_path: Path) -> None:
    write_fake_bundle(tmp_path)
    with pytest.raises(SelfTestError, match="without reference outputs"):
        run_on(tmp_path)


def test_nothing_tested_is_not_passed() -> None:
    report = SelfTestReport((), 0, untested="an older bundle")
    assert not report.tested
    assert not report.passed
    with pytest.raises(SelfTestError, match="an older bundle"):
        report.require()


@pytest.mark.parametrize("slices_a_call", [2, 4])
def test_slices_are_tested_in_the_calls_that_triage_makes(
    tmp_path: Path, slices_a_call: int
) -> None:
    write_tested_bundle(tmp_path, slices_a_call=slices_a_call)
    right, calls = FakeBackend().functions, []
    told: list[int] = []

    def segment(inputs):  # type: ignore[no-untyped-def]
        calls.append(len(inputs[0]))
        return right["segmenter.pte"](inputs)

    report = run_on(
        tmp_path,
        {**right, "segmenter.pte": segment},
        on_slice=lambda done, _total: told.append(done),
    )
    assert report.passed
    assert (calls, told, report.slices) == ([slices_a_call], [1, 2], 2)


def test_the_caller_can_end_it_between_two_slices(tmp_path: Path) -> None:
    write_tested_bundle(tmp_path)

    class EndError(Exception):
        pass

    def end(done: int, _total: int) -> None:
        raise EndError(done)

    with pytest.raises(EndError, match="1"):
        run_on(tmp_path, on_slice=end)


def test_a_report_comes_back_from_json() -> None:
    method = MethodTest("segment", (Measure("mask", 0.01, 0.03),), 12.5)
    report = SelfTestReport((method,), 4)
    assert SelfTestReport.from_json(json.loads(json.dumps(report.to_json()))) == report
    for text in ("{}", '{"methods": 1, "slices": 1, "untested": ""}', "[]"):
        with pytest.raises(SelfTestError, match="stored self-test"):
            SelfTestReport.from_json(json.loads(text))

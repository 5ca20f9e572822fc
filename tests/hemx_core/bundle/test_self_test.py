from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemx_core.bundle.load import load_models
from hemx_core.bundle.self_test import (
    REFERENCE_NAME,
    Measure,
    MethodTest,
    References,
    SelfTestReport,
    Tolerances,
    as_input,
    load_references,
    record_references,
    run_self_test,
)
from hemx_core.errors import IntegrityError, ModelInputError, SelfTestError
from hemx_core.manifest import ModelManifest
from hemx_core.records import from_values, to_values
from tests.factories import FakeBackend, write_fake_bundle, write_tested_bundle, wrong_functions


@pytest.fixture
def manifest(tmp_path: Path) -> ModelManifest:
    return write_tested_bundle(tmp_path)


def test_what_was_recorded_comes_back(tmp_path: Path, manifest: ModelManifest) -> None:
    references = load_references(tmp_path, manifest)
    again = References.from_bytes(references.to_bytes())
    assert references.to_bytes() == again.to_bytes() == (tmp_path / REFERENCE_NAME).read_bytes()
    with load_models(tmp_path, FakeBackend()) as models:
        probabilities, features = models.segment(as_input(references.images[0]))
        logits, cam = models.classify(as_input(references.crops[0]), features)
    # Inputs are whole levels: the programs see the same bits as at export.
    assert np.abs(probabilities - references.probabilities[0]).max() < 1e-3
    assert np.array_equal(features, references.features[0])
    assert np.array_equal(logits, references.logits[0])
    assert np.array_equal(cam, references.cams[0])


def test_the_crop_lies_round_the_mask(tmp_path: Path, manifest: ModelManifest) -> None:
    references = load_references(tmp_path, manifest)
    mask = references.probabilities[0] >= manifest.mask_threshold
    assert 300 < mask.sum() < 700
    assert references.crops[0].max() == round(0.8 * 255)
    assert references.crops[0][16, 16] == round(0.8 * 255)


def test_a_bundle_without_references_says_so(tmp_path: Path) -> None:
    manifest = write_fake_bundle(tmp_path)
    assert manifest.reference is None
    with pytest.raises(SelfTestError, match="without reference outputs"):
        load_references(tmp_path, manifest)


def test_a_missing_or_changed_file_is_no_reference(tmp_path: Path, manifest: ModelManifest) -> None:
    path = tmp_path / REFERENCE_NAME
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="SHA-256"):
        load_references(tmp_path, manifest)
    path.unlink()
    with pytest.raises(IntegrityError, match="no file"):
        load_references(tmp_path, manifest)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"no archive"])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(SelfTestError, match="reference file"):
        References.from_bytes(content)


def test_a_truncated_archive_and_pickles_are_refused(
    tmp_path: Path, manifest: ModelManifest
) -> None:
    content = (tmp_path / REFERENCE_NAME).read_bytes()
    with pytest.raises(SelfTestError, match="not readable"):
        References.from_bytes(content[: len(content) // 2])
    buffer = io.BytesIO()
    np.savez(buffer, images=np.array([{"a": 1}], dtype=object))
    with pytest.raises(SelfTestError, match="not readable"):
        References.from_bytes(buffer.getvalue())


def test_missing_arrays_and_other_types_are_refused(
    tmp_path: Path, manifest: ModelManifest
) -> None:
    references = load_references(tmp_path, manifest)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=references.images)
    with pytest.raises(SelfTestError, match="of other arrays: images"):
        References.from_bytes(buffer.getvalue())
    wider = replace(references, logits=references.logits.astype(np.float64))
    with pytest.raises(SelfTestError, match="of other arrays"):
        References.from_bytes(wider.to_bytes())


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("images", lambda array: array[:, 1:], "images of shape"),
        ("crops", lambda array: array[:1], "crops of shape"),
        ("logits", lambda array: array[:, :3], "logits of shape"),
        ("probabilities", lambda array: array * np.nan, "probabilities that are not finite"),
        ("cams", lambda array: array + np.inf, "cams that are not finite"),
        ("features", lambda array: np.where(array > 0, np.nan, array), "features that are not"),
    ],
)
def test_arrays_that_do_not_fit_the_manifest_are_refused(
    tmp_path: Path, manifest: ModelManifest, name: str, change: object, match: str
) -> None:
    references = load_references(tmp_path, manifest)
    changed = replace(references, **{name: change(getattr(references, name))})  # type: ignore[operator]
    with pytest.raises(SelfTestError, match=match):
        changed.check(manifest)


def test_no_slices_are_no_references(tmp_path: Path, manifest: ModelManifest) -> None:
    references = load_references(tmp_path, manifest)
    empty = replace(
        references, **{name: getattr(references, name)[:0] for name in ("images", "crops")}
    )
    with pytest.raises(SelfTestError, match="images of shape"):
        empty.check(manifest)


def test_programs_that_answer_nan_make_no_references(tmp_path: Path) -> None:
    def broken(inputs: object) -> tuple[np.ndarray, ...]:
        return np.zeros((1, 1, 64, 64), np.float32), np.full((1, 4), np.nan, np.float32)

    write_fake_bundle(tmp_path, size=64, crop_size=32)
    functions = FakeBackend().functions | {"segmenter.pte": broken}
    with (
        load_models(tmp_path, FakeBackend(functions)) as models,
        pytest.raises(ModelInputError, match="features holds values that are not finite"),
    ):
        record_references(models, [np.zeros((64, 64), np.float32)])


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
    with pytest.raises(SelfTestError, match="no reference outputs"):
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
    assert from_values(SelfTestReport, json.loads(json.dumps(to_values(report)))) == report

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemx_core.errors import IntegrityError, ModelInputError, SelfTestError
from hemx_core.manifest import ModelManifest
from hemx_core.runtime.bundle import load_models
from hemx_core.runtime.references import (
    REFERENCE_NAME,
    References,
    as_input,
    load_references,
    record_references,
)
from tests.factories import FakeBackend, write_fake_bundle, write_tested_bundle


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


def test_an_older_bundle_has_none(tmp_path: Path) -> None:
    manifest = write_fake_bundle(tmp_path)
    assert manifest.schema_version == 1
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

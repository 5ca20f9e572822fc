from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from export.sign import sign_bundle
from hemx_core.bundle import load as bundle
from hemx_core.bundle.load import BUNDLE_VARIABLE, app_models_folder, default_bundle, load_models
from hemx_core.errors import BackendError, IntegrityError, ManifestError, ModelInputError
from hemx_core.manifest import MANIFEST_NAME
from tests.factories import FakeBackend, write_fake_bundle


def test_models_take_and_give_plain_slices(tmp_path: Path) -> None:
    manifest = write_fake_bundle(tmp_path, size=64, crop_size=32)
    image = np.zeros((64, 64), np.float32)
    image[20:40, 20:40] = 0.9
    with load_models(tmp_path, FakeBackend()) as models:
        probabilities, features = models.segment(image)
        logits, cam = models.classify(image[:32, :32], features)
    assert models.manifest == manifest
    assert (models.backend_name, models.backend_version) == ("fake", "0")
    assert probabilities.shape == (64, 64)
    assert probabilities[30, 30] > 0.99
    assert probabilities[5, 5] < 0.01
    assert features.shape == (4,)
    assert logits.shape == (4,)
    assert cam.shape == (4, 8, 8)


@pytest.mark.parametrize("count", [1, 3, 4])
def test_several_slices_go_through_one_call_and_none_depends_on_the_others(
    tmp_path: Path, count: int
) -> None:
    write_fake_bundle(tmp_path, size=64, crop_size=32, slices_a_call=4)
    images = list(np.random.default_rng(0).random((count, 64, 64), np.float32))
    with load_models(tmp_path, FakeBackend()) as models:
        assert models.slices_a_call == 4
        found = models.segment_slices(images)
        alone = [models.segment(image) for image in images]
    assert len(found) == count
    for together, one in zip(found, alone, strict=True):
        np.testing.assert_array_equal(together[0], one[0])
        np.testing.assert_array_equal(together[1], one[1])


@pytest.mark.parametrize("shapes", [[], [(64, 64)] * 5, [(64, 64), (32, 32)]])
def test_refuses_more_slices_than_a_call_takes_or_none(
    tmp_path: Path, shapes: list[tuple[int, int]]
) -> None:
    write_fake_bundle(tmp_path, size=64, slices_a_call=4)
    images = [np.zeros(shape, np.float32) for shape in shapes]
    with (
        load_models(tmp_path, FakeBackend()) as models,
        pytest.raises(ModelInputError, match="1 to 4 slices"),
    ):
        models.segment_slices(images)


def test_leaving_the_block_closes_both_programs(tmp_path: Path) -> None:
    write_fake_bundle(tmp_path)
    backend = FakeBackend()
    with load_models(tmp_path, backend) as models:
        assert [program.closed for program in backend.opened] == [False, False]
    models.close()
    assert [program.closed for program in backend.opened] == [True, True]


def test_refuses_a_slice_of_another_grid(tmp_path: Path) -> None:
    write_fake_bundle(tmp_path, size=64)
    models = load_models(tmp_path, FakeBackend())
    with pytest.raises(ModelInputError, match="image"):
        models.segment(np.zeros((32, 32), np.float32))


def test_refuses_a_runtime_of_another_version(tmp_path: Path) -> None:
    write_fake_bundle(tmp_path)
    backend = FakeBackend(version="1")
    with pytest.raises(BackendError, match="executorch==0"):
        load_models(tmp_path, backend)
    assert not backend.opened


@pytest.mark.parametrize("file", ["segmenter.pte", "classifier.pte"])
def test_refuses_a_damaged_bundle_before_anything_is_opened(tmp_path: Path, file: str) -> None:
    write_fake_bundle(tmp_path)
    content = bytearray((tmp_path / file).read_bytes())
    content[-1] ^= 1
    (tmp_path / file).write_bytes(content)
    backend = FakeBackend()
    with pytest.raises(IntegrityError, match=file):
        load_models(tmp_path, backend)
    assert not backend.opened


def test_a_classifier_that_cannot_be_opened_closes_the_segmenter(tmp_path: Path) -> None:
    class HalfBackend(FakeBackend):
        def open(self, path, spec):  # type: ignore[no-untyped-def]
            if spec.file == "classifier.pte":
                raise BackendError("no kernel")
            return super().open(path, spec)

    write_fake_bundle(tmp_path)
    backend = HalfBackend()
    with pytest.raises(BackendError, match="no kernel"):
        load_models(tmp_path, backend)
    assert [program.closed for program in backend.opened] == [True]


def test_the_variable_names_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BUNDLE_VARIABLE, str(tmp_path))
    assert default_bundle() == tmp_path
    manifest = write_fake_bundle(tmp_path)
    assert load_models(backend=FakeBackend()).manifest == manifest


def test_the_app_s_bundle_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BUNDLE_VARIABLE, raising=False)
    assert app_models_folder().parts[-3:] == ("hemx_core", "assets", "models")
    monkeypatch.setattr(bundle, "app_models_folder", lambda: tmp_path)
    with pytest.raises(ManifestError, match="hemx dev export"):
        default_bundle()
    write_fake_bundle(tmp_path)
    assert default_bundle() == tmp_path


def test_a_folder_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    manifest = write_fake_bundle(tmp_path)
    (tmp_path / MANIFEST_NAME).unlink()
    with pytest.raises(ManifestError, match=MANIFEST_NAME):
        load_models(tmp_path, FakeBackend())
    replace(manifest, hemx="again").save(tmp_path)
    sign_bundle(tmp_path)
    assert load_models(tmp_path, FakeBackend()).manifest.hemx == "again"

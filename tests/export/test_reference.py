from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from export.reference import reference_images
from hemx_core.bundle.load import load_models
from hemx_core.bundle.self_test import load_references, run_self_test
from hemx_core.commands.main import make_app
from hemx_core.errors import IntegrityError, SelfTestError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.manifest import ModelManifest
from tests.export.networks import SIZE
from tests.factories import write_fake_bundle


def test_the_slices_are_phantoms_the_same_every_time_and_one_is_without_blood() -> None:
    spec = PreprocessingSpec(size=SIZE, pixel_mm=3.6)
    images, again = reference_images(spec), reference_images(spec)
    assert len(images) == 4
    for one, other in zip(images, again, strict=True):
        assert one.shape == (SIZE, SIZE)
        assert np.array_equal(one, other)
        assert one.any()
    # Clot is brighter than brain: 62 of 80 HU, averaged down to coarse pixels.
    bright = [int((one > 0.62).sum()) for one in images]
    assert min(bright[:2]) > 5 * max(bright[3], 1)


def test_an_exported_bundle_brings_references_and_passes_its_own_test(
    exported_bundle: Path,
) -> None:
    manifest = ModelManifest.load(exported_bundle)
    assert manifest.schema_version == 3
    references = load_references(exported_bundle, manifest)
    assert len(references) == 4
    with load_models(exported_bundle) as models:
        report = run_self_test(models)
    assert report.passed
    assert report.slices == 4
    # Probabilities are kept in half precision: a pixel on the threshold may change sides.
    assert max(one.difference for method in report.methods for one in method.measures) < 5e-3


def test_the_reference_file_is_under_the_signature(exported_bundle: Path, tmp_path: Path) -> None:
    for path in exported_bundle.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    file = tmp_path / "reference.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"reference\.npz"):
        load_models(tmp_path)


def test_the_command_shows_every_difference(exported_bundle: Path) -> None:
    run = CliRunner().invoke(make_app(), ["bundle", "self-test", str(exported_bundle)])
    assert run.exit_code == 0, run.output
    assert "passed    on 4 reference slices" in run.output
    assert run.output.count("  ok") == 6
    shown = CliRunner().invoke(make_app(), ["bundle", "verify", str(exported_bundle)])
    assert "verified  reference.npz" in shown.output


def test_the_command_refuses_a_bundle_without_references(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hemx_core.bundle import load as bundle
    from tests.factories import FakeBackend

    write_fake_bundle(tmp_path)
    monkeypatch.setattr(bundle, "_default_backend", FakeBackend)
    run = CliRunner().invoke(make_app(), ["bundle", "self-test", str(tmp_path)])
    assert isinstance(run.exception, SelfTestError)
    assert "passed" not in run.output

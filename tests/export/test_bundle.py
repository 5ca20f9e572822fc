from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import hemx_core
from export import bundle
from export.bundle import export_bundle, publish, summary
from export.calibration import calibration_crops
from export.lower import Lowered
from export.recipes import RECIPES, Precision, Recipe
from export.sign import generate_key, load_key, local_key
from export.verify import Parity, torch_functions
from hemx_core.bundle.load import load_models, verify_bundle
from hemx_core.bundle.self_test import REFERENCE_NAME
from hemx_core.bundle.signature import SIGNATURE_NAME
from hemx_core.errors import ExportError, ManifestError, OutputError, ParityError
from hemx_core.manifest import MANIFEST_NAME, ModelManifest
from tests.export.networks import CROP, SIZE, random_images, random_samples, tiny_networks
from tests.factories import write_fake_bundle

RECIPE = Recipe(name="tiny", size=SIZE, segmenter=Precision.FLOAT32, classifier=Precision.FLOAT32)
FILES = {"segmenter.pte", "classifier.pte", MANIFEST_NAME, SIGNATURE_NAME}
GOOD = Parity(
    source="nothing",
    slices=1,
    slices_with_blood=1,
    mask_dice=1.0,
    worst_slice_dice=1.0,
    probability_max=0.0,
    probability_mean=0.0,
    marker_max=0.0,
    marker_p95=0.0,
    marker_mean=0.0,
)


@pytest.fixture
def unlowered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Exporting without the slow part: programs are mere bytes and their parity is perfect."""
    monkeypatch.setattr(bundle, "lower", lambda module, inputs: Lowered(b"\0" * 99, 0.0))
    monkeypatch.setattr(bundle, "load_models", lambda folder, **_: torch.no_grad())
    monkeypatch.setattr(bundle, "measure_parity", lambda *given: GOOD)
    monkeypatch.setattr(bundle, "write_reference", lambda folder, models, manifest: manifest)
    return tmp_path / "models"


def export(out: Path, recipe: Recipe = RECIPE) -> ModelManifest:
    return export_bundle(tiny_networks(), recipe, calibration=[], parity=random_samples(2), out=out)


def test_the_bundle_is_whole_and_says_what_it_is(exported_bundle: Path) -> None:
    manifest = ModelManifest.load(exported_bundle)
    assert {path.name for path in exported_bundle.iterdir()} == {*FILES, REFERENCE_NAME}
    assert manifest.recipe == "tiny-fp32"
    assert manifest.executorch == importlib.metadata.version("executorch")
    assert manifest.hemx == hemx_core.__version__
    assert manifest.preprocessing.size == SIZE
    assert manifest.crop_size == CROP
    assert manifest.markers[0].temperature == 1.5
    assert manifest.training["segmenter"] == {"steps": 0}
    assert manifest.accuracy == {"auc": 0.5}
    assert manifest.parity["source"] == "random pictures"
    assert 0.9999 <= manifest.parity["mask_dice"] <= 1
    assert [t.name for t in manifest.segmenter.outputs] == ["probabilities", "features"]
    assert [t.name for t in manifest.classifier.inputs] == ["crop", "features"]
    assert manifest.classifier.outputs[1].shape == (1, 4, CROP // 16, CROP // 16)


def test_the_exported_programs_do_what_the_trained_networks_do(exported_bundle: Path) -> None:
    segment, classify = torch_functions(tiny_networks())
    image = random_images(1, seed=5)[0]
    with load_models(exported_bundle) as models:
        probabilities, features = models.segment(image)
        logits, cam = models.classify(image[:CROP, :CROP].copy(), features)
    expected, pooled = segment(image)
    assert abs(probabilities - expected).max() < 1e-5
    assert abs(features - pooled).max() < 1e-4
    scores, maps = classify(image[:CROP, :CROP].copy(), pooled)
    assert abs(logits - scores).max() < 1e-3
    assert abs(cam - maps).max() < 1e-3


def test_a_missed_gate_leaves_the_old_bundle(
    unlowered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = write_fake_bundle(unlowered)
    bad = replace(GOOD, mask_dice=0.98)
    monkeypatch.setattr(bundle, "measure_parity", lambda *given: bad)
    with pytest.raises(ParityError, match=r"0\.9800"):
        export(unlowered)
    assert ModelManifest.load(unlowered) == old
    assert {path.name for path in unlowered.iterdir()} == FILES


def test_other_files_of_the_folder_stay(unlowered: Path) -> None:
    write_fake_bundle(unlowered)
    (unlowered / "README.md").write_text("mine")
    manifest = export(unlowered)
    assert ModelManifest.load(unlowered) == manifest
    assert manifest.parity == GOOD.to_json()
    assert {path.name for path in unlowered.iterdir()} == FILES | {"README.md"}


def test_an_exported_bundle_is_signed(unlowered: Path, tmp_path: Path) -> None:
    export(unlowered)
    signed_by = verify_bundle(unlowered).signed_by
    assert signed_by is not None
    assert signed_by.key_id == local_key().key_id
    public = generate_key(tmp_path / "key.pem", name="Another")
    key = load_key(tmp_path / "key.pem")
    export_bundle(
        tiny_networks(), RECIPE, calibration=[], parity=random_samples(2), out=unlowered, key=key
    )
    assert verify_bundle(unlowered, keys=[public]).signed_by == public


def test_an_interrupted_publication_is_no_bundle(tmp_path: Path) -> None:
    out, draft = tmp_path / "out", tmp_path / "draft"
    write_fake_bundle(out)
    write_fake_bundle(draft)
    (draft / "classifier.pte").unlink()
    with pytest.raises(OutputError):
        publish(draft, out)
    with pytest.raises(ManifestError):
        ModelManifest.load(out)


def test_a_recipe_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="256 pixels and weights trained at 64"):
        export(tmp_path, RECIPES["tablet-int8"])


def test_only_slices_with_blood_calibrate_the_classifier() -> None:
    networks = tiny_networks()
    images = random_images(3)
    every = calibration_crops(networks, images)
    assert [tuple(crop.shape) for crop, _ in every] == [(1, 1, CROP, CROP)] * 3
    assert tuple(every[0][1].shape) == (1, networks.segmenter.feature_channels)
    peaks = [float(torch_functions(networks)[0](image)[0].max()) for image in images]
    between = sum(sorted(peaks)[-2:]) / 2
    strict = replace(networks.decision, mask_threshold=between)
    assert len(calibration_crops(replace(networks, decision=strict), images)) == 1
    never = replace(networks.decision, mask_threshold=1.0)
    assert len(calibration_crops(replace(networks, decision=never), images)) == 3


def test_the_summary_shows_size_and_parity(exported_bundle: Path) -> None:
    shown = dict(summary(ModelManifest.load(exported_bundle)))
    assert shown["parity slices"] == "3 (random pictures)"
    assert shown["segmenter.pte"].endswith("MiB")

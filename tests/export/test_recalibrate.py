"""Temperatures and thresholds of a bundle anew; the programs stay."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from export import bundle as recalibrate
from export.bundle import recalibrate_bundle
from export.networks import Networks
from export.recipes import Precision, Recipe
from export.sign import local_key
from hemx_core.bundle.load import verify_bundle
from hemx_core.errors import ManifestError, ParityError
from hemx_core.manifest import ModelManifest
from tests.export.networks import random_samples, tiny_networks
from tests.factories import GROWTH_INTERVAL, VOLUME_INTERVAL

RECIPE = Recipe(name="tiny", size=64, segmenter=Precision.FLOAT32, classifier=Precision.FLOAT32)


def recalibrated(bundle: Path, recipe: Recipe = RECIPE) -> ModelManifest:
    return recalibrate_bundle(
        bundle, Path("weights"), local_key(), recipe=recipe, parity=random_samples(2)
    )


@pytest.fixture
def bundle(exported_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported_bundle, tmp_path / "bundle"))


def other_decision(monkeypatch: pytest.MonkeyPatch, **changes: object) -> Networks:
    networks = tiny_networks()
    markers = tuple(
        replace(one, temperature=3.5, threshold=0.125) for one in networks.decision.markers
    )
    decision = replace(
        networks.decision,
        markers=markers,
        accuracy={"markers": {"patients_classified": 7}},
        volume_interval=VOLUME_INTERVAL,
        growth_interval=GROWTH_INTERVAL,
    )
    found = replace(networks, decision=replace(decision, **changes))
    monkeypatch.setattr(recalibrate, "load_networks", lambda _folder: found)
    return found


def test_markers_accuracy_and_intervals_are_new_and_signed_and_the_rest_stays(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ModelManifest.load(bundle)
    networks = other_decision(monkeypatch)
    recalibrated(bundle)
    after = ModelManifest.load(bundle)
    assert {one.temperature for one in after.markers} == {3.5}
    assert after.accuracy == networks.decision.accuracy
    assert after.parity["slices"] == 2, "measured anew, at the new temperatures"
    assert (after.volume_interval, after.growth_interval) == (VOLUME_INTERVAL, GROWTH_INTERVAL)
    old = ("markers", "accuracy", "parity", "volume_interval", "growth_interval")
    changed = {name: getattr(before, name) for name in old}
    assert replace(after, **changed) == before
    verify_bundle(bundle)
    assert sorted(one.name for one in bundle.parent.iterdir()) == ["bundle"]


@pytest.mark.parametrize(
    "change", [{"mask_threshold": 0.1}, {"min_component_ml": 9.0}, {"crop_size": 16}]
)
def test_other_weights_are_refused_and_nothing_changes(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, float]
) -> None:
    before = {one.name: one.read_bytes() for one in bundle.iterdir()}
    other_decision(monkeypatch, **change)
    with pytest.raises(ManifestError, match="not exported from the weights"):
        recalibrated(bundle)
    assert {one.name: one.read_bytes() for one in bundle.iterdir()} == before


def test_a_gate_that_is_missed_at_the_new_temperatures_leaves_the_bundle(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {one.name: one.read_bytes() for one in bundle.iterdir()}
    other_decision(monkeypatch)
    with pytest.raises(ParityError, match="marker probability"):
        recalibrated(bundle, replace(RECIPE, max_marker_peak=-1.0))
    assert {one.name: one.read_bytes() for one in bundle.iterdir()} == before

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from export.networks import Decision, Networks, default_weights, load_networks
from hemx_core.errors import ExportError, ManifestError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.markers import MARKER_CODES, Aggregation
from hemx_core.nn.weights import save_weights, segmenter_config
from hemx_core.records import to_values
from tests.export.networks import narrow_classifier, narrow_unet, tiny_networks
from tests.factories import GROWTH_INTERVAL, SHOWN, VOLUME_INTERVAL

DECISION = {
    "markers": {code: {"temperature": 1.2, "threshold": 0.3} for code in MARKER_CODES},
    "mask_threshold": 0.45,
    "min_component_ml": 0.2,
    "preprocessing": PreprocessingSpec().to_json(),
    "crop_size": 128,
    "accuracy": {"dice": 0.95},
}


def write_weights(folder: Path) -> None:
    unet, classifier = narrow_unet(), narrow_classifier()
    save_weights(
        folder / "segmenter.safetensors",
        unet,
        config=segmenter_config(unet),
        training={"licence": "research use"},
    )
    save_weights(
        folder / "classifier.safetensors",
        classifier,
        config=asdict(classifier.config) | {"encoder_channels": classifier.encoder_channels},
        training={"steps": 7},
    )
    (folder / "decision.json").write_text(json.dumps(DECISION))


def test_loads_both_networks_with_their_cards_and_rules(tmp_path: Path) -> None:
    write_weights(tmp_path)
    networks = load_networks(tmp_path)
    assert networks.training == {
        "segmenter": {"licence": "research use"},
        "classifier": {"steps": 7},
    }
    assert networks.decision.mask_threshold == 0.45
    assert [(m.code, m.threshold) for m in networks.decision.markers] == [
        (code, 0.3) for code in MARKER_CODES
    ]
    image = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        expected = narrow_unet()(image)[0]
        # Weights are kept in half precision.
        assert (networks.segmenter(image)[0] - expected).abs().max() < 0.05 * expected.abs().max()


def test_markers_bring_their_way_and_evidence_and_are_not_validated_without_a_word(
    tmp_path: Path,
) -> None:
    path = tmp_path / "decision.json"
    blend = {
        "temperature": 1.2,
        "threshold": 0.3,
        "aggregation": "large",
        "validated": True,
        "evidence": to_values(SHOWN),
    }
    markers = DECISION["markers"] | {"blend": blend, "fluid_level": blend}  # type: ignore[operator]
    path.write_text(json.dumps(DECISION | {"markers": markers, "not_estimable": ["fluid_level"]}))
    hypodensity, _, found, fluid_level = Decision.load(path).markers
    assert (hypodensity.aggregation, hypodensity.validated) == (Aggregation.MAX, False)
    assert (found.aggregation, found.validated, found.evidence) == (
        Aggregation.LARGE, True, SHOWN,
    )  # fmt: skip
    assert not fluid_level.validated, "it was not estimable"
    for change in ({"aggregation": "median"}, {"evidence": {"read_by": "nobody"}}):
        path.write_text(json.dumps(DECISION | {"markers": markers | {"blend": blend | change}}))
        with pytest.raises(ExportError, match=r"decision\.json"):
            Decision.load(path)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="segmenter"):
        load_networks(tmp_path)


@pytest.mark.parametrize("missing", ["markers", "preprocessing", "crop_size", "mask_threshold"])
def test_an_incomplete_decision_is_refused(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "decision.json"
    path.write_text(json.dumps({k: v for k, v in DECISION.items() if k != missing}))
    with pytest.raises(ExportError, match=missing):
        Decision.load(path)


def test_a_decision_brings_its_intervals_or_none(tmp_path: Path) -> None:
    path = tmp_path / "decision.json"
    path.write_text(json.dumps(DECISION))
    assert Decision.load(path).volume_interval is Decision.load(path).growth_interval is None
    records = {"volume_interval": VOLUME_INTERVAL, "growth_interval": GROWTH_INTERVAL}
    values = {name: to_values(record) for name, record in records.items()}
    path.write_text(json.dumps(DECISION | values))
    found = Decision.load(path)
    assert {name: getattr(found, name) for name in records} == records
    path.write_text(json.dumps(DECISION | {"volume_interval": {"coverage": 0.9}}))
    with pytest.raises(ExportError, match="missing"):
        Decision.load(path)


@pytest.mark.parametrize("text", ["", "[]", '{"markers": 1}'])
def test_an_unreadable_decision_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "decision.json"
    path.write_text(text)
    with pytest.raises(ExportError, match=r"decision\.json"):
        Decision.load(path)


def test_networks_of_different_trainings_are_refused() -> None:
    networks = tiny_networks()
    with pytest.raises(ExportError, match="trained together"):
        replace(networks, classifier=narrow_classifier(channels=7))
    assert isinstance(networks, Networks)


def test_the_weights_lie_in_the_package() -> None:
    assert default_weights().parts[-2:] == ("hemx_core", "weights")


def test_a_classifier_of_another_view_or_head_is_refused(tmp_path: Path) -> None:
    values = DECISION | {"view": "slice", "masking": "none"}
    (tmp_path / "decision.json").write_text(json.dumps(values))
    with pytest.raises(ExportError, match="view 'slice', masking 'none' and pictures of 128"):
        Decision.load(tmp_path / "decision.json")
    networks = tiny_networks()
    networks.classifier.head = torch.nn.Linear(networks.classifier.head.in_features, 1)
    with pytest.raises(ExportError, match="1 outputs"):
        replace(networks)

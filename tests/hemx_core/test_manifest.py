import hashlib
import json
from dataclasses import replace

import pytest

from hemx_core.errors import IntegrityError, ManifestError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.manifest import (
    MANIFEST_NAME,
    FileSpec,
    MarkerSpec,
    ModelManifest,
    ProgramSpec,
    TensorSpec,
)
from hemx_core.markers import MARKER_CODES, Aggregation, ReadBy
from tests.factories import GROWTH_INTERVAL, SHOWN, VOLUME_INTERVAL


def program(folder, name):
    content = b"\0\0\0\0ET12" + name.encode()
    (folder / name).write_bytes(content)
    tensor = TensorSpec("image", (1, 1, 64, 64), "float32", "batch,channel,row,column")
    digest = hashlib.sha256(content).hexdigest()
    return ProgramSpec(name, digest, len(content), (tensor,), (tensor,))


@pytest.fixture
def bundle(tmp_path):
    ModelManifest(
        recipe="test",
        executorch="1.5.1",
        preprocessing=PreprocessingSpec(size=64),
        segmenter=program(tmp_path, "segmenter.pte"),
        classifier=program(tmp_path, "classifier.pte"),
        crop_size=32,
        mask_threshold=0.5,
        min_component_ml=0.1,
        markers=tuple(MarkerSpec(code, 1.5, 0.4) for code in MARKER_CODES),
        training={"data": "日本"},
    ).save(tmp_path)
    return tmp_path


def test_manifest_round_trip(bundle):
    manifest = ModelManifest.load(bundle)
    assert ModelManifest.from_json(manifest.to_json()) == manifest
    assert manifest.training == {"data": "日本"}
    assert manifest.segmenter.inputs[0].shape == (1, 1, 64, 64)
    assert not list(bundle.glob("*.tmp"))


def test_every_flipped_byte_of_a_program_is_noticed(bundle):
    path = bundle / "segmenter.pte"
    content = bytearray(path.read_bytes())
    for position in range(len(content)):
        broken = bytearray(content)
        broken[position] ^= 1
        path.write_bytes(broken)
        with pytest.raises(IntegrityError, match="SHA-256"):
            ModelManifest.load(bundle)


def test_missing_and_truncated_programs_are_noticed(bundle):
    path = bundle / "classifier.pte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IntegrityError, match="bytes"):
        ModelManifest.load(bundle)
    path.unlink()
    with pytest.raises(IntegrityError, match="no file"):
        ModelManifest.load(bundle)


def changed(bundle, **values):
    path = bundle / MANIFEST_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"schema_version": 99}, "schema version 99"),
        ({"schema_version": 0}, "schema version 0"),
        ({"schema_version": None}, "schema version None"),
        ({"schema_version": "1"}, "schema version 1"),
        ({"markers": []}, "markers"),
        ({"unknown": 1}, "do not fit"),
        ({"preprocessing": {"size": 64}}, "do not fit|preprocessing"),
    ],
)
def test_wrong_manifests_are_refused(bundle, values, match):
    changed(bundle, **values)
    with pytest.raises(ManifestError, match=match):
        ModelManifest.load(bundle)


def test_a_program_outside_the_bundle_is_refused(bundle):
    manifest = ModelManifest.load(bundle)
    escaping = replace(manifest, segmenter=replace(manifest.segmenter, file="../segmenter.pte"))
    (bundle / MANIFEST_NAME).write_text(escaping.to_json())
    with pytest.raises(ManifestError, match="leaves the bundle"):
        ModelManifest.load(bundle)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": 1}'])
def test_garbage_is_refused(bundle, text):
    (bundle / MANIFEST_NAME).write_text(text)
    with pytest.raises(ManifestError, match="What to do"):
        ModelManifest.load(bundle)


def test_no_manifest_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="no readable manifest"):
        ModelManifest.load(tmp_path)


def with_reference(bundle):
    content = b"reference"
    (bundle / "reference.npz").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    manifest = ModelManifest.load(bundle)
    manifest = replace(manifest, reference=FileSpec("reference.npz", digest, len(content)))
    manifest.save(bundle)
    return manifest


def test_what_a_manifest_holds_decides_its_version(bundle):
    older = ModelManifest.load(bundle)
    assert older.schema_version == 1
    assert '"reference"' not in older.to_json()
    newer = with_reference(bundle)
    assert newer.schema_version == 2
    assert ModelManifest.load(bundle) == newer
    assert [one.file for one in newer.files][-1] == "reference.npz"
    assert replace(newer, reference=None) == older


@pytest.mark.parametrize("name", ["volume_interval", "growth_interval"])
def test_intervals_are_a_version_that_older_programs_refuse(bundle, name):
    older = ModelManifest.load(bundle)
    assert name not in json.loads(older.to_json())
    record = {"volume_interval": VOLUME_INTERVAL, "growth_interval": GROWTH_INTERVAL}[name]
    newer = replace(older, **{name: record})
    assert newer.schema_version == 4
    newer.save(bundle)
    assert ModelManifest.load(bundle) == newer
    changed(bundle, schema_version=3)
    with pytest.raises(ManifestError, match="belongs to version 4"):
        ModelManifest.load(bundle)


@pytest.mark.parametrize(
    "wrong", [{"coverage": 1.0}, {"floor_ml": -1.0}, {"one": {"width": -0.1, "errors": 9}}]
)
def test_an_interval_that_cannot_be_is_refused(bundle, wrong):
    replace(ModelManifest.load(bundle), volume_interval=VOLUME_INTERVAL).save(bundle)
    values = json.loads((bundle / MANIFEST_NAME).read_text())["volume_interval"]
    changed(bundle, volume_interval=values | wrong)
    with pytest.raises(ManifestError, match="expected"):
        ModelManifest.load(bundle)


def test_a_damaged_reference_is_noticed(bundle):
    with_reference(bundle)
    (bundle / "reference.npz").write_bytes(b"rEference")
    with pytest.raises(IntegrityError, match=r"reference\.npz has SHA-256"):
        ModelManifest.load(bundle)


def several(bundle, *, outputs=4):
    """The bundle's manifest with a segmenter of four slices a call."""
    manifest = ModelManifest.load(bundle)
    segmenter = manifest.segmenter

    def sized(tensors, count):
        return tuple(replace(one, shape=(count, *one.shape[1:])) for one in tensors)

    changed = replace(
        segmenter, inputs=sized(segmenter.inputs, 4), outputs=sized(segmenter.outputs, outputs)
    )
    return replace(manifest, segmenter=changed)


def test_several_slices_a_call_are_a_version_that_older_programs_refuse(bundle):
    newer = several(bundle)
    assert (newer.schema_version, newer.slices_a_call) == (3, 4)
    newer.save(bundle)
    assert ModelManifest.load(bundle) == newer
    changed(bundle, schema_version=1)
    with pytest.raises(ManifestError, match="belongs to version 3"):
        ModelManifest.load(bundle)


def test_inputs_and_outputs_must_agree_on_the_slices_of_a_call(bundle):
    with pytest.raises(ManifestError, match=r"hold 1, 4 slices"):
        several(bundle, outputs=1)


@pytest.mark.parametrize("version", [0, 1, 3, "2", None, True])
def test_a_reference_in_another_version_is_refused(bundle, version):
    with_reference(bundle)
    changed(bundle, schema_version=version)
    with pytest.raises(ManifestError, match=r"schema version|do not fit"):
        ModelManifest.load(bundle)


@pytest.mark.parametrize(
    "reference", [None, {}, {"file": "../x", "sha256": "", "bytes": 0}, {"file": "x"}, "x"]
)
def test_a_reference_that_does_not_fit_is_refused(bundle, reference):
    with_reference(bundle)
    changed(bundle, reference=reference)
    with pytest.raises(ManifestError, match="do not fit"):
        ModelManifest.load(bundle)


def test_markers_that_say_more_make_version_4_and_older_ones_are_not_validated(bundle):
    older = ModelManifest.load(bundle)
    assert not any(marker.validated for marker in older.markers)
    assert {marker.aggregation for marker in older.markers} == {Aggregation.MAX}
    assert '"aggregation"' not in older.to_json()
    blend = replace(older.markers[2], aggregation=Aggregation.LARGE, validated=True, evidence=SHOWN)
    newer = replace(older, markers=(*older.markers[:2], blend, older.markers[3]))
    assert newer.schema_version == 4
    newer.save(bundle)
    assert ModelManifest.load(bundle) == newer
    values = json.loads(newer.to_json())
    assert values["markers"][2]["evidence"]["read_by"] == "vision_model"
    assert values["markers"][0] == {
        "code": "hypodensity", "temperature": 1.5, "threshold": 0.4,
        "aggregation": "max", "validated": False, "evidence": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"evidence": None}, "without evidence"),
        ({"aggregation": "median"}, "do not fit"),
        ({"validated": 1}, "do not fit"),
    ],
)
def test_markers_that_claim_too_much_are_refused(bundle, change, match):
    manifest = ModelManifest.load(bundle)
    blend = replace(manifest.markers[2], validated=True, evidence=SHOWN)
    replace(manifest, markers=(*manifest.markers[:2], blend, manifest.markers[3])).save(bundle)
    markers = json.loads((bundle / MANIFEST_NAME).read_text())["markers"]
    changed(bundle, markers=[*markers[:2], markers[2] | change, markers[3]])
    with pytest.raises(ManifestError, match=match):
        ModelManifest.load(bundle)


def test_synthetic_studies_and_impossible_shares_are_no_evidence():
    drawn = replace(SHOWN, read_by=ReadBy.SYNTHETIC)
    with pytest.raises(ManifestError, match="without evidence"):
        MarkerSpec("blend", 1.0, 0.5, validated=True, evidence=drawn)
    with pytest.raises(ManifestError, match="sensitivity of blend"):
        MarkerSpec("blend", 1.0, 0.5, evidence=replace(SHOWN, sensitivity_95=(0.2, 1.2)))


@pytest.mark.parametrize("shape", [(), (0,), (1, -1), (2**20, 2**20)])
def test_a_tensor_without_a_size_is_no_input(shape):
    with pytest.raises(ManifestError, match="image"):
        TensorSpec("image", shape, "float32", "batch")

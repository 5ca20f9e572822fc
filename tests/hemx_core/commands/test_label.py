"""Labels at the desk: answered, left, gone on with; and the whole way from a label to a score."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

import hemx_core
from hemx_core.commands import data, evaluate, train
from hemx_core.data.dataset import open_dataset
from hemx_core.data.problems import Findings
from hemx_core.data.readers import read_reader
from hemx_core.imaging.nifti import write_array
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.config import UNetConfig, WaveletVGGConfig
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights import classifier_config, save_weights, segmenter_config
from hemx_core.phantoms import write_dicom_series
from tests.factories import ThresholdModels
from tests.hemx_core.data.sets import GRID, phantom, write_set

STUDIES = 4


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setattr(
        hemx_core, "load_models", lambda *_a, **_k: ThresholdModels(logits=(2.0, -2.0, -2.0, -2.0))
    )
    app = typer.Typer()
    app.callback()(lambda: None)
    for module in (data, evaluate, train):
        module.register(app)
    return app


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hospital's folder: a DICOM folder for each study, with names in the headers."""
    folder = tmp_path_factory.mktemp("scans")
    for number in range(STUDIES):
        person = SeriesIdentity(patient_id=f"ID-{number}", patient_name="Demo^Hanako")
        volume = replace(phantom(number).volume, identity=person)
        write_dicom_series(volume, folder / f"scan{number}")
    return folder


def _run(app: typer.Typer, *words: object, given: str = "") -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=given)


def _label(app: typer.Typer, folder: Path, *more: object, reader: str = "a", given: str) -> Result:
    return _run(app, "data", "label", folder, "--reader", reader, *more, given=given)


def _own(folder: Path, reader: str) -> dict[str, dict[str, str]]:
    rows = read_reader(folder, f"readings/{reader}.csv", Findings())
    return {
        study: {q: str(answer) for q, answer in row.reading.answers.items()}
        for study, row in rows.items()
    }


def test_what_was_answered_is_kept_when_it_is_left_and_is_not_asked_again(
    app: typer.Typer, tmp_path: Path
) -> None:
    folder = write_set(tmp_path / "set")
    done = _label(app, folder, given="y 5\np\nq\n")
    assert done.exit_code == 0, done.output
    assert "everything answered is kept" in done.output
    assert _own(folder, "a") == {"a": {"hypodensity": "yes", "irregular": "possible"}}
    # Back over one marker, a slice that is not there, a skipped study, an end of the input.
    done = _label(app, folder, given="b\nn\nn\nx\ny 10\nc\ny\ns\nn\n")
    assert done.exit_code == 0, done.output
    assert "The slices are 1 to 9" in done.output
    assert _own(folder, "a") == {
        "a": dict(
            zip((*MARKER_CODES, "outline"), ("yes", "no", "no", "cannot_tell", "yes"), strict=True)
        ),
        "c": {"hypodensity": "no"},
    }
    rows = read_reader(folder, "readings/a.csv", Findings())
    assert rows["a"].reading.slices == {"hypodensity": (4,)}
    assert rows["a"].mask == "a_mask.nii.gz"
    assert rows["a"].reading.read_at is not None
    assert (folder / "sheets" / "a.png").is_file()


def test_readers_keep_their_answers_apart_and_see_none_of_the_others(
    app: typer.Typer, tmp_path: Path
) -> None:
    folder = write_set(tmp_path / "set")
    _label(app, folder, given="y\ny\ny\ny\ny\nq\n")
    done = _label(app, folder, reader="b", given="n\nq\n")
    assert "Hypodensity" in done.output
    assert _own(folder, "b") == {"a": {"hypodensity": "no"}}
    assert _own(folder, "a")["a"]["hypodensity"] == "yes"


def test_a_corrected_mask_is_taken_from_a_file_and_a_wrong_one_is_not(
    app: typer.Typer, tmp_path: Path
) -> None:
    folder, corrected = write_set(tmp_path / "set"), phantom(0).mask.copy()
    corrected[4] = False
    write_array(tmp_path / "drawn.nii.gz", corrected, phantom(0).volume.geometry)
    write_array(tmp_path / "small.nii.gz", corrected[:, :32, :32], phantom(0).volume.geometry)
    given = f"n\nn\nn\nn\n{tmp_path}/small.nii.gz\n{tmp_path}/no.nii\n{tmp_path}/drawn.nii.gz\nq\n"
    done = _label(app, folder, given=given)
    assert "has the shape" in done.output
    assert "there is nothing at" in done.output
    row = read_reader(folder, "readings/a.csv", Findings())["a"]
    assert row.mask == "readings/a/a"
    assert row.reading.answers["outline"] == "no"
    (study,) = open_dataset(folder, GRID, tmp_path / "cache").patients("train")
    assert not study.mask[4].any()
    assert study.mask[3].any()


def test_a_table_is_taken_whole_or_not_at_all(app: typer.Typer, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    table = tmp_path / "labels.csv"
    head = "study,hypodensity,irregular,blend,fluid_level,blend_slices,mask"
    table.write_text(f"{head}\na,yes,no,no,no,,\nb,no,no,yes,no,40,\nx,no,no,no,no,,\n")
    refused = _label(app, folder, "--from", table, given="")
    assert refused.exit_code != 0
    told = str(refused.exception)
    assert "row 3, column blend_slices" in told
    assert "row 4, column study" in told
    assert not (folder / "readings").exists()
    table.write_text(f"{head}\na,yes,no,no,no,,shown\nb,no,no,yes,cannot tell,4,none\n")
    assert _label(app, folder, "--from", table, given="").exit_code == 0
    rows = read_reader(folder, "readings/a.csv", Findings())
    assert rows["a"].mask == "a_mask.nii.gz"
    assert rows["b"].mask == "none"
    assert rows["b"].reading.slices == {"blend": (4,)}
    assert rows["b"].reading.answers["fluid_level"] == "cannot_tell"


def test_studies_become_a_data_set_that_names_nobody(
    app: typer.Typer, scans: Path, tmp_path: Path
) -> None:
    (tmp_path / "scans").symlink_to(scans)
    out = tmp_path / "labels"
    refused = _label(app, tmp_path / "scans", given="")
    assert "add --out" in str(refused.exception)
    done = _label(app, tmp_path / "scans", "--out", out, given="n\nn\nn\nn\ny\nq\n")
    assert done.exit_code == 0, done.output
    register = json.loads((tmp_path / "labels-register.json").read_text())
    assert list(register["studies"]) == ["scan0", "scan1"]  # the second was shown, and left
    assert (tmp_path / "labels-register.json").stat().st_mode & 0o077 == 0
    for path in out.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"Hanako" not in content
            assert b"ID-" not in content
    done = _label(app, tmp_path / "scans", "--out", out, given="y\ny\ny\ny\nn\nq\n")
    assert set(_own(out, "a")) == set(register["studies"].values())
    assert _run(app, "data", "check", out).exit_code == 0


def test_a_study_that_cannot_be_read_is_named_and_left_out(
    app: typer.Typer, scans: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    (source / "broken").mkdir(parents=True)
    (source / "broken" / "x.dcm").write_bytes(b"no picture")
    (source / "good").symlink_to(scans / "scan0")
    done = _label(app, source, "--out", tmp_path / "out", given="n\nn\nn\nn\ny\n")
    assert done.exit_code == 0, done.output
    assert "broken: left out" in done.output
    assert "1 of 1 studies have all four markers" in done.output


def _narrow_weights(folder: Path) -> Path:
    folder.mkdir()
    unet = UNet(UNetConfig(width=0.1, depth=0.2))
    unet.head.bias.data.fill_(5.0)  # untrained: finds blood everywhere
    save_weights(folder / "segmenter.safetensors", unet, config=segmenter_config(unet), training={})
    network = MarkerClassifier(
        encoder_channels=unet.feature_channels, config=WaveletVGGConfig(width=0.125)
    )
    card = {"settings": {"crop_size": 32}}
    save_weights(
        folder / "classifier.safetensors",
        network,
        config=classifier_config(network),
        training=card,
    )
    decided = {"mask_threshold": 0.5, "preprocessing": GRID.to_json(), "min_component_ml": 0.1}
    (folder / "decision.json").write_text(json.dumps(decided))
    return folder


def _hashes(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_loop_closes(
    app: typer.Typer, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Label, check, train from weights, compare: nothing that was started from is touched."""
    monkeypatch.chdir(tmp_path)
    out = Path("labels")
    yes, no = "y 4 5\ny\nn\nn\ny\n", "n\nn\ny\nn\ny\n"
    done = _label(app, scans, "--out", out, given=yes + no + yes + no)
    assert f"{STUDIES} of {STUDIES} studies" in done.output, done.output
    # A second reader answers by table, and sees one study otherwise.
    names = list(json.loads(Path("labels-register.json").read_text())["studies"].values())
    head = "study," + ",".join(MARKER_CODES)
    other = [
        f"{name},{'yes,yes,no,no' if at in (0, 2) else 'no,no,yes,no'}"
        for at, name in enumerate(names)
    ]
    other[3] = f"{names[3]},possible,no,no,no"
    Path("second.csv").write_text("\n".join([head, *other]) + "\n")
    assert _label(app, out, "--from", "second.csv", reader="b", given="").exit_code == 0
    # Four patients: the splits are dealt by hand.
    patients = (out / "patients.csv").read_text().splitlines()
    dealt = ("train", "train", "validation", "test")
    rows = [
        f"{line.split(',')[0]},{split}," for line, split in zip(patients[1:], dealt, strict=True)
    ]
    (out / "patients.csv").write_text("\n".join([patients[0], *rows]) + "\n")
    checked = _run(app, "data", "check", out)
    assert checked.exit_code == 0, checked.output
    assert "0 errors" in checked.output

    shipped = _narrow_weights(tmp_path / "shipped_weights")
    before = _hashes(shipped) | _hashes(train.WEIGHTS)
    common = ("--data", out, "--from", shipped, "--precision", "32-true", "--phantoms", 0)
    for stage in ("segmentation", "classifier"):
        done = _run(
            app, "train", stage, "--steps", 2, "--run", f"run_{stage}", "--results", "res", *common
        )
        assert done.exit_code == 0, (done.output, done.exception)
    assert _hashes(shipped) | _hashes(train.WEIGHTS) == before
    made = {path.name for path in train.TUNED.iterdir()}
    assert made == {"segmenter.safetensors", "classifier.safetensors", "decision.json"}
    card = json.loads(Path("res/classifier.json").read_text())["training"]
    assert card["settings"]["peak_lr"] == 4e-4
    assert card["settings"]["crop_size"] == 32

    done = _run(app, "evaluate", "readers", out, "--json", "--draws", 100)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    pairs = {(pair["first"], pair["second"]): pair["markers"] for pair in found["pairs"]}
    assert pairs["a", "b"]["irregular"]["definite"]["agreement"]["value"] == 1.0
    assert pairs["a", "b"]["hypodensity"]["definite"]["studies"] == 3
    assert pairs["a", "b"]["hypodensity"]["clearly_yes"]["studies"] == 4
    assert pairs["a", "b"]["blend"]["definite"]["agreement"]["value"] == 0.75
    network = next(
        name
        for kind, name in ((r["kind"], r["name"]) for r in found["raters"])
        if kind == "network"
    )
    assert pairs["all readers", network]["hypodensity"]["definite"]["sensitivity"]["value"] == 1.0
    assert pairs["all readers", network]["hypodensity"]["definite"]["specificity"]["value"] == 0.0
    table = _run(app, "evaluate", "readers", out, "--bundle", "some_bundle", "--draws", 100)
    assert table.exit_code == 0, table.output
    for word in ("kappa", "AC1", "some_bundle", "all readers"):
        assert word in table.output

"""The face: what `import hemx_core as hemx` offers, and that the command line writes the same."""

import json
import pickle
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hemx_core as hemx
from hemx_core.commands.main import make_app
from hemx_core.data.nifti import read_array
from hemx_core.errors import ExtrasError, InputError, OutputError, VolumeError
from hemx_core.imaging.volume import SeriesIdentity
from tests.factories import ThresholdModels, simple_head, write_ct_series
from tests.hemx_core.commands.running import run

HEAVY = ("numpy", "cv2", "pydicom", "torch", "PIL", "typer", "rich", "executorch")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """DICOM files of a head with a clot."""
    folder = tmp_path / "study"
    write_ct_series(folder, hu=simple_head(clot_mm=14).hu, PixelSpacing=[1.5, 1.5])
    return folder


def test_importing_it_imports_nothing_heavy() -> None:
    code = (
        "import sys, hemx_core as hemx; dir(hemx); "
        f"print(sorted(set(sys.modules) & set({HEAVY!r}))); "
        "print(sum(name.startswith('hemx_core.') for name in sys.modules)); "
        "hemx.HUWindow; print('numpy' in sys.modules); hemx.Volume; print('numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(hemx.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["[]", "1", "False", "True"], "offline alone"


def test_every_name_is_there_and_no_module_has_the_name_of_one() -> None:
    modules = {module.name for module in pkgutil.iter_modules(hemx.__path__)}
    assert modules & set(hemx.__all__) == {"errors"}
    assert {*hemx._LAZY, "__version__"} == set(hemx.__all__) <= set(dir(hemx))
    assert issubclass(hemx.InputError, hemx.errors.HemxError)
    for name in hemx.__all__:
        assert getattr(hemx, name) is not None
    assert len(set(hemx.__all__)) == len(hemx.__all__)
    with pytest.raises(AttributeError, match="no attribute 'triag'"):
        hemx.triag  # noqa: B018
    assert (Path(hemx.__file__).parent / "py.typed").is_file()


def test_a_triage_of_a_study(study: Path) -> None:
    told: list[str] = []
    models = ThresholdModels()
    result = hemx.triage(
        str(study), models=models, progress=lambda stage, done, total: told.append(stage)
    )
    assert result.haematoma.volume_ml == pytest.approx(5.6, abs=1.5)
    assert result.recommendation is hemx.Recommendation.DISCUSS
    assert result.markers["blend"].present is False
    assert result.mask.shape == (6, 160, 160)
    assert isinstance(result, hemx.TriageResult)
    assert list(dict.fromkeys(told))[:2] == ["headers", "pixels"]
    assert [cost.name for cost in result.costs][:2] == ["read", "check"]
    assert result.shown.source == study


def test_a_volume_from_an_array() -> None:
    head = simple_head(clot_mm=14)
    volume = hemx.Volume(head.hu.astype(float), spacing_mm=(5, 1.5, 1.5))
    assert isinstance(head, hemx.Volume)
    assert volume.spacing_mm == pytest.approx((5, 1.5, 1.5))
    result = hemx.triage(volume, models=ThresholdModels(), window=(-10, 90))
    assert result.shown.window == hemx.HUWindow(-10, 90)
    assert "window_changed" in {note.code for note in result.notes}
    assert result.costs[0].name == "check"


@pytest.mark.parametrize("window", [(0,), (0, 40, 80), "0,80", ("low", "high"), 80])
def test_a_window_of_other_than_two_numbers_is_refused(tmp_path: Path, window: object) -> None:
    with pytest.raises(InputError, match=r"a window .*Expected: two numbers"):
        hemx.triage(tmp_path / "none", window=window)  # type: ignore[arg-type]


def test_models_loaded_here_are_closed_and_those_given_stay_open(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[object] = []
    monkeypatch.setattr(ThresholdModels, "__exit__", lambda self, *_: closed.append(self))
    monkeypatch.setattr("hemx_core.bundle.load.load_models", ThresholdModels)
    models = ThresholdModels()
    hemx.triage(study, models=models)
    assert not closed
    result = hemx.triage(study)
    assert len(closed) == 1
    assert [cost.name for cost in result.costs][:2] == ["read", "start_up"]
    hemx.triage(study, models=lambda: models)  # type: ignore[arg-type,return-value]
    assert closed[1] is models


def test_nothing_is_read_where_the_language_is_unknown(tmp_path: Path) -> None:
    for call in (
        lambda: hemx.triage(tmp_path / "none", language="fr"),
        lambda: hemx.compare(tmp_path / "none", tmp_path / "none", language="fr"),
    ):
        with pytest.raises(InputError, match="the language 'fr'"):
            call()


def _documents(folder: Path) -> dict[str, object]:
    """Names and contents of a result folder, without what is measured anew in each run."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".json":
            document = json.loads(path.read_text(encoding="utf-8"))
            for part in (document, *(document.get(name, {}) for name in ("earlier", "later"))):
                for key in ("costs", "created_at"):
                    part.pop(key, None)
            found[path.name] = document
        elif path.suffix == ".png" and path.name != "referral.png":  # it bears the time
            found[str(path.relative_to(folder))] = path.read_bytes()
        elif path.is_file():
            found[path.name] = None
    return found


def test_saving_writes_what_the_command_writes(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hemx, "load_models", lambda *_, **__: ThresholdModels())
    result = hemx.triage(study, models=ThresholdModels(), language="ja")
    saved = result.save(tmp_path / "face", pdf=True, dicom=True, identify=True)
    command = ("--pdf", "--dicom", "--language", "ja", "--identify", "-q")
    assert run("triage", study, "--out", tmp_path / "command", *command) == 0
    assert _documents(tmp_path / "face") == _documents(tmp_path / "command")
    assert {path.name for path in saved.files} == {
        "result.json",
        "overview.png",
        "overlays",
        "referral.pdf",
        "referral.png",
        "haematoma_seg.dcm",
        "triage_sr.dcm",
        "referral_pdf.dcm",
    }
    assert saved.result.costs[-1].name == "pictures"


def test_dicom_needs_a_study_of_files_and_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    result = hemx.triage(simple_head(clot_mm=14), models=ThresholdModels())
    with pytest.raises(InputError, match="not read from files"):
        result.save(tmp_path / "out", dicom=True)
    assert not (tmp_path / "out").exists()
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(OutputError):
        result.save(tmp_path)


def test_what_could_not_be_made_is_raised_when_all_else_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uneven = simple_head(clot_mm=14)
    positions = uneven.geometry.positions_mm.copy()
    positions[4:, 2] += 3
    geometry = replace(uneven.geometry, positions_mm=positions)
    result = hemx.triage(replace(uneven, geometry=geometry), models=ThresholdModels())
    told: list[object] = []
    with pytest.raises(ExtrasError, match="the NIfTI mask: the slices are not evenly") as raised:
        result.save(tmp_path, nifti=True, pdf=True, on_written=told.append)
    (failed,) = raised.value.failed
    assert failed.extra == "nifti"
    assert isinstance(failed.error, InputError)
    names = [path.name for path in raised.value.files]
    assert names == ["result.json", "overview.png", "overlays", "referral.pdf", "referral.png"]
    assert all(path.exists() for path in raised.value.files)
    assert len(told) == 1
    again = pickle.loads(pickle.dumps(raised.value))
    assert (again.files, str(again)) == (raised.value.files, str(raised.value))
    assert "NIfTIマスク" in again.told("ja")[0]


def test_the_mask_as_nifti_lies_where_the_series_does(study: Path, tmp_path: Path) -> None:
    result = hemx.triage(study, models=ThresholdModels())
    saved = result.save(tmp_path / "out", nifti=True)
    path = tmp_path / "out" / "haematoma.nii.gz"
    assert path in saved.files
    mask, geometry = read_array(path)
    np.testing.assert_array_equal(mask > 0, result.mask)
    own = result.geometry
    np.testing.assert_allclose(geometry.positions_mm, own.positions_mm, atol=1e-4)
    assert geometry.pixel_spacing_mm == pytest.approx(own.pixel_spacing_mm)


def _pair() -> tuple[hemx.Volume, hemx.Volume]:
    return tuple(
        simple_head(clot_mm=clot, identity=SeriesIdentity(patient_id="P", series_uid=str(clot)))
        for clot in (14.0, 18.0)
    )  # type: ignore[return-value]


def test_a_comparison_of_two_volumes(tmp_path: Path) -> None:
    result = hemx.compare(*_pair(), models=ThresholdModels())
    assert result.growth.percent is not None
    assert result.growth.percent > 33
    assert isinstance(result, hemx.ComparisonResult)
    assert isinstance(result.later, hemx.TriageResult)
    assert result.later.recommendation is hemx.Recommendation.CALL_NOW
    files = result.save(tmp_path / "out", pdf=True, language="ja")
    assert [path.name for path in files] == [
        "comparison.json",
        "comparison.png",
        "referral.pdf",
        "referral.png",
    ]
    assert all(path.is_file() for path in files)
    later = result.later.save(tmp_path / "later")
    document = json.loads(later.files[0].read_text(encoding="utf-8"))
    assert document["recommendation"]["code"] == hemx.Recommendation.CALL_NOW


def test_two_patients_are_refused_before_models_are_loaded() -> None:
    first, second = _pair()
    other = simple_head(identity=SeriesIdentity(patient_id="Q", series_uid="3"))

    def load() -> None:
        raise AssertionError("loaded")

    with pytest.raises(InputError, match="different patients"):
        hemx.compare(first, other, models=load)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="loaded"):
        hemx.compare(first, second, models=load)  # type: ignore[arg-type]


def test_a_phantom_has_its_truth_and_is_written(tmp_path: Path) -> None:
    made = hemx.phantom(
        seed=4, volume_ml=30, markers=["blend"], matrix=96, slices=9, growth=1.5, out=tmp_path
    )
    assert isinstance(made.volume, hemx.Volume)
    assert made.mask.shape == made.volume.shape == (9, 96, 96)
    assert made.patient_markers.tolist() == [False, False, True, False]
    assert made.follow_up is not None
    grown = made.follow_up.haematoma_volume_ml / made.haematoma_volume_ml
    assert grown == pytest.approx(1.5, rel=0.1)
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert set(truth["studies"]) == {"baseline", "follow_up"}
    np.testing.assert_array_equal(hemx.read_series(tmp_path / "baseline").hu, made.volume.hu)
    assert len(hemx.list_series(tmp_path)) == 2
    again = hemx.phantom(seed=4, volume_ml=30, markers=["blend"], matrix=96, slices=9)
    np.testing.assert_array_equal(again.volume.hu, made.volume.hu)
    empty = hemx.phantom(lesion=False, matrix=64, slices=3)
    assert not empty.mask.any()
    with pytest.raises(InputError, match="swirl"):
        hemx.phantom(markers=["swirl"])


@pytest.mark.parametrize(
    "make",
    [
        lambda: hemx.triage(simple_head(clot_mm=14), models=ThresholdModels()),
        lambda: hemx.triage(simple_head(clot_mm=14), models=ThresholdModels()).haematoma,
        lambda: hemx.triage(simple_head(clot_mm=14), models=ThresholdModels()).slices[2],
        lambda: hemx.compare(*_pair(), models=ThresholdModels()),
        lambda: hemx.phantom(matrix=64, slices=3),
        simple_head,
    ],
)
def test_what_is_printed_is_short_and_names_nobody(make: Callable[[], object]) -> None:
    text = repr(make())
    assert text.startswith("<")
    assert len(text) < 160
    assert "array(" not in text
    assert "ID-4711" not in text


def test_a_volume_refuses_a_spacing_beside_a_geometry() -> None:
    head = simple_head()
    for given in ({}, {"spacing_mm": (5, 1, 1), "geometry": head.geometry}):
        with pytest.raises(VolumeError, match="spacing"):
            hemx.Volume(head.hu, **given)  # type: ignore[arg-type]


def test_the_command_line_stands_on_the_face() -> None:
    """Each of its functions has a command, or is what a command calls."""
    commands = {command.name for command in make_app().registered_commands}
    assert {"triage", "compare", "phantom"} <= commands & set(hemx.__all__)

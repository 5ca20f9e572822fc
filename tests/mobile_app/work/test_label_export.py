from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from hemx_core.data.check import check_dataset
from hemx_core.data.dataset import open_dataset
from hemx_core.data.read import read_study
from hemx_core.data.tables import read_tables
from hemx_core.errors import OutputError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.labels.answers import Answer, Reading
from hemx_core.markers import MARKER_CODES
from mobile_app import settings
from mobile_app.store import Store
from mobile_app.work.label_export import export_labels
from tests.mobile_app.stored import JAPANESE, at_once, correct, store_study

YES, NO = Answer.YES, Answer.NO
ALL = dict.fromkeys(MARKER_CODES, NO)
GRID = PreprocessingSpec(size=64, pixel_mm=3.6)
CONFIRMED, CORRECTED, UNJUDGED, PLAIN = range(1, 5)


def _answer(store: Store, study: int, *, correction: int | None = None, **answers: Answer) -> None:
    reading = Reading(answers=ALL | answers, slices={"blend": (2,)} if "blend" in answers else {})
    result = store.results.of_study(study)[0]
    store.readings.save(study, reading, result_id=result, correction_id=correction)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A store with three read studies and one that nobody read, exported and unpacked."""
    root = tmp_path_factory.mktemp("labels")
    with Store(root / "store", actor="Dr Sato") as store:
        for number, patient in enumerate(("P1", "P1", "P2", "P3"), 1):
            store_study(store, root, patient=patient, hours=float(number), clot_mm=12 + number)
        _answer(store, CONFIRMED, outline=YES, blend=YES)
        correct(store, CORRECTED, grow=10)
        _answer(store, CORRECTED)
        _answer(store, UNJUDGED)
        store.act_as("Dr Ito")
        _answer(store, CONFIRMED, blend=Answer.POSSIBLE)
        key = settings.label_key(store)
        assert settings.label_key(store) == key
        done = at_once(export_labels(store, root / "out.zip", key=key))
        assert (done.studies, done.left) == (3, ())
        assert store.audit.entries()[0].action == "labels.exported"
        assert store.audit.entries()[0].detail == {"studies": 3, "left": 0}
    with zipfile.ZipFile(root / "out.zip") as archive:
        archive.extractall(root / "unpacked")
    return root / "unpacked" / "out", root / "out.zip", root / "store"


def test_it_opens_as_a_data_set_without_errors(exported, tmp_path: Path) -> None:
    folder, _, _ = exported
    report = check_dataset(folder)
    assert report.errors == 0, report.problems
    assert report.summary["patients"] == 2
    assert sorted(report.summary["readers"].values()) == [1, 3]
    source = open_dataset(folder, GRID, tmp_path / "cache")
    studies = list(source.patients())
    assert len(studies) == 3
    markers = [study.patient_markers.tolist() for study in studies]
    # "Yes" of one and "possible" of another reader is unknown.
    assert markers == [[0, 0, -1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_masks_are_what_the_reader_confirmed_or_drew(exported) -> None:
    folder, _, place = exported
    tables = read_tables(folder)
    found = [read_study(tables, row) for row in tables.studies.values()]
    with Store(place) as store:
        results = [store.results.load(store.results.of_study(n)[0]).mask for n in (1, 2, 3)]
        corrected = store.corrections.load(1).mask
    np.testing.assert_array_equal(found[0].mask, results[0])
    np.testing.assert_array_equal(found[1].mask, corrected)
    assert not found[2].has_reference
    assert {call.study for call in tables.network} == set(tables.studies)


def test_nothing_in_it_names_anybody(exported) -> None:
    _, archive, _ = exported
    words = [
        JAPANESE.split("=")[0].encode(),
        "山田".encode(),
        b"Sato",
        b"Ito",
        b"20261102",
        b"2026-11",
    ]
    with zipfile.ZipFile(archive) as opened:
        contents = {name: opened.read(name) for name in opened.namelist()}
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    for name, content in contents.items():
        for word in words:
            assert word not in content, (name, word)
            assert word not in name.encode(), name
    assert any(name.endswith(".dcm") for name in contents)


def test_a_study_with_a_damaged_file_is_left_out_and_counted(tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        for patient in ("P1", "P2"):
            _answer(store, store_study(store, tmp_path, patient=patient))
        next(store.studies.path(store.studies.get(1)).glob("*.dcm")).write_bytes(b"gone")
        done = at_once(export_labels(store, tmp_path / "out.zip", key=b"k" * 32))
    assert (done.studies, done.left) == (1, (1,))


def test_nothing_is_left_of_an_export_that_cannot_be_written(tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        _answer(store, store_study(store, tmp_path))
        with pytest.raises(OutputError):
            at_once(export_labels(store, tmp_path / "nowhere" / "out.zip", key=b"k" * 32))
        assert not list(store.folder.glob("labels-*"))

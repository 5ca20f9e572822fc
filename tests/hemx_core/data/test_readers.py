import numpy as np

from hemx_core.data.check import check_dataset
from hemx_core.data.dataset import open_dataset
from hemx_core.data.read import read_study
from hemx_core.data.tables import read_tables
from tests.hemx_core.data.sets import GRID, phantom, write_set, write_table

HEAD = "study,hypodensity,irregular,blend,fluid_level,hypodensity_slices,outline,mask"


def _reader(folder, name, *lines) -> None:
    (folder / "readings").mkdir(exist_ok=True)
    write_table(folder / "readings", name, HEAD, *lines)


def _blood(number: int) -> list[int]:
    return np.flatnonzero(phantom(number).mask.any((1, 2))).tolist()


def test_readers_make_labels_where_they_agree(tmp_path) -> None:
    folder = write_set(tmp_path)
    first, second = _blood(2)[:2]
    _reader(folder, "dr-a", f"c,yes,no,yes,possible,{first} {second},yes,")
    _reader(folder, "dr-b", f"c,yes,no,no,no,{second},,")
    assert check_dataset(folder).errors == 0
    tables = read_tables(folder)
    study = read_study(tables, tables.studies["c"])
    blood = _blood(2)
    assert study.slice_markers[second].tolist() == [1, 0, -1, -1]
    assert study.slice_markers[first].tolist() == [-1, 0, -1, -1]
    assert set(study.slice_markers[blood][:, 1].tolist()) == {0}
    (found,) = open_dataset(folder, GRID, tmp_path / "cache").patients("test")
    assert found.patient_markers.tolist() == [1, 0, -1, -1]


def test_disagreement_stays_unknown_whatever_slices_say_and_the_table_goes_first(tmp_path) -> None:
    folder = write_set(tmp_path)
    # Of study a the tables know three markers; readers disagree on one of them and on the open one.
    _reader(folder, "dr-a", "a,no,no,yes,no,,,")
    _reader(folder, "dr-b", "a,no,no,no,no,,,")
    (found,) = open_dataset(folder, GRID, tmp_path / "cache").patients("train")
    assert found.patient_markers.tolist() == [1, 0, -1, 0]


def test_masks_of_readers_are_the_reference_and_open_where_they_differ(tmp_path) -> None:
    folder = write_set(tmp_path)
    from hemx_core.imaging.nifti import write_array

    larger, truth = phantom(0).mask.copy(), phantom(0).mask
    place = _blood(0)[0]
    larger[place, 40:50, 40:50] = True
    write_array(folder / "larger.nii.gz", larger, phantom(0).volume.geometry)
    _reader(folder, "dr-a", "a,,,,,,yes,a_mask.nii.gz")
    _reader(folder, "dr-b", "a,,,,,,no,larger.nii.gz")
    assert check_dataset(folder).errors == 0
    tables = read_tables(folder)
    study = read_study(tables, tables.studies["a"])
    np.testing.assert_array_equal(study.mask, truth & larger)
    np.testing.assert_array_equal(study.known, truth == larger)


def test_a_reader_who_sees_no_blood_makes_a_study_without(tmp_path) -> None:
    folder = write_set(tmp_path)
    _reader(folder, "dr-a", "a,no,no,no,no,,no,none")
    tables = read_tables(folder)
    study = read_study(tables, tables.studies["a"])
    assert not study.mask.any()
    assert study.known.all()
    assert check_dataset(folder).summary["studies_without_blood"] == 1


def test_a_change_of_an_answer_prepares_the_study_anew(tmp_path) -> None:
    folder = write_set(tmp_path)
    _reader(folder, "dr-a", "c,no,no,no,no,,,")
    before = open_dataset(folder, GRID, tmp_path / "cache").files
    _reader(folder, "dr-a", "c,no,no,no,possible,,,")
    after = open_dataset(folder, GRID, tmp_path / "cache").files
    assert before["a"] == after["a"]
    assert before["c"] != after["c"]


def test_the_check_names_every_wrong_cell(tmp_path) -> None:
    folder = write_set(tmp_path)
    _reader(
        folder,
        "dr-a",
        "x,no,no,no,no,,,",
        "a,maybe,no,no,no,,,nowhere.nii.gz",
        "b,no,no,no,no,3,,",
        "c,yes,no,no,no,99,,",
        "c,no,no,no,no,,,",
    )
    write_table(
        folder, "network", "study,hypodensity,irregular,blend,fluid_level", "y,1,0,0,0", "a,2,0,0,0"
    )
    report = check_dataset(folder)
    found = {(p.file, p.row, p.column) for p in report.problems if p.severity == "error"}
    assert {
        ("readings/dr-a.csv", 2, "study"),
        ("readings/dr-a.csv", 3, "hypodensity"),
        ("readings/dr-a.csv", 3, "mask"),
        ("readings/dr-a.csv", 4, "hypodensity_slices"),
        ("readings/dr-a.csv", 5, "hypodensity_slices"),
        ("readings/dr-a.csv", 6, "study"),
        ("network.csv", 3, "hypodensity"),
        ("network.csv", None, "study"),
    } == found
    assert report.summary["readers"] == {"dr-a": 4}

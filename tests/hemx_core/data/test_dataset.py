import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemx_core.data.cohort import PhantomMaker, prepare_phantom
from hemx_core.data.dataset import DatasetSource, open_dataset
from hemx_core.data.study import Study, StudySource
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import HUWindow
from hemx_core.phantoms import write_dicom_series
from tests.hemx_core.data.sets import GRID, MARKERS, phantom, write_set, write_table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_set(tmp_path / "set")


def open_set(folder: Path, **options: object) -> DatasetSource:
    return open_dataset(folder, GRID, folder.parent / "cache", **options)  # type: ignore[arg-type]


def one(source: StudySource, split: str) -> Study:
    (study,) = source.patients(split)
    return study


def test_dicom_and_nifti_give_the_slices_of_the_phantom_itself(folder: Path) -> None:
    write_dicom_series(phantom(2).volume, folder / "dicom")
    write_table(
        folder, "studies", "study,patient,ct,mask",
        "c,C,c.nii.gz,c_mask.nii.gz", "b,B,dicom,c_mask.nii.gz",
    )  # fmt: skip
    (folder / "slice_markers.csv").unlink()
    source = open_set(folder)
    wanted = prepare_phantom(phantom(2), PhantomMaker(preprocessing=GRID, blood_free=None))
    for split in ("test", "validation"):
        found = one(source, split)
        np.testing.assert_array_equal(found.image, wanted.image)
        np.testing.assert_array_equal(found.mask, wanted.mask)
        np.testing.assert_array_equal(found.slice_index, wanted.slice_index)
        assert found.known.all()
        assert found.haematoma_volume_ml == pytest.approx(wanted.haematoma_volume_ml, rel=1e-5)
    np.testing.assert_array_equal(one(source, "test").image, one(source, "validation").image)


def test_a_site_s_window_replaces_the_preprocessing_s(folder: Path) -> None:
    source = open_set(folder)
    spec = replace(GRID, window=HUWindow(10, 90))
    wanted = prepare_phantom(phantom(1), PhantomMaker(preprocessing=spec, blood_free=None))
    other = prepare_phantom(phantom(1), PhantomMaker(preprocessing=GRID, blood_free=None))
    found = one(source, "validation").image
    np.testing.assert_array_equal(found, wanted.image)
    assert np.abs(found - other.image).max() > 0.05
    assert source.preprocessing == GRID


def test_unknown_stays_unknown(folder: Path) -> None:
    source = open_set(folder)
    a, b, c = (one(source, split) for split in ("train", "validation", "test"))
    assert (a.site, b.site, c.site) == ("east", "west", "")
    assert (a.location, b.location) == ("putamen", "")
    assert (a.expanded, b.expanded, c.expanded) == (1, 0, -1)
    bloody = np.flatnonzero(a.with_blood)
    assert a.slice_markers[bloody[0]].tolist() == [1, 0, -1, 0]
    assert (a.slice_markers[bloody[1:]] == -1).all(), "slices with blood that nobody judged"
    assert (a.slice_markers[~a.with_blood] == 0).all(), "no blood, no marker"
    assert a.patient_markers.tolist() == [1, 0, -1, 0]
    assert b.patient_markers.tolist() == [0, 0, 0, 0]
    assert c.patient_markers.tolist() == [-1] * 4


def test_slices_say_what_the_patient_table_leaves_open(folder: Path) -> None:
    bloody = np.flatnonzero(phantom(2).mask.any((1, 2)))
    rows = [f"c,{index},0,1,0,unknown" for index in bloody[:-1]]
    (folder / "patient_markers.csv").unlink()
    write_table(folder, "slice_markers", f"study,slice,{MARKERS}", *rows)
    assert one(open_set(folder), "test").patient_markers.tolist() == [-1, 1, -1, -1]
    write_table(folder, "slice_markers", f"study,slice,{MARKERS}", *rows, f"c,{bloody[-1]},0,0,0,0")
    assert one(open_set(folder), "test").patient_markers.tolist() == [0, 1, 0, -1]


def test_without_a_reference_nothing_is_known(folder: Path) -> None:
    write_table(
        folder, "studies", "study,patient,ct,mask,ignore_mask",
        "a,A,a.nii.gz,,", "b,B,b.nii.gz,none,", "c,C,c.nii.gz,c_mask.nii.gz,a_mask.nii.gz",
    )  # fmt: skip
    source = open_set(folder)
    a, b, c = (one(source, split) for split in ("train", "validation", "test"))
    assert not a.known.any()
    assert not a.mask.any()
    assert np.isnan(a.haematoma_volume_ml)
    assert b.known.all()
    assert (b.haematoma_volume_ml, b.mask.any()) == (0.0, False)
    assert (b.slice_markers == 0).all()
    assert 0 < (~c.known).mean() < 0.1
    opened = ~c.known.all((1, 2)) & ~c.with_blood
    assert (c.slice_markers[opened] == -1).all()


def test_a_follow_up_has_markers_of_its_own_and_no_label_of_growth(folder: Path) -> None:
    write_table(
        folder, "studies", "study,patient,ct,mask,acquired_at",
        "late,A,b.nii.gz,b_mask.nii.gz,2024-05-15", "early,A,a.nii.gz,a_mask.nii.gz,2024-05-14",
    )  # fmt: skip
    write_table(folder, "slice_markers", f"study,slice,{MARKERS}")
    early, late = open_set(folder).patients("train")
    np.testing.assert_array_equal(early.with_blood, phantom(0).mask.any((1, 2)))
    assert (early.expanded, late.expanded) == (1, -1)
    assert early.patient_markers.tolist() == [1, 0, -1, 0]
    assert late.patient_markers.tolist() == [-1] * 4
    write_table(folder, "patient_markers", f"patient,study,{MARKERS}", "A,late,0,0,0,1")
    early, late = open_set(folder).patients("train")
    assert early.patient_markers.tolist() == [-1] * 4
    assert late.patient_markers.tolist() == [0, 0, 0, 1]


def test_the_cache_is_used_until_something_changes(folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    source = open_set(folder, progress=lambda *what: told.append(what))
    assert told == [("data", 1, 3), ("data", 2, 3), ("data", 3, 3)]
    times = {path: path.stat().st_mtime_ns for path in source.files.values()}
    again = open_set(folder)
    assert again.files == source.files
    assert times == {path: path.stat().st_mtime_ns for path in again.files.values()}
    table = (folder / "patient_markers.csv").read_text()
    (folder / "patient_markers.csv").write_text(table.replace("A,1,0,,0", "A,0,0,,0"))
    relabelled = open_set(folder)
    assert relabelled.files["a"] != source.files["a"]
    assert relabelled.files["b"] == source.files["b"]
    assert one(relabelled, "train").patient_markers[0] == 0
    (folder / "b_mask.nii.gz").write_bytes((folder / "a_mask.nii.gz").read_bytes())
    redrawn = open_set(folder)
    assert redrawn.files["b"] != relabelled.files["b"]
    np.testing.assert_array_equal(
        one(redrawn, "validation").mask.any((1, 2)), phantom(0).mask.any((1, 2))
    )


def test_some_slices_without_blood_are_kept(folder: Path) -> None:
    study = one(open_set(folder, blood_free=1), "train")
    blood = phantom(0).mask.any((1, 2))
    assert study.with_blood.sum() == blood.sum()
    assert len(study.image) == blood.sum() + 1
    assert one(open_set(folder, blood_free=0), "train").with_blood.all()


def test_splits_and_description(folder: Path) -> None:
    source: StudySource = open_set(folder)
    assert [s.patient_id for s in open_set(folder).patients()] == ["A", "B", "C"]
    with pytest.raises(DatasetError, match="one of"):
        source.patients("tests")
    told = json.loads(json.dumps(source.description))
    assert (told["name"], told["licence"], told["attribution"]) == ("small", "none", "tests")
    assert (told["patients"], told["studies"], told["sites"]) == (3, 3, 2)
    assert told["patients_by_split"] == {"test": 1, "train": 1, "validation": 1}


def test_errors_in_the_tables_are_refused_before_any_study_is_read(folder: Path) -> None:
    write_table(folder, "patients", "patient,split", "A,train", "B,no", "C,test")
    with pytest.raises(DatasetError, match=r"row 3, column split.*hemx dev data check"):
        open_set(folder)
    assert not (folder.parent / "cache").exists()


def test_a_study_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "b.nii.gz").write_text("no")
    with pytest.raises(DatasetError, match=r"studies\.csv, row 3, study b: b\.nii\.gz"):
        open_set(folder)


def test_a_marker_on_no_slice_is_refused(folder: Path) -> None:
    write_table(folder, "slice_markers", f"study,slice,{MARKERS}", "a,99,1,0,0,0")
    with pytest.raises(DatasetError, match="slice 99 of study a is not in its CT"):
        open_set(folder)


def test_markers_may_name_the_slice_by_its_uid(folder: Path) -> None:
    volume = phantom(2).volume
    write_dicom_series(volume, folder / "dicom")
    write_table(folder, "studies", "study,patient,ct,mask", "c,C,dicom,c_mask.nii.gz")
    place = int(np.flatnonzero(phantom(2).mask.any((1, 2)))[1])
    uid = volume.identity.sop_instance_uids[place]
    write_table(folder, "slice_markers", f"study,sop_instance_uid,{MARKERS}", f"c,{uid},0,1,0,1")
    assert one(open_set(folder), "test").slice_markers[place].tolist() == [0, 1, 0, 1]

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemx_core.data.check import CheckReport, check_dataset
from hemx_core.imaging.nifti import write_array
from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.markers import MARKER_CODES
from hemx_core.phantoms import write_dicom_series
from tests.hemx_core.data.sets import MARKERS, phantom, write_set, write_table

SMALL_PICTURE = ("row spacing", "column spacing", "not estimable")
"""What is odd about every small test study, and not the matter of a test."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("template") / "set")


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "set"))


def told(report: CheckReport, severity: str) -> list[tuple[str, str]]:
    return [
        (one.place, one.message)
        for one in report.problems
        if one.severity == severity and not any(odd in one.message for odd in SMALL_PICTURE)
    ]


def only_error(folder: Path) -> tuple[str, str]:
    (problem,) = told(check_dataset(folder), "error")
    return problem


def studies(folder: Path, *lines: str, columns: str = "study,patient,ct,mask") -> None:
    write_table(folder, "studies", columns, *lines)


def test_a_sound_data_set_has_no_errors_and_counts_right(folder: Path) -> None:
    progress: list[tuple[str, int, int]] = []
    report = check_dataset(folder, lambda *what: progress.append(what))
    assert told(report, "error") == []
    assert told(report, "warning") == []
    assert progress[-1] == ("check", 3, 3)
    summary = report.summary
    assert summary["by_split"] == {"test": 1, "train": 1, "validation": 1}
    assert summary["by_site"] == {"east": 1, "unknown": 1, "west": 1}
    assert summary["by_location"] == {"putamen": 1, "thalamus": 1, "unknown": 1}
    assert summary["studies_with_mask"] == 3
    blood = sum(int(phantom(n).mask.any((1, 2)).sum()) for n in range(3))
    assert summary["slices_with_blood"] == blood
    train = next(one for one in summary["coverage"] if one["split"] == "train")
    assert train["hypodensity"] == {"present": 1, "absent": 0, "unknown": 0}
    assert train["blend"] == {"present": 0, "absent": 0, "unknown": 1}
    assert train["expanded"] == {"present": 1, "absent": 0, "unknown": 0}
    document = json.loads(json.dumps(report.to_json()))
    assert (document["errors"], document["format"]) == (0, "hemx-dataset-check/1")


def test_all_sixteen_combinations_are_counted(folder: Path) -> None:
    bloody = np.flatnonzero(phantom(0).mask.any((1, 2)))[:3]
    write_table(
        folder, "slice_markers", f"study,slice,{MARKERS}",
        f"a,{bloody[0]},1,0,1,0", f"a,{bloody[1]},1,0,1,0", f"a,{bloody[2]},0,0,0,0",
    )  # fmt: skip
    write_table(folder, "patient_markers", f"patient,{MARKERS}", "A,1,0,1,0", "B,1,1,1,1")
    summary = check_dataset(folder).summary
    table = {tuple(one["markers"]): one for one in summary["co_occurrence"] if one["known"]}
    assert len(table) == 16
    both = table["hypodensity", "blend"]
    assert (both["patients"], both["slices"]) == (1, 2)
    assert table[()]["slices"] == 1
    assert table[MARKER_CODES]["patients"] == 1
    unknown = summary["co_occurrence"][-1]
    assert (unknown["patients"], unknown["slices"]) == (1, summary["slices_with_blood"] - 3)


def test_the_same_pixels_in_two_splits_leak(folder: Path) -> None:
    write_dicom_series(phantom(0).volume, folder / "copy")
    studies(
        folder,
        "a,A,a.nii.gz,a_mask.nii.gz", "b,B,b.nii.gz,b_mask.nii.gz", "c,C,copy,a_mask.nii.gz",
    )  # fmt: skip
    place, message = only_error(folder)
    assert place == "studies.csv, row 4, column ct"
    assert "LEAKAGE between splits: shares the pixels of 9 of 9 slices with study a" in message
    assert "patient A is in train, C in test" in message


def test_part_of_the_same_pixels_leaks_too(folder: Path) -> None:
    mixed = phantom(2).volume.hu.copy()
    mixed[4] = phantom(0).volume.hu[4]
    write_array(folder / "c.nii.gz", mixed, phantom(2).volume.geometry)
    assert "the pixels of 1 of 9 slices with study a" in only_error(folder)[1]


def test_the_same_pictures_within_a_split_are_a_warning(folder: Path) -> None:
    write_table(folder, "patients", "patient,split", "A,train", "B,validation", "C,train")
    shutil.copy(folder / "a.nii.gz", folder / "c.nii.gz")
    shutil.copy(folder / "a_mask.nii.gz", folder / "c_mask.nii.gz")
    report = check_dataset(folder)
    assert told(report, "error") == []
    assert any("shares the pixels of 9 of 9" in message for _, message in told(report, "warning"))


def write_dicom(folder: Path, numbers: str, **identity: str) -> None:
    for number, name in enumerate(numbers):
        volume = phantom(number).volume
        marked = replace(volume.identity, patient_id=f"id-{number}", **identity)
        write_dicom_series(replace(volume, identity=marked), folder / name)
    lines = [f"{name},{name.upper()},{name},{name}_mask.nii.gz" for name in numbers]
    studies(folder, *lines)


def test_dicom_of_different_people_is_no_leak(folder: Path) -> None:
    write_dicom(folder, "abc")
    assert told(check_dataset(folder), "error") == []


def test_slices_that_the_reader_leaves_out_and_another_time_are_noticed(folder: Path) -> None:
    write_dicom(folder, "abc")
    damaged = folder / "a" / "CT_0009.dcm"
    damaged.write_bytes(damaged.read_bytes()[:-5000])
    write_array(folder / "a_mask.nii.gz", phantom(0).mask[:8], cropped(phantom(0).volume.geometry))
    studies(
        folder, "a,A,a,a_mask.nii.gz,2024-05-14T05:20", "b,B,b,b_mask.nii.gz,2024-05-14T03:20",
        columns="study,patient,ct,mask,acquired_at",
    )  # fmt: skip
    report = check_dataset(folder)
    assert told(report, "error") == []
    warnings = dict(told(report, "warning"))
    assert "cannot be read" in warnings["studies.csv, row 2, column ct"]
    assert "not the time" in warnings["studies.csv, row 2, column acquired_at"]
    assert "studies.csv, row 3, column acquired_at" not in warnings


def cropped(geometry: VolumeGeometry) -> VolumeGeometry:
    """Without the last slice."""
    return replace(
        geometry,
        positions_mm=geometry.positions_mm[:-1],
        slice_thickness_mm=geometry.slice_thickness_mm[:-1],
    )


def test_the_same_study_uid_in_two_splits_leaks(folder: Path) -> None:
    write_dicom(folder, "abc", study_uid="1.2.3")
    errors = told(check_dataset(folder), "error")
    assert [place for place, _ in errors] == [
        "studies.csv, row 3, column ct",
        "studies.csv, row 4, column ct",
    ]
    assert all("StudyInstanceUID 1.2.3" in message for _, message in errors)


def test_the_same_dicom_patient_in_two_splits_leaks_unless_it_is_a_placeholder(
    folder: Path,
) -> None:
    write_dicom(folder, "abc")
    for name in "ac":
        for path in (folder / name).iterdir():
            path.unlink()
        volume = phantom("abc".index(name)).volume
        same = replace(volume, identity=replace(volume.identity, patient_id="SATO"))
        write_dicom_series(same, folder / name)
    place, message = only_error(folder)
    assert (place, "'SATO'" in message) == ("studies.csv, row 4, column ct", True)
    for path in (folder / "b").iterdir():
        path.unlink()
    volume = phantom(1).volume
    same = replace(volume, identity=replace(volume.identity, patient_id="SATO"))
    write_dicom_series(same, folder / "b")
    report = check_dataset(folder)
    assert told(report, "error") == []
    assert any("placeholder" in message for _, message in told(report, "warning"))


def test_masks_that_are_empty_or_lie_elsewhere(folder: Path) -> None:
    volume, mask = phantom(1).volume, phantom(1).mask
    write_array(folder / "b_mask.nii.gz", np.zeros_like(mask), volume.geometry)
    write_array(folder / "c_mask.nii.gz", mask[:-1], VolumeGeometry.axial(8, spacing_mm=(10, 1, 1)))
    report = check_dataset(folder)
    ((place, message),) = told(report, "error")
    assert place == "studies.csv, row 4, column mask"
    assert "shape (8, 96, 96); expected: the shape of its CT, (9, 96, 96)" in message
    ((place, message),) = told(report, "warning")
    assert place == "studies.csv, row 3, column mask"
    assert "is empty" in message


def test_a_mask_over_brain_is_noticed(folder: Path) -> None:
    outside = np.roll(phantom(0).mask, 48, axis=2)
    write_array(folder / "a_mask.nii.gz", outside, phantom(0).volume.geometry)
    messages = [message for _, message in told(check_dataset(folder), "warning")]
    assert any("not the density of a clot" in message for message in messages)


@pytest.mark.parametrize(
    ("clipped", "stated", "severity", "message"),
    [
        ((0, 80), "", "warning", "lack bone or air"),
        ((0, 80), "0,80", "", ""),
        ((0, 80), "0,60", "error", "leave 0 to 60 HU"),
        (None, "0,80", "error", "leave 0 to 80 HU"),
    ],
)
def test_ranges_of_hu(
    folder: Path, clipped: tuple[int, int] | None, stated: str, severity: str, message: str
) -> None:
    volume = phantom(0).volume
    hu = np.clip(volume.hu, *clipped) if clipped else volume.hu
    write_array(folder / "a.nii.gz", hu, volume.geometry)
    studies(
        folder, f"a,A,a.nii.gz,a_mask.nii.gz,{stated or ','}",
        columns="study,patient,ct,mask,clipped_lower,clipped_upper",
    )  # fmt: skip
    report = check_dataset(folder)
    found = [(level, m) for level in ("error", "warning") for _, m in told(report, level)]
    hits = [level for level, m in found if message and message in m]
    assert hits == ([severity] if severity else [])
    assert any(level == "error" for level, _ in found) == (severity == "error")


def test_values_that_are_no_hu_are_noticed(folder: Path) -> None:
    write_array(folder / "a.nii.gz", phantom(0).volume.hu + 1024, phantom(0).volume.geometry)
    messages = " ".join(message for _, message in told(check_dataset(folder), "warning"))
    assert "lack bone or air" in messages
    assert "not the density of a clot" in messages


def test_implausible_spacing_is_noticed(folder: Path) -> None:
    volume = phantom(0).volume
    wrong = VolumeGeometry.axial(9, spacing_mm=(50.0, 0.1, 2.4))
    write_array(folder / "a.nii.gz", volume.hu, wrong)
    write_array(folder / "a_mask.nii.gz", phantom(0).mask, wrong)
    report = check_dataset(folder)
    rows = [one for one in report.problems if one.row == 2 and one.file == "studies.csv"]
    said = " ".join(one.message for one in rows)
    for what in (
        "row spacing of 0.1",
        "slice spacing of 50",
        "picture height",
        "height of the scan",
    ):
        assert what in said


def test_markers_on_slices_without_blood(folder: Path) -> None:
    bloody = np.flatnonzero(phantom(0).mask.any((1, 2)))
    empty = int(np.flatnonzero(~phantom(0).mask.any((1, 2)))[0])
    write_table(
        folder, "slice_markers", f"study,slice,{MARKERS}",
        f"a,{bloody[0]},1,0,0,0", f"a,{empty},0,1,0,0", "a,40,1,0,0,0", "b,0,1,0,0,0",
    )  # fmt: skip
    studies(
        folder,
        "a,A,a.nii.gz,a_mask.nii.gz", "b,B,b.nii.gz,", "c,C,c.nii.gz,c_mask.nii.gz",
    )  # fmt: skip
    report = check_dataset(folder)
    errors = dict(told(report, "error"))
    assert "where the mask is empty" in errors["slice_markers.csv, row 3, column slice"]
    assert "is not in the CT (9 slices" in errors["slice_markers.csv, row 4, column slice"]
    assert len(errors) == 2
    warnings = dict(told(report, "warning"))
    assert "which has no mask" in warnings["slice_markers.csv, row 5, column slice"]


def test_every_problem_is_told_once_and_the_rest_is_still_checked(folder: Path) -> None:
    (folder / "a.nii.gz").write_text("no")
    shutil.copy(folder / "b.nii.gz", folder / "c.nii.gz")
    shutil.copy(folder / "b_mask.nii.gz", folder / "c_mask.nii.gz")
    studies(
        folder, "a,A,a.nii.gz,gone.nii", "b,B,b.nii.gz,gone.nii",
        "c,C,c.nii.gz,c_mask.nii.gz", "d,D,gone,",
    )  # fmt: skip
    places = [place for place, _ in told(check_dataset(folder), "error")]
    assert sorted(places) == [
        "studies.csv, row 2, column ct",
        "studies.csv, row 2, column mask",
        "studies.csv, row 3, column mask",
        "studies.csv, row 4, column ct",
        "studies.csv, row 5, column ct",
        "studies.csv, row 5, column patient",
    ]


def test_missing_splits_and_labels_of_one_kind_are_noticed(folder: Path) -> None:
    write_table(folder, "patients", "patient,split", "A,train", "B,train", "C,test")
    write_table(folder, "patient_markers", f"patient,{MARKERS}", "A,1,1,0,0", "B,0,1,0,0")
    (folder / "slice_markers.csv").unlink()
    messages = {one.message for one in check_dataset(folder).problems}
    assert "no patient in the split validation" in messages
    assert "no patient without irregular in train: not estimable there" in messages
    assert "no patient with blend in train: not estimable there" in messages
    assert not any("hypodensity in train" in message for message in messages)
    assert not any("in test" in message for message in messages), "nothing is labelled there"


def test_a_folder_that_is_no_data_set(tmp_path: Path) -> None:
    report = check_dataset(tmp_path)
    assert {one.file for one in report.problems if one.severity == "error"} == {
        "dataset.json", "patients.csv", "studies.csv",
    }  # fmt: skip

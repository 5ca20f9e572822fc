"""A slice whose header is damaged is missed: it is told, whatever is left of its header or its record."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

from hemx_core.imaging.reader import read_series
from hemx_core.notes import Severity
from tests.factories import ct_pixels, write_ct_series

IDENTITY = ("SeriesInstanceUID", "StudyInstanceUID", "PatientID", "FrameOfReferenceUID")
GEOMETRY = ("Rows", "Columns", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient")


def warnings_of(folder: Path) -> set[str]:
    volume = read_series(folder)
    assert volume.shape[0] == 5
    return {note.code for note in volume.notes if note.severity is Severity.WARNING}


@pytest.mark.parametrize("gone", [GEOMETRY, (*GEOMETRY, *IDENTITY)])
def test_a_slice_without_place_and_size_is_missed(tmp_path: Path, gone: tuple[str, ...]) -> None:
    def cut(index: int, dataset: Dataset) -> None:
        if index == 0:
            for keyword in gone:
                delattr(dataset, keyword)

    write_ct_series(tmp_path, change=cut)
    assert "scan_continues" in warnings_of(tmp_path)


def test_a_slice_of_a_series_that_cannot_be_is_missed(tmp_path: Path) -> None:
    def cut(index: int, dataset: Dataset) -> None:
        if index == 0:
            for keyword in GEOMETRY:
                delattr(dataset, keyword)

    paths = write_ct_series(tmp_path, change=cut)
    uid = str(pydicom.dcmread(paths[0]).SeriesInstanceUID).encode()
    paths[0].write_bytes(paths[0].read_bytes().replace(uid, b"1 SH IS".ljust(len(uid), b"x")))
    assert "scan_continues" in warnings_of(tmp_path)


def test_a_slice_that_ends_in_the_name_of_its_series_is_missed(tmp_path: Path) -> None:
    path = write_ct_series(tmp_path)[0]
    content = path.read_bytes()
    uid = str(pydicom.dcmread(path).SeriesInstanceUID).encode()
    path.write_bytes(content[: content.index(uid) + len("1.2.826")])
    assert "scan_continues" in warnings_of(tmp_path)


def test_a_slice_whose_name_of_a_series_is_another_and_whose_end_is_lost_is_missed(
    tmp_path: Path,
) -> None:
    def cut(index: int, dataset: Dataset) -> None:
        if index == 0:
            dataset.SeriesInstanceUID = "2.25.7"
            for keyword in GEOMETRY:
                delattr(dataset, keyword)

    write_ct_series(tmp_path, change=cut)
    assert "scan_continues" in warnings_of(tmp_path)


def test_a_whole_image_without_a_place_is_its_own_series(tmp_path: Path) -> None:
    def leave_out(index: int, dataset: Dataset) -> None:
        if index == 0:
            dataset.SeriesInstanceUID = "2.25.7"
            del dataset.ImagePositionPatient

    write_ct_series(tmp_path, change=leave_out)
    assert "scan_continues" not in warnings_of(tmp_path)


def test_an_element_of_no_kind_is_absent(tmp_path: Path) -> None:
    paths = write_ct_series(tmp_path)
    content = paths[0].read_bytes()
    place = content.index(bytes.fromhex("20003700") + b"DS")
    size = int.from_bytes(content[place + 6 : place + 8], "little")
    empty = content[place : place + 4] + b"D\0" + bytes(6)
    paths[0].write_bytes(content[:place] + empty + content[place + 8 + size :])
    assert warnings_of(tmp_path)


def test_a_file_of_no_known_kind_is_unreadable(tmp_path: Path) -> None:
    def cut(index: int, dataset: Dataset) -> None:
        if index == 5:
            dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1"
            del dataset.Modality

    write_ct_series(tmp_path, change=cut)
    assert "unreadable_files" in warnings_of(tmp_path)


@pytest.mark.parametrize("left", [0, 100, 131])
def test_a_file_without_its_beginning_is_missed_by_its_name(tmp_path: Path, left: int) -> None:
    last = write_ct_series(tmp_path, shuffled=False)[-1]
    last.write_bytes(last.read_bytes()[:left])
    (tmp_path / "README").write_bytes(b"what is no slice has another name")
    assert "unreadable_files" in warnings_of(tmp_path)
    note = next(note for note in read_series(tmp_path).notes if note.code == "not_dicom")
    assert note.values["count"] == 1


def test_a_slice_that_is_no_ct_image_any_more_is_missed(tmp_path: Path) -> None:
    def damage(index: int, dataset: Dataset) -> None:
        if index == 0:
            dataset.SamplesPerPixel = 3

    write_ct_series(tmp_path, change=damage)
    assert "scan_continues" in warnings_of(tmp_path)


def test_slices_beside_a_dicomdir_that_does_not_name_them_are_told(tmp_path: Path) -> None:
    source, medium = tmp_path / "source", tmp_path / "medium"
    write_ct_series(source, hu=ct_pixels(6), StudyID="1", PatientSex="F", StudyTime="1200")
    files = FileSet()
    for path in sorted(source.iterdir()):
        files.add(pydicom.dcmread(path))
    files.write(medium)
    directory = pydicom.dcmread(medium / "DICOMDIR")
    del directory.DirectoryRecordSequence[-1]
    directory.save_as(medium / "DICOMDIR")
    assert "unlisted_files" in warnings_of(medium / "DICOMDIR")

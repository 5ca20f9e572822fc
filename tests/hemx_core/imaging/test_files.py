"""Folders, files, DICOMDIRs and zips, and inputs that mean harm."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.fileset import FileSet
from pydicom.uid import DeflatedExplicitVRLittleEndian

from hemx_core.errors import NoSeriesError, UnreadablePixelsError, UnsafeInputError
from hemx_core.imaging import limits
from hemx_core.imaging.reader import list_series, read_series
from hemx_core.imaging.volume import HUVolume
from hemx_core.notes import Refusal
from hemx_core.words import tell
from tests.factories import ct_pixels, write_ct_series


def note(volume: HUVolume, code: str) -> str:
    """The message of a note, empty where there is none."""
    return next((tell(one) for one in volume.notes if one.code == code), "")


def zip_folder(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(folder.rglob("*")):
            target.write(path, path.relative_to(folder))
    return archive


def test_a_zip_is_read_without_unpacking(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "study" / "deep")
    (tmp_path / "study" / "README.txt").write_text("hello" * 100)
    archive = zip_folder(tmp_path / "study", tmp_path / "study.bin")
    before = sorted(tmp_path.rglob("*"))
    volume = read_series(archive)
    np.testing.assert_array_equal(volume.hu, ct_pixels())
    assert note(volume, "not_dicom").startswith("Passed over: 1 file ")
    assert sorted(tmp_path.rglob("*")) == before
    assert list_series(archive)[0].slices == 6


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:\\evil"])
def test_zip_members_that_leave_the_zip_are_refused(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "study.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr(name, b"x")
    with pytest.raises(UnsafeInputError, match="evil"):
        read_series(archive)


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    member = zipfile.ZipInfo("link")
    member.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as target:
        target.writestr(member, "/etc/passwd")
    with pytest.raises(UnsafeInputError, match="is a link"):
        read_series(tmp_path / "study.zip")


@pytest.mark.parametrize(
    ("limit", "value"),
    [("MAX_ARCHIVE_BYTES", 3000), ("MAX_MEMBER_BYTES", 1000), ("MAX_FILES", 5)],
)
def test_a_zip_that_unpacks_beyond_a_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    write_ct_series(tmp_path / "study")
    archive = zip_folder(tmp_path / "study", tmp_path / "study.zip")
    assert read_series(archive).shape[0] == 6
    monkeypatch.setattr(limits, limit, value)
    with pytest.raises(UnsafeInputError):
        read_series(archive)


def test_a_zip_that_lies_about_a_size_yields_no_more_than_it_declares(tmp_path: Path) -> None:
    archive = tmp_path / "study.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("bomb", b"\0" * 128 + b"DICM" + b"\0" * 10_000_000)
    data = bytearray(archive.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<I", 200)
    archive.write_bytes(data)
    with pytest.raises(UnreadablePixelsError):
        read_series(archive)


def test_an_encrypted_zip_asks_to_be_unpacked(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "study")
    archive = zip_folder(tmp_path / "study", tmp_path / "study.zip")
    data = bytearray(archive.read_bytes())
    start = 0
    while (start := data.find(b"PK\x01\x02", start)) >= 0:
        data[start + 8] |= 1
        start += 4
    archive.write_bytes(data)
    with pytest.raises(NoSeriesError, match="password"):
        read_series(archive)


def test_a_damaged_zip_is_told(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "study")
    archive = zip_folder(tmp_path / "study", tmp_path / "study.zip")
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02")] = 0
    archive.write_bytes(data)
    with pytest.raises(NoSeriesError, match="damaged zip"):
        read_series(archive)


def test_one_damaged_zip_member_among_good_ones_is_told(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "study", hu=ct_pixels(7))
    archive = zip_folder(tmp_path / "study", tmp_path / "study.zip")
    data = bytearray(archive.read_bytes())
    start = data.index(b"PK\x03\x04") + 120
    data[start : start + 40] = b"\xff" * 40
    archive.write_bytes(data)
    volume = read_series(archive)
    assert volume.shape[0] == 6
    assert "1_001" in note(volume, "unreadable_files")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = write_ct_series(tmp_path / "outside")[0]
    write_ct_series(tmp_path / "study")
    (tmp_path / "study" / "link").symlink_to(outside)
    with pytest.raises(UnsafeInputError, match="link to a place outside"):
        read_series(tmp_path / "study")


def test_a_linked_folder_outside_is_refused(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "outside")
    write_ct_series(tmp_path / "study")
    (tmp_path / "study" / "link").symlink_to(tmp_path / "outside", target_is_directory=True)
    with pytest.raises(UnsafeInputError, match="link to a place outside"):
        read_series(tmp_path / "study")


def test_links_inside_the_folder_count_once(tmp_path: Path) -> None:
    paths = write_ct_series(tmp_path / "study")
    (tmp_path / "study" / "link").symlink_to(paths[0])
    (tmp_path / "study" / "loop").symlink_to(tmp_path / "study", target_is_directory=True)
    volume = read_series(tmp_path / "study")
    assert volume.shape[0] == 6
    assert not note(volume, "duplicate_slices")


def test_a_pipe_is_neither_opened_nor_waited_for(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "study")
    os.mkfifo(tmp_path / "study" / "pipe")
    assert read_series(tmp_path / "study").shape[0] == 6
    with pytest.raises(NoSeriesError, match="pipe"):
        read_series(tmp_path / "study" / "pipe")


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ct_series(tmp_path)
    monkeypatch.setattr(limits, "MAX_FILES", 5)
    with pytest.raises(UnsafeInputError, match="more than 5 files"):
        read_series(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"text" * 100])
def test_nothing_to_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    with pytest.raises(NoSeriesError, match="no DICOM images"):
        read_series(tmp_path)
    with pytest.raises(NoSeriesError, match="nothing at"):
        read_series(tmp_path / "absent")


def write_dicomdir(folder: Path, source: Path) -> Path:
    """A file set with a DICOMDIR over the files of `source`."""
    files = FileSet()
    for path in sorted(source.iterdir()):
        files.add(pydicom.dcmread(path))
    files.write(folder)
    return folder / "DICOMDIR"


def test_a_dicomdir_leads_to_its_files(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "in", InstanceNumber="1", StudyID="1")
    dicomdir = write_dicomdir(tmp_path / "disc", tmp_path / "in")
    renamed = dicomdir.rename(dicomdir.with_name("INDEX"))
    write_ct_series(tmp_path / "disc" / "other", series="5")
    volume = read_series(renamed)
    np.testing.assert_array_equal(volume.hu, ct_pixels())
    assert "Usable too" not in note(volume, "series_choice")


def test_a_dicomdir_copied_in_small_letters_still_leads_to_its_files(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "in", StudyID="1")
    dicomdir = write_dicomdir(tmp_path / "disc", tmp_path / "in")
    for path in sorted((tmp_path / "disc").rglob("*"), reverse=True):
        path.rename(path.with_name(path.name.lower()))
    assert read_series(dicomdir.with_name("dicomdir")).shape[0] == 6


def test_files_that_a_dicomdir_misses_are_told(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "in", StudyID="1")
    dicomdir = write_dicomdir(tmp_path / "disc", tmp_path / "in")
    victim = next(path for path in (tmp_path / "disc").rglob("IM*") if path.is_file())
    victim.unlink()
    assert "1 file " in note(read_series(dicomdir), "missing_files")


@pytest.mark.parametrize(
    "reference", [["..", "secret"], ["/etc", "passwd"], ["A", "..", "..", "S"]]
)
def test_a_dicomdir_that_leaves_its_folder_is_refused(tmp_path: Path, reference: list[str]) -> None:
    write_ct_series(tmp_path / "in", StudyID="1")
    dicomdir = write_dicomdir(tmp_path / "disc", tmp_path / "in")
    dataset = pydicom.dcmread(dicomdir)
    dataset.DirectoryRecordSequence[-1].ReferencedFileID = reference
    dataset.save_as(dicomdir)
    with pytest.raises(UnsafeInputError, match="outside its folder"):
        read_series(dicomdir)


def test_a_dicomdir_over_a_link_that_leaves_is_refused(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "in", StudyID="1")
    dicomdir = write_dicomdir(tmp_path / "disc", tmp_path / "in")
    victim = next(path for path in (tmp_path / "disc").rglob("IM*") if path.is_file())
    victim.rename(tmp_path / "elsewhere")
    victim.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeInputError, match="outside its folder"):
        read_series(dicomdir)


def test_a_deflated_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_ct_series(tmp_path, hu=ct_pixels(1))[0]
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.PixelData = b"\0" * 3_000_000
    dataset.save_as(path)
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(limits, "MAX_INFLATED_BYTES", 2_000_000)
    with pytest.raises(UnsafeInputError, match="inflates"):
        read_series(tmp_path)


def test_a_deflated_stream_that_is_no_stream_is_unreadable(tmp_path: Path) -> None:
    path = write_ct_series(tmp_path, hu=ct_pixels(1))[0]
    dataset = pydicom.dcmread(path)
    buffer = io.BytesIO()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(buffer)
    head = buffer.getvalue()[:400]
    path.write_bytes(head + zlib.compress(b"x" * 500))
    with pytest.raises(UnreadablePixelsError):
        read_series(tmp_path)


def write_deep(path: Path, depth: int) -> None:
    """A CT file whose referenced images are nested, made byte by byte."""
    single = write_ct_series(path.parent / "tmp", hu=ct_pixels(1))[0]
    data = single.read_bytes()
    single.unlink()
    single.parent.rmdir()
    open_item = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    close_item = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    at = data.index(b"\x10\x00\x10\x00PN")
    path.write_bytes(data[:at] + open_item * depth + close_item * depth + data[at:])


def test_sequences_nested_too_deeply_are_a_typed_error(tmp_path: Path) -> None:
    write_deep(tmp_path / "deep", 3000)
    with pytest.raises(UnreadablePixelsError, match="nested too deeply"):
        read_series(tmp_path)
    write_ct_series(tmp_path / "good")
    volume = read_series(tmp_path)
    assert volume.shape[0] == 6
    assert "deep" in note(volume, "unreadable_files")


def test_sequences_nested_a_little_are_no_trouble(tmp_path: Path) -> None:
    write_deep(tmp_path / "deep", 3)
    assert list_series(tmp_path)[0].slices == 1


def test_a_folder_of_pydicoms_own_files_is_sorted_out(tmp_path: Path) -> None:
    found = get_testdata_file("DICOMDIR", download=False)
    assert found is not None
    series = list_series(Path(str(found)))
    ct = [one for one in series if one.usable]
    assert [(one.description, one.slices) for one in ct] == [("SmartScore - Gated 0.5 sec", 5)]
    assert {one.patient_id for one in series} >= {"77654033", "98890234"}
    assert any(one.refusal == Refusal("not_ct", modality="MR") for one in series)


def test_a_path_that_the_system_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoSeriesError, match="File name too long"):
        list_series(tmp_path / ("n" * 300))

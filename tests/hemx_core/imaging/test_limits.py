"""Headers that would take minutes or gigabytes are refused while they are read."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from hemx_core.errors import NoSeriesError, UnreadablePixelsError, UnsafeInputError
from hemx_core.imaging import grouping, limits, reader
from hemx_core.imaging.reader import read_series
from tests.factories import ct_pixels, write_ct_series

EXPLICIT, IMPLICIT = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0"
DEFLATED = b"1.2.840.10008.1.2.1.99"
ITEM, END = b"\xfe\xff\x00\xe0" + bytes(4), b"\xfe\xff\xdd\xe0" + bytes(4)
FRAMES, PRIVATE, PIXELS = 0x52009230, 0x00091010, 0x7FE00010


def element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """One element, explicit and little endian."""
    form = "<HH2sHL" if vr in (b"OB", b"SQ", b"UN") else "<HH2sH"
    told = len(value) if length is None else length
    numbers = (0, told) if vr in (b"OB", b"SQ", b"UN") else (told,)
    return struct.pack(form, tag >> 16, tag & 0xFFFF, vr, *numbers) + value


def ct_file(*elements: bytes, syntax: bytes = EXPLICIT) -> bytes:
    """A CT file without a picture."""
    meta = element(0x00020010, b"UI", syntax)
    meta = element(0x00020000, b"UL", struct.pack("<L", len(meta))) + meta
    body = element(0x00080060, b"CS", b"CT") + b"".join(elements)
    if syntax == DEFLATED:
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        body = packer.compress(body) + packer.flush()
    return b"\0" * 128 + b"DICM" + meta + body


LARGE = 2**20
CASES = {
    "items of a given length": ct_file(element(FRAMES, b"SQ", ITEM * 3000)),
    "items to the end": ct_file(element(FRAMES, b"SQ", ITEM * 3000 + END, 2**32 - 1)),
    "items, deflated": ct_file(element(FRAMES, b"SQ", ITEM * 3000), syntax=DEFLATED),
    "items in items": ct_file(
        element(FRAMES, b"SQ", ITEM[:4] + struct.pack("<L", 24000) + ITEM * 3000)
    ),
    "elements": ct_file(element(PRIVATE, b"LO", b"") * 6000),
    "elements, deflated": ct_file(element(PRIVATE, b"LO", b"") * 6000, syntax=DEFLATED),
    "a long blob": ct_file(element(PRIVATE, b"OB", bytes(LARGE), 2**32 - 1)),
    "a long text": ct_file(syntax=IMPLICIT) + struct.pack("<HHL", 0x10, 0x10, LARGE) + b"a" * LARGE,
    "nesting": ct_file(element(FRAMES, b"SQ", ITEM[:4] + b"\xff" * 4, 2**32 - 1) * 2000),
}


@pytest.mark.parametrize("case", CASES)
def test_a_header_beyond_its_limits_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setattr(limits, "MAX_ITEMS", 1000)
    monkeypatch.setattr(limits, "MAX_READS", 5000)
    monkeypatch.setattr(limits, "MAX_HEADER_BYTES", 2**18)
    (tmp_path / "a").write_bytes(CASES[case])
    tracemalloc.start()
    with pytest.raises(UnreadablePixelsError, match="cannot be read as DICOM"):
        read_series(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 2**20


def test_one_such_file_among_good_ones_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_ITEMS", 1000)
    write_ct_series(tmp_path)
    (tmp_path / "a").write_bytes(CASES["items of a given length"])
    volume = read_series(tmp_path)
    assert volume.shape[0] == 6
    assert "unreadable_files" in {note.code for note in volume.notes}


def test_one_file_alone_does_not_take_what_all_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_READS", 2000)
    monkeypatch.setattr(limits, "MAX_ITEMS", 1000)
    monkeypatch.setattr(limits, "READS_FOR_ALL", 4000)
    write_ct_series(tmp_path)
    (tmp_path / "a").write_bytes(CASES["items, deflated"])
    assert read_series(tmp_path).shape[0] == 6


def test_many_files_that_each_take_much_are_refused_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "READS_FOR_ALL", 5000)
    for index in range(10):
        (tmp_path / str(index)).write_bytes(ct_file(element(PRIVATE, b"LO", b"") * 900))
    with pytest.raises(UnsafeInputError, match="far more than a CT study"):
        read_series(tmp_path)


def test_many_deflated_files_are_refused_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "INFLATED_FOR_ALL", 100_000)
    for index in range(10):
        blob = element(PRIVATE, b"OB", bytes(20_000))
        (tmp_path / str(index)).write_bytes(ct_file(blob, syntax=DEFLATED))
    with pytest.raises(UnsafeInputError, match="far more than a CT study"):
        read_series(tmp_path)


def test_a_deflated_file_that_packs_well_is_whole(tmp_path: Path) -> None:
    paths = write_ct_series(tmp_path)
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.add_new(PRIVATE, "OB", bytes(3_000_000))
        dataset.file_meta.TransferSyntaxUID = DEFLATED.decode()
        dataset.save_as(path)
    assert read_series(tmp_path).shape[0] == 6


def test_folders_in_folders_are_refused_where_they_go_too_deep(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "study")
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(70):
            Path("folder-x").mkdir()
            os.chdir("folder-x")
    finally:
        os.chdir(here)
    with pytest.raises(UnsafeInputError, match="64 deep"):
        read_series(tmp_path)


def test_folders_without_files_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FILES", 10)
    for index in range(11):
        (tmp_path / str(index)).mkdir()
    with pytest.raises(UnsafeInputError, match="more than 10 files"):
        read_series(tmp_path)


def test_more_images_than_a_study_has_are_refused_before_a_header_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_IMAGES", 5)
    monkeypatch.setattr(reader, "read_headers", None)
    write_ct_series(tmp_path)
    with pytest.raises(UnsafeInputError, match="more than 5 files"):
        read_series(tmp_path)


def of_another_series(index: int, dataset: Dataset) -> None:
    dataset.SeriesInstanceUID = f"1.2.3.{index}"


def of_another_person(index: int, dataset: Dataset) -> None:
    dataset.PatientID, dataset.PatientName = f"{index}", f"{index * 77}"


def of_another_kernel(index: int, dataset: Dataset) -> None:
    dataset.ConvolutionKernel = f"H{index}"


def of_another_grid(index: int, dataset: Dataset) -> None:
    dataset.PixelSpacing = [0.5 + index / 100] * 2


@pytest.mark.parametrize(
    "change", [of_another_series, of_another_person, of_another_kernel, of_another_grid]
)
def test_files_of_nothing_in_common_do_not_take_the_square_of_their_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[int, Dataset], None]
) -> None:
    monkeypatch.setattr(limits, "COMPARED_FOR_ALL", 40)
    monkeypatch.setattr(limits, "COMPARED_FOR_ONE", 0)
    monkeypatch.setattr(grouping, "_FITS_A_COMPARISON", 1)
    places = [(0.0, 0.0, 0.0)] * 15
    write_ct_series(tmp_path, hu=ct_pixels(15), positions_mm=places, change=change)
    with pytest.raises(UnsafeInputError, match="far more than a CT study"):
        read_series(tmp_path)


def test_a_scan_of_which_each_slice_is_a_series_is_joined_within_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COMPARED_FOR_ALL", 0)
    write_ct_series(tmp_path, hu=ct_pixels(40), change=of_another_series)
    assert read_series(tmp_path).shape[0] == 40


def test_a_zero_byte_in_a_path_is_told() -> None:
    with pytest.raises(NoSeriesError):
        read_series("a\0b")

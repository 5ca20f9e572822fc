"""Zips that declare one thing and hold another: each is stopped at its limit, good members are read."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hemx_core.errors import HemxError, NoSeriesError, UnreadablePixelsError, UnsafeInputError
from hemx_core.imaging import limits
from hemx_core.imaging.archive import open_zip
from hemx_core.imaging.reader import open_series, read_series
from tests.factories import ct_pixels, write_ct_series

ZEROS = b"\0" * 128 + b"DICM" + b"\0" * 10_000_000
ENTRY, END = b"PK\x01\x02", b"PK\x05\x06"
FLAGS, METHOD, PACKED, SIZE, OFFSET, ATTRIBUTES = 8, 10, 20, 24, 42, 38
"""Where these stand in an entry of a zip's directory."""


def zip_series(tmp_path: Path, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    paths = write_ct_series(tmp_path / "study", hu=ct_pixels(7))
    return zip_members(
        tmp_path, {path.name: path.read_bytes() for path in sorted(paths)}, compression
    )


def zip_members(
    tmp_path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(tmp_path / "study.zip", "w", compression) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return tmp_path / "study.zip"


def declare(path: Path, place: int, value: bytes) -> None:
    """Write a value into the last member's entry of the zip's directory."""
    data = bytearray(path.read_bytes())
    at = data.rindex(ENTRY) + place
    data[at : at + len(value)] = value
    path.write_bytes(data)


def peak_mib(act: Callable[[], object]) -> float:
    tracemalloc.start()
    try:
        with pytest.raises(HemxError):
            act()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("declared", [200, len(ZEROS), 2**31])
@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_is_unpacked_in_pieces_whatever_it_declares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: int, compression: int
) -> None:
    path = zip_members(tmp_path, {"bomb": ZEROS}, compression)
    declare(path, SIZE, struct.pack("<I", declared))
    monkeypatch.setattr(limits, "MAX_READS", 1000)
    # LZMA unpacks in one go what it is given: all 10 MB here, and some copies; bzip2 what is declared.
    most = {zipfile.ZIP_DEFLATED: 4, zipfile.ZIP_BZIP2: 4 if declared == 200 else 50}
    assert peak_mib(lambda: read_series(path)) < most.get(compression, 50)


def test_only_the_beginning_of_what_is_no_dicom_is_unpacked(tmp_path: Path) -> None:
    path = zip_members(tmp_path, {"a.txt": b"\0" * 10_000_000})
    assert peak_mib(lambda: read_series(path)) < 2


def test_members_that_lie_in_each_other_are_not_unpacked(tmp_path: Path) -> None:
    data = zip_members(tmp_path, {"bomb": ZEROS}).read_bytes()
    start, end = data.rindex(ENTRY), data.rindex(END)
    entries, tail = data[start:end] * 20, bytearray(data[end:])
    tail[8:16] = struct.pack("<HHI", 20, 20, len(entries))
    (tmp_path / "study.zip").write_bytes(data[:start] + entries + tail)
    with open_zip(tmp_path / "study.zip") as members:
        sources = list(members)
    assert len(sources) == 20
    assert sum(source.verify is not None for source in sources) == 1


def test_a_zip_far_larger_than_images_could_make_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FREE_BYTES", 2**20)
    path = zip_members(tmp_path, {"bomb": ZEROS})
    with pytest.raises(UnsafeInputError, match="10 MiB"), open_zip(path) as members:
        next(members)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (FLAGS, b"\x01\x00"),
        (METHOD, b"\x63\x00"),
        (PACKED, b"\x00\x00\x00\x40"),
        (PACKED, b"\x01\x00\x00\x00"),
        (SIZE, b"\xff\xff\xff\x7f"),
        (SIZE, b"\x01\x00\x00\x00"),
        (OFFSET, b"\x07\x00\x00\x00"),
        (OFFSET, b"\x00\x00\x00\x00"),
    ],
)
def test_a_wrong_entry_of_one_member_costs_that_member_only(
    tmp_path: Path, place: int, value: bytes
) -> None:
    path = zip_series(tmp_path)
    declare(path, place, value)
    volume = read_series(path)
    assert volume.shape[0] >= 5
    assert "unreadable_files" in {note.code for note in volume.notes}


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_costs_that_member_only(tmp_path: Path, compression: int) -> None:
    path = zip_series(tmp_path, compression)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.infolist()[0].header_offset + 50
    data[start : start + 30] = b"\xff" * 30
    path.write_bytes(data)
    volume = read_series(path)
    assert volume.shape[0] == 6
    assert "unreadable_files" in {note.code for note in volume.notes}


@pytest.mark.parametrize("name", ["", ".", "./", "/", "a/" * 200 + "b", "\x1b[31mred"])
def test_odd_names_are_names(tmp_path: Path, name: str) -> None:
    path = zip_series(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        member = zipfile.ZipInfo("x")
        member.filename = name
        archive.writestr(member, b"x" * 200)
    assert read_series(path).shape[0] == 7


@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_cut_zip_is_damaged(tmp_path: Path, kept: float) -> None:
    path = zip_series(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(NoSeriesError, match="damaged zip"):
        read_series(path)


def test_a_zip_with_a_broken_large_directory_is_damaged(tmp_path: Path) -> None:
    path = zip_series(tmp_path)
    data = path.read_bytes()
    at = data.rindex(END)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, 2**63, 1)
    path.write_bytes(data[:at] + locator + data[at:])
    with pytest.raises(NoSeriesError, match="damaged zip"):
        read_series(path)


def test_a_zip_whose_large_directory_has_no_entry_holds_no_images(tmp_path: Path) -> None:
    data = zip_series(tmp_path).read_bytes()
    at = data.rindex(END)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 0, 0, 0, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
    (tmp_path / "study.zip").write_bytes(data[:at] + record + locator + data[at:])
    with pytest.raises(NoSeriesError):
        read_series(tmp_path / "study.zip")


def test_a_directory_of_too_many_bytes_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_DIRECTORY_BYTES", 100)
    with pytest.raises(UnsafeInputError, match="more than"):
        read_series(zip_series(tmp_path))


def test_a_name_that_is_no_text_is_a_damaged_zip(tmp_path: Path) -> None:
    path = zip_series(tmp_path)
    declare(path, FLAGS, b"\x00\x08")
    data = bytearray(path.read_bytes())
    data[data.rindex(ENTRY) + 46] = 0xFF
    path.write_bytes(data)
    with pytest.raises(NoSeriesError, match="damaged zip"):
        read_series(path)


def test_a_member_with_far_more_than_its_picture_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_ct_series(tmp_path / "study")
    stuffing = struct.pack("<HH2sHL", 0xFFFC, 0xFFFC, b"OB", 0, 100_000) + b"x" * 100_000
    path = zip_members(tmp_path, {one.name: one.read_bytes() + stuffing for one in paths})
    with open_series(path) as series:
        assert series.held_bytes == series.sources[0].unpacked_bytes
    assert read_series(path).shape[0] == 6
    monkeypatch.setattr(limits, "MAX_HEADER_BYTES", 50_000)
    with pytest.raises(UnreadablePixelsError, match="bytes"):
        read_series(path)


def test_a_member_can_be_read_again_from_anywhere(tmp_path: Path) -> None:
    content = np.arange(100_000, dtype="<u4").tobytes()
    path = zip_members(tmp_path, {"a": content})
    with open_zip(path) as members, next(members).open() as stream:
        assert stream.read(4) == content[:4]
        assert stream.seek(300_000) == 300_000
        assert stream.read(8) == content[300_000:300_008]
        stream.seek(10)
        assert stream.read() == content[10:]
        assert stream.seek(0, 2) == len(content)
        assert stream.read(1) == b""

"""A DICOMDIR that names many files costs one look at each folder."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import pytest

from hemx_core.errors import NoSeriesError, UnsafeInputError
from hemx_core.imaging import limits
from hemx_core.imaging.dicomdir import referenced_files


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    value += b" " * (len(value) % 2)
    if vr == b"SQ":
        return struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def write_dicomdir(folder: Path, *files: str) -> Path:
    """A DICOMDIR with a record for each file, its components joined by backslashes."""
    records = [element(0x00041500, b"CS", file.encode()) for file in files]
    meta = element(0x00020002, b"UI", b"1.2.840.10008.1.3.10")
    meta += element(0x00020010, b"UI", b"1.2.840.10008.1.2.1\0")
    meta = element(0x00020000, b"UL", struct.pack("<L", len(meta))) + meta
    items = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<L", len(one)) + one for one in records)
    path = folder / "DICOMDIR"
    path.write_bytes(b"\0" * 128 + b"DICM" + meta + element(0x00041220, b"SQ", items))
    return path


def test_each_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[Any] = []
    scan = os.scandir

    def watch(path: Any) -> Any:
        listed.append(path)
        return scan(path)

    (tmp_path / "A").mkdir()
    for index in range(50):
        (tmp_path / "A" / f"x{index}").write_bytes(b"x")
    path = write_dicomdir(tmp_path, *(f"A\\Y{index}" for index in range(50)), "A\\X7")
    monkeypatch.setattr(os, "scandir", watch)
    named = referenced_files(path)
    found, missing = named.found, named.missing
    assert [one.name for one in found] == ["x7"]
    assert len(missing) == 50
    # pytest clears older folders away meanwhile, by their descriptors.
    assert len([one for one in listed if isinstance(one, Path)]) == 2


def test_components_that_no_file_system_takes_are_missing(tmp_path: Path) -> None:
    names = ["A" * 300, "B\\" * 3000 + "C", "A\x01B"]
    named = referenced_files(write_dicomdir(tmp_path, *names))
    found, missing = named.found, named.missing
    assert (found, len(missing)) == ((), 3)


def test_too_many_records_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_dicomdir(tmp_path, *(f"A{index}" for index in range(20)))
    monkeypatch.setattr(limits, "MAX_FILES", 10)
    with pytest.raises(UnsafeInputError, match="more than 10"):
        referenced_files(path)
    monkeypatch.setattr(limits, "MAX_ITEMS", 10)
    with pytest.raises(NoSeriesError, match="cannot be read"):
        referenced_files(path)

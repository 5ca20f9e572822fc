"""Folders of unknown files: read or refused with a code, and HU compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.world import files
from hemx_core.imaging.pixels import HUConverter
from tests.factories import write_ct_series


def test_files_are_counted_by_what_came_of_them(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "ct", PixelPaddingValue=0)
    (tmp_path / "notes.txt").write_text("no DICOM")
    (tmp_path / "cut").write_bytes(b"\0" * 128 + b"DICM" + b"\x02\x00\x10")
    found = [files.look_at(path) for path in files.walk([tmp_path])]
    counted = files.summary(found)
    assert counted["files"] == 8
    assert counted["untyped"] == []
    assert counted["listed"]["ok"] == 6
    assert "ok" not in counted["read"]  # a slice alone is no study
    assert (counted["ct_compared"], counted["ct_equal"]) == (6, 6)
    assert counted["syntaxes"] == {"Explicit VR Little Endian": 6}


def test_other_hu_and_untyped_errors_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_ct_series(tmp_path)[0]
    convert = HUConverter.convert
    monkeypatch.setattr(HUConverter, "convert", lambda *given: convert(*given) + 1)
    assert files.summary([files.look_at(path)])["ct_differs"] == [path.name]

    def fail(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(files, "_compare", fail)
    assert files.summary([files.look_at(path)])["untyped"] == [f"{path.name}: KeyError: 'x'"]


def test_pydicoms_own_files_are_found() -> None:
    assert any(path.suffix == ".dcm" for path in files.walk(files.pydicom_folders()))

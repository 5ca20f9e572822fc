"""The other reading of a study: what pydicom alone makes of damaged bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from benchmarks.robustness import material
from benchmarks.robustness.plain import read_plain

_SYNTAX = bytes.fromhex("02001000") + b"UI"
_OTHER = bytes.fromhex("0200ff00") + b"UI"


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_files_without_a_transfer_syntax_are_read_as_pydicom_guesses(
    tmp_path: Path, syntax: str
) -> None:
    material.write_series(tmp_path, syntax)
    sound = read_plain(tmp_path)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert content.count(_SYNTAX) == 1
        path.write_bytes(content.replace(_SYNTAX, _OTHER))
    found = read_plain(tmp_path)
    assert len(found) == len(sound) == material.SLICES
    assert all((one.hu == other.hu).all() for one, other in zip(found, sound, strict=True))

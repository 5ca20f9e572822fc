import os
from pathlib import Path

import pytest

from hemx_core.data.readings import READ_CODES, Answer, read_readings
from hemx_core.errors import DatasetError
from hemx_core.markers import MARKER_CODES

needs_data = pytest.mark.skipif(not os.environ.get("HEMX_DATA"), reason="HEMX_DATA is not set")
HEADER = ",".join(
    ["patient"]
    + [
        f"{name}_{who}"
        for name in (*READ_CODES, "location", "reference_wrong", "slices")
        for who in "ab"
    ]
)


def _row(
    patient: str, answers: str, *, wrong: str = "00", slices: tuple[str, str] = ("", "")
) -> str:
    return ",".join([patient, *answers, "putamen", "lobar", *wrong, *slices])


def _write(folder: Path, *rows: str) -> Path:
    (folder / "markers_read.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return folder


def test_two_readings_make_a_label_and_name_slices(tmp_path: Path) -> None:
    rows = (
        _row(
            "0007",
            "2201102200111000",
            slices=("hypodensity:13;swirl:13-15", "hypodensity:14;blend:12"),
        ),
        _row("0008", "0" * 16, wrong="01"),
        _row("0009", "0" * 16, wrong="11"),
    )
    found = read_readings(_write(tmp_path, *rows))
    assert list(found) == ["0007", "0008", "0009"]
    seven = found["0007"]
    assert seven.first.answers["hypodensity"] is Answer.YES
    assert [seven.label(code) for code in MARKER_CODES] == [1, -1, -1, 1]
    assert seven.label("swirl") == 0
    assert seven.slices("hypodensity") == (13, 14)
    assert seven.slices("swirl") == (13, 14, 15)
    assert seven.slices("blend") == (12,)
    assert seven.slices("irregular") == ()
    assert seven.second.location == "lobar"
    assert [read.reference_wrong for read in found.values()] == [False, False, True]
    assert found["0008"].second.reference_wrong


@pytest.mark.parametrize(
    "row",
    [
        _row("0007", "3" + "0" * 15),
        _row("0007", "x" + "0" * 15),
        _row("0007", "0" * 16, slices=("blend:15-13", "")),
        _row("0007", "0" * 16, slices=("spot:3", "")),
        _row("0007", "0" * 16, slices=("blend", "")),
        "0007,0,0",
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str) -> None:
    with pytest.raises(DatasetError, match=r"line 3 of markers_read\.csv"):
        read_readings(_write(tmp_path, _row("0001", "0" * 16), row))


def test_a_missing_table_or_column_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_readings(tmp_path)
    (tmp_path / "markers_read.csv").write_text("patient,blend_a\n0001,2\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="line 2"):
        read_readings(tmp_path)


@needs_data
def test_the_real_table_is_read_whole() -> None:
    found = read_readings()
    assert len(found) == 78
    clear = {
        code: [sum(read.label(code) == value for read in found.values()) for value in (1, 0)]
        for code in MARKER_CODES
    }
    assert clear["blend"] == [8, 51]
    assert clear["fluid_level"] == [0, 72]
    assert sum(read.reference_wrong for read in found.values()) == 4
    assert all(
        read.slices(code)
        for read in found.values()
        for code in MARKER_CODES
        if read.label(code) == 1
    )

from pathlib import Path

import pytest

from hemx_core.data.tables import read_tables
from tests.hemx_core.data.sets import MARKERS, write_table

GOOD = {
    "patients": ["patient,split,site,expanded", "A,train,east,1", "B,test,unknown,"],
    "studies": ["study,patient,ct,mask", "a,A,a.nii,none", "b,B,b.nii,"],
    "slice_markers": [f"study,slice,{MARKERS}", "a,0,1,0,unknown,"],
    "patient_markers": [f"patient,study,{MARKERS}", "A,,1,0,0,0", "B,b,0,0,0,0"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    info = '{"format": "hemx-dataset/1", "name": "n", "licence": "l", "attribution": "a", "version": "1"}'
    (tmp_path / "dataset.json").write_text(info)
    for name in ("a.nii", "b.nii"):
        (tmp_path / name).write_text("")
    for name, lines in GOOD.items():
        write_table(tmp_path, name, *lines)
    return tmp_path


def test_sound_tables_have_no_problem_and_keep_unknown_apart_from_no(folder: Path) -> None:
    tables = read_tables(folder)
    assert tables.findings.problems == []
    assert (tables.patients["A"].expanded, tables.patients["B"].expanded) == (1, -1)
    assert (tables.patients["A"].site, tables.patients["B"].site) == ("east", "")
    assert (tables.studies["a"].mask, tables.studies["b"].mask) == ("none", "")
    assert tables.slice_markers["a"][0].markers == (1, 0, -1, -1)


@pytest.mark.parametrize(
    ("table", "line", "text", "row", "column", "told"),
    [
        ("patients", 1, "A,training,east,1", 2, "split", "'training' is not one of"),
        ("patients", 1, "A,,east,1", 2, "split", "must be given"),
        ("patients", 1, ",train,east,1", 2, "patient", "must be given"),
        ("patients", 2, "A,test,east,1", 3, "patient", "twice"),
        ("patients", 2, "B,test,east,2", 3, "expanded", "'2' is not 1, 0 or unknown"),
        ("patients", 2, "B,test,east", 3, "", "3 cells and not 4"),
        ("patients", 0, "patient,sorte,site,expanded", 1, "split", "missing"),
        ("patients", 0, "patient,split,site,site", 1, "site", "twice"),
        ("studies", 2, "a,B,b.nii,", 3, "study", "twice"),
        ("studies", 2, "b,Q,b.nii,", 3, "patient", "'Q' is not in patients.csv"),
        ("studies", 2, "b,B,nowhere,", 3, "ct", "nothing at nowhere"),
        ("studies", 2, "b,B,,", 3, "ct", "must be given"),
        ("studies", 1, "a,A,a.nii,m.nii", 2, "mask", "nothing at m.nii"),
        ("slice_markers", 1, "z,0,1,0,0,0", 2, "study", "'z' is not in studies.csv"),
        ("slice_markers", 1, "a,first,1,0,0,0", 2, "slice", "not a whole number"),
        ("slice_markers", 1, "a,-1,1,0,0,0", 2, "slice", "not a whole number"),
        ("slice_markers", 1, "a,,1,0,0,0", 2, "slice", "sop_instance_uid"),
        ("slice_markers", 1, "a,0,1,0,0,maybe", 2, "fluid_level", "'maybe'"),
        ("patient_markers", 1, "Q,,1,0,0,0", 2, "patient", "'Q' is not in patients.csv"),
        ("patient_markers", 1, "A,b,1,0,0,0", 2, "study", "no study of patient A"),
        ("patient_markers", 2, "A,,1,0,0,0", 3, "patient", "twice"),
    ],
)
def test_a_bad_cell_is_named_with_file_row_and_column(
    folder: Path, table: str, line: int, text: str, row: int, column: str, told: str
) -> None:
    lines = list(GOOD[table])
    lines[line] = text
    write_table(folder, table, *lines)
    found = read_tables(folder).findings.errors
    where = [(one.file, one.row, one.column) for one in found]
    assert (f"{table}.csv", row, column) in where
    assert told in found[where.index((f"{table}.csv", row, column))].message


@pytest.mark.parametrize(
    ("columns", "cells", "column"),
    [
        ("window_lower,window_upper", "0,", "window_upper"),
        ("window_lower,window_upper", "80,0", "window_lower"),
        ("clipped_lower,clipped_upper", "0,high", "clipped_upper"),
        ("clipped_lower,clipped_upper", "0,nan", "clipped_upper"),
        ("acquired_at,scanner", "yesterday,", "acquired_at"),
        ("spacing_assumed,scanner", "perhaps,", "spacing_assumed"),
    ],
)
def test_bad_optional_cells_of_a_study(folder: Path, columns: str, cells: str, column: str) -> None:
    write_table(
        folder, "studies", f"study,patient,ct,{columns}", f"a,A,a.nii,{cells}", "b,B,b.nii,,"
    )
    errors = read_tables(folder).findings.errors
    assert {(one.file, one.row, one.column) for one in errors} == {("studies.csv", 2, column)}


def test_all_problems_are_collected(folder: Path) -> None:
    write_table(folder, "patients", "patient,split,colour", "A,x,red", "A,train,red", ",,")
    write_table(folder, "studies", "study,patient,ct", "a,A,none.nii", "b,B,b.nii")
    found = sorted(one.place for one in read_tables(folder).findings.errors)
    assert found == [
        "patient_markers.csv, row 3, column patient",
        "patients.csv, row 2, column split",
        "patients.csv, row 3, column patient",
        "studies.csv, row 2, column ct",
        "studies.csv, row 3, column patient",
    ]
    warnings = [one.place for one in read_tables(folder).findings.warnings]
    assert "patients.csv, row 1, column colour" in warnings


def test_quoted_cells_over_two_lines_keep_the_count_of_lines(folder: Path) -> None:
    write_table(folder, "patients", "patient,split,site", '"A",train,"Kita\nkyushu"', "B,no,")
    (bad,) = read_tables(folder).findings.errors
    assert (bad.row, bad.column) == (4, "split")


def test_spreadsheet_habits_are_read(folder: Path) -> None:
    """A byte-order mark, carriage returns, empty lines and Japanese names."""
    text = "patient,split,site\r\nA,train,九州\r\n\r\nB,test,\r\n"
    (folder / "patients.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    tables = read_tables(folder)
    assert tables.findings.problems == []
    assert tables.patients["A"].site == "九州"


@pytest.mark.parametrize(
    ("content", "told"),
    [("九州".encode("cp932"), "UTF-8"), (b'patient,split\n"A,train', "not CSV")],
)
def test_a_table_that_cannot_be_read_is_told(folder: Path, content: bytes, told: str) -> None:
    (folder / "patients.csv").write_bytes(content)
    assert any(
        one.file == "patients.csv" and told in one.message
        for one in read_tables(folder).findings.errors
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"format": "other"}', "hemx-dataset/1"),
        ('{"format": "hemx-dataset/1", "name": 3}', "not a text"),
    ],
)
def test_dataset_json_that_does_not_fit_is_told(folder: Path, content: str, told: str) -> None:
    (folder / "dataset.json").write_text(content)
    errors = [one for one in read_tables(folder).findings.errors if one.file == "dataset.json"]
    assert told in errors[0].message


def test_studies_of_a_patient_are_ordered_by_time(folder: Path) -> None:
    write_table(
        folder, "studies",
        "study,patient,ct,acquired_at",
        "a,A,a.nii,2024-05-15T10:00:00",
        "b,A,b.nii,2024-05-14T10:00:00",
    )  # fmt: skip
    tables = read_tables(folder)
    assert [one.study for one in tables.studies_of("A")] == ["b", "a"]
    assert tables.is_first(tables.studies["b"])
    first, later = (tables.markers_of(tables.studies[name]) for name in "ba")
    assert later is None, "a row without a study speaks of the first one only"
    assert first is not None
    assert first.markers == (1, 0, 0, 0)

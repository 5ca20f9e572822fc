import pytest

from hemx_core.data.readers import CallRow
from hemx_core.data.tables import read_tables
from hemx_core.errors import DatasetError
from hemx_core.training.scoring.readers import compare_readers
from tests.hemx_core.data.sets import MARKERS, write_set, write_table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_set(tmp_path_factory.mktemp("sets") / "set")
    (folder / "readings").mkdir()
    head = f"study,{MARKERS}"
    write_table(
        folder / "readings",
        "x",
        head,
        "a,yes,no,possible,no",
        "b,no,no,no,cannot_tell",
        "c,yes,no,no,no",
    )
    write_table(folder / "readings", "y", head, "a,yes,yes,no,no", "b,no,no,no,no")
    write_table(folder, "network", f"study,model,{MARKERS}", "a,m1,1,0,0,0", "b,m1,1,0,0,0")
    return folder


def _cells(found, first, second, code, way="definite"):
    pair = next(p for p in found["pairs"] if (p["first"], p["second"]) == (first, second))
    return pair["markers"][code][way]


def test_every_pair_is_compared_on_what_both_answered(folder) -> None:
    found = compare_readers(read_tables(folder), draws=100)
    assert (found["studies"], found["patients"]) == (3, 3)
    cell = _cells(found, "x", "y", "hypodensity")
    assert (cell["both_yes"], cell["both_no"], cell["agreement"]["value"]) == (1, 1, 1.0)
    assert _cells(found, "x", "y", "irregular")["second_only"] == 1
    # "Possible" is left out, or is not yes.
    assert _cells(found, "x", "y", "blend")["studies"] == 1
    assert _cells(found, "x", "y", "blend", "clearly_yes")["studies"] == 2
    assert _cells(found, "x", "y", "fluid_level")["studies"] == 1
    rater = next(r for r in found["raters"] if r["name"] == "x")
    assert rater["answers"]["blend"] == {"possible": 1, "no": 2}


def test_a_network_is_held_against_each_reader_and_what_they_agree_on(folder) -> None:
    cells = (CallRow(study="c", model="folds", calls=(0, 0, 0, 0)),)
    found = compare_readers(read_tables(folder), calls=cells, draws=100)
    kinds = {(r["name"], r["kind"]) for r in found["raters"]}
    assert kinds == {("x", "reader"), ("y", "reader"), ("m1", "network"), ("folds", "network")}
    cell = _cells(found, "all readers", "m1", "hypodensity")
    assert (cell["both_yes"], cell["second_only"]) == (1, 1)
    assert (cell["sensitivity"]["value"], cell["specificity"]["value"]) == (1.0, 0.0)
    # The readers disagree on one margin: a single study is left.
    assert _cells(found, "all readers", "m1", "irregular")["studies"] == 1
    assert _cells(found, "x", "folds", "hypodensity")["first_only"] == 1


def test_a_split_may_be_chosen_and_must_have_been_read(folder, tmp_path) -> None:
    found = compare_readers(read_tables(folder), split="test", draws=100)
    assert (found["studies"], found["split"]) == (1, "test")
    with pytest.raises(DatasetError, match="somebody has read"):
        compare_readers(read_tables(write_set(tmp_path / "unread")), draws=100)

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hemx_core.commands.data import register
from tests.factories import write_phe_sich
from tests.hemx_core.data.sets import write_set, write_table

RUN = CliRunner()


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return app


def test_check_tells_tables_and_leaves_with_0_on_warnings(app: typer.Typer, tmp_path: Path) -> None:
    done = RUN.invoke(app, ["data", "check", str(write_set(tmp_path / "set", licence=""))])
    assert done.exit_code == 0, done.output
    for text in ("small: 3 patients, 3 studies", "Markers that occur together", "licence"):
        assert text in done.output
    assert "0 errors" in done.output


def test_check_leaves_with_1_on_errors_and_names_the_place(
    app: typer.Typer, tmp_path: Path
) -> None:
    folder = write_set(tmp_path / "set")
    write_table(folder, "patients", "patient,split", "A,train", "B,[bold]", "C,test")
    done = RUN.invoke(app, ["data", "check", str(folder)])
    assert done.exit_code == 1
    assert "'[bold]' is not one of" in done.output
    done = RUN.invoke(app, ["data", "check", str(folder), "--json"])
    assert done.exit_code == 1
    (error,) = (one for one in json.loads(done.stdout)["problems"] if one["severity"] == "error")
    assert (error["file"], error["row"], error["column"]) == ("patients.csv", 3, "split")


def test_phantoms_are_made_and_checked(app: typer.Typer, tmp_path: Path) -> None:
    out = str(tmp_path / "set")
    words = f"--patients 2 --sites 2 --matrix 96 --slices 9 --format dicom --seed 3 {out}".split()
    done = RUN.invoke(app, ["data", "phantom", *words])
    assert done.exit_code == 0, done.output
    assert RUN.invoke(app, ["data", "check", out]).exit_code == 0
    assert len(list((tmp_path / "set" / "studies").glob("*/*.dcm"))) == 18


def test_phe_sich_is_imported(app: typer.Typer, tmp_path: Path) -> None:
    source = write_phe_sich(tmp_path / "source", patients=34)
    words = ["data", "import", "phe_sich", str(source), str(tmp_path / "out"), "--patient", "0004"]
    done = RUN.invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "1 patients" in done.output
    assert (tmp_path / "out" / "studies" / "0004_ct.nii.gz").is_file()

"""A result folder holds one run."""

import json
from pathlib import Path

import pytest

from hemx_core.errors import OutputError
from hemx_core.files import left_drafts
from hemx_core.report.folder import COMPARISON, TRIAGE, check_output, foreign_files, new_run

RESULT = json.dumps({"format": "hemx.triage"})


def run(folder: Path, *names: str) -> None:
    """A run that writes some files, the document among them."""
    with new_run(folder, TRIAGE) as draft:
        for name in ("result.json", *names):
            path = draft / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(RESULT)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_new_folder_appears_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with new_run(out, TRIAGE) as draft:
        (draft / "result.json").write_text(RESULT)
        assert not out.exists()
    assert files(out) == {"result.json"}
    assert out.stat().st_mode & 0o777 == tmp_path.joinpath("deep").stat().st_mode & 0o777
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_an_earlier_run_goes_with_all_its_files(tmp_path: Path) -> None:
    run(tmp_path, "overlays/slice_02.png", "overlays/slice_03.png", "overview.png")
    for name in ("referral.pdf", "referral.png", "haematoma_seg.dcm", "triage_sr.dcm"):
        (tmp_path / name).write_text("another patient's")
    for name in ("haematoma.nii.gz", "referral_pdf.dcm", "letter.txt", "overlays/sketch.png"):
        (tmp_path / name).write_text("x")
    run(tmp_path, "overview.png", "overlays/slice_03.png")
    assert files(tmp_path) == {
        "result.json",
        "overview.png",
        "overlays/slice_03.png",
        "overlays/sketch.png",
        "letter.txt",
    }
    assert foreign_files(tmp_path, TRIAGE) == ("letter.txt", "overlays/sketch.png")
    (tmp_path / "overlays" / "sketch.png").unlink()
    run(tmp_path)
    assert not (tmp_path / "overlays").exists()


@pytest.mark.parametrize("name", ["referral.pdf", "overview.png", "overlays/slice_01.png"])
def test_a_file_of_our_name_that_we_did_not_write_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(OutputError, match=f"{path.name} is there and is no HEMX result"):
        run(tmp_path)
    assert path.read_text() == "mine"


def test_what_a_killed_run_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "overview.png").write_text("half")
    (tmp_path / ".hemx-killed.tmp").mkdir()
    (tmp_path / ".hemx-killed.tmp" / "result.json").write_text("names somebody")
    run(tmp_path)
    assert files(tmp_path) == {"result.json"}
    assert left_drafts(tmp_path) == ()


def test_another_command_s_result_is_not_taken(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(OutputError, match="the result of another command"):
        check_output(tmp_path, COMPARISON)
    check_output(tmp_path, TRIAGE)


def test_where_the_system_refuses_the_earlier_run_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, "overview.png", "overlays/slice_02.png")
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if self.name == "result.json" and self.parent.name == "run":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        run(tmp_path, "overview.png", "overlays/slice_03.png")
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before


def test_what_fails_while_a_run_is_made_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_run(tmp_path / "out", TRIAGE):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []

import json
from pathlib import Path

import cv2
import pytest

from hemx_core.errors import OutputError
from hemx_core.imaging.spec import HUWindow
from hemx_core.pipeline import triage_volume
from hemx_core.report import write
from hemx_core.report.folder import check_output
from hemx_core.report.write import WrittenReport, write_report
from tests.factories import ThresholdModels, simple_head


def _write(folder: Path, clot_slices: tuple[int, ...] = (2, 3)) -> WrittenReport:
    volume = simple_head(clot_mm=14.0, clot_slices=clot_slices)
    result = triage_volume(volume, ThresholdModels())
    return write_report(result, volume, folder, window=HUWindow())


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_a_folder_gets_the_result_and_its_pictures(tmp_path: Path) -> None:
    report = _write(tmp_path / "deep" / "out")
    out = tmp_path / "deep" / "out"
    names = ["overlays/slice_03.png", "overlays/slice_04.png", "overview.png"]
    assert _files(out) == [*names, "result.json"]
    document = json.loads(report.result_json.read_text(encoding="utf-8"))
    assert sorted(document["pictures"]) == names
    assert [cost["name"] for cost in document["costs"]["stages"]][-1] == "pictures"
    assert [cost.name for cost in report.result.costs][-1] == "pictures"
    assert all(cv2.imread(str(path)) is not None for path in report.pictures)
    assert report.named_files == (out / "result.json", out / "overview.png", out / "overlays")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"], "no draft is left"


def test_without_blood_there_is_an_overview_only(tmp_path: Path) -> None:
    report = _write(tmp_path, clot_slices=())
    assert _files(tmp_path) == ["overview.png", "result.json"]
    assert report.named_files == (tmp_path / "result.json", tmp_path / "overview.png")


def test_a_second_run_replaces_the_first_and_leaves_other_files(tmp_path: Path) -> None:
    _write(tmp_path, clot_slices=(1, 2))
    (tmp_path / "letter.txt").write_text("mine")
    (tmp_path / "overlays" / "sketch.png").write_text("mine")
    _write(tmp_path, clot_slices=(2, 3))
    assert _files(tmp_path) == [
        "letter.txt",
        "overlays/sketch.png",
        "overlays/slice_03.png",
        "overlays/slice_04.png",
        "overview.png",
        "result.json",
    ]


@pytest.mark.parametrize("content", ["{}", '{"format": "other"}', "[1]", "no json", '"text"'])
def test_a_foreign_result_json_is_not_overwritten(tmp_path: Path, content: str) -> None:
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(OutputError, match="no HEMX result"):
        _write(tmp_path)
    assert (tmp_path / "result.json").read_text() == content
    assert _files(tmp_path) == ["result.json"]


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="is a file"):
        check_output(tmp_path / "out")
    with pytest.raises(OutputError):
        _write(tmp_path / "out" / "below")


def test_a_folder_that_nobody_may_look_at_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        check_output(tmp_path / ("n" * 300))


def test_a_disk_error_leaves_the_earlier_result_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    _write(out)
    before = {name: (out / name).read_bytes() for name in _files(out)}

    def full(path: Path, picture: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "write_png", full)
    with pytest.raises(OutputError, match="No space left"):
        _write(out, clot_slices=(1, 2))
    assert {name: (out / name).read_bytes() for name in _files(out)} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_current_folder_can_be_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _write(Path()).result_json == tmp_path / "result.json"

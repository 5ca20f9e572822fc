from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.app.screenshots import LANGUAGES, MOST_BYTES, SHOTS, TURNS, save_reduced
from hemx_core.errors import OutputError

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "screenshots"


def test_every_screen_is_pictured_in_both_languages_and_no_other_file_lies_there() -> None:
    expected = {
        f"{name}-{language}-{turn}.png"
        for language in LANGUAGES
        for turn, names in SHOTS.items()
        for name in names
    }
    assert {one.name for one in FOLDER.iterdir()} == expected
    for name in expected:
        path = FOLDER / name
        assert path.stat().st_size <= MOST_BYTES, name
        with Image.open(path) as picture:
            assert picture.size == TURNS[name.removesuffix(".png").rpartition("-")[2]], name


def test_the_app_s_page_shows_three_that_are_there() -> None:
    page = (ROOT / "docs" / "app.md").read_text("utf-8")
    shown = re.findall(r"\(screenshots/([^)]+\.png)\)", page)
    assert len(shown) == 3
    assert all((FOLDER / name).is_file() for name in shown)


def test_a_picture_that_is_too_large_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_reduced(Image.new("RGB", (40, 30), "red"), tmp_path / "one.png")
    before = path.read_bytes()
    monkeypatch.setattr("benchmarks.app.screenshots.MOST_BYTES", 10)
    with pytest.raises(OutputError, match=r"one\.png"):
        save_reduced(Image.new("RGB", (40, 30), "blue"), path)
    assert [one.name for one in tmp_path.iterdir()] == ["one.png"]
    assert path.read_bytes() == before

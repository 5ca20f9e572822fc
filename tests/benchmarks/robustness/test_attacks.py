"""Attacks: a few of each family here; `python -m benchmarks robustness` runs all."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.robustness import attacks, bundles, material, others
from benchmarks.robustness.canaries import KEYWORDS, planted
from benchmarks.robustness.forks import ask_all

ATTACKS = (
    "zip: 20 members in each other", "zip: name is leaves", "zip: zip64 of 2^63 entries",
    "folder: pipes, loops and odd names", "values: SliceThickness of 1e308",
    "stream: JPEG 2000 of 60,000 x 60,000", "DICOMDIR: leaves",
)  # fmt: skip
BUNDLES = (
    "unsigned", "signature: endless", "program: pipe", "manifest: 3 GiB", "unsigned: crop_size is 0",
)  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_the_reader(name: str) -> None:
    rows = list(ask_all(attacks.ask, [name, attacks.LISTED + name]))
    assert not any(row.is_fault for row in rows), rows


def test_what_is_deep_is_cleared_and_nothing_beside_it(tmp_path: Path) -> None:
    beside, folder = tmp_path / "beside", tmp_path / "attack"
    beside.mkdir()
    (beside / "kept").touch()
    folder.mkdir()
    material.write_series(folder / attacks.SERIES)
    here = Path.cwd()
    attacks._deep(folder, 1200)
    attacks._clear(folder)
    assert Path.cwd() == here
    assert [path.name for path in folder.iterdir()] == [attacks.SERIES]
    assert (beside / "kept").exists()


def test_attacks_on_bundles() -> None:
    others.trusted()
    others.shipped()
    rows = list(ask_all(bundles.ask, BUNDLES))
    assert [str(row.outcome) for row in rows] == ["typed"] * len(BUNDLES), rows


def test_seventy_words_are_planted_and_none_is_another_ones() -> None:
    words = planted()
    assert len(words) == len(set(words.values())) == 70
    assert len(set(KEYWORDS)) == len(KEYWORDS)

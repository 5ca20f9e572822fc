"""The table of cases, run on models without a network; finished rows are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.world import bases, run
from benchmarks.world.bases import Bases
from benchmarks.world.expect import Found
from benchmarks.world.quiet import Quiet, summary
from benchmarks.world.registry import Case
from benchmarks.world.report import page
from hemx_core import provenance
from tests.factories import ThresholdModels


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Bases:
    """Small drawn studies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bases, "MATRIX", 64)
        made = Bases(tmp_path_factory.mktemp("world"))
        for name in ("plain", "grown", "healthy"):
            made.path(name)
        return made


def test_there_are_many_kinds_and_no_two_variants_alike() -> None:
    cases = run.all_cases()
    names = [case.name for case in cases]
    assert len(set(names)) == len(names)
    assert len({case.kind for case in cases}) >= 26
    assert {case.ask for case in cases} == {"triage", "compare", "save", "list"}
    for case in cases:
        expected = case.expected
        assert expected.right or expected.refusal or expected.warning, case.name


def test_slices_are_lost_where_the_clot_is(drawn: Bases) -> None:
    with np.load(drawn.path("plain").parent / "truth_masks.npz") as masks:
        areas = masks["baseline"].sum(axis=(1, 2))
    places = [float(one.ImagePositionPatient[2]) for one in drawn.plain()]
    cases = [case for case in run.all_cases() if case.kind == "slices lost in the clot"]
    assert len(cases) == 4
    for case in cases:
        left = case.build(drawn)
        assert isinstance(left, list)
        kept = {float(one.ImagePositionPatient[2]) for one in left}
        lost = [area for place, area in zip(places, areas, strict=True) if place not in kept]
        assert len(lost) == int(case.variant)
        assert max(lost) == max(areas)
        assert min(lost) > 0


@pytest.mark.slow
def test_every_kind_is_built(drawn: Bases, tmp_path: Path) -> None:
    last_of_kind: dict[str, Case] = {case.kind: case for case in run.all_cases()}
    for number, case in enumerate(last_of_kind.values()):
        bases.save(tmp_path / str(number), case.build(drawn))
        assert any(path.is_file() for path in (tmp_path / str(number)).rglob("*")), case.name


def test_rows_are_kept_for_the_commit_they_were_made_at(
    drawn: Bases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "commit", lambda: "abc")
    asked: list[Path] = []

    def answer(folder: Path, _models: object, **_: object) -> Found:
        asked.append(folder)
        return Found(recommendation="discuss_with_neurosurgical_centre", volume_ml=9.0, slices=30)

    monkeypatch.setattr(run.ask, "triage", answer)

    def rows() -> list[dict[str, Any]]:
        world = run.World(ThresholdModels(), tmp_path, lambda _: None)
        world.bases = drawn
        return world.drawn_cases("thickness tag/none")

    (row,) = rows()
    assert (row["outcome"], row["variant"]) == ("right", "none")
    assert len(asked) == 2  # the case, and the study without the change
    assert rows() == [row]
    assert len(asked) == 2
    monkeypatch.setattr(provenance, "commit", lambda: "def")
    rows()
    assert len(asked) == 4


@pytest.mark.slow
def test_a_given_folder_of_cases_is_asked_by_its_words(drawn: Bases, tmp_path: Path) -> None:
    cases = tmp_path / "cases"
    bases.save(cases / "thin", bases.load(drawn.path("plain"))[::2])
    (cases / "bases").mkdir()
    (cases / "bases" / "plain").symlink_to(drawn.folder / "plain")
    (cases / "expected.json").write_text(json.dumps({"thin": {"answer": "refused: never"}}))
    told: list[str] = []
    world = run.World(ThresholdModels(), tmp_path / "work", told.append)
    (row,) = world.given_cases(cases)
    assert row["words"] == "answer: refused: never"
    assert row["kind"] == "thin"
    assert told[0].startswith(row["outcome"])


def test_the_page_names_what_is_wrong() -> None:
    row = {
        "kind": "thickness tag",
        "variant": "3.0",
        "outcome": "wrong",
        "why": "20 mL | 40 mL",
    }
    quiet = summary(
        [
            Quiet(name="a", error="", warnings=(), volume_ml=1.0),
            Quiet(name="b", error="", warnings=("head_cut",), volume_ml=1.0, masks_agree=0.9),
            Quiet(name="c", error="no_head: none", warnings=(), volume_ml=None),
        ]
    )
    assert quiet["smallest_dice_with_window_told"] == 0.9
    text = page(
        {
            "provenance": {"commit": "abc"},
            "cases": [row, {**row, "variant": "none", "outcome": "right", "why": ""}],
            "given": {"more": [{**row, "words": "volume: full"}]},
            "files": {
                "pydicom": {
                    "files": 3,
                    "read": {"ok": 1, "no_images": 1},
                    "untyped": ["x: KeyError"],
                    "ct_equal": 1,
                    "ct_compared": 1,
                }
            },
            "quiet": {"drawn": quiet},
        }
    )
    assert "**wrong**" in text
    assert "head_cut: 1" in text
    assert "1 (33.3%)" in text
    assert "| thickness tag | 2 " in " ".join(text.split())

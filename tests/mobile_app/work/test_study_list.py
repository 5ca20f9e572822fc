from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemx_core.comparison import compare_results
from hemx_core.notes import Note, Severity
from hemx_core.words import tell_labelled
from mobile_app.compare.comparing import compare_studies
from mobile_app.i18n import text
from mobile_app.result.expansion import into
from mobile_app.store import Store, StudyState
from mobile_app.work.study_list import StudyRow, advised_of, name_words, study_rows
from tests.factories import make_manifest
from tests.mobile_app.filled import add_study, fill, result
from tests.mobile_app.stored import at_once, facts_of, redraw, store_study


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as opened:
        yield opened


def _rows(store: Store, language: str = "en", **kwargs: object) -> dict[int, StudyRow]:
    return {one.study_id: one for one in study_rows(store, language, **kwargs)}


def test_each_state_says_what_it_means(store: Store) -> None:
    ids, rows = fill(store), _rows(store)
    said = {name: rows[number] for name, number in ids.items()}
    assert said["call"].advice == "Call a neurosurgical centre now."
    assert said["call"].findings.startswith("Blood 12.")
    assert "Hypodensity" in said["call"].findings
    assert "Blend" not in said["call"].findings
    assert said["discuss"].findings.endswith("no marker reached its threshold")
    assert "does not rule out" in said["none"].advice
    assert said["none"].findings == ""
    assert said["refused"].state == "Refused"
    assert "Contrast medium was given" in said["refused"].advice
    assert said["new"].advice == "Tap to analyse."
    assert said["running"].state == "Being analysed"
    assert [said[one].tone for one in ("call", "discuss", "none", "refused", "new")] == [
        "alarm",
        "caution",
        "calm",
        "caution",
        "muted",
    ]


def test_a_hidden_name_is_hidden_in_the_description_too(store: Store) -> None:
    one = add_study(store, 1, series_description="頭部 Yamada 5 mm")
    two = add_study(store, 2, series_description="頭部 5 mm")
    open_, hidden = _rows(store), _rows(store, hides_names=True)
    assert open_[one.id].facts.endswith("頭部 Yamada 5 mm")
    assert "Yamada" not in hidden[one.id].facts
    assert hidden[two.id].facts.endswith("頭部 5 mm")


def test_warnings_stand_before_the_advice(store: Store) -> None:
    lost = Note("unreadable_slices", Severity.WARNING, count=2, files=("Yamada.dcm",), because="?")
    told = Note("gantry_tilt", Severity.INFO, degrees=18.0)
    study = add_study(store, 1)
    store.results.save(study.id, replace(result(14.0), notes=(told, lost)))
    assert _rows(store)[study.id].warning == tell_labelled(lost)
    assert _rows(store, "ja")[study.id].warning == tell_labelled(lost, "ja")
    assert "Yamada.dcm" not in _rows(store, hides_names=True)[study.id].warning
    plain = add_study(store, 2)
    assert _rows(store)[plain.id].warning == ""


def test_erasing_all_blood_does_not_make_doubtful_pictures_plausible(
    store: Store, tmp_path: Path
) -> None:
    lost = Note("unreadable_slices", Severity.WARNING, count=2, because="?")
    study = add_study(store, 1)
    kept = replace(result(14.0), notes=(lost,))
    store.results.save(study.id, kept)
    redraw(store, study.id, np.zeros_like(kept.mask))
    row = _rows(store)[study.id]
    assert (row.advice, row.tone) == (
        "Cannot tell: look at the pictures now, or scan again.",
        "alarm",
    )


def test_of_two_volumes_both_are_shown(store: Store) -> None:
    study = add_study(store, 1)
    found = result(14.0)
    found = replace(found, haematoma=replace(found.haematoma, volume_ml=28.0, at_most_ml=31.5))
    store.results.save(study.id, found)
    assert _rows(store)[study.id].findings.startswith("Blood 28.0 to 31.5 mL")


def test_the_newest_acquisition_stands_first(store: Store) -> None:
    ids = fill(store)
    assert [one.study_id for one in study_rows(store, "en")] == list(ids.values())


def test_japanese(store: Store) -> None:
    ids = fill(store)
    row = _rows(store, "ja")[ids["call"]]
    assert row.patient == "山田 太郎 / やまだ たろう / Yamada Taro   P-1000"
    assert row.facts == "2026年11月24日 08:05   30スライス   Head 5 mm"
    assert row.advice == "直ちに脳神経外科施設へ連絡してください。"
    assert "低吸収域" in row.findings


def test_hidden_names_show_neither_name_nor_id(store: Store) -> None:
    fill(store)
    for row in study_rows(store, "en", hides_names=True):
        assert row.patient == f"Study {row.study_id}"
        assert "P-1" not in str(row)
        assert "Yamada" not in str(row)


def test_search_finds_name_id_and_date(store: Store) -> None:
    ids = fill(store)
    assert list(_rows(store, search="山田 P-1000")) == [ids["call"]]
    assert list(_rows(store, search="2026-11-24 smith p-1002")) == [ids["none"]]
    assert _rows(store, search="nobody") == {}


def test_growth_of_the_last_comparison(store: Store) -> None:
    earlier, later = (add_study(store, one, name="Doe^Jane", patient_id="P") for one in (1, 0))
    numbers = [
        store.results.save(earlier.id, result(14.0)),
        store.results.save(later.id, result(20.0)),
    ]
    comparison = compare_results(result(14.0), result(20.0))
    store.comparisons.save(comparison, earlier_result=numbers[0], later_result=numbers[1])
    rows = _rows(store)
    assert "EXPANDED +6." in rows[later.id].findings
    assert "%" in rows[later.id].findings
    assert "EXPANDED" not in rows[earlier.id].findings


def test_a_corrected_volume_says_so(store: Store) -> None:
    study = add_study(store, 0)
    number = store.results.save(study.id, result(20.0))
    mask = np.zeros_like(result(20.0).mask)
    store.corrections.save(number, mask, volume_ml=3.25)
    assert _rows(store)[study.id].findings.startswith("Blood 3.2 mL (corrected by hand)")


def test_a_failed_second_triage_keeps_the_first_result(store: Store) -> None:
    study = add_study(store, 0)
    store.results.save(study.id, result(20.0))
    store.studies.set_state(study.id, StudyState.FAILED)
    row = _rows(store)[study.id]
    assert row.state == "Failed"
    assert row.advice == "Discuss this patient with a neurosurgical centre."


def _says_what_the_result_screen_says(store: Store, study_id: int) -> StudyRow:
    """The row, after advice, volume, markers and growth were compared with the screen's facts."""
    row, facts = _rows(store)[study_id], facts_of(store, study_id)
    shown = facts.shown
    assert row.advice == text("en", f"app.advice.{shown.recommendation}")
    assert advised_of(store, study_id) is shown.recommendation
    newest = store.studies.get(study_id).newest
    assert newest is not None
    assert newest.volume_ml == pytest.approx(shown.haematoma.volume_ml)
    present = [one for one in shown.markers.values() if one.present]
    assert newest.markers == tuple(one.code for one in present if one.validated)
    assert newest.not_validated == tuple(one.code for one in present if not one.validated)
    assert newest.judged is bool(shown.markers)
    urges = [one for one in into(study_id, facts.expansions) if one.certain]
    assert ("EXPANDED" in row.findings) is bool(urges and shown.haematoma.volume_ml > 0)
    return row


MARKED = (3.0, -3.0, -3.0, -3.0)


def test_a_marker_that_is_not_validated_is_named_as_such_and_decides_nothing(
    store: Store, tmp_path: Path
) -> None:
    manifest = make_manifest(validated=(False, True, True, True))
    number = store_study(store, tmp_path, clot_mm=12, logits=MARKED, manifest=manifest)
    row = _says_what_the_result_screen_says(store, number)
    assert row.tone == "caution"
    assert row.findings.endswith("Hypodensity (not validated)")
    assert _rows(store, "ja")[number].findings.endswith("低吸収域（未検証）")
    # The advice after a correction leaves it out as well.
    redraw(store, number, store.results.load(store.results.of_study(number)[0]).mask)
    assert _says_what_the_result_screen_says(store, number).tone == "caution"


def test_expansion_decides_the_advice(store: Store, tmp_path: Path) -> None:
    earlier = store_study(store, tmp_path, clot_mm=12)
    later = store_study(store, tmp_path, clot_mm=20, hours=5)
    assert _says_what_the_result_screen_says(store, later).tone == "caution"
    at_once(compare_studies(store, earlier, later))
    row = _says_what_the_result_screen_says(store, later)
    assert (row.tone, row.advice) == ("alarm", "Call a neurosurgical centre now.")
    assert _says_what_the_result_screen_says(store, earlier).tone == "caution"


def test_expansion_since_any_earlier_study_counts(store: Store, tmp_path: Path) -> None:
    first = store_study(store, tmp_path, clot_mm=12)
    second = store_study(store, tmp_path, clot_mm=20, hours=4)
    third = store_study(store, tmp_path, clot_mm=20, hours=5)
    at_once(compare_studies(store, first, third))
    at_once(compare_studies(store, second, third))
    row = _says_what_the_result_screen_says(store, third)
    assert row.tone == "alarm", "although the newest comparison shows no growth"


def test_a_newer_comparison_with_the_same_study_takes_the_older_one_s_place(
    store: Store, tmp_path: Path
) -> None:
    earlier = store_study(store, tmp_path, clot_mm=12)
    later = store_study(store, tmp_path, clot_mm=20, hours=5)
    at_once(compare_studies(store, earlier, later))
    redraw(store, earlier, store.results.load(store.results.of_study(later)[0]).mask)
    assert _says_what_the_result_screen_says(store, later).tone == "alarm", "until compared again"
    at_once(compare_studies(store, earlier, later))
    assert _says_what_the_result_screen_says(store, later).tone == "caution"


def test_the_advice_follows_what_a_person_drew_and_erased(store: Store, tmp_path: Path) -> None:
    number = store_study(store, tmp_path, clot_mm=20, logits=MARKED)
    mask = store.results.load(store.results.of_study(number)[0]).mask
    assert _says_what_the_result_screen_says(store, number).tone == "alarm"
    redraw(store, number, np.zeros_like(mask))
    row = _says_what_the_result_screen_says(store, number)
    assert (row.tone, row.findings) == ("calm", "Blood 0.0 mL (corrected by hand)")
    redraw(store, number, mask)
    row = _says_what_the_result_screen_says(store, number)
    assert row.tone == "alarm"
    assert "Hypodensity" in row.findings


def test_blood_that_triage_missed_and_a_person_drew(store: Store, tmp_path: Path) -> None:
    number = store_study(store, tmp_path, clot_mm=0, logits=MARKED)
    assert _says_what_the_result_screen_says(store, number).tone == "calm"
    mask = store.results.load(store.results.of_study(number)[0]).mask.copy()
    mask[2, 100:120, 100:120] = True
    redraw(store, number, mask)
    row = _says_what_the_result_screen_says(store, number)
    assert row.tone == "caution"
    assert row.findings.endswith("(corrected by hand)   markers not judged")
    mask[1:5, 80:160, 80:160] = True
    redraw(store, number, mask)
    row = _says_what_the_result_screen_says(store, number)
    assert row.tone == "alarm", "30 mL and more are urgent by themselves"


def test_what_had_grown_and_was_erased_urges_no_more(store: Store, tmp_path: Path) -> None:
    earlier = store_study(store, tmp_path, clot_mm=12)
    later = store_study(store, tmp_path, clot_mm=20, hours=5)
    at_once(compare_studies(store, earlier, later))
    mask = store.results.load(store.results.of_study(later)[0]).mask
    redraw(store, later, np.zeros_like(mask))
    assert _says_what_the_result_screen_says(store, later).tone == "calm"


@pytest.mark.parametrize(
    ("stored", "english", "japanese"),
    [
        (
            "Yamada^Taro=山田^太郎=やまだ^たろう",
            "Yamada Taro / 山田 太郎 / やまだ たろう",
            "山田 太郎 / やまだ たろう / Yamada Taro",
        ),
        ("Smith^John^^Dr", "Smith John Dr", "Smith John Dr"),
        ("=山田^太郎", "山田 太郎", "山田 太郎"),
        ("", "", ""),
    ],
)
def test_names(stored: str, english: str, japanese: str) -> None:
    assert name_words(stored, "en") == english
    assert name_words(stored, "ja") == japanese


def test_a_group_that_the_font_cannot_write_is_left_out() -> None:
    assert name_words("Kim^Minjun=김^민준", "ja") == "Kim Minjun"
    assert name_words("Liu^Yang=刘^洋", "en") == "Liu Yang"
    assert name_words("A\x1b[31m^B", "en") == "A[31m B"
    assert name_words("김^민준", "en") == "", "the ID is shown in its place"

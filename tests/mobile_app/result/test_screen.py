from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from hemx_core.errors import NotHeadError
from hemx_core.labels.answers import Answer
from hemx_core.labels.answers import Reading as Answers
from hemx_core.notes import Note, Severity
from hemx_core.result import SliceUpdate
from hemx_core.words import tell_labelled
from mobile_app import settings
from mobile_app.compare.comparing import compare_studies
from mobile_app.result import cards
from mobile_app.result.cards import measured
from mobile_app.result.markers import MarkerBar
from mobile_app.result.screen import Result
from mobile_app.store import Store, StudyState
from mobile_app.work.library import read_study
from tests.factories import make_manifest
from tests.mobile_app.screens_by_touch import (
    LANDSCAPE,
    PORTRAIT,
    ScreenTest,
    cut_off,
    small_targets,
)
from tests.mobile_app.stored import at_once, correct, facts_of, redraw, store_study

LOGITS = (3.0, -0.3, -2.0, -4.0)
MANIFEST = replace(
    make_manifest(),
    parity={"marker_max": 0.12},
    training={"segmenter": {"licence": "research use, non-commercial"}},
)
PLAIN, EARLIER, LATER, CORRECTED, REFUSED, EMPTY, NEW, BEFORE, ERASED, UNPROVEN = range(1, 11)


class TestResult(ScreenTest):
    @staticmethod
    def fill(store: Store, folder: Path) -> None:
        store_study(store, folder, patient="P1", logits=LOGITS)
        store_study(store, folder, patient="P2", clot_mm=12)
        store_study(store, folder, patient="P2", clot_mm=20, hours=5)
        correct(store, store_study(store, folder, patient="P3"), grow=30)
        refused = store_study(store, folder, patient="P4", triage=False)
        error = NotHeadError("no_brain", brains=1, inspected=15)
        store.studies.set_state(refused, StudyState.REFUSED, error=error)
        store_study(store, folder, patient="P5", clot_mm=0)
        store_study(store, folder, patient="P6", triage=False)
        store_study(store, folder, patient="P7", clot_mm=12)
        store_study(store, folder, patient="P7", clot_mm=20, hours=5)
        unproven = make_manifest(validated=(False, False, True, True))
        store_study(store, folder, patient="P8", logits=LOGITS, manifest=unproven)
        at_once(compare_studies(store, EARLIER, LATER))
        at_once(compare_studies(store, BEFORE, ERASED))

    def setUp(self) -> None:
        super().setUp()
        self.screen = Result(context=self.context, manifest=lambda: MANIFEST)

    def test_says_what_to_do_and_why_in_both_languages_and_orientations(self) -> None:
        self.open(PLAIN)
        for size in (LANDSCAPE, PORTRAIT):
            self.show(self.screen, size)
            for language, sentence, marker, tag in (
                (
                    "en",
                    "Call a neurosurgical centre now.",
                    "markers at or above threshold: hypo",
                    "URGENT",
                ),
                (
                    "ja",
                    "直ちに脳神経外科施設へ連絡してください。",
                    "閾値以上の血腫増大マーカー：低吸収域",
                    "緊急",
                ),
            ):
                self.context.language = language
                self.settle()
                assert sentence in self.screen.told
                assert marker in self.screen.told
                assert self.screen.told.startswith(("!", tag))
                assert cut_off(self.screen) == []
                assert small_targets(self.screen) == []

    def test_readers_answers_stand_beside_the_networks_and_change_nothing(self) -> None:
        self.open(PLAIN)
        self.show(self.screen, LANDSCAPE)
        before = self.screen.told
        assert "Readers' own answers" not in before
        answers = {"hypodensity": Answer.NO, "blend": Answer.POSSIBLE}
        self.context.store.act_as("Dr Sato")
        self.context.store.readings.save(
            PLAIN,
            Answers(answers=answers, slices={"blend": (2, 3)}),
            result_id=None,
            correction_id=None,
        )
        self.screen.on_show()
        self.settle()
        told = self.screen.told.splitlines()
        assert [line for line in before.splitlines() if line not in told] == []
        added = [line for line in told if line.startswith("Dr Sato, ")]
        assert [line.rpartition(": ")[2] for line in added] == ["No", "Possible (3, 4)"]
        assert cut_off(self.screen) == []
        self.context.language = "ja"
        self.settle()
        assert "読影者の回答です。" in self.screen.told

    def test_where_nothing_was_found_readers_are_heard_all_the_same(self) -> None:
        self.context.store.readings.save(
            EMPTY, Answers(answers={"blend": Answer.YES}), result_id=None, correction_id=None
        )
        self.open(EMPTY)
        self.show(self.screen, PORTRAIT)
        assert "Blend sign: Yes" in self.screen.told

    def test_where_all_blood_was_erased_nothing_is_said_to_have_grown(self) -> None:
        self.open(ERASED)
        self.show(self.screen)
        assert "Expansion since" in self._banner()
        redraw(self.store, ERASED, np.zeros_like(self.context.result.mask))
        self.open(ERASED)
        self.show(self.screen)
        assert "NOTHING FOUND" in self._banner()
        assert "Expansion since" not in self._banner()

    def test_the_advice_names_the_patient_unless_names_are_hidden(self) -> None:
        self.open(PLAIN)
        self.show(self.screen)
        assert "Yamada Tarou / 山田 太郎 / やまだ たろう   P1   2 Nov 2026, 08:30" in self._banner()
        settings.set_hides_names(self.store, True)
        try:
            self.screen.on_show()
            self.settle()
            assert f"Study {PLAIN}   2 Nov 2026, 08:30" in self._banner()
            assert "Yamada" not in self.screen.told
        finally:
            settings.set_hides_names(self.store, False)

    def test_warnings_stand_above_the_reasons(self) -> None:
        lost = Note("unreadable_slices", Severity.WARNING, count=2, because="damaged")
        shown = self.store.results.load(self.store.results.of_study(PLAIN)[0])
        warned = replace(shown, notes=(*shown.notes, lost))
        facts = replace(facts_of(self.store, PLAIN), shown=warned)
        for language in ("en", "ja"):
            card = cards.banner(language, facts, PLAIN, "")
            told = [str(getattr(one, "text", "")) for one in reversed(list(card.walk()))]
            warning = tell_labelled(lost, language)
            assert warning in told
            assert told.index(warning) > told.index(cards.because(language, warned)[0])

    def test_filled_hypodensities_stand_under_the_volume_that_they_are_of(self) -> None:
        shown = self.store.results.load(self.store.results.of_study(PLAIN)[0])
        filled = replace(shown, haematoma=replace(shown.haematoma, filled_ml=0.2))
        names = [name for name, _value in measured("en", filled)]
        assert names[:2] == ["of which filled hypodensities", "ABC/2 (largest part)"]

    def test_a_volume_without_an_interval_says_so(self) -> None:
        facts = facts_of(self.store, PLAIN)
        for language, held, none in (
            ("en", "90 % interval", "No interval"),
            ("ja", "90 %区間", "区間なし"),
        ):
            for interval in (facts.interval_ml, None):
                card = cards.volume_card(language, replace(facts, interval_ml=interval), None)
                told = "\n".join(str(getattr(one, "text", "")) for one in card.walk())
                assert (held in told, none in told) == (interval is not None, interval is None)

    def _banner(self) -> str:
        return "\n".join(
            str(getattr(one, "text", "")) for one in self.screen.cards["banner"].walk()
        )

    def test_two_columns_where_there_is_room(self) -> None:
        self.open(PLAIN)
        for size, same_column in ((PORTRAIT, True), (LANDSCAPE, False)):
            self.show(self.screen, size)
            volume, markers = self.screen.cards["volume"], self.screen.cards["markers"]
            assert (abs(volume.x - markers.x) < 2) is same_column
            top = volume.to_window(0, volume.top)[1]
            assert top >= markers.to_window(0, markers.top)[1] - 1, "the volume stands on top"

    def test_markers_stand_against_their_threshold_with_the_uncertain_zone(self) -> None:
        self.open(PLAIN)
        self.show(self.screen)
        found = self.context.result.markers
        bars: dict[str, MarkerBar] = self.screen.cards["markers"].bars
        bar = bars["irregular"]
        assert bar.probability == found["irregular"].probability
        assert (bar.threshold, bar.band) == (0.5, (0.38, 0.62))
        assert bar.at(0.5) == pytest.approx(bar.center_x)
        told = self.screen.told
        assert f"Probability {found['hypodensity'].probability:.2f}, threshold 0.50" in told
        # 0.43 lies in the band, 0.12 and 0.95 do not.
        assert told.count("uncertain") == 1
        assert "Not found, uncertain" in told
        assert "Rules disagree: no" in told, "of hypodensity: an even clot"
        assert told.count("Rules agree: no") == 3

    def test_a_marker_that_is_not_validated_says_so_and_is_no_reason_to_call(self) -> None:
        self.open(UNPROVEN)
        self.show(self.screen)
        told = self.screen.told
        assert "Discuss this patient with a neurosurgical centre." in told
        assert "not validated and not counted: hypodensity" in told
        assert "Present, not validated" in told
        assert "Not found, not validated" in told
        assert "not shown to hold on real patients" in told
        assert not self.screen.cards["markers"].bars["hypodensity"].present
        assert "uncertain" not in told, "0.43 of a marker that counts for nothing"

    def test_bar_threshold_and_zone_are_drawn(self) -> None:
        bar = MarkerBar(probability=0.8, threshold=0.5, band=(0.4, 0.6), present=True)
        bar.size_hint = (None, None)
        bar.size, bar.pos = (400, 30), (20, 20)
        self.show(bar)
        picture = bar.export_as_image().texture
        pixels = np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 4)
        middle = pixels[15, :, :3].astype(int)
        assert middle[40, 0] > 200, "the bar"
        assert middle[380, 0] < 80, "the track beyond it"
        assert middle[200].min() > 180, "the threshold's line"
        assert np.abs(middle[165:195] - middle[40]).max() > 30, "the hatched zone"
        assert pixels[1, 200, 0] > 180, "the line stands out of the bar"
        assert pixels[1, 100, 3] == 0 or pixels[1, 100, :3].max() < 40

    def test_without_the_bundle_that_made_it_no_zone_is_shown(self) -> None:
        other = replace(MANIFEST, classifier=replace(MANIFEST.classifier, sha256="c" * 64))
        self.screen = Result(context=self.context, manifest=lambda: other)
        self.open(PLAIN)
        self.show(self.screen)
        assert self.screen.cards["markers"].bars["irregular"].band is None
        assert "uncertain" not in self.screen.told
        assert "not known for this version" in self.screen.told
        assert "made by another bundle" in self.screen.told

    def test_a_tap_goes_to_the_slice_that_shows_it(self) -> None:
        self.open(PLAIN)
        self.show(self.screen)
        self.tap(self.screen.cards["markers"].jumps["blend"])
        assert self.gone == ["reading"]
        assert self.context.slice_asked == self.context.result.markers["blend"].slice_index

    def test_model_time_and_memory(self) -> None:
        self.open(PLAIN)
        self.show(self.screen)
        told = self.screen.told
        assert "model fake" in told
        assert "Licence of the weights: research use, non-commercial" in told
        for name in ("Looking for blood", "Judging the markers", "Peak MiB", "Total"):
            assert name in told
        self.context.language = "ja"
        self.settle()
        assert "研究用・非営利" in self.screen.told
        assert "血腫の検索" in self.screen.told

    def test_expansion_makes_it_urgent_and_the_history_says_since_when(self) -> None:
        self.open(LATER)
        self.show(self.screen)
        assert "Call a neurosurgical centre now." in self.screen.told
        assert "Expansion since the earlier study: 30 % or more" in self.screen.told
        assert "Expansion: +" in self.screen.told
        assert "in 5.0 h" in self.screen.told
        assert "2 Nov 2026, 08:30  to  2 Nov 2026, 13:30" in self.screen.told
        self.open(EARLIER)
        self.settle()
        assert "Call a neurosurgical" not in self.screen.told
        assert "in 5.0 h" in self.screen.told
        self.tap(self.screen.cards["history"].compare_button)
        assert self.gone == ["compare"]

    def test_a_corrected_volume_stands_before_the_automatic_one(self) -> None:
        self.open(CORRECTED)
        self.show(self.screen)
        told = self.screen.told
        automatic = f"{self.context.result.haematoma.volume_ml:.1f} mL"
        corrected = f"{self.screen.facts.shown.haematoma.volume_ml:.1f} mL"
        assert automatic != corrected
        assert "Volume, corrected by hand" in told
        assert told.index(f"\n{corrected}") < told.index(f"\n{automatic}")
        assert "outline was corrected by hand" in told

    def test_nothing_found_is_not_called_normal(self) -> None:
        self.open(EMPTY)
        self.show(self.screen)
        assert "does not rule out haemorrhage" in self.screen.told
        assert "A clinician must read the study" in self.screen.told
        assert "Not judged" in self.screen.told

    def test_a_refused_study_says_why_and_what_to_do(self) -> None:
        self.context.study_id = REFUSED
        self.show(self.screen)
        told = self.screen.told
        assert "This study cannot be analysed" in told
        assert "give a non-contrast head CT of a patient" in told
        assert "no result is not a normal result" in told
        again = []
        self.context.triage_again = lambda: again.append(True)
        self.context.language = "ja"
        self.settle()
        assert "この検査は解析できません" in self.screen.told
        assert "non-contrast" not in self.screen.told
        assert cut_off(self.screen) == []

    def test_analyse_again_by_touch(self) -> None:
        self.context.study_id = REFUSED
        again: list[bool] = []
        self.context.triage_again = lambda: again.append(True)
        self.show(self.screen)
        self.tap(self.screen.cards["again"])
        assert again == [True]

    def test_while_triage_runs_nothing_looks_final(self) -> None:
        self.open(LATER)
        self.show(self.screen)
        assert "Call a neurosurgical centre now." in self.screen.told
        volume = self.context.volume
        self.context.result = None
        self.context.running = True
        blood = np.zeros(volume.hu.shape[1:], bool)
        self.context.dispatch("on_slice_update", SliceUpdate(index=0, mask=blood))
        blood = blood.copy()
        blood[4, 4] = True
        self.context.dispatch("on_slice_update", SliceUpdate(index=1, mask=blood))
        self.settle()
        told = self.screen.told
        assert "Nothing here is final yet" in told
        assert "2 of 6 slices looked at, blood suspected on 1" in told
        assert "Call" not in told
        assert "mL" not in told
        self.context.running = False
        self.context.result = self.store.results.load(self.store.results.of_study(LATER)[0])
        self.settle()
        assert "Call a neurosurgical centre now." in self.screen.told
        assert "final yet" not in self.screen.told

    def test_no_study(self) -> None:
        self.show(self.screen)
        assert "No study is open." in self.screen.told
        self.tap(self.screen.cards["to_studies"])
        assert self.gone == ["studies"]

    def test_another_study_never_keeps_the_first_ones_facts(self) -> None:
        self.open(LATER)
        self.show(self.screen)
        self.context.close_study()
        self.advance_frames(1)
        assert "Call" not in self.screen.told
        self.context.study_id = NEW
        self.advance_frames(1)
        assert "This study has no result" in self.screen.told
        assert at_once(read_study(self.store, NEW)) is not None

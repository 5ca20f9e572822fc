from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.metrics import dp

from hemx_core.pairing import PairDoubt
from hemx_core.result import Recommendation
from mobile_app.compare.cards import chart_points
from mobile_app.compare.comparing import VolumePoint
from mobile_app.compare.screen import Compare
from mobile_app.compare.volume_chart import LEFT, ChartPoint, VolumeChart, ticks
from mobile_app.result.screen import Result
from mobile_app.store import Store
from tests.mobile_app.screens_by_touch import (
    LANDSCAPE,
    PORTRAIT,
    ScreenTest,
    below,
    cut_off,
    small_targets,
)
from tests.mobile_app.stored import FIRST_AT, correct, store_study

EARLIER, LATER, OTHER, NAMELESS, TIMELESS, ALSO_TIMELESS, LONE, NEW_EARLIER, NEW_LATER = range(
    1, 10
)


class TestCompare(ScreenTest):
    @staticmethod
    def fill(store: Store, folder: Path) -> None:
        store_study(store, folder, patient="P1", clot_mm=12)
        store_study(
            store,
            folder,
            patient="P1",
            clot_mm=20,
            hours=5,
            slices=12,
            clot_slices=(4, 5, 6, 7),
            step_mm=2.5,
        )
        store_study(store, folder, patient="P2", hours=3)
        store_study(store, folder, patient="", hours=4)
        store_study(store, folder, patient="P3", clot_mm=12, hours=None)
        store_study(store, folder, patient="P3", clot_mm=20, hours=None)
        store_study(store, folder, patient="P4")
        # Compared by one test only.
        store_study(store, folder, patient="P5", clot_mm=12)
        store_study(store, folder, patient="P5", clot_mm=20, hours=5)

    def setUp(self) -> None:
        super().setUp()
        self.screen = Compare(context=self.context)
        self.viewers = self.screen.viewers

    def compare(self) -> None:
        self.open(LATER)
        self.show(self.screen)
        if self.screen.compared is None:
            self.tap(self.screen.go)
            self.settle()
        assert self.screen.compared is not None

    def indices(self) -> tuple[int, int]:
        return tuple(int(self.viewers.viewers[name].index) for name in ("earlier", "later"))

    def choose(self, name: str, study_id: int) -> None:
        self.tap(self.screen.choosers[name])
        self.tap(self.screen.choice.buttons[study_id])
        self.settle()

    def test_the_open_studys_pair_is_offered_and_compared_on_touch_only(self) -> None:
        self.open(NEW_LATER)
        self.show(self.screen)
        assert "08:30" in self.screen.choosers["earlier"].text
        assert "13:30" in self.screen.choosers["later"].text
        assert "山田 太郎" in self.screen.choosers["later"].text
        assert self.screen.compared is None
        assert self.store.comparisons.of_study(NEW_LATER) == ()
        self.tap(self.screen.go)
        self.settle()
        assert len(self.store.comparisons.of_study(NEW_LATER)) == 1
        growth = self.screen.compared.comparison.growth
        told = self.screen.told
        assert f"+{growth.ml:.1f} mL  (+{growth.percent:.0f} %)" in told
        assert "5.0 hours between the studies" in told
        assert "call a neurosurgical centre now" in told
        # Shown again it comes from the store.
        again = Compare(context=self.context)
        self.show(again)
        assert again.compared is not None
        assert len(self.store.comparisons.of_study(NEW_LATER)) == 1

    def test_the_later_studys_result_then_says_call_now(self) -> None:
        self.compare()
        assert self.context.result.recommendation is Recommendation.DISCUSS
        result = Result(context=self.context)
        self.show(result)
        assert result.facts.shown.recommendation is Recommendation.CALL_NOW
        assert "Call a neurosurgical centre now." in result.told

    def test_hidden_it_keeps_no_volume_and_shown_again_the_same_pair(self) -> None:
        self.compare()
        self.screen.on_hide()
        assert self.screen.compared is None
        assert all(one.volume is None for one in self.viewers.viewers.values())
        self.screen.on_show()
        self.settle()
        assert self.screen.compared.later.study_id == LATER

    def test_every_definition_is_answered_in_words(self) -> None:
        self.compare()
        labels = [getattr(one, "text", "") for one in below(self.screen.cards["definitions"])]
        answers = self.screen.compared.comparison.growth.answers
        words = {"yes": "Yes", "no": "No", "indeterminate": "Cannot be told"}
        for name, code in (
            ("30 % or more", "he_30"),
            ("33 % or 6 mL or more", "he_33_or_6ml"),
            ("12.5 mL or more", "he_12_5ml"),
        ):
            assert labels[labels.index(name) + 1] == words[answers[code]]

    def test_both_languages_and_orientations(self) -> None:
        self.compare()
        for size in (LANDSCAPE, PORTRAIT):
            self.show(self.screen, size)
            self.settle()
            earlier, later = (self.viewers.viewers[name] for name in ("earlier", "later"))
            places = [one.to_window(one.x, one.y) for one in (earlier, later)]
            assert places[0][0] + earlier.width <= places[1][0]
            assert places[0][1] == places[1][1]
            # The slice is square: the whole of it is as large as the smaller side.
            assert min(earlier.size) > (0.45 * size[0] if size == PORTRAIT else 0.25 * size[0])
            for language, word in (
                ("en", "Haematoma expansion, by definition"),
                ("ja", "血腫増大（定義別）"),
            ):
                self.context.language = language
                self.settle()
                assert word in self.screen.told
                assert cut_off(self.screen) == []
                assert small_targets(self.screen) == []

    def test_a_drag_scrolls_both_by_millimetres(self) -> None:
        self.compare()
        first, second = self.indices()
        assert self.viewers.link.to_earlier(second).index == first
        viewer = self.viewers.viewers["earlier"]
        from kivy.tests.common import UnitTestTouch

        x, y = viewer.to_window(*viewer.center)
        touch = UnitTestTouch(x, y)
        touch.touch_down()
        touch.touch_move(x, y + 300)
        touch.touch_up()
        self.advance_frames(2)
        moved, followed = self.indices()
        assert moved > first
        assert followed == self.viewers.link.to_later(moved).index
        # 5 mm and 2.5 mm slices: two slices there are one here.
        self.viewers.viewers["earlier"].index = first
        here = self.indices()[1]
        self.viewers.viewers["earlier"].index = first + 1
        assert self.indices()[1] == here + 2

    def test_where_the_other_study_ends_the_caption_says_so(self) -> None:
        self.compare()
        self.viewers.viewers["earlier"].index = 0
        self.advance_frames(2)
        assert self.viewers.link.to_later(0).beyond is (
            "does not reach here" in self.viewers.captions["later"].text
        )
        assert "Slice 1 of 6" in self.viewers.captions["earlier"].text

    def test_the_pictures_are_level_though_one_caption_is_longer(self) -> None:
        self.compare()
        self.viewers.captions["earlier"].text += " and more words" * 20
        self.advance_frames(4)
        first, second = (one.parent for one in self.viewers.viewers.values())
        assert first.to_window(first.x, first.y)[1] == second.to_window(second.x, second.y)[1]
        assert first.size == second.size

    def test_unlinked_each_scrolls_alone_and_linked_again_they_keep_the_place(self) -> None:
        self.compare()
        self.tap(self.viewers.buttons["link"])
        assert self.viewers.buttons["link"].text == "Not linked"
        self.viewers.viewers["earlier"].index = 1
        before = self.indices()[1]
        self.viewers.viewers["earlier"].index = 2
        assert self.indices() == (2, before)
        self.viewers.viewers["later"].index = 10
        self.tap(self.viewers.buttons["link"])
        assert self.viewers.buttons["link"].text == "Linked as you set it"
        self.viewers.viewers["earlier"].index = 1
        assert self.indices() == (1, 8)

    def test_outline_and_window_serve_both(self) -> None:
        self.compare()
        self.tap(self.viewers.buttons["outline"])
        self.tap(self.viewers.buttons["window"])
        for viewer in self.viewers.viewers.values():
            assert not viewer.show_outline
            assert viewer.window.upper == 180
        assert self.viewers.buttons["window"].text == "Window: subdural"

    def test_two_patients_are_compared_after_a_word_only(self) -> None:
        self.open(LATER)
        self.show(self.screen)
        self.choose("earlier", OTHER)
        assert self.screen.doubt is PairDoubt.DIFFERENT_PATIENTS
        assert "DIFFERENT patients" in self.screen.told
        self.tap(self.screen.go)
        assert self.screen.compared is None
        self.tap(self.screen.question.no)
        self.settle()
        assert self.screen.compared is None
        assert self.store.comparisons.of_study(OTHER) == ()
        self.tap(self.screen.go)
        self.tap(self.screen.question.yes)
        self.settle()
        assert self.screen.compared is not None
        assert "WARNING: The studies are of different patients: they differ in" in self.screen.told
        assert self.store.comparisons.of_study(OTHER) == (), "shown, and nobody's history"
        self.screen.on_hide()
        self.screen.on_show()
        self.settle()
        assert self.screen.compared is None, "shown once"

    def test_a_missing_id_needs_the_word_too(self) -> None:
        self.open(NAMELESS)
        self.show(self.screen)
        assert "no second analysed study" in self.screen.told
        assert self.screen.go.disabled
        self.choose("earlier", EARLIER)
        assert self.screen.doubt is PairDoubt.PATIENT_UNKNOWN
        self.tap(self.screen.go)
        assert self.screen.compared is None
        self.tap(self.screen.question.yes)
        self.settle()
        assert self.screen.compared.later.study_id == NAMELESS

    def test_without_times_the_user_swaps(self) -> None:
        self.open(ALSO_TIMELESS)
        self.show(self.screen)
        assert "The times do not say" in self.screen.told
        before = [self.screen.choosers[name].text for name in ("earlier", "later")]
        self.tap(self.screen.swap)
        after = [self.screen.choosers[name].text for name in ("earlier", "later")]
        assert [one.split(": ", 1)[1] for one in after] == [
            one.split(": ", 1)[1] for one in reversed(before)
        ]
        self.tap(self.screen.go)
        self.settle()
        assert self.screen.compared is not None
        assert "Time between the studies: not known" in self.screen.told
        assert "2 without a known time" in self.screen.told

    def test_with_times_nothing_can_be_swapped(self) -> None:
        self.open(LATER)
        self.show(self.screen)
        assert self.screen.swap.parent is None
        self.choose("earlier", LONE)
        assert self.screen.swap.parent is None

    def test_corrections_are_used_and_named(self) -> None:
        self.compare()
        assert "automatic outlines" in self.screen.told
        before = self.screen.compared.comparison.growth.ml
        correct(self.store, LATER, grow=30)
        self.screen.on_show()
        self.settle()
        assert self.screen.compared is None, "the stored one is of the uncorrected outline"
        self.tap(self.screen.go)
        self.settle()
        assert self.screen.compared.comparison.growth.ml > before + 1
        assert "Measured on outlines corrected by hand: Later study." in self.screen.told

    def test_the_chart_has_every_study_with_its_interval(self) -> None:
        self.compare()
        chart: VolumeChart = self.screen.cards["chart"].chart
        assert [one.x for one in chart.points] == [0.0, pytest.approx(5.0)]
        assert all(one.low < one.value < one.high for one in chart.points)
        assert all(one.marked for one in chart.points)
        (x0, y0), (x1, y1) = (chart.at(one.x, one.value) for one in chart.points)
        assert chart.x < x0 < x1 <= chart.right
        assert x0 - chart.x >= LEFT + dp(5), "the first error bar covers no number of the axis"
        assert chart.y < y0 < y1 < chart.top


@pytest.mark.parametrize(
    ("most", "expected"),
    [(30, [0, 10, 20, 30]), (4.1, [0, 2, 4, 6]), (0.3, [0, 0.1, 0.2, 0.3]), (100, [0, 50, 100])],
)
def test_ticks_are_round_and_reach_over_all(most: float, expected: list[float]) -> None:
    assert ticks(most) == pytest.approx(expected)


def test_a_long_course_is_told_in_days() -> None:
    from datetime import timedelta

    course = tuple(
        VolumePoint(
            study_id=number,
            at=None if hours is None else FIRST_AT + timedelta(hours=hours),
            volume_ml=10.0,
            interval_ml=(8.0, 12.0),
            corrected=False,
        )
        for number, hours in enumerate((0, 24, 240, None))
    )
    points, unit = chart_points(course, {0, 1})
    assert unit == "days"
    assert points == [
        ChartPoint(0.0, 10.0, 8.0, 12.0, True),
        ChartPoint(1.0, 10.0, 8.0, 12.0, True),
        ChartPoint(10.0, 10.0, 8.0, 12.0, False),
    ]
    (bare,), _ = chart_points((replace(course[0], interval_ml=None),), set())
    assert bare.low == bare.value == bare.high, "no interval, no bar"
    assert chart_points(course[:2], set())[1] == "hours"
    assert chart_points(course[3:], set()) == ([], "hours")

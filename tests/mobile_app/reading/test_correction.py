from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.base import EventLoop
from kivy.core.window import Window

from hemx_core.comparison import compare_results
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.estimate import estimate_result, estimate_volume
from hemx_core.measure.expansion import judge_growth
from hemx_core.measure.volume import slice_areas_mm2, volume_ml
from mobile_app.reading.mask_editor import replay
from mobile_app.widgets.buttons import Sheet
from tests.factories import GROWTH_INTERVAL
from tests.mobile_app.reading.reading_case import ReadingCase
from tests.mobile_app.stored import correct


class Correcting(ReadingCase):
    def setUp(self) -> None:
        super().setUp()
        self.correction = self.screen.correction
        self.index = int(self.viewer.index)
        self.tap("correct")

    def mask(self) -> np.ndarray:
        """The viewer's masks as they stand."""
        return np.stack([self.viewer.masks[index] for index in range(len(self.volume.hu))])

    def brush(self, *path: tuple[float, float], tool: str = "brush") -> None:
        if self.viewer.mode != tool:
            self.tap(tool)
        self.drag(*self.on_slice(*path))

    def measured(self) -> str:
        areas = slice_areas_mm2(self.mask(), self.volume.geometry)
        return f"{volume_ml(areas, self.volume.geometry):.1f} mL"


class TestDrawing(Correcting):
    def test_a_brush_adds_blood_where_the_finger_goes_and_the_volume_follows(self) -> None:
        self.brush((60, 60), (60, 90))
        added = self.mask() & ~self.found.mask
        assert added[self.index, 60, 60:91].all()
        assert not added[[one for one in range(6) if one != self.index]].any()
        reach = np.abs(np.argwhere(added[self.index])[:, 0] - 60).max() * 1.5
        assert 2.5 <= reach <= 4.0
        assert f"Corrected by hand {self.measured()}" in self.screen.findings
        assert f"automatic: {self.found.haematoma_volume_ml:.1f} mL" in self.screen.findings
        assert "not saved" in self.screen.findings
        assert "corrected" in self.screen.strip_text
        areas = slice_areas_mm2(self.mask(), self.volume.geometry)
        assert self.strip.areas == pytest.approx(areas)

    def test_the_mask_is_seen_while_the_finger_is_down(self) -> None:
        self.tap("brush")
        self.viewer.zoom = 2.0
        before = self.drawn()
        touch = self.finger(*self.on_slice((70, 60), (70, 75)))
        during = self.drawn()
        changed = np.abs(during - before).sum(-1) > 60
        x, y = self.viewer.to_screen(70, 68)
        row, column = int(self.viewer.top - y), int(x - self.viewer.x)
        assert changed[row - 25 : row + 25, column - 60 : column + 60].sum() > 50
        assert self.correction.editor.drawing
        volume = self.screen.findings
        touch.touch_move(*self.on_slice((70, 85))[0])
        self.advance_frames(2)
        assert self.screen.findings != volume
        touch.touch_up()
        assert not self.correction.editor.drawing

    def test_an_eraser_takes_blood_away_to_nothing(self) -> None:
        self.correction.radius_mm = self.viewer.brush_mm = 15.0
        for index in (2, 3):
            self.viewer.index = index
            rows, columns = np.nonzero(self.found.mask[index])
            row, left, right = rows.mean(), columns.min(), columns.max()
            for by in (-12, -6, 0, 6, 12):
                self.brush((row + by, left), (row + by, right), tool="erase")
        assert not self.mask().any()
        assert "Corrected by hand 0.0 mL" in self.screen.findings
        assert self.found.mask.any()
        assert self.store.results.load(self.context.result_id).mask.any()

    def test_the_radius_is_set_in_millimetres(self) -> None:
        slider = self.buttons["radius"].slider
        left, right = slider.x + slider.padding, slider.right - slider.padding
        self.drag(
            slider.to_window(left + 5, slider.center_y),
            slider.to_window((left + right) / 2, slider.center_y),
        )
        radius = self.correction.radius_mm
        assert radius == pytest.approx(8, abs=1)
        assert f"{radius:.0f} mm" in self.buttons["radius"].text
        self.brush((60, 60))
        rows = np.nonzero((self.mask() & ~self.found.mask)[self.index])[0]
        assert (rows.max() - rows.min()) * 1.5 == pytest.approx(2 * radius, abs=1.5)

    def test_undo_redo_and_what_they_can(self) -> None:
        assert self.buttons["undo"].disabled
        assert self.buttons["save"].disabled
        self.brush((60, 60), (60, 70))
        one = self.mask()
        self.brush((60, 70), (60, 60), tool="erase")
        two = self.mask()
        self.tap("undo")
        assert np.array_equal(self.mask(), one)
        self.tap("undo")
        assert np.array_equal(self.mask(), self.found.mask)
        assert "Haematoma" in self.screen.findings
        assert not self.screen.warns
        assert self.buttons["undo"].disabled
        self.tap("redo")
        self.tap("redo")
        assert np.array_equal(self.mask(), two)
        assert self.buttons["redo"].disabled

    def test_discard_goes_back_and_can_be_undone(self) -> None:
        self.brush((60, 60), (60, 70))
        drawn = self.mask()
        self.tap("discard")
        assert np.array_equal(self.mask(), self.found.mask)
        assert self.buttons["save"].disabled
        self.tap("undo")
        assert np.array_equal(self.mask(), drawn)

    def test_a_pinch_while_drawing_takes_back_what_the_first_finger_drew(self) -> None:
        self.tap("brush")
        x, y = self.viewer.center
        one, two = self.finger((x - 40, y)), self.finger((x + 40, y))
        one.touch_move(x - 90, y)
        two.touch_move(x + 90, y)
        one.touch_up()
        two.touch_move(x + 60, y + 50)
        two.touch_up()
        assert np.array_equal(self.mask(), self.found.mask)
        assert self.buttons["undo"].disabled
        assert self.viewer.zoom > 1.5

    def test_a_long_stroke_stays_when_a_second_finger_comes(self) -> None:
        self.tap("brush")
        one = self.finger(*self.on_slice((60, 50), (60, 70), (60, 90)))
        two = self.finger(*self.on_slice((100, 90)))
        one.touch_up()
        two.touch_up()
        self.advance_frames(2)
        assert self.mask()[self.index, 60, 50:91].all()
        assert not self.buttons["undo"].disabled

    def test_leaving_the_group_ends_drawing(self) -> None:
        self.tap("brush")
        self.tap("view")
        x, y = self.viewer.center
        self.drag((x, y), (x, y + 200))
        assert np.array_equal(self.mask(), self.found.mask)
        assert self.viewer.index != self.index

    def test_a_second_tap_on_the_brush_puts_it_away(self) -> None:
        self.tap("brush")
        self.tap("brush")
        assert self.viewer.mode == "scroll"

    def test_slices_worth_a_look_follow_the_correction(self) -> None:
        self.viewer.index = 5
        self.brush((80, 60), (80, 80))
        assert 5 in self.strip.keys


class TestKeeping(Correcting):
    def test_saved_reopened_and_the_result_untouched(self) -> None:
        self.brush((60, 60), (60, 90))
        drawn, told = self.mask(), self.measured()
        self.tap("save")
        self.finish_jobs()
        assert self.told[-1] == "reading.saved"
        assert "not saved" not in self.screen.findings
        assert f"Corrected by hand {told}" in self.screen.findings
        correction = self.context.correction
        assert correction.version == 1
        assert correction.made_by == "Dr A"
        assert f"{correction.volume_ml:.1f} mL" == told
        assert np.array_equal(correction.mask, drawn)
        network = self.store.results.load(self.context.result_id).mask
        assert np.array_equal(network, self.found.mask)
        assert np.array_equal(replay(network, correction.strokes, self.volume.geometry), drawn)
        assert self.store.studies.get(2).newest.corrected
        self.context.close_study()
        self.advance_frames(2)
        self.open_stored()
        assert np.array_equal(self.mask(), drawn)
        assert f"Corrected by hand {told}" in self.screen.findings
        assert self.buttons["save"].disabled

    def test_a_second_version_goes_on_from_the_first_and_back_to_automatic_is_a_third(self) -> None:
        self.brush((60, 60), (60, 90))
        self.tap("save")
        self.finish_jobs()
        self.open_stored()
        self.brush((70, 60), (70, 90))
        self.tap("save")
        self.finish_jobs()
        assert self.context.correction.version == 2
        assert len(self.context.correction.strokes) == 2
        assert self.mask()[self.index, 60, 75]
        self.tap("network")
        assert np.array_equal(self.mask(), self.found.mask)
        assert "Haematoma" in self.screen.findings
        self.tap("save")
        self.finish_jobs()
        assert self.context.correction.version == 3
        assert self.context.correction.strokes == ()
        self.tap("undo")
        assert self.mask()[self.index, 70, 75]

    def test_what_is_drawn_while_it_saves_stays_unsaved(self) -> None:
        self.brush((60, 60), (60, 90))
        touch = self.finger(self.buttons["save"].to_window(*self.buttons["save"].center))
        touch.touch_up()
        assert self.buttons["save"].disabled
        self.brush((100, 60), (100, 70))
        self.finish_jobs()
        assert not self.context.correction.mask[self.index, 100, 65]
        assert self.mask()[self.index, 100, 65]
        assert "not saved" in self.screen.findings
        assert not self.buttons["save"].disabled

    def test_a_study_that_is_left_keeps_its_correction(self) -> None:
        self.brush((60, 60), (60, 90))
        drawn, result_id = self.mask(), self.context.result_id
        self.context.close_study()
        self.finish_jobs()
        assert self.told[-1] == "reading.kept"
        (number,) = self.store.corrections.of_result(result_id)
        assert np.array_equal(self.store.corrections.load(number).mask, drawn)

    def test_the_app_is_left_in_the_middle_of_a_stroke_and_comes_back(self) -> None:
        self.tap("brush")
        touch = self.finger(*self.on_slice((60, 60), (60, 90)))
        self.screen.keep()
        (number,) = self.store.corrections.of_result(self.context.result_id)
        kept = self.store.corrections.load(number)
        assert kept.mask[self.index, 60, 60:91].all()
        assert kept.mask.sum() > self.found.mask.sum()
        touch.touch_up()
        self.advance_frames(2)
        assert "not saved" not in self.screen.findings
        assert self.context.correction.version == kept.version == 1
        self.screen.keep()
        assert self.store.corrections.of_result(self.context.result_id) == (number,)

    def test_a_save_that_waits_for_the_worker_outlives_the_end_of_the_app(self) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def busy(_report: object) -> None:
            begun.set()
            assert go_on.wait(20)

        self.brush((60, 60), (60, 90))
        self.jobs.run(busy)
        assert begun.wait(20)
        self.tap("save")
        drawn = self.mask()
        threading.Timer(0.1, go_on.set).start()
        assert self.jobs.shutdown()
        assert self.store.corrections.of_result(self.context.result_id) == ()
        self.screen.keep(ends=True)
        (number,) = self.store.corrections.of_result(self.context.result_id)
        assert np.array_equal(self.store.corrections.load(number).mask, drawn)

    def test_a_save_is_stored_once_by_whoever_comes_first(self) -> None:
        self.brush((60, 60), (60, 90))
        self.tap("save")
        self.screen.keep()
        self.finish_jobs()
        assert len(self.store.corrections.of_result(self.context.result_id)) == 1
        assert self.context.correction.version == 1
        assert "not saved" not in self.screen.findings

    def test_a_deleted_study_is_left_in_silence(self) -> None:
        troubles = []
        self.context.bind(on_trouble=lambda _context, error: troubles.append(error))
        self.brush((60, 60), (60, 90))
        self.store.studies.delete(2)
        self.context.close_study()
        self.finish_jobs()
        assert not troubles

    def test_a_failed_save_is_told_and_can_be_repeated(self) -> None:
        troubles = []
        self.context.bind(on_trouble=lambda _context, error: troubles.append(error))
        self.brush((60, 60), (60, 90))
        self.store.studies.delete(2)
        self.tap("save")
        self.finish_jobs()
        assert len(troubles) == 1
        assert "not saved" in self.screen.findings
        assert not self.buttons["save"].disabled

    def test_leaving_the_screen_asks_about_what_is_not_saved(self) -> None:
        self.screen.on_hide()
        assert not self.sheets()
        self.brush((60, 60), (60, 90))
        self.screen.on_hide()
        self.advance_frames(2)
        (sheet,) = self.sheets()
        assert sheet.no.text == "Not now"
        self.tap(sheet.yes)
        self.finish_jobs()
        assert self.context.correction is not None
        assert not self.sheets()

    def sheets(self) -> list[Sheet]:
        return [one for one in Window.children if isinstance(one, Sheet)]


class TestGrowth(Correcting):
    def compare(self) -> None:
        first, second = (self.store.results.of_study(one)[0] for one in (1, 2))
        loaded = [self.store.results.load(one) for one in (first, second)]
        self.store.comparisons.save(
            compare_results(*loaded), earlier_result=first, later_result=second
        )
        self.earlier = loaded[0]
        self.screen.on_show()
        self.finish_jobs()

    def growth(self) -> str:
        geometry = self.volume.geometry
        later = estimate_volume(self.mask(), geometry, None)
        found = judge_growth(estimate_result(self.earlier), later, measured=GROWTH_INTERVAL)
        return f"Growth +{found.ml:.1f} mL (+{found.percent:.0f} %)"

    def test_growth_follows_the_finger_and_undo(self) -> None:
        assert "Growth" not in self.screen.findings
        self.compare()
        before = self.growth()
        assert before in self.screen.findings
        assert f"earlier CT: {self.earlier.haematoma_volume_ml:.1f} mL" in self.screen.findings
        self.tap("brush")
        touch = self.finger(*self.on_slice((60, 60), (60, 100)))
        self.advance_frames(2)
        assert self.growth() != before
        assert self.growth() in self.screen.findings
        touch.touch_up()
        self.tap("undo")
        assert before in self.screen.findings

    def test_an_earlier_mask_that_was_corrected_later_counts(self) -> None:
        self.compare()
        correct(self.store, 1, grow=12)
        self.screen.on_show()
        self.finish_jobs()
        number = self.store.corrections.of_result(self.store.results.of_study(1)[0])[0]
        corrected = estimate_volume(
            self.store.corrections.load(number).mask, self.earlier.geometry, None
        ).volume_ml
        assert f"earlier CT, corrected: {corrected:.1f} mL" in self.screen.findings

    def test_the_earlier_study_itself_has_no_growth(self) -> None:
        self.compare()
        self.context.close_study()
        result_id = self.store.results.of_study(1)[0]
        self.context.study_id, self.context.volume = 1, self.volume
        self.context.result_id = result_id
        self.context.result = self.store.results.load(result_id)
        self.finish_jobs()
        assert "Haematoma" in self.screen.findings
        assert "Growth" not in self.screen.findings


class TestTime(ReadingCase):
    """The work of a frame on 512 x 512 x 30; bounds are generous, for other programs may be running."""

    def setUp(self) -> None:
        super().setUp()
        hu = np.full((30, 512, 512), 30, np.int16)
        hu[10:20, 200:300, 200:300] = 65
        self.volume = HUVolume(hu, spacing_mm=(5.0, 0.45, 0.45))
        seen = next(one for one in self.found.slices if one.probabilities)
        context = self.context
        context.close_study()
        context.study_id, context.volume, context.result_id = 2, self.volume, 1
        context.result = replace(
            self.found,
            haematoma=replace(self.found.haematoma, mask=hu > 50),
            slices=tuple(replace(seen, index=index) for index in range(30)),
            geometry=self.volume.geometry,
        )
        self.advance_frames(4)

    def seconds(self, act: object, times: int = 9) -> float:
        """Median of this thread's time for an act and the frame after it."""
        spent = []
        for turn in range(times):
            begin = time.thread_time()
            act(turn)
            EventLoop.idle()
            spent.append(time.thread_time() - begin)
        return float(np.median(spent))

    def test_a_move_of_the_brush(self) -> None:
        self.tap("correct")
        self.tap("brush")
        touch = self.finger(*self.on_slice((200, 200)))
        path = [self.on_slice((200 + 10 * turn, 200 + 8 * turn))[0] for turn in range(9)]
        assert self.seconds(lambda turn: touch.touch_move(*path[turn])) < 0.1
        touch.touch_up()
        assert self.viewer.masks[int(self.viewer.index)][270, 256]

    def test_a_slice_on(self) -> None:
        self.viewer.show_heat = True

        def scroll(turn: int) -> None:
            self.viewer.index = 10 + turn

        assert self.seconds(scroll) < 0.1

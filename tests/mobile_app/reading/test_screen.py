from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.core.window import Window
from kivy.tests.common import UnitTestTouch

from hemx_core.imaging.spec import HUWindow
from hemx_core.report.pictures import key_slices
from hemx_core.result import SliceUpdate
from mobile_app import settings
from mobile_app.reading.slice_strip import MARK
from mobile_app.widgets.picture import PRESETS, luminance
from tests.mobile_app.reading.reading_case import ReadingCase


class TestLooking(ReadingCase):
    def test_opens_on_the_slice_of_the_largest_area(self) -> None:
        areas = [one.blood_area_mm2 for one in self.found.slices]
        assert self.viewer.index == areas.index(max(areas))
        assert f"Haematoma {self.found.haematoma_volume_ml:.1f} mL" in self.screen.findings
        assert not self.screen.warns

    def test_a_drag_scrolls_and_stops_at_the_ends(self) -> None:
        x, y = self.viewer.center
        self.drag((x, y), (x, y + 2000))
        assert self.viewer.index == len(self.volume.hu) - 1
        self.drag((x, y), (x, y - 2000))
        assert self.viewer.index == 0
        assert self.strip.index == 0
        assert "Slice 1 of 6" in self.screen.caption

    def test_a_short_drag_goes_on_by_single_slices(self) -> None:
        x, y = self.viewer.center
        before = self.viewer.index
        self.drag((x, y), (x, y - 30))
        assert self.viewer.index == before - 1

    def test_a_tap_reads_the_pixel_under_it(self) -> None:
        self.drag(*self.on_slice((80, 90)))
        assert self.viewer.pixel == (80, 90)
        hu = self.volume.hu[int(self.viewer.index), 80, 90]
        assert f"{hu} HU" in self.screen.readings
        self.viewer.index = 0
        assert self.screen.readings == ""

    def test_a_tap_beside_the_slice_reads_nothing(self) -> None:
        self.viewer.centre = (0.5, 1.4)
        self.drag((self.viewer.center_x, self.viewer.y + 5))
        assert self.viewer.pixel is None

    def test_a_measured_distance_is_in_millimetres(self) -> None:
        self.tap("measure")
        self.drag(*self.on_slice((80, 60), (110, 100)))
        assert self.viewer.ruler_mm() == pytest.approx(50 * 1.5, abs=0.1)
        assert f"{self.viewer.ruler_mm():.1f} mm" in self.screen.readings
        self.tap("window")
        assert self.viewer.mode == "scroll"

    def test_a_pinch_zooms_between_the_fingers(self) -> None:
        x, y = self.viewer.center
        before = self.viewer.to_slice(x, y)
        one, two = self.finger((x - 40, y)), self.finger((x + 40, y))
        one.touch_move(x - 80, y)
        two.touch_move(x + 80, y)
        one.touch_up()
        two.touch_up()
        assert self.viewer.zoom == pytest.approx(2.0)
        assert self.viewer.to_slice(x, y) == pytest.approx(before, abs=0.01)
        assert self.viewer.pixel is None

    def test_two_fingers_pan_and_the_slice_cannot_get_lost(self) -> None:
        x, y = self.viewer.center
        under = self.viewer.to_slice(x, y)
        one, two = self.finger((x - 40, y)), self.finger((x + 40, y))
        for touch, side in ((one, -40), (two, 40)):
            touch.touch_move(x + side + 30, y + 20)
        assert self.viewer.to_slice(x + 30, y + 20) == pytest.approx(under, abs=0.01)
        for touch, side in ((one, -40), (two, 40)):
            touch.touch_move(x + side + 5000, y)
        for touch in (one, two):
            touch.touch_up()
        left, _, width, _ = self.viewer.frame()
        assert left <= self.viewer.center_x <= left + width
        self.tap("fit")
        assert self.viewer.zoom == 1
        assert self.viewer.to_slice(x, y) == pytest.approx(under)

    def test_the_finger_that_stays_after_a_pinch_does_not_jump(self) -> None:
        x, y = self.viewer.center
        before = self.viewer.index
        one, two = self.finger((x - 40, y)), self.finger((x + 40, y))
        one.touch_move(x - 40, y + 200)
        one.touch_up()
        two.touch_move(x + 40, y + 2)
        two.touch_up()
        assert self.viewer.index == before

    def test_the_wheel_scrolls_and_zooms_with_control(self) -> None:
        for button, by in (("scrolldown", 1), ("scrollup", -1)):
            before = self.viewer.index
            self.wheel(button)
            assert self.viewer.index == before + by
        Window.modifiers.append("ctrl")
        try:
            self.wheel("scrolldown")
        finally:
            Window.modifiers.remove("ctrl")
        assert self.viewer.zoom == pytest.approx(1.2)

    def wheel(self, button: str) -> None:
        touch = UnitTestTouch(*self.viewer.center)
        touch.profile, touch.button = ["pos", "button"], button
        touch.touch_down()
        touch.touch_up()
        self.advance_frames(1)

    def test_windows_by_preset_and_by_drag(self) -> None:
        self.tap("window")
        for name, window in PRESETS.items():
            self.tap(name)
            assert self.viewer.window == window
            assert self.buttons[name].state == "down"
        self.tap("stroke")
        self.tap("free")
        x, y = self.viewer.center
        self.drag((x, y), (x + 40, y + 20))
        window = self.viewer.window
        assert window.upper - window.lower > 40
        assert (window.upper + window.lower) / 2 > 40
        assert self.buttons["stroke"].state == "normal"
        assert f"W {window.upper - window.lower:.0f}" in self.screen.caption

    def test_no_dot_of_the_strip_lies_under_a_key_slice_s_mark(self) -> None:
        strip = self.strip
        assert strip.y < strip._height_of(0.0) < strip._height_of(1.0) < strip.top - MARK

    def test_the_strip_jumps_follows_and_steps(self) -> None:
        strip = self.strip
        x = strip.to_window(strip.x + strip.width * 3.5 / 6, 0)[0]
        y = strip.to_window(*strip.center)[1]
        touch = self.finger((x, y))
        assert self.viewer.index == 3
        touch.touch_move(x + strip.width / 6, y)
        assert self.viewer.index == 4
        touch.touch_up()
        back, _, forth = reversed(strip.parent.children)
        self.tap(back)
        assert self.viewer.index == 3
        for _ in range(4):
            self.tap(forth)
        assert self.viewer.index == 5

    def test_the_slices_worth_a_look_are_at_hand(self) -> None:
        keys = [one.index for one in key_slices(self.found)]
        assert keys == sorted(keys)
        assert self.strip.keys == keys
        for place, index in enumerate(keys):
            self.viewer.index = 0
            self.tap(f"key{place}")
            assert self.viewer.index == index
            assert self.buttons[f"key{place}"].text.startswith(f"{index + 1}")
        assert self.buttons[f"key{len(keys)}"].parent is None

    def test_left_and_right_are_named(self) -> None:
        assert (self.screen.left_letter, self.screen.right_letter) == ("R", "L")

    def test_both_languages_at_once(self) -> None:
        assert "Slice" in self.screen.caption
        self.context.language = "ja"
        self.advance_frames(2)
        assert "スライス" in self.screen.caption
        assert "山田" in self.screen.caption
        assert self.screen.findings.startswith("血腫量")
        assert self.buttons["bone"].text == "骨条件"
        assert "血腫面積" in self.screen.strip_text

    def test_names_are_hidden_where_the_settings_say_so(self) -> None:
        assert "Yamada" in self.screen.caption
        settings.set_hides_names(self.store, True)
        self.screen.on_show()
        assert "Yamada" not in self.screen.caption
        assert "P1" not in self.screen.caption


class TestOverlays(ReadingCase):
    def edge(self) -> tuple[int, int]:
        """An outline pixel on the left side of the clot, zoomed so that it can be hit."""
        mask = self.found.mask[int(self.viewer.index)]
        self.viewer.zoom = 3.0
        places = np.argwhere(mask & ~np.roll(mask, 1, axis=1))
        row, column = places[len(places) // 2]
        return int(row), int(column)

    def grey(self, place: tuple[int, int]) -> int:
        return int(luminance(self.volume.hu[int(self.viewer.index)], self.viewer.window)[place])

    def test_the_slice_is_drawn_in_its_window(self) -> None:
        self.viewer.show_outline = False
        self.viewer.zoom = 6.0
        for window in (PRESETS["brain"], PRESETS["bone"], HUWindow(60, 70)):
            self.viewer.window = window
            for place in ((80, 80), (75, 84)):
                near = luminance(self.volume.hu[int(self.viewer.index)], window)[
                    place[0] - 1 : place[0] + 2, place[1] - 1 : place[1] + 2
                ].astype(int)
                shown = self.drawn_at(*place)
                assert len(set(shown)) == 1
                assert near.min() - 2 <= shown[0] <= near.max() + 2

    def test_an_outline_s_opacity_blends_it_with_the_slice(self) -> None:
        place = self.edge()
        seen = []
        for opacity in (1.0, 0.5, 0.1):
            self.viewer.outline_opacity = opacity
            red, _, blue = self.drawn_at(*place)
            seen.append(red - blue)
            assert red - blue == pytest.approx(195 * opacity, abs=6)
        assert seen == sorted(seen, reverse=True)

    def test_outline_and_heat_by_their_tools(self) -> None:
        place = self.edge()
        self.tap("overlay")
        self.tap("outline")
        assert len(set(self.drawn_at(*place))) == 1
        self.tap("heat")
        hot = self.drawn_at(*place)
        assert len(set(hot)) > 1
        self.tap("heat")
        assert len(set(self.drawn_at(*place))) == 1

    def test_a_slider_sets_the_opacity_and_shows_the_layer(self) -> None:
        self.tap("overlay")
        slider = self.buttons["heat_opacity"].slider
        left, right = slider.x + slider.padding, slider.right - slider.padding
        self.drag(
            slider.to_window(left + 0.1 * (right - left), slider.center_y),
            slider.to_window(left + 0.8 * (right - left), slider.center_y),
        )
        assert self.viewer.heat_opacity == pytest.approx(0.1 + 0.8 * 0.9, abs=0.06)
        assert self.viewer.show_heat
        assert self.buttons["heat_opacity"].text == f"{self.viewer.heat_opacity * 100:.0f} %"

    def test_hold_to_hide_hides_everything_while_it_is_held(self) -> None:
        place = self.edge()
        assert len(set(self.drawn_at(*place))) > 1
        hide = self.buttons["hide"]
        touch = self.finger(hide.to_window(*hide.center))
        assert len(set(self.drawn_at(*place))) == 1
        touch.touch_up()
        self.advance_frames(2)
        assert len(set(self.drawn_at(*place))) > 1

    def test_the_marker_tool_changes_map_line_and_threshold(self) -> None:
        self.tap("overlay")
        assert self.viewer.marker == 0
        index = next(one.index for one in self.found.slices if one.probabilities)
        first = self.strip.probabilities[index]
        self.tap("marker")
        assert self.viewer.marker == 1
        assert self.strip.probabilities[index] < first
        assert self.strip.threshold == self.found.markers["irregular"].threshold
        assert "Margin irregularity" in self.screen.strip_text

    def test_textures_are_made_once(self) -> None:
        def textures() -> list[int]:
            return [id(one) for layer in self.viewer._layers.values() for one in layer.textures]

        self.viewer.show_heat = True
        for index in (2, 3, 2, 3):
            self.viewer.index = index
            self.advance_frames(1)
        before = sorted(textures())
        assert len(before) == 6
        for index in (0, 2, 3, 4):
            self.viewer.index, self.viewer.window = index, HUWindow(0, 80 + index)
            self.advance_frames(1)
        assert sorted(textures()) == before

    def test_an_outline_stays_whole_where_the_slice_is_small(self) -> None:
        self.viewer.size_hint = (None, None)
        self.viewer.size = (70, 70)
        drawn = self.drawn()
        yellow = (drawn[..., 0] - drawn[..., 2]) > 60
        radius = 20 / 1.5 * 70 / 160
        # A whole circle has a pixel on the way out in every direction.
        assert yellow.sum() >= 0.9 * 2 * math.pi * (radius - 1)


class TestRunning(ReadingCase):
    def test_slices_appear_as_they_come(self) -> None:
        context = self.context
        context.running = True
        context.result = context.result_id = context.correction = None
        context.volume = None
        context.volume = self.volume
        self.advance_frames(2)
        assert "provisional" in self.screen.findings
        assert self.buttons["brush"].disabled
        one = next(one for one in self.found.slices if one.probabilities)
        mask = self.found.mask[one.index]
        self.viewer.index = one.index
        context.dispatch("on_slice_update", SliceUpdate(index=one.index, mask=mask))
        assert self.strip.areas[one.index] == pytest.approx(one.blood_area_mm2)
        assert self.strip.probabilities[one.index] is None
        drawn = self.drawn()
        assert ((drawn[..., 0] - drawn[..., 2]) > 100).any()
        update = SliceUpdate(index=one.index, mask=mask, result=one)
        context.dispatch("on_slice_update", update)
        assert self.strip.probabilities[one.index] == one.probabilities[0]
        context.running = False
        self.open_stored()
        assert "Haematoma" in self.screen.findings
        assert not self.buttons["brush"].disabled

    def test_a_triage_without_result_is_told(self) -> None:
        self.context.result = None
        self.advance_frames(2)
        assert self.screen.findings == "Not analysed: no result"
        assert self.screen.warns

    def test_a_closed_study_is_gone(self) -> None:
        self.context.close_study()
        self.advance_frames(2)
        assert self.screen.caption.startswith("No study is open")
        assert self.screen.findings == ""
        assert not self.drawn().any()
        x, y = self.viewer.center
        self.drag((x, y), (x, y + 100))

    def test_a_stored_study_is_opened_by_the_context(self) -> None:
        self.context.close_study()
        self.context.open_study(2)
        assert "Reading the images" in self.screen.caption
        self.finish_jobs()
        assert "Slice" in self.screen.caption
        assert "Haematoma" in self.screen.findings

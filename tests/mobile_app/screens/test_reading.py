from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.tests.common import GraphicUnitTest, UnitTestTouch

from hemx_core.imaging.spec import HUWindow
from hemx_core.triage import triage_volume
from mobile_app.screens.reading import Reading
from mobile_app.screens.result import Result
from mobile_app.widgets.picture import luminance
from tests.factories import ThresholdModels, simple_head


def touch_at(x: float, y: float) -> UnitTestTouch:
    return UnitTestTouch(x, y)


class TestReading(GraphicUnitTest):
    framecount = 0

    def setUp(self) -> None:
        super().setUp()
        self.volume = simple_head(clot_mm=20)
        self.found = triage_volume(self.volume, ThresholdModels(logits=(3.0, -2.0, -2.0, -2.0)))
        self.screen = Reading()
        self.render(self.screen)
        self.screen.open(self.volume)
        self.screen.finish(self.found)
        self.advance_frames(3)
        self.viewer = self.screen.viewer

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        touch = touch_at(*begin)
        touch.touch_down()
        touch.touch_move(*end)
        touch.touch_up()
        self.advance_frames(2)

    def tap(self, widget: object) -> None:
        touch = touch_at(*widget.to_window(*widget.center))
        touch.touch_down()
        touch.touch_up()
        self.advance_frames(2)

    def drawn(self) -> np.ndarray:
        """The screen's pixels, RGB, top row first."""
        picture = self.screen.export_as_image().texture
        pixels = np.frombuffer(picture.pixels, np.uint8)
        return pixels.reshape(picture.height, picture.width, 4)[..., :3].astype(int)

    def test_opens_on_the_slice_of_the_largest_area(self) -> None:
        areas = [one.blood_area_mm2 for one in self.found.slices]
        assert self.viewer.index == areas.index(max(areas))

    def test_a_drag_scrolls_and_stops_at_the_ends(self) -> None:
        x, y = self.viewer.center
        self.drag((x, y), (x, y + 2000))
        assert self.viewer.index == len(self.volume.hu) - 1
        self.drag((x, y), (x, y - 2000))
        assert self.viewer.index == 0
        assert self.screen.strip.index == 0

    def test_a_tap_reads_the_pixel_under_it(self) -> None:
        touch = touch_at(*self.viewer.to_screen(80, 90))
        touch.touch_down()
        touch.touch_up()
        assert self.viewer.pixel == (80, 90)
        assert f"{self.volume.hu[int(self.viewer.index), 80, 90]} HU" in self.screen.readings

    def test_a_measured_distance_is_in_millimetres(self) -> None:
        self.tap(self.screen.buttons["measure"])
        self.drag(self.viewer.to_screen(80, 60), self.viewer.to_screen(110, 100))
        assert self.viewer.ruler_mm() == pytest.approx(50 * 1.5, abs=0.1)

    def test_a_pinch_zooms_between_the_fingers(self) -> None:
        x, y = self.viewer.center
        before = self.viewer.to_slice(x, y)
        one, two = touch_at(x - 40, y), touch_at(x + 40, y)
        one.touch_down()
        two.touch_down()
        one.touch_move(x - 80, y)
        two.touch_move(x + 80, y)
        one.touch_up()
        two.touch_up()
        assert self.viewer.zoom == pytest.approx(2.0)
        assert self.viewer.to_slice(x, y) == pytest.approx(before, abs=0.01)
        assert self.viewer.pixel is None

    def test_windows_by_preset_and_by_drag(self) -> None:
        self.tap(self.screen.buttons["stroke"])
        assert self.viewer.window == HUWindow(20, 60)
        self.tap(self.screen.buttons["free"])
        x, y = self.viewer.center
        self.drag((x, y), (x + 40, y))
        assert self.viewer.window.upper - self.viewer.window.lower > 40

    def test_pixels_show_window_and_outline_and_hide(self) -> None:
        index = int(self.viewer.index)
        mask = self.found.mask[index]
        self.viewer.zoom = 4.0
        self.advance_frames(2)
        edges = np.argwhere(mask & ~np.roll(mask, 1, axis=1))
        place = edges[len(edges) // 2]
        x, y = self.viewer.to_screen(*place)
        at = (int(self.screen.height - 1 - y), int(x))
        red, _green, blue = self.drawn()[at]
        assert red > 200
        assert blue < 120
        self.viewer.overlays_hidden = True
        self.advance_frames(2)
        shown = self.drawn()[at]
        assert len(set(shown)) == 1
        near = luminance(self.volume.hu[index], self.viewer.window)[
            place[0] - 1 : place[0] + 2, place[1] - 1 : place[1] + 2
        ].astype(int)
        assert near.min() - 2 <= shown[0] <= near.max() + 2

    def test_the_strip_jumps(self) -> None:
        strip = self.screen.strip
        touch = touch_at(*strip.to_window(strip.x + strip.width * 3.5 / 6, strip.center_y))
        touch.touch_down()
        touch.touch_up()
        assert self.viewer.index == 3

    def test_both_languages(self) -> None:
        assert "Slice" in self.screen.caption
        self.screen.language = "ja"
        assert "スライス" in self.screen.caption
        assert self.screen.buttons["bone"].text == "骨"
        assert self.screen.strip_text.startswith("血腫面積")

    def test_result_names_markers_with_their_threshold(self) -> None:
        panel = Result(result=self.found)
        assert "Call a neurosurgical centre now." in panel.told
        assert f"{self.found.markers['hypodensity'].probability:.2f} (threshold" in panel.told
        panel.language = "ja"
        assert "直ちに脳神経外科施設へ連絡してください。" in panel.told

from __future__ import annotations

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.uix.widget import Widget

from hemx_core.report.pictures import KeySlice
from mobile_app import theme
from mobile_app.reading.tools import GROUPS, HEAD, KEYS, ROWS, key_label
from tests.mobile_app.reading.reading_case import ReadingCase

PORTRAITS = ((588, 818), (788, 1138))
LANDSCAPES = ((858, 514), (1178, 714))
"""What the app's frame leaves of 600 x 960, 800 x 1280 and the same turned."""


def test_every_tool_stands_in_both_layouts() -> None:
    for portrait, landscape in (HEAD, *ROWS.values()):
        names = [sorted(name for row in rows for name in row) for rows in (portrait, landscape)]
        assert names[0] == names[1]
        assert len(set(names[0])) == len(names[0])
        assert len(portrait) <= 2


def test_key_slices_say_what_they_show() -> None:
    keys = (KeySlice(3, ("largest_area", "hypodensity")), KeySlice(6, ()))
    assert key_label("en", keys, 0, in_full=False) == "4\nlargest +1"
    assert key_label("en", keys, 0, in_full=True) == "4: largest, hypodense"
    assert key_label("ja", keys, 0, in_full=True) == "4：最大面積、低吸収域"
    assert key_label("en", keys, 1, in_full=False) == "7\nblood"
    assert key_label("en", (KeySlice(6, ()),), 0, in_full=False) == "7\noverview"
    assert key_label("en", keys, 2, in_full=False) == ""


def inside(widget: Widget, frame: Widget) -> bool:
    x, y = widget.to_window(widget.x, widget.y)
    left, low = frame.to_window(frame.x, frame.y)
    return (
        x >= left - 1
        and y >= low - 1
        and x + widget.width <= left + frame.width + 1
        and y + widget.height <= low + frame.height + 1
    )


class TestTurned(ReadingCase):
    def turn(self, size: tuple[int, int]) -> None:
        self.screen.size_hint = (None, None)
        self.screen.size = size
        self.advance_frames(3)

    def check_group(self, name: str) -> None:
        rows = ROWS[name][self.screen.tools.landscape]
        tools = [tool for row in rows for tool in row]
        for tool in [*tools, *GROUPS, "hide"]:
            button = self.buttons[tool]
            if tool in KEYS and button.parent is None:
                continue
            assert button.height >= theme.TARGET, tool
            assert button.width >= theme.TARGET, tool
            assert inside(button, self.screen), tool
            if hasattr(button, "texture_size"):
                assert button.texture_size[1] <= button.height, (tool, button.text)

    def test_portrait_leaves_the_slice_its_width_and_the_tools_a_quarter(self) -> None:
        for size in PORTRAITS:
            self.turn(size)
            for name in GROUPS:
                self.screen.tools.group = name
                self.advance_frames(2)
                assert self.screen.orientation == "vertical"
                assert self.screen.tools.height <= size[1] / 4
                assert self.viewer.frame()[2] >= 0.97 * size[0]
                assert self.viewer.width == size[0]
                self.check_group(name)

    def test_landscape_leaves_the_slice_the_height_but_for_the_strip(self) -> None:
        for size in LANDSCAPES:
            self.turn(size)
            for name in GROUPS:
                self.screen.tools.group = name
                self.advance_frames(2)
                assert self.screen.orientation == "horizontal"
                assert self.screen.tools.width <= size[0] / 4 + 1
                assert self.viewer.height >= size[1] - theme.TARGET * 1.7
                self.check_group(name)

    def test_japanese_labels_fit(self) -> None:
        self.context.language = "ja"
        for size in (PORTRAITS[0], LANDSCAPES[0]):
            self.turn(size)
            for name in GROUPS:
                self.screen.tools.group = name
                self.advance_frames(2)
                self.check_group(name)

    def test_turning_keeps_slice_window_and_group(self) -> None:
        self.turn(PORTRAITS[0])
        self.tap("window")
        self.tap("bone")
        self.viewer.index = 4
        self.turn(LANDSCAPES[0])
        assert self.viewer.index == 4
        assert self.buttons["bone"].state == "down"
        assert self.screen.tools.group == "window"
        self.tap("stroke")
        assert self.viewer.window.upper == 60
        self.drag(*self.on_slice((80, 90)))
        assert self.viewer.pixel == (80, 90)

    def test_the_open_group_again_gives_the_slice_its_room(self) -> None:
        self.turn(PORTRAITS[0])
        before = self.viewer.height
        self.tap("view")
        assert self.screen.tools.group == ""
        assert self.viewer.height >= before + 2 * theme.TARGET
        self.tap("view")
        assert self.viewer.height == before

    def test_a_low_window_scrolls_its_tools(self) -> None:
        self.turn((700, 330))
        self.tap("correct")
        scroll = self.screen.tools._scroll
        assert scroll.do_scroll_y
        x, y = scroll.to_window(*scroll.center)
        self.drag((x, y), (x, y + 60), (x, y + 200))
        self.advance_frames(30)
        assert scroll.scroll_y < 1

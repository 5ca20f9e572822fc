"""Colours and sizes for a dark reading room, all in one place."""

from __future__ import annotations

from pathlib import Path

from kivy.core.text import LabelBase
from kivy.lang import Builder
from kivy.metrics import dp, sp

import hemx_core

BACKGROUND = (0.05, 0.055, 0.065, 1)
SURFACE = (0.11, 0.12, 0.14, 1)
RAISED = (0.19, 0.21, 0.24, 1)
PRESSED = (0.13, 0.38, 0.52, 1)
TEXT = (0.90, 0.91, 0.92, 1)
MUTED = (0.64, 0.67, 0.70, 1)
DISABLED = (0.42, 0.45, 0.48, 1)
LINE = (0.27, 0.29, 0.32, 1)
ACCENT = (0.36, 0.72, 0.90, 1)
PRIMARY = (0.10, 0.33, 0.47, 1)
DANGER = (0.50, 0.16, 0.15, 1)
ALARM = (1.0, 0.45, 0.40, 1)
CAUTION = (1.0, 0.78, 0.35, 1)
BLOOD = (0.85, 0.33, 0.33, 1)
MARKER = (1.0, 0.86, 0.25, 1)

TARGET = dp(48)
"""Smallest side of what is touched."""
GAP = dp(6)
BODY = sp(15)
SMALL = sp(13)
LARGE = sp(21)
RADIUS = dp(6)
LINE_HEIGHT = sp(22)
LEADING = 1.15
"""Of text on several lines: the font alone sets Japanese lines so that they touch."""
ROW_HEIGHT = LINE_HEIGHT * 3 + sp(42) + GAP * 2
"""A study in the list: patient, facts, advice on two lines, findings."""

FONT = Path(hemx_core.__file__).parent / "assets" / "fonts" / "BIZUDPGothic-Regular.ttf"


def register_font() -> None:
    """Give every widget the font with Latin and Japanese: "Roboto" is Kivy's default name."""
    LabelBase.register("Roboto", fn_regular=str(FONT))


# The last rule wins: those of Kivy's own widgets must stand before the rules of any widget made of them.
Builder.load_string(
    """
#:import theme mobile_app.theme

<Label>:
    color: theme.TEXT
    font_size: theme.BODY

<Button>:
    background_normal: ""
    background_down: ""
    background_disabled_normal: ""
    background_color: theme.PRESSED if self.state == "down" else theme.RAISED
    color: theme.TEXT
    disabled_color: theme.DISABLED
    font_size: theme.SMALL
    size_hint_y: None
    height: theme.TARGET
    halign: "center"
    valign: "middle"
    text_size: self.width, None

<TextInput>:
    background_normal: ""
    background_active: ""
    background_disabled_normal: ""
    disabled_foreground_color: theme.DISABLED
    background_color: theme.RAISED
    foreground_color: theme.TEXT
    hint_text_color: theme.MUTED
    cursor_color: theme.TEXT
    font_size: theme.BODY
    padding: theme.GAP * 2, (self.height - self.line_height) / 2
    size_hint_y: None
    height: theme.TARGET
    multiline: False
    write_tab: False
"""
)

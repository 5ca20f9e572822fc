"""A slider with its value written beside it."""

from __future__ import annotations

from kivy.lang import Builder
from kivy.properties import NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

Builder.load_string(
    """
#:import theme mobile_app.theme
#:import dp kivy.metrics.dp

<LevelSlider>:
    label: label
    slider: slider
    size_hint_y: None
    height: theme.TARGET
    Label:
        id: label
        text: root.text
        font_size: theme.SMALL
        halign: "center"
        valign: "middle"
        text_size: self.size
        size_hint_x: None
        width: theme.TARGET * 1.3
        color: theme.DISABLED if root.disabled else theme.TEXT
    Slider:
        id: slider
        min: root.min
        max: root.max
        step: root.step
        value: root.value
        value_track: True
        value_track_color: theme.ACCENT
        value_track_width: dp(3)
        cursor_size: dp(30), dp(30)
        padding: dp(18)
        on_value: root.value = self.value
"""
)


class LevelSlider(BoxLayout):
    """`value` from `min` to `max` in `step`; `text` says it."""

    value = NumericProperty(0.0)
    min = NumericProperty(0.0)
    max = NumericProperty(1.0)
    step = NumericProperty(0.05)
    text = StringProperty()

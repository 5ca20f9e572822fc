"""The line on top: what the app does or found last and a way to stop it; else which study is open."""

from __future__ import annotations

from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from mobile_app.widgets import buttons  # noqa: F401  (the layout names its widgets)

Builder.load_string(
    """
#:import theme mobile_app.theme

<StatusLine>:
    size_hint_y: None
    height: theme.TARGET
    padding: theme.GAP, 0
    spacing: theme.GAP
    BoxLayout:
        orientation: "vertical"
        Label:
            id: told
            text: root.told
            text_size: self.width, self.height
            halign: "left"
            valign: "middle"
            shorten: True
            shorten_from: "right"
            max_lines: 2
        Widget:
            size_hint_y: None
            height: theme.GAP
            canvas:
                Color:
                    rgba: theme.LINE if root.busy else (0, 0, 0, 0)
                Rectangle:
                    pos: self.pos
                    size: self.size
                Color:
                    rgba: theme.ACCENT if root.busy else (0, 0, 0, 0)
                Rectangle:
                    pos: self.pos
                    size: self.width * root.share, self.height
    ActionButton:
        id: cancel
        text: root.cancel_text
        size_hint_x: None
        width: theme.TARGET * 2.2 if root.busy else 0
        opacity: 1 if root.busy else 0
        disabled: not root.busy
        on_release: root.dispatch("on_cancel")
"""
)


class StatusLine(BoxLayout):
    """One line, always there, so that nothing below it moves."""

    told = StringProperty()
    busy = BooleanProperty(False)
    share = NumericProperty(0.0)
    """Part done, 0 to 1."""
    cancel_text = StringProperty()

    __events__ = ("on_cancel",)

    def on_cancel(self) -> None:
        """Nothing by default."""

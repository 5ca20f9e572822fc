"""One of a few: buttons side by side; the one that counts is bold and filled."""

from __future__ import annotations

from collections.abc import Mapping

from kivy.properties import StringProperty
from kivy.uix.stacklayout import StackLayout
from kivy.uix.togglebutton import ToggleButton

from mobile_app import theme


class Choices(StackLayout):
    """`on_chosen(key)` tells what the user touched; setting `current` tells nothing.

    Args:
        labels: key to label, in order.
    """

    current = StringProperty("")

    __events__ = ("on_chosen",)

    def __init__(self, labels: Mapping[str, str], **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.buttons: dict[str, ToggleButton] = {}
        for key in labels:
            button = ToggleButton(
                group=f"choices{id(self)}",
                allow_no_selection=False,
                size_hint_x=None,
                width=theme.TARGET * 2.6,
            )
            button.bind(on_release=lambda _button, key=key: self._touched(key))
            self.buttons[key] = button
            self.add_widget(button)
        self.label(labels)
        self.fbind("current", self._show)
        self._show()

    def label(self, labels: Mapping[str, str]) -> None:
        """Put other words on the buttons."""
        for key, told in labels.items():
            self.buttons[key].text = told

    def on_chosen(self, _key: str) -> None:
        """Nothing by default."""

    def _touched(self, key: str) -> None:
        self.current = key
        self.dispatch("on_chosen", key)

    def _show(self, *_ignored: object) -> None:
        for key, button in self.buttons.items():
            button.state = "down" if key == self.current else "normal"
            button.bold = key == self.current

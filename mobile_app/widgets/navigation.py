"""The way between the screens: a bar below in portrait, a rail at the left in landscape."""

from __future__ import annotations

from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.togglebutton import ToggleButton

from mobile_app import theme
from mobile_app.i18n import text


class Navigation(BoxLayout):
    """One button a screen; `on_chosen(name)` tells what was touched.

    Args:
        names: of the screens, in order.
    """

    language = StringProperty("en")
    current = StringProperty("")
    upright = BooleanProperty(False)
    """Portrait: the buttons stand side by side."""

    __events__ = ("on_chosen",)

    def __init__(self, names: tuple[str, ...], **kwargs: object) -> None:
        super().__init__(spacing=theme.GAP / 3, **kwargs)
        self.buttons: dict[str, ToggleButton] = {}
        for name in names:
            button = ToggleButton(group=f"screens{id(self)}", allow_no_selection=False)
            button.size_hint_y = 1
            button.fbind("on_release", lambda _button, name=name: self.dispatch("on_chosen", name))
            self.buttons[name] = button
            self.add_widget(button)
        for name in ("language", "current", "upright"):
            self.fbind(name, self._show)
        self._show()

    def on_chosen(self, _name: str) -> None:
        """Nothing by default."""

    def _show(self, *_ignored: object) -> None:
        self.orientation = "horizontal" if self.upright else "vertical"
        if self.upright:
            self.size_hint, self.height = (1, None), theme.TARGET * 1.15
        else:
            self.size_hint, self.width = (None, 1), theme.TARGET * 2
        for name, button in self.buttons.items():
            button.text = text(self.language, f"app.{name}")
            button.state = "down" if name == self.current else "normal"
            button.bold = name == self.current

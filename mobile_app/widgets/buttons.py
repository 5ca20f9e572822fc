"""Buttons, choices, cards and headings of all screens; the popup before what cannot be undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kivy.factory import Factory
from kivy.lang import Builder
from kivy.properties import ColorProperty, NumericProperty, OptionProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.button import Button
from kivy.uix.label import Label
from kivy.uix.modalview import ModalView
from kivy.uix.scrollview import ScrollView
from kivy.uix.stacklayout import StackLayout
from kivy.uix.togglebutton import ToggleButton
from kivy.uix.widget import Widget

from mobile_app import theme

__all__ = [
    "ActionButton",
    "Card",
    "Choices",
    "Heading",
    "Sheet",
    "Wrapped",
    "confirm",
    "level",
]


Builder.load_string(
    """
#:import theme mobile_app.theme

<TouchButton>:
    background_color: 0, 0, 0, 0
    font_size: theme.BODY
    line_height: theme.LEADING
    height: max(theme.TARGET, self.texture_size[1] + theme.GAP * 2)
    text_size: self.width - theme.GAP * 2, None
    canvas.before:
        Color:
            rgba: self.fill
        RoundedRectangle:
            pos: self.pos
            size: self.size
            radius: [theme.RADIUS]

<Wrapped>:
    size_hint_y: None
    line_height: theme.LEADING
    height: self.texture_size[1]
    text_size: self.width, None
    halign: "left"

<Heading>:
    font_size: theme.LARGE

<Card>:
    orientation: "vertical"
    size_hint_y: None
    height: self.minimum_height
    padding: theme.GAP * 2
    spacing: theme.GAP
    canvas.before:
        Color:
            rgba: self.fill
        RoundedRectangle:
            pos: self.pos
            size: self.size
            radius: [theme.RADIUS]

<Sheet>:
    background: ""
    background_color: theme.BACKGROUND
    overlay_color: 0, 0, 0, 0.7
"""
)

FILLS = {"plain": theme.RAISED, "primary": theme.PRIMARY, "danger": theme.DANGER}


class TouchButton(Button):
    """A button with its label in full: it grows with a wrapped text.

    `kind` is 'plain', 'primary' (what one usually wants) or 'danger' (what cannot be undone).
    """

    kind = OptionProperty("plain", options=tuple(FILLS))
    fill = ColorProperty(theme.RAISED)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name in ("kind", "state", "disabled"):
            self.fbind(name, self._fill)
        self._fill()

    def _fill(self, *_ignored: object) -> None:
        # The theme's rule for every button paints a rectangle with each change of state.
        self.background_color = (0, 0, 0, 0)
        plain = theme.SURFACE if self.disabled else FILLS[self.kind]
        self.fill = theme.PRESSED if self.state == "down" else plain


ActionButton = TouchButton
"""Kivy has a class of this name, whose rules would apply to ours: hence the other name."""
Factory.unregister("ActionButton")
Factory.register("ActionButton", cls=TouchButton)


class Wrapped(Label):
    """Text as wide as its parent and as high as it needs."""


class Heading(Wrapped):
    """A heading."""


class Card(BoxLayout):
    """A surface that groups what belongs together; as high as its content."""

    fill = ColorProperty(theme.SURFACE)


class Sheet(ModalView):
    """A popup that fits every screen: at most `widest` wide, as high as its content or the window.

    The app's lock puts it away and brings it back. `body` takes the content.
    """

    widest = NumericProperty(theme.TARGET * 12)

    def __init__(self, **kwargs: object) -> None:
        kwargs.setdefault("size_hint", (None, None))
        super().__init__(**kwargs)
        self.body = BoxLayout(
            orientation="vertical", size_hint_y=None, padding=theme.GAP * 3, spacing=theme.GAP * 2
        )
        self.scroll = ScrollView(do_scroll_x=False, bar_width=theme.GAP)
        self.scroll.add_widget(self.body)
        self.add_widget(self.scroll)
        self.body.fbind("minimum_height", self._fit)

    def open(self, *args: object, **kwargs: object) -> None:
        """Show it, without an animation: nothing moves by itself."""
        from kivy.core.window import Window

        Window.fbind("size", self._fit)
        self._fit()
        super().open(*args, **kwargs | {"animation": False})

    def dismiss(self, *args: object, **kwargs: object) -> None:
        """Close it."""
        super().dismiss(*args, **kwargs | {"animation": False})

    def on_dismiss(self) -> None:
        """Stop listening to the window."""
        from kivy.core.window import Window

        Window.funbind("size", self._fit)

    def _fit(self, *_ignored: object) -> None:
        from kivy.core.window import Window

        margin = theme.GAP * 4
        self.body.height = self.body.minimum_height
        self.width = min(self.widest, Window.width - margin)
        self.height = min(self.body.minimum_height, Window.height - margin)


def level(*widgets: Widget) -> BoxLayout:
    """A row as high as the highest in it; all begin at its top."""
    row = BoxLayout(size_hint_y=None, spacing=theme.GAP)
    for widget in widgets:
        widget.pos_hint = {"top": 1}
        widget.fbind(
            "height", lambda *_: setattr(row, "height", max(each.height for each in widgets))
        )
        row.add_widget(widget)
    return row


def confirm(
    *,
    title: str,
    message: str,
    yes: str,
    no: str,
    on_yes: Callable[[], None],
    kind: str = "danger",
) -> Sheet:
    """Ask before something that cannot be undone; the safe answer stands first.

    Args:
        title: the question.
        message: what will happen.
        yes: the label that does it; a verb, not "Yes".
        no: the label that leaves everything as it is.
        on_yes: does it.
        kind: of the button `yes`.
    """
    sheet = Sheet()
    keep = ActionButton(text=no)
    keep.bind(on_release=lambda *_: sheet.dismiss())
    act = ActionButton(text=yes, kind=kind)

    def agreed(*_ignored: object) -> None:
        sheet.dismiss()
        on_yes()

    act.bind(on_release=agreed)
    answers = BoxLayout(size_hint_y=None, height=theme.TARGET, spacing=theme.GAP * 2)
    for button in (keep, act):
        button.fbind("height", lambda *_: setattr(answers, "height", max(keep.height, act.height)))
        answers.add_widget(button)
    for widget in (Heading(text=title), Wrapped(text=message), answers):
        sheet.body.add_widget(widget)
    sheet.yes, sheet.no = act, keep
    sheet.open()
    return sheet


class Choices(StackLayout):
    """`on_chosen(key)` reports the user's touch; setting `current` does not call it.

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

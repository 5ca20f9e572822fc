"""The tools of the Reading screen, in five groups of which one is open."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.lang import Builder
from kivy.properties import (
    BooleanProperty,
    ListProperty,
    NumericProperty,
    OptionProperty,
    StringProperty,
)
from kivy.uix.behaviors import ToggleButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from hemx_core.labels.answers import Answer
from hemx_core.markers import MARKER_CODES
from hemx_core.report.pictures import KeySlice
from hemx_core.words.report import Texts
from mobile_app import theme
from mobile_app.i18n import text
from mobile_app.reading.answers import MarkerAnswers
from mobile_app.reading.correction import MAX_RADIUS_MM, MIN_RADIUS_MM, MaskCorrection
from mobile_app.widgets.buttons import ActionButton
from mobile_app.widgets.picture import PRESETS
from mobile_app.widgets.slice_viewer import SliceViewer
from mobile_app.work.answer_words import answer_name, question_name

GROUPS = ("view", "window", "overlay", "correct", "answer")
MODES = {"view": ("scroll", "measure"), "window": ("free",), "correct": ("brush", "erase")}
KEYS = tuple(f"key{place}" for place in range(5))
ANSWERS = tuple(str(answer) for answer in Answer)
ASKED = ("question", "here", *ANSWERS)

Rows = tuple[tuple[str, ...], ...]
HEAD: tuple[Rows, Rows] = (
    (("view", "window", "overlay", "correct", "answer", "hide"),),
    (("view", "window"), ("overlay", "correct"), ("answer", "hide")),
)
"""Names by row: below the slice in portrait, at its side in landscape."""

ROWS: dict[str, tuple[Rows, Rows]] = {
    "view": (
        (("scroll", "measure", "fit"), KEYS),
        (("scroll", "measure"), ("fit",), KEYS[:2], KEYS[2:4], KEYS[4:]),
    ),
    "window": (
        (("brain", "subdural", "stroke", "bone", "free"),),
        (("brain", "subdural"), ("stroke", "bone"), ("free",)),
    ),
    "overlay": (
        (("outline", "outline_opacity", "marker"), ("heat", "heat_opacity")),
        (("outline",), ("outline_opacity",), ("heat",), ("heat_opacity",), ("marker",)),
    ),
    "correct": (
        (("brush", "erase", "radius"), ("undo", "redo", "discard", "network", "save")),
        (("brush", "erase"), ("radius",), ("undo", "redo"), ("discard", "network"), ("save",)),
    ),
    "answer": (
        (("question", "here"), ANSWERS),
        (("question",), ANSWERS[:2], ANSWERS[2:], ("here",)),
    ),
}
WIDE = {"outline_opacity": 2.0, "heat_opacity": 3.0, "radius": 1.6}
"""Shares of a row, where others have 1."""


def key_label(language: str, keys: Sequence[KeySlice], place: int, *, in_full: bool) -> str:
    """Number of a key slice and what it shows; empty where there are fewer.

    Args:
        keys: all of them.
        place: which.
        in_full: everything that it shows, or the first and how many more.
    """
    if place >= len(keys):
        return ""
    shows = [text(language, f"reading.key.{code}") for code in keys[place].shows]
    if not shows:
        with_blood = any(key.shows for key in keys)
        told = text(language, f"reading.key.{'blood' if with_blood else 'none'}")
    elif len(shows) == 1 or in_full:
        told = text(language, "reading.list").join(shows)
    else:
        told = text(language, "reading.key.more", first=shows[0], count=len(shows) - 1)
    key = "reading.key_in_full" if in_full else "reading.key"
    return text(language, key, number=keys[place].index + 1, shows=told)


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


class Toggle(ToggleButtonBehavior, ActionButton):
    """A button that stays down."""


class ReadingTools(BoxLayout):
    """A head to choose the group (the open one again: none, and the slice gets the room), and its tools.

    A group's mode (measuring, drawing) ends with the group: nobody draws by accident.

    Args:
        viewer: what the tools act on.
        correction, answers: likewise.
    """

    group = OptionProperty("view", options=(*GROUPS, ""))
    landscape = BooleanProperty(False)
    language = StringProperty("en")
    marker = NumericProperty(0)
    keys = ListProperty()
    """Slices worth a look."""

    def __init__(
        self,
        viewer: SliceViewer,
        correction: MaskCorrection,
        answers: MarkerAnswers,
        **kwargs: object,
    ) -> None:
        super().__init__(orientation="vertical", spacing=theme.GAP, **kwargs)
        self.viewer, self.correction, self.answers = viewer, correction, answers
        self.buttons: dict[str, Widget] = {}
        self._make_head()
        self._make_view()
        self._make_overlay()
        self._make_correct()
        self._make_answer()
        self._head, self._panel = (
            BoxLayout(orientation="vertical", spacing=theme.GAP, size_hint_y=None) for _ in range(2)
        )
        for box in (self._head, self._panel):
            box.fbind("minimum_height", lambda widget, height: setattr(widget, "height", height))
        self._scroll = ScrollView(do_scroll_x=False)
        self._scroll.add_widget(self._panel)
        for name in ("height", "minimum_height"):
            self._panel.fbind(name, self._fit)
        self._scroll.fbind("height", self._fit)
        self.add_widget(self._head)
        self.add_widget(self._scroll)
        for name in ("group", "landscape", "keys"):
            self.fbind(name, self._lay_out)
        for name in ("language", "marker", "keys", "landscape"):
            self.fbind(name, self.translate)
        viewer.fbind("window", self._show_window)
        viewer.fbind("index", self._show_answers)
        correction.bind(on_standing=self._show_standing)
        answers.bind(on_answers=self._show_answers)
        self._lay_out()
        self.translate()
        self._show_window()
        self._show_standing()

    def translate(self, *_ignored: object) -> None:
        """Write every label in the language."""
        for name, button in self.buttons.items():
            if name in GROUPS:
                button.text = text(self.language, f"reading.group.{name}")
            elif name in KEYS:
                keys, place = self.keys, KEYS.index(name)
                button.text = key_label(self.language, keys, place, in_full=self.landscape)
            elif name not in WIDE and name not in ASKED:
                named = {"marker": Texts(self.language).sign(MARKER_CODES[int(self.marker)])}
                button.text = text(self.language, f"reading.{name}", **named)
        for name in ("outline_opacity", "heat_opacity"):
            slider = self.buttons[name]
            slider.text = text(self.language, "reading.opacity", percent=slider.value * 100)
        radius = self.buttons["radius"]
        radius.text = text(self.language, "reading.radius", mm=radius.value)
        self._show_answers()

    def _tool(self, name: str, button: ActionButton, released: object = None) -> ActionButton:
        button.font_size = theme.SMALL
        button.size_hint_y = 1
        if released is not None:
            button.bind(on_release=released)
        self.buttons[name] = button
        return button

    def _make_head(self) -> None:
        for name in GROUPS:
            button = self._tool(name, Toggle(group=f"group{id(self)}"), self._choose_group)
            button.state = "down" if name == self.group else "normal"
        hide = self._tool("hide", ActionButton())
        hide.fbind("state", self._hold)

    def _make_view(self) -> None:
        viewer = self.viewer
        for name in ("scroll", "measure", "free", "brush", "erase"):
            button = self._tool(name, Toggle(group=f"mode{id(self)}"), self._choose_mode)
            button.allow_no_selection = name != "scroll"
        self.buttons["scroll"].state = "down"
        self._tool("fit", ActionButton(), lambda *_: viewer.fit())
        for place, name in enumerate(KEYS):
            self._tool(name, ActionButton(), lambda *_, place=place: self._jump(place))
        for name in PRESETS:
            toggle = Toggle(group=f"window{id(self)}", allow_no_selection=False)
            self._tool(name, toggle, lambda *_, name=name: setattr(viewer, "window", PRESETS[name]))

    def _make_overlay(self) -> None:
        viewer = self.viewer
        for name in ("outline", "heat"):
            button = self._tool(name, Toggle())
            button.state = "down" if getattr(viewer, f"show_{name}") else "normal"
            button.fbind("state", lambda _button, state, name=name: self._show(name, state))
            slider = LevelSlider(min=0.1, value=getattr(viewer, f"{name}_opacity"))
            slider.fbind("value", lambda _slider, value, name=name: self._set_opacity(name, value))
            self.buttons[f"{name}_opacity"] = slider
        self._tool("marker", ActionButton(), self._next_marker)

    def _make_correct(self) -> None:
        correction = self.correction
        slider = LevelSlider(
            min=MIN_RADIUS_MM, max=MAX_RADIUS_MM, step=1.0, value=correction.radius_mm
        )
        slider.fbind("value", self._set_radius)
        self.buttons["radius"] = slider
        self.viewer.brush_mm = correction.radius_mm
        for name, act in (
            ("undo", correction.undo),
            ("redo", correction.redo),
            ("discard", correction.discard),
            ("network", correction.to_network),
            ("save", correction.save),
        ):
            self._tool(name, ActionButton(), lambda *_, act=act: act())
        self.buttons["save"].kind = "primary"

    def _make_answer(self) -> None:
        answers, viewer = self.answers, self.viewer
        self._tool("question", ActionButton(), lambda *_: answers.ask_next())
        for answer in Answer:
            toggle = Toggle()
            self._tool(str(answer), toggle, lambda *_, answer=answer: answers.give(answer))
        self._tool("here", Toggle(), lambda *_: answers.mark(int(viewer.index)))

    def _show_answers(self, *_ignored: object) -> None:
        """Show what is asked, what was answered, and whether the slice shown is named for it."""
        answers, code, index = self.answers, self.answers.code, int(self.viewer.index)
        named = {
            "question": question_name(self.language, code),
            "number": int(answers.question) + 1,
        }
        self.buttons["question"].text = text(self.language, "reading.question", **named)
        for answer in Answer:
            button = self.buttons[str(answer)]
            button.text = answer_name(self.language, code, answer)
            button.state = "down" if answer is answers.answer else "normal"
        here = self.buttons["here"]
        here.text = text(self.language, "reading.here", number=index + 1)
        here.state = "down" if answers.is_marked(index) else "normal"
        for name in ASKED:
            can = answers.reading is not None and (name != "here" or answers.takes_slices)
            if self.buttons[name].disabled == can:
                self.buttons[name].disabled = not can

    def _choose_group(self, chosen: Toggle) -> None:
        names = [name for name in GROUPS if self.buttons[name].state == "down"]
        self.group = names[0] if names else ""
        self._set_mode("scroll")

    def _choose_mode(self, chosen: Toggle) -> None:
        down = [
            name for names in MODES.values() for name in names if self.buttons[name].state == "down"
        ]
        self._set_mode(down[0] if down else "scroll")

    def _set_mode(self, mode: str) -> None:
        self.viewer.mode = mode
        for names in MODES.values():
            for name in names:
                self.buttons[name].state = "down" if name == mode else "normal"

    def _hold(self, _button: ActionButton, state: str) -> None:
        self.viewer.overlays_hidden = state == "down"

    def _jump(self, place: int) -> None:
        if place < len(self.keys):
            self.viewer.index = self.keys[place].index

    def _show(self, name: str, state: str) -> None:
        setattr(self.viewer, f"show_{name}", state == "down")

    def _set_opacity(self, name: str, value: float) -> None:
        """An opacity that is changed is meant to be seen."""
        setattr(self.viewer, f"{name}_opacity", value)
        self.buttons[name].state = "down"
        self.translate()

    def _set_radius(self, _slider: LevelSlider, value: float) -> None:
        self.correction.radius_mm = self.viewer.brush_mm = value
        self.translate()

    def _next_marker(self, *_ignored: object) -> None:
        self.marker = (int(self.marker) + 1) % len(MARKER_CODES)

    def _show_window(self, *_ignored: object) -> None:
        for name, window in PRESETS.items():
            self.buttons[name].state = "down" if window == self.viewer.window else "normal"

    def _show_standing(self, *_ignored: object) -> None:
        """Show what can be done with the current mask."""
        editor, may_save = self.correction.editor, self.correction.may_save
        possible = {
            **dict.fromkeys(("brush", "erase", "radius"), editor is not None),
            "undo": editor is not None and editor.can_undo,
            "redo": editor is not None and editor.can_redo,
            "discard": editor is not None and editor.unsaved,
            "network": editor is not None and (editor.corrected or bool(editor.strokes)),
            "save": may_save,
        }
        for name, can in possible.items():
            if self.buttons[name].disabled == can:
                self.buttons[name].disabled = not can
        if editor is None and self.viewer.mode in MODES["correct"]:
            self._set_mode("scroll")

    def _lay_out(self, *_ignored: object) -> None:
        self._fill(self._head, HEAD[self.landscape])
        self._fill(self._panel, ROWS[self.group][self.landscape] if self.group else ())
        self._fit()

    def _fill(self, box: BoxLayout, rows: Rows) -> None:
        for row in box.children:
            row.clear_widgets()
        box.clear_widgets()
        for names in rows:
            row = BoxLayout(size_hint_y=None, height=theme.TARGET, spacing=theme.GAP)
            for name in names:
                if name not in KEYS or KEYS.index(name) < len(self.keys):
                    self.buttons[name].size_hint_x = WIDE.get(name, 1.0)
                    row.add_widget(self.buttons[name])
            if row.children:
                box.add_widget(row)

    def _fit(self, *_ignored: object) -> None:
        """In portrait as high as the open group, in landscape as high as the slice."""
        panel = self._panel.minimum_height
        self._scroll.do_scroll_y = self.landscape and panel > self._scroll.height
        if self.landscape:
            self._stretch(1)
            return
        self._stretch(None)
        self._scroll.height = panel
        gap = theme.GAP if panel else 0
        self.height = self._head.minimum_height + gap + panel

    def _stretch(self, share: float | None) -> None:
        self._scroll.size_hint_y = self.size_hint_y = share

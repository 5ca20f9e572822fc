"""Two studies side by side, or one above the other; scrolling one takes the other to the same height."""

from __future__ import annotations

from kivy.clock import Clock
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label
from kivy.uix.relativelayout import RelativeLayout
from kivy.uix.togglebutton import ToggleButton

from hemx_core.report.pictures import edge_letters
from mobile_app import theme
from mobile_app.compare.comparing import Compared, Side
from mobile_app.compare.linking import Link, Match, link
from mobile_app.i18n import date_time, text
from mobile_app.widgets.buttons import ActionButton, Wrapped, level
from mobile_app.widgets.picture import PRESETS
from mobile_app.widgets.slice_viewer import SliceViewer
from mobile_app.work.study_list import SEPARATOR

WHICH = ("earlier", "later")


class LinkedViewers(BoxLayout):
    """Viewers of both sides with their captions, and the buttons that both obey.

    They stand side by side in portrait too: one above the other, each would be smaller. Unlinked, each
    scrolls by itself; linked again, the two slices that are shown then count as one height.
    """

    language = StringProperty("en")
    linked = BooleanProperty(True)
    link: Link | None = ObjectProperty(None, allownone=True)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(orientation="vertical", spacing=theme.GAP, **kwargs)
        self.viewers = {name: SliceViewer() for name in WHICH}
        self.captions = {name: Wrapped(font_size=theme.SMALL) for name in WHICH}
        self._panes = BoxLayout(spacing=theme.GAP)
        self._letters: dict[tuple[str, str], Label] = {}
        self._sides: dict[str, Side] = {}
        self._follows = False
        self._beyond = ""
        self._window = "brain"
        for name in WHICH:
            self._panes.add_widget(self._picture(name))
            self.viewers[name].fbind("index", self._scrolled, name)
        # In one row: where one caption wraps and the other does not, the pictures stay level.
        self.add_widget(level(*self.captions.values()))
        self.add_widget(self._panes)
        self._make_buttons()
        self._told = Clock.create_trigger(self._tell, -1)
        for name in ("language", "linked", "link"):
            self.fbind(name, lambda *_: self._told())

    def open(self, compared: Compared) -> None:
        """Show both studies, at the later one's largest area of blood."""
        self._sides = {"earlier": compared.earlier, "later": compared.later}
        self.link = link(compared.earlier.result, compared.later.result)
        self.buttons["link"].state = "down"
        self.linked = True
        for name, side in self._sides.items():
            viewer = self.viewers[name]
            viewer.open(side.volume)
            viewer.masks = dict(enumerate(side.result.mask))
            letters = edge_letters(side.volume.geometry)
            for edge in ("left", "right"):
                self._letters[name, edge].text = letters[edge]
            viewer.refresh()
        areas = list(compared.later.result.haematoma.areas_mm2)
        earlier = list(compared.earlier.result.haematoma.areas_mm2)
        if max(areas) > 0:
            self._show("later", areas.index(max(areas)))
        elif max(earlier) > 0:
            self._show("earlier", earlier.index(max(earlier)))
        else:
            self._show("later", len(areas) // 2)

    def close(self) -> None:
        """Show nothing."""
        self._sides, self.link = {}, None
        for viewer in self.viewers.values():
            viewer.close()
        for letter in self._letters.values():
            letter.text = ""
        self._told()

    def _picture(self, name: str) -> RelativeLayout:
        """A viewer with the patient's sides at its edges."""
        place = RelativeLayout()
        place.add_widget(self.viewers[name])
        for edge, x in (("left", 0.02), ("right", 0.98)):
            letter = Label(size_hint=(None, None), size=(theme.TARGET, theme.TARGET))
            letter.pos_hint = {"center_y": 0.5, "x" if edge == "left" else "right": x}
            letter.text_size, letter.valign, letter.halign = letter.size, "middle", edge
            self._letters[name, edge] = letter
            place.add_widget(letter)
        return place

    def _make_buttons(self) -> None:
        row = BoxLayout(size_hint_y=None, height=theme.TARGET, spacing=theme.GAP)
        link_button, outline = ToggleButton(state="down"), ToggleButton(state="down")
        window = ActionButton(font_size=theme.SMALL)
        self.buttons = {"link": link_button, "outline": outline, "window": window}
        link_button.fbind("state", self._link_again)
        outline.fbind("state", self._outlines)
        window.bind(on_release=self._next_window)
        for button in self.buttons.values():
            row.add_widget(button)
        self.add_widget(row)

    def _link_again(self, _button: object, state: str) -> None:
        self.linked = state == "down"
        if self.linked and self.link is not None:
            indices = (int(self.viewers[name].index) for name in WHICH)
            if not self._matches():
                self.link = self.link.by_hand(*indices)

    def _matches(self) -> bool:
        """Whether the two slices are where the link puts them."""
        if self.link is None:
            return False
        earlier, later = (int(self.viewers[name].index) for name in WHICH)
        return self.link.to_later(earlier).index == later or (
            self.link.to_earlier(later).index == earlier
        )

    def _outlines(self, _button: object, state: str) -> None:
        for viewer in self.viewers.values():
            viewer.show_outline = state == "down"

    def _next_window(self, *_ignored: object) -> None:
        names = list(PRESETS)
        self._window = names[(names.index(self._window) + 1) % len(names)]
        for viewer in self.viewers.values():
            viewer.window = PRESETS[self._window]
        self._told()

    def _show(self, name: str, index: int) -> None:
        """Set a slice and have the other study follow, also where the slice was shown already."""
        if int(self.viewers[name].index) == index:
            self._scrolled(name, self.viewers[name], index)
        self.viewers[name].index = index

    def _scrolled(self, name: str, _viewer: object, index: float) -> None:
        if self.linked and self.link is not None and self._sides and not self._follows:
            other = "later" if name == "earlier" else "earlier"
            go = self.link.to_later if name == "earlier" else self.link.to_earlier
            match: Match = go(int(index))
            self._beyond = other if match.beyond else ""
            self._follows = True
            self.viewers[other].index = match.index
            self._follows = False
        self._told()

    def _tell(self, *_ignored: object) -> None:
        language = self.language
        for name in WHICH:
            self.captions[name].text = self._caption(name)
        self.buttons["outline"].text = text(language, "compare.outline")
        shown = text(language, f"compare.window.{self._window}")
        self.buttons["window"].text = text(language, "compare.window", name=shown)
        key = "compare.unlinked"
        if self.linked:
            key = f"compare.anchor.{self.link.anchor}" if self.link else "compare.link"
        self.buttons["link"].text = text(language, key)

    def _caption(self, name: str) -> str:
        told = text(self.language, f"compare.{name}")
        if name not in self._sides:
            return told
        side = self._sides[name]
        at = date_time(self.language, side.result.identity.acquired_at)
        number, count = int(self.viewers[name].index) + 1, len(side.volume.hu)
        where = text(self.language, "compare.slice", number=number, count=count)
        if self.linked and self._beyond == name:
            where += SEPARATOR + text(self.language, "compare.beyond")
        return text(self.language, "compare.caption", study=told, at=at) + f"\n{where}"

"""What is in a folder, in rows that a finger hits: a touch opens a folder and chooses a file.

Kivy's own file chooser has rows of 24 dp on the desktop and headings in English only.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.recycleview import RecycleView
from kivy.uix.recycleview.views import RecycleDataViewBehavior

from mobile_app.i18n import text
from mobile_app.i18n.formats import number

Builder.load_string(
    """
#:import theme mobile_app.theme

<FolderRow>:
    padding: theme.GAP * 2, 0
    spacing: theme.GAP
    canvas.before:
        Color:
            rgba: theme.PRIMARY if self.chosen else theme.RAISED if self.is_folder else theme.SURFACE
        Rectangle:
            pos: self.pos
            size: self.size
    Label:
        text: root.label
        text_size: self.size
        halign: "left"
        valign: "middle"
        shorten: True
        shorten_from: "center"
    Label:
        text: root.size_words
        color: theme.MUTED
        font_size: theme.SMALL
        size_hint_x: None
        width: theme.TARGET * 2
        text_size: self.size
        halign: "right"
        valign: "middle"

<FolderView>:
    viewclass: "FolderRow"
    bar_width: theme.GAP * 1.5
    scroll_type: ["bars", "content"]
    RecycleBoxLayout:
        orientation: "vertical"
        default_size: None, theme.TARGET
        default_size_hint: 1, None
        size_hint_y: None
        height: self.minimum_height
        padding: 0, 0, theme.GAP * 2, 0
        spacing: dp(2)
"""
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder; `size` in bytes, 0 for a folder."""

    name: str
    is_folder: bool
    size: int = 0


def list_folder(folder: Path) -> tuple[Entry, ...]:
    """Folders, then files, by name; hidden ones and what is neither are left out.

    Raises:
        OSError: it cannot be read.
    """
    found = []
    with os.scandir(folder) as entries:
        for one in entries:
            if one.name.startswith("."):
                continue
            try:
                if one.is_dir():
                    found.append(Entry(one.name, True))
                elif one.is_file():
                    found.append(Entry(one.name, False, one.stat().st_size))
            except OSError:
                continue  # a dead link, or a medium that was pulled out
    return tuple(sorted(found, key=lambda one: (not one.is_folder, one.name.casefold())))


class FolderRow(RecycleDataViewBehavior, ButtonBehavior, BoxLayout):
    """One entry; tells the view what was touched."""

    name = StringProperty()
    label = StringProperty()
    size_words = StringProperty()
    is_folder = BooleanProperty(False)
    chosen = BooleanProperty(False)
    view = ObjectProperty(None, allownone=True)

    def on_release(self) -> None:
        """Open or choose it."""
        self.view.touched(self.name, self.is_folder)


class FolderView(RecycleView):
    """The entries of `folder`; `chosen` is the file that was touched, or ''.

    Args:
        context: the app's; its quick worker reads the folder.
        folder: where to begin.
    """

    context = ObjectProperty()
    folder = StringProperty()
    chosen = StringProperty("")
    entries: tuple[Entry, ...] = ()
    unreadable = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fbind("folder", self.read)
        self.fbind("chosen", lambda *_: self._show())
        self.read()

    def read(self, *_ignored: object) -> None:
        """Read the folder; until then its rows are empty."""
        asked, self.chosen, self.entries = self.folder, "", ()
        self._show()

        def work(_report: Any) -> tuple[Entry, ...] | None:
            try:
                return list_folder(Path(asked))
            except OSError:
                return None

        def done(outcome: Any) -> None:
            if asked == self.folder:
                self.unreadable = outcome.value is None
                self.entries = outcome.value or ()
                self.scroll_y = 1
                self._show()

        self.context.quick.run(work, on_done=done)

    def touched(self, name: str, is_folder: bool) -> None:
        """Open a folder; choose a file, or let it go again."""
        path = str(Path(self.folder) / name)
        if is_folder:
            self.folder = path
        else:
            self.chosen = "" if self.chosen == path else path

    def _show(self) -> None:
        self.data = [self._row(one) for one in self.entries]

    def _row(self, one: Entry) -> dict[str, Any]:
        language = self.context.language
        label = text(language, "studies.folder_entry", name=one.name) if one.is_folder else one.name
        return {
            "name": one.name,
            "label": label,
            "is_folder": one.is_folder,
            "chosen": self.chosen == str(Path(self.folder) / one.name),
            "size_words": "" if one.is_folder else size_words(language, one.size),
            "view": self,
        }


def size_words(language: str, size: int) -> str:
    """A file's size: kB below a megabyte, MB from there."""
    if size < 1_000_000:
        return f"{number(language, size / 1000)} kB"
    return f"{number(language, size / 1_000_000, 1)} MB"

"""Choose a study or a folder: a file chooser on the desktop, a picker on Android."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.modalview import ModalView
from kivy.uix.recycleview import RecycleView
from kivy.uix.recycleview.views import RecycleDataViewBehavior

from mobile_app import settings, theme
from mobile_app.i18n import number, text
from mobile_app.widgets.buttons import ActionButton, Heading, Sheet, Wrapped

__all__ = [
    "Entry",
    "FileSheet",
    "FolderRow",
    "FolderSheet",
    "FolderView",
    "SourceSheet",
    "list_folder",
    "size_words",
]


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
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                if entry.is_dir():
                    found.append(Entry(entry.name, True))
                elif entry.is_file():
                    found.append(Entry(entry.name, False, entry.stat().st_size))
            except OSError:
                continue  # a dead link, or a medium that was pulled out
    return tuple(sorted(found, key=lambda entry: (not entry.is_folder, entry.name.casefold())))


class FolderRow(RecycleDataViewBehavior, ButtonBehavior, BoxLayout):
    """One entry; reports a touch to the view."""

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
        self.data = [self._row(entry) for entry in self.entries]

    def _row(self, entry: Entry) -> dict[str, Any]:
        language = self.context.language
        label = (
            text(language, "studies.folder_entry", name=entry.name)
            if entry.is_folder
            else entry.name
        )
        return {
            "name": entry.name,
            "label": label,
            "is_folder": entry.is_folder,
            "chosen": self.chosen == str(Path(self.folder) / entry.name),
            "size_words": "" if entry.is_folder else size_words(language, entry.size),
            "view": self,
        }


def size_words(language: str, size: int) -> str:
    """A file's size: kB below a megabyte, MB from there."""
    if size < 1_000_000:
        return f"{number(language, size / 1000)} kB"
    return f"{number(language, size / 1_000_000, 1)} MB"


DRIVES = ("/media", "/run/media", "/Volumes")
"""Below these a system mounts sticks and CDs."""

Builder.load_string(
    """
#:import theme mobile_app.theme

<FileSheet>:
    background: ""
    background_color: theme.BACKGROUND
    overlay_color: 0, 0, 0, 0.7
    size_hint: 0.96, 0.96
    BoxLayout:
        orientation: "vertical"
        padding: theme.GAP * 2
        spacing: theme.GAP
        Heading:
            text: root.title
        Wrapped:
            text: root.hint
            color: theme.MUTED
        StackLayout:
            id: places
            size_hint_y: None
            height: self.minimum_height
            spacing: theme.GAP
        Wrapped:
            text: root.folder
            font_size: theme.SMALL
        BoxLayout:
            id: view_place
        BoxLayout:
            size_hint_y: None
            height: max(cancel.height, take.height)
            spacing: theme.GAP * 2
            ActionButton:
                id: cancel
                text: root.cancel_text
                size_hint_x: 0.35
                on_release: root.dismiss(animation=False)
            ActionButton:
                id: take
                kind: "primary"
                text: root.take_text
                on_release: root.take()
"""
)


def drives() -> tuple[Path, ...]:
    """Sticks and CDs that are mounted: two levels below their folders, as Linux has users in between."""
    found: list[Path] = []
    for top in map(Path, DRIVES):
        if not top.is_dir():
            continue
        for path in sorted(top.iterdir()):
            try:
                below = sorted(inner for inner in path.iterdir() if inner.is_dir())
            except OSError:
                continue
            mounted = [path] if path.is_mount() else [inner for inner in below if inner.is_mount()]
            found.extend(mounted)
    return tuple(found)


class FileSheet(ModalView):
    """Opens folders by touch; takes the open folder, or the file that is touched.

    Args:
        context: the app's.
        on_path: told what was chosen.
    """

    context = ObjectProperty()
    title = StringProperty()
    hint = StringProperty()
    folder = StringProperty()
    cancel_text = StringProperty()
    take_text = StringProperty()

    def __init__(self, *, on_path: Callable[[Path], object], **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._on_path = on_path
        start = str(settings.import_folder(self.context.store))
        self.view = FolderView(context=self.context, folder=start)
        self.ids.view_place.add_widget(self.view)
        for name in ("folder", "chosen", "unreadable"):
            self.view.fbind(name, self._show)
        self.buttons: dict[str, ActionButton] = {}
        self._add_places()
        self._show()

    def open(self, *args: object, **kwargs: object) -> None:
        """Show it, without an animation."""
        super().open(*args, animation=False, **kwargs)

    @property
    def chosen(self) -> Path:
        """The touched file, else the open folder."""
        return Path(self.view.chosen or self.view.folder)

    def take(self) -> None:
        """Close, and hand it over."""
        chosen = self.chosen
        self.dismiss(animation=False)
        self._on_path(chosen)

    def _add_places(self) -> None:
        home, language = Path.home(), self.context.language
        self._place(text(language, "studies.up"), None)
        self._place(text(language, "studies.place.home"), home)
        for name in ("Desktop", "Documents", "Downloads"):
            if (home / name).is_dir():
                self._place(text(language, f"studies.place.{name}"), home / name)
        for drive in drives():
            self._place(drive.name, drive)

    def _place(self, label: str, folder: Path | None) -> None:
        button = ActionButton(text=label, size_hint_x=None, width=theme.TARGET * 2.8)
        button.font_size = theme.SMALL

        def go(*_ignored: object) -> None:
            self.view.folder = str(folder or Path(self.view.folder).parent)

        button.bind(on_release=go)
        self.buttons[label] = button
        self.ids.places.add_widget(button)

    def _show(self, *_ignored: object) -> None:
        language, chosen = self.context.language, self.chosen
        key = "this_file" if self.view.chosen else "this_folder"
        hint = "unreadable_folder" if self.view.unreadable else "choose_hint"
        self.title = text(language, "studies.choose_title")
        self.hint = text(language, f"studies.{hint}")
        self.folder = self.view.folder
        self.cancel_text = text(language, "app.cancel")
        self.take_text = text(language, f"studies.{key}", name=chosen.name or str(chosen))
        self.ids.take.disabled = self.view.unreadable


class SourceSheet(Sheet):
    """Android has one picker for folders and one for files; the user says which.

    Args:
        context: the app's.
        on_source: told whether it is a folder.
    """

    def __init__(self, *, context: Any, on_source: Callable[[bool], None]) -> None:
        super().__init__()
        language = context.language
        self.buttons = {
            name: ActionButton(text=text(language, key), kind=kind)
            for name, key, kind in (
                ("folder", "studies.a_folder", "primary"),
                ("file", "studies.a_file", "primary"),
                ("cancel", "app.cancel", "plain"),
            )
        }

        def chosen(tree: bool) -> None:
            self.dismiss()
            on_source(tree)

        self.buttons["folder"].bind(on_release=lambda *_: chosen(True))
        self.buttons["file"].bind(on_release=lambda *_: chosen(False))
        self.buttons["cancel"].bind(on_release=lambda *_: self.dismiss())
        self.body.add_widget(Heading(text=text(language, "studies.choose_title")))
        for button in (self.buttons["folder"], self.buttons["file"]):
            self.body.add_widget(button)
        hint = text(language, "studies.a_file_hint")
        self.body.add_widget(Wrapped(text=hint, color=theme.MUTED, font_size=theme.SMALL))
        self.body.add_widget(BoxLayout(size_hint_y=None, height=theme.GAP))
        self.body.add_widget(self.buttons["cancel"])


class FolderSheet(FileSheet):
    """Takes the open folder, whatever file is touched: none is a place to write to."""

    @property
    def chosen(self) -> Path:
        """The open folder."""
        return Path(self.view.folder)

    def _show(self, *_ignored: object) -> None:
        super()._show()
        language, chosen = self.context.language, self.chosen
        self.title = text(language, "report.choose_folder")
        if not self.view.unreadable:
            self.hint = text(language, "report.choose_hint")
        self.take_text = text(language, "report.this_folder", name=chosen.name or str(chosen))

"""Where a study is: a file chooser on the desktop, and on Android which of its two pickers to open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kivy.lang import Builder
from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.modalview import ModalView

from mobile_app import settings, theme
from mobile_app.i18n import text
from mobile_app.widgets.buttons import ActionButton, Heading, Sheet, Wrapped
from mobile_app.widgets.folder_view import FolderView

__all__ = ["FileSheet", "SourceSheet"]

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
        for one in sorted(top.iterdir()):
            try:
                below = sorted(inner for inner in one.iterdir() if inner.is_dir())
            except OSError:
                continue
            mounted = [one] if one.is_mount() else [inner for inner in below if inner.is_mount()]
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

    def __init__(self, *, on_path: Callable[[Path], None], **kwargs: object) -> None:
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

    def __init__(self, *, context: object, on_source: Callable[[bool], None]) -> None:
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

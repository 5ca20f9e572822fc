"""Where to save, on the desktop: the chooser of the import, with folders only."""

from __future__ import annotations

from pathlib import Path

from mobile_app.i18n import text
from mobile_app.widgets.chooser import FileSheet


class FolderSheet(FileSheet):
    """Takes the open folder; files are not shown, so that none can be taken for a place to write to."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.chooser.filters = [lambda _folder, _name: False]

    @property
    def chosen(self) -> Path:
        """The open folder."""
        return Path(self.chooser.path)

    def _show(self, *_ignored: object) -> None:
        language, chosen = self.context.language, self.chosen
        self.title = text(language, "report.choose_folder")
        self.hint = text(language, "report.choose_hint")
        self.folder = str(chosen)
        self.cancel_text = text(language, "app.cancel")
        self.take_text = text(language, "report.this_folder", name=chosen.name or str(chosen))

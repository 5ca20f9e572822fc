"""Where to save, on the desktop: the chooser of the import, which takes the open folder only."""

from __future__ import annotations

from pathlib import Path

from mobile_app.i18n import text
from mobile_app.widgets.chooser import FileSheet


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

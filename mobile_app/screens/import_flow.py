"""Import, from the touch to the open study: where from, which series, copy, open.

    desktop   chooser -> path ------------------\\
    Android   document picker -> private copy ---> series of the path -> one, or a choice -> import -> open
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemx_core.errors import HemxError
from mobile_app import settings
from mobile_app.device_models import on_android
from mobile_app.jobs import Job, Outcome
from mobile_app.widgets.buttons import Sheet
from mobile_app.widgets.chooser import FileSheet, SourceSheet
from mobile_app.widgets.series_choice import SeriesSheet

if TYPE_CHECKING:
    from hemx_core.imaging.reader import SeriesSummary
    from mobile_app.android_files import Documents
    from mobile_app.context import AppContext


class ImportFlow:
    """Runs one import at a time.

    Args:
        context: the app's.
        documents: Android's pickers; by default those of the device, on Android.
    """

    def __init__(self, context: AppContext, documents: Documents | None = None) -> None:
        self._context = context
        self._documents = documents
        self.sheet: Sheet | None = None
        self.job: Job[Any, Any] | None = None
        self._fetched: Path | None = None

    def start(self) -> None:
        """Ask where the study is."""
        if self._documents is None and on_android():
            from mobile_app.android_java import device_documents

            self._documents = device_documents()
        if self._documents is None:
            self.sheet = FileSheet(context=self._context, on_path=self.chosen)
        else:
            self.sheet = SourceSheet(context=self._context, on_source=self._pick)
        self.sheet.open()

    def chosen(self, path: Path) -> None:
        """Look through a path for series."""
        store = self._context.store
        if self._fetched is None:
            settings.set_import_folder(store, path if path.is_dir() else path.parent)

        def work(report: Any) -> Any:
            from hemx_core.imaging.reader import list_series

            return list_series(path, progress=report.progress)

        def done(outcome: Outcome[tuple[SeriesSummary, ...]]) -> None:
            if outcome.value is None:
                self._forget()
            else:
                self._found(path, outcome.value)

        self.job = self._context.run(work, on_done=done)

    def _pick(self, tree: bool) -> None:
        from mobile_app.android_files import fetch_work

        def picked(uri: str | None) -> None:
            self._context.picking = False
            if uri is None:  # went back without choosing
                return
            self._fetched = Path(self._documents.make_folder())
            work = fetch_work(self._documents, uri, self._fetched, tree=tree)
            self.job = self._context.run(work, on_done=fetched)

        def fetched(outcome: Outcome[Path]) -> None:
            if outcome.value is None:
                self._forget()
            else:
                self.chosen(outcome.value)

        self._context.picking = True
        try:
            self._documents.pick(tree=tree, on_picked=picked)
        except HemxError as error:
            self._context.picking = False
            self._context.show_error(error)

    def _found(self, path: Path, series: tuple[SeriesSummary, ...]) -> None:
        """Import the only one without a question; its refusal is the reader's."""
        if len(series) == 1:
            self.take(path, series[0].key if series[0].usable else None)
            return
        self.sheet = SeriesSheet(
            context=self._context,
            series=series,
            on_series=lambda key: self.take(path, key),
            on_cancelled=self._forget,
        )
        self._context.when_unlocked(self.sheet.open)

    def take(self, path: Path, key: str | None) -> None:
        """Import a series and open it."""
        context = self._context

        def work(report: Any) -> Any:
            from mobile_app.library import import_series

            return import_series(context.store, path, series=key)(report)

        def done(outcome: Outcome[Any]) -> None:
            self._forget()
            if outcome.value is not None:
                context.studies_changed()
                context.open_study(outcome.value.id)
                context.go("reading")

        self.job = context.run(work, on_done=done)

    def _forget(self) -> None:
        """Delete the private copy; the store has its own."""
        fetched, self._fetched = self._fetched, None
        if fetched is not None:
            self._context.quick.run(lambda _report: shutil.rmtree(fetched, ignore_errors=True))

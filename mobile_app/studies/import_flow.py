"""Import, from the touch to the open study: where from, which series, copy, open.

desktop: chooser -> path; Android: document picker -> private copy
-> series of the path -> the only one, or a choice -> import -> open
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.uix.boxlayout import BoxLayout

from hemx_core.device.machine import on_android
from hemx_core.errors import HemxError
from hemx_core.words import tell
from mobile_app import settings, theme
from mobile_app.i18n import UNKNOWN, date_time, number, text
from mobile_app.widgets.buttons import ActionButton, Heading, Sheet, Wrapped
from mobile_app.widgets.chooser import FileSheet, SourceSheet
from mobile_app.work.jobs import Job, Outcome
from mobile_app.work.study_list import SEPARATOR

if TYPE_CHECKING:
    from hemx_core.imaging.reader import SeriesSummary
    from mobile_app.android.files import Documents
    from mobile_app.context import AppContext


class SeriesSheet(Sheet):
    """One button a series; those that the reader would refuse all the same cannot be chosen.

    Args:
        context: the app's.
        series: as `list_series` gives them, best first.
        on_series: told the key of the chosen one.
        on_cancelled: told if none was.
    """

    def __init__(
        self,
        *,
        context: AppContext,
        series: tuple[SeriesSummary, ...],
        on_series: Callable[[str], None],
        on_cancelled: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(auto_dismiss=False, widest=theme.TARGET * 16)
        self._context, self._series = context, series
        self._on_series, self._on_cancelled = on_series, on_cancelled
        self.key = next((series_.key for series_ in series if series_.usable), "")
        self.buttons: dict[str, ActionButton] = {}
        self._taken = False
        self._build()
        self._choose(self.key)

    def _build(self) -> None:
        usable = any(series_.usable for series_ in self._series)
        self.body.add_widget(Heading(text=self._say("series_title")))
        hint = self._say("series_hint" if usable else "series_none")
        self.body.add_widget(Wrapped(text=hint, color=theme.MUTED))
        for series_ in self._series:
            button = ActionButton(
                halign="left", disabled=not (series_.usable or series_.by_request), line_height=1.25
            )
            button.bind(on_release=lambda _button, key=series_.key: self._choose(key))
            self.buttons[series_.key] = button
            self.body.add_widget(button)
        self.cancel = ActionButton(text=text(self._context.language, "app.cancel"))
        self.cancel.bind(on_release=lambda *_: self.dismiss())
        self.take = ActionButton(text=self._say("import_series"), kind="primary")
        self.take.bind(on_release=lambda *_: self._take())
        answers = BoxLayout(size_hint_y=None, height=theme.TARGET, spacing=theme.GAP * 2)
        for widget in (self.cancel, self.take):
            answers.add_widget(widget)
        self.body.add_widget(answers)

    def on_dismiss(self) -> None:
        """Whatever closes it without a choice ends the import; the lock only puts it away."""
        super().on_dismiss()
        if not self._taken:
            self._on_cancelled()

    def _choose(self, key: str) -> None:
        self.key = key
        for series_ in self._series:
            button = self.buttons[series_.key]
            chosen = series_.key == key
            button.kind = "primary" if chosen else "plain"
            mark = f"{self._say('chosen')}: " if chosen else ""
            button.text = (
                f"{mark}{self._title(series_)}\n{self._facts(series_)}\n{self._verdict(series_)}"
            )
        self.take.disabled = not key

    def _take(self) -> None:
        self._taken = True
        self.dismiss()
        self._on_series(self.key)

    def _title(self, summary: SeriesSummary) -> str:
        numbered = summary.series_number is not None
        label = self._say("series_number", number=summary.series_number) if numbered else ""
        return SEPARATOR.join(part for part in (summary.description, label) if part) or summary.key

    def _facts(self, summary: SeriesSummary) -> str:
        language = self._context.language
        parts = [self._say("series_slices", count=summary.slices)]
        if summary.thickness_mm:
            parts.append(
                self._say("series_thickness", mm=number(language, summary.thickness_mm, 1))
            )
        if summary.plane:
            parts.append(self._say(f"plane.{summary.plane}"))
        if summary.acquired_at:
            parts.append(date_time(language, summary.acquired_at))
        several = len({other.patient_id for other in self._series}) > 1
        if several and not settings.hides_names(self._context.store):
            parts.append(self._say("series_patient", patient=summary.patient_id or UNKNOWN))
        return SEPARATOR.join(parts)

    def _verdict(self, summary: SeriesSummary) -> str:
        if summary.refusal is None:
            return self._say("best")
        reason = tell(summary.refusal, self._context.language)
        return self._say("by_request" if summary.by_request else "not_suitable", reason=reason)

    def _say(self, key: str, **named: object) -> str:
        return text(self._context.language, f"studies.{key}", **named)


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
            from mobile_app.android.files import device_documents

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
        from mobile_app.android.files import fetch_work

        documents = self._documents
        assert documents is not None

        def picked(uri: str | None) -> None:
            self._context.picking = False
            if uri is None:  # went back without choosing
                return
            self._fetched = Path(documents.make_folder())
            work = fetch_work(documents, uri, self._fetched, tree=tree)
            self.job = self._context.run(work, on_done=fetched)

        def fetched(outcome: Outcome[Path]) -> None:
            if outcome.value is None:
                self._forget()
            else:
                self.chosen(outcome.value)

        self._context.picking = True
        try:
            documents.pick(tree=tree, on_picked=picked)
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
            from mobile_app.work.library import import_series

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

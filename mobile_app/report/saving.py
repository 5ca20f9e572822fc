"""Export of the Report screen: ask for a folder, write the files in a job, report the outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobile_app.android.share import Documents, ExportFile, deliver
from mobile_app.report.exporting import Form, export, write_folder
from mobile_app.widgets.saving import ask_android

if TYPE_CHECKING:
    from mobile_app.context import AppContext
    from mobile_app.report.subject import Subject
    from mobile_app.work.jobs import Outcome

Delivered = tuple[tuple[ExportFile, ...], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Wanted:
    """What was chosen when the user asked to save; later touches do not change it.

    Args:
        subject: what is reported.
        forms: of the files.
        identify: names are written.
    """

    subject: Subject
    forms: frozenset[Form]
    identify: bool


class ReportSaving:
    """Writes reports out of the app.

    Args:
        context: the app's.
        documents: Android's folder chooser; None on a desktop.
        tell: told how it goes: a key of the strings and what it names.
        on_end: told when an export has ended, before that is said.
    """

    def __init__(
        self,
        context: AppContext,
        documents: Documents | None,
        *,
        tell: Callable[..., None],
        on_end: Callable[[], None],
    ) -> None:
        self._context, self._documents = context, documents
        self.tell, self._on_end = tell, on_end
        self.sheet: Any = None

    def save(self, wanted: Wanted) -> None:
        """Ask where to, then write."""
        if self._documents is None:
            from mobile_app.widgets.chooser import FolderSheet

            def chosen(folder: Path) -> None:
                self._export(wanted, lambda files: write_folder(files, folder), str(folder))

            self.sheet = FolderSheet(context=self._context, on_path=chosen)
            self.sheet.open()
        else:
            self._ask_android(wanted, self._documents)

    def _ask_android(self, wanted: Wanted, documents: Documents) -> None:
        def answered(tree: Any | None) -> None:
            if tree is None:
                self.tell("report.not_saved")
            else:
                self._export(wanted, lambda files: deliver(documents, tree, files), "")

        ask_android(self._context, documents, answered)

    def _export(
        self, wanted: Wanted, deliver_files: Callable[[Sequence[ExportFile]], Any], folder: str
    ) -> None:
        context = self._context

        def done(outcome: Outcome[Delivered]) -> None:
            self._on_end()
            if outcome.value is None:
                self.tell("report.not_saved")
                return
            names = "\n".join(path.name for path in outcome.value[0])
            self.tell(
                "report.saved" if folder else "report.saved_android", folder=folder, names=names
            )

        work = export(
            context.store,
            wanted.subject,
            wanted.forms,
            deliver_files,
            language=context.language,
            identify=wanted.identify,
            to="folder" if folder else "document_tree",
        )
        self.tell("report.saving")
        context.run(work, on_done=done)

"""The card of the readers' answers: export them as a data set without names."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemx_core.device.machine import on_android
from mobile_app import settings, theme
from mobile_app.i18n import text
from mobile_app.preferences.cards import SettingCard
from mobile_app.widgets.buttons import confirm

if TYPE_CHECKING:
    from mobile_app.work.jobs import Job, Outcome
    from mobile_app.work.label_export import Exported


class LabelsCard(SettingCard):
    """What the export holds and what it does not hide is said before it is made."""

    title = "labels"

    def build(self) -> None:
        """Text, a count and a button."""
        self.explanation = self.hint()
        self.count = self.line()
        self.export_button = self.action(self.ask)
        self.told = self.line(color=theme.ACCENT)
        self.sheet: Any = None

    def show(self) -> None:
        """Words, and how many studies have answers."""
        super().show()
        self.explanation.text = self.say("labels_hint")
        count = len(self.context.store.readings.studies())
        self.count.text = self.say("labels_count", count=count)
        self.export_button.text = self.say("labels_export")
        self.export_button.disabled = not count

    def ask(self) -> None:
        """Say what an export is, then ask where to."""
        self.sheet = confirm(
            title=self.say("labels"),
            message=self.say("labels_message"),
            yes=self.say("labels_go_on"),
            no=text(self.context.language, "app.cancel"),
            on_yes=self._choose_target,
            kind="primary",
        )

    def _choose_target(self) -> None:
        if on_android():
            self._export_on_android()
            return
        from mobile_app.widgets.chooser import FolderSheet

        self.sheet = FolderSheet(context=self.context, on_path=self.export)
        self.sheet.open()

    def export(self, folder: Path) -> Job[Any, Any]:
        """Write the zip into a folder."""
        return self._export(lambda _path: None, folder)

    def _export(self, deliver: Callable[[Path], None], folder: Path) -> Job[Any, Any]:
        from mobile_app.work.label_export import export_labels

        context = self.context
        name = f"hemx-labels-{datetime.now():%Y%m%d-%H%M%S}.zip"
        write = export_labels(
            context.store,
            folder / name,
            key=settings.label_key(context.store),
            budget=context.budget,
        )

        def work(report: Any) -> Exported:
            done = write(report)
            deliver(folder / name)
            return done

        def ended(outcome: Outcome[Exported]) -> None:
            done = outcome.value
            if done is None:
                self.told.text = ""
            elif done.left:
                left = ", ".join(map(str, done.left))
                self.told.text = self.say("labels_part", count=done.studies, name=name, left=left)
            else:
                self.told.text = self.say("labels_done", count=done.studies, name=name)

        self.told.text = self.say("labels_runs")
        return context.run(work, on_done=ended)

    def _export_on_android(self) -> None:
        """Into a folder of the app first: the chosen one takes documents only."""
        from mobile_app.android.share import AndroidDocuments, LargeFile, deliver
        from mobile_app.widgets.saving import ask_android

        documents = AndroidDocuments()

        def answered(tree: Any | None) -> None:
            if tree is None:
                return
            folder = Path(tempfile.mkdtemp(prefix="labels-", dir=self.context.store.folder))

            def hand_over(path: Path) -> None:
                try:
                    deliver(documents, tree, [LargeFile(path.name, path)])
                finally:
                    shutil.rmtree(folder, ignore_errors=True)

            self._export(hand_over, folder)

        ask_android(self.context, documents, answered)

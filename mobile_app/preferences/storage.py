"""The card of the storage: back up, restore, delete what was set aside."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemx_core.device.machine import on_android
from hemx_core.errors import HemxError
from mobile_app import theme
from mobile_app.i18n import number, text
from mobile_app.preferences.cards import SettingCard
from mobile_app.widgets.buttons import confirm

if TYPE_CHECKING:
    from mobile_app.store import BackedUp, Restored
    from mobile_app.work.jobs import Job, Outcome


class StorageCard(SettingCard):
    """Each is one action; a backup names patients and is not encrypted, which is said before it is made."""

    title = "storage"

    def build(self) -> None:
        """Text and three buttons."""
        self.explanation = self.hint()
        self.backup_button = self.action(self.ask_for_backup)
        self.restore_button = self.action(self.ask_for_restore)
        self.aside = self.line()
        self.clear_button = self.action(self.ask_to_clear)
        self.told = self.line(color=theme.ACCENT)
        self.sheet: Any = None
        self.documents: Any = None
        """Android's pickers; by default those of the device."""

    def show(self) -> None:
        """Words, and how much was set aside."""
        super().show()
        self.explanation.text = self.say("storage_hint")
        self.backup_button.text, self.restore_button.text = self.say("backup"), self.say("restore")
        size = self.context.store.set_aside_bytes()
        mb = number(self.context.language, size / 1e6, 1)
        self.aside.text = self.say("aside", mb=mb) if size else self.say("aside_none")
        self.clear_button.text = self.say("aside_delete")
        self.clear_button.disabled = not size

    # Backup

    def ask_for_backup(self) -> None:
        """Say what a backup is, then ask where to."""
        self.sheet = confirm(
            title=self.say("backup"),
            message=self.say("backup_message"),
            yes=self.say("backup_go_on"),
            no=text(self.context.language, "app.cancel"),
            on_yes=self._choose_target,
        )

    def _choose_target(self) -> None:
        if on_android():
            self._back_up_on_android()
            return
        from mobile_app.widgets.chooser import FolderSheet

        self.sheet = FolderSheet(context=self.context, on_path=self.back_up)
        self.sheet.open()

    def back_up(self, folder: Path) -> Job[Any, Any]:
        """Write a backup into a folder."""
        return self._back_up(lambda _path: None, folder)

    def _back_up(self, deliver: Callable[[Path], None], folder: Path) -> Job[Any, Any]:
        store, name = self.context.store, f"hemx-backup-{datetime.now():%Y%m%d-%H%M%S}.zip"

        def work(report: Any) -> BackedUp:
            done = store.back_up(
                folder / name, lambda done, total: report.progress("backup", done, total)
            )
            deliver(folder / name)
            return done

        def ended(outcome: Outcome[BackedUp]) -> None:
            done = outcome.value
            if done is None:
                self._tell("")
            elif done.damaged:
                numbers = ", ".join(str(one) for one in done.damaged)
                self._tell(self.say("backup_part", count=done.studies, numbers=numbers, name=name))
            else:
                self._tell(self.say("backup_done", count=done.studies, name=name))

        self._tell(self.say("backup_runs"))
        return self.context.run(work, on_done=ended)

    def _back_up_on_android(self) -> None:
        """Into a folder of the app first: the chosen one takes documents only."""
        from mobile_app.android.share import AndroidDocuments, LargeFile, deliver
        from mobile_app.widgets.saving import ask_android

        documents = AndroidDocuments()

        def answered(tree: Any | None) -> None:
            if tree is None:
                return
            folder = Path(tempfile.mkdtemp(prefix="backup-", dir=self.context.store.folder))

            def hand_over(path: Path) -> None:
                try:
                    deliver(documents, tree, [LargeFile(path.name, path)])
                finally:
                    shutil.rmtree(folder, ignore_errors=True)

            self._back_up(hand_over, folder)

        ask_android(self.context, documents, answered)

    # Restore

    def ask_for_restore(self) -> None:
        """Ask for the backup."""
        if on_android() or self.documents is not None:
            self._fetch()
            return
        from mobile_app.widgets.chooser import FileSheet

        self.sheet = FileSheet(context=self.context, on_path=self.restore)
        self.sheet.open()

    def restore(self, path: Path, after: Callable[[], None] = lambda: None) -> Job[Any, Any]:
        """Add the studies of a backup."""
        context = self.context

        def work(report: Any) -> Restored:
            try:
                return context.store.restore(
                    path, lambda done, total: report.progress("restore", done, total)
                )
            finally:
                after()

        def ended(outcome: Outcome[Restored]) -> None:
            context.studies_changed()
            done = outcome.value
            if done is None:
                self._tell("")
                return
            told = self.say("restored", added=done.added, present=done.present)
            if done.damaged:
                told = f"{told} {self.say('restored_part', count=done.damaged)}"
            self._tell(told, theme.CAUTION if done.damaged else theme.ACCENT)

        self._tell(self.say("restore_runs"))
        return context.run(work, on_done=ended)

    def _fetch(self) -> None:
        """On Android: the system's picker, a private copy, then as on the desk."""
        from mobile_app.android.files import device_documents, fetch_work

        context, documents = self.context, self.documents or device_documents()

        def picked(uri: str | None) -> None:
            context.picking = False
            if uri is None:
                return
            folder = Path(documents.make_folder())

            def fetched(outcome: Outcome[Path]) -> None:
                if outcome.value is not None:
                    self.restore(outcome.value, lambda: shutil.rmtree(folder, ignore_errors=True))

            context.run(fetch_work(documents, uri, folder, tree=False), on_done=fetched)

        context.picking = True
        try:
            documents.pick(tree=False, on_picked=picked)
        except HemxError as error:
            context.picking = False
            context.show_error(error)

    # What was set aside

    def ask_to_clear(self) -> None:
        """Delete it if the user agrees."""
        self.sheet = confirm(
            title=self.say("aside_delete"),
            message=self.say("aside_message"),
            yes=text(self.context.language, "studies.delete"),
            no=text(self.context.language, "studies.keep"),
            on_yes=self.clear,
        )

    def clear(self) -> None:
        """Delete all that was set aside."""
        store = self.context.store

        def ended(_outcome: Any) -> None:
            self.show()

        self.context.jobs.run(
            lambda _report: store.clear_aside(), on_error=self.context.show_error, on_done=ended
        )

    def _tell(self, told: str, ink: Any = theme.ACCENT) -> None:
        self.told.color, self.told.text = ink, told

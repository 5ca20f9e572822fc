"""One file out of the app: into a folder that the user chooses, on the tablet by the system's chooser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.clock import Clock

from hemx_core.device.machine import on_android
from hemx_core.errors import HemxError, OutputError
from hemx_core.files import write_whole

if TYPE_CHECKING:
    from mobile_app.android.share import Documents

Saver = Callable[[Any, str, bytes], None]
"""Takes the context, a file name and the content; asks where to, writes, and tells the user."""


def save_file(context: Any, name: str, content: bytes) -> None:
    """Ask for a folder and write a file into it; the status line or a popup tells how it went.

    Args:
        context: the app's.
        name: of the file.
        content: all of it.
    """
    if on_android():
        _on_android(context, name, content)
        return
    from mobile_app.widgets.chooser import FolderSheet

    FolderSheet(
        context=context, on_path=lambda folder: write_into(context, folder, name, content)
    ).open()


def write_into(context: Any, folder: Path, name: str, content: bytes) -> Path | None:
    """Write a file whole or not at all; one of its name stays, and the new one gets a number."""
    target = _free(folder, name)
    try:
        write_whole(target, content, make_folder=False)
    except OutputError as error:
        context.show_error(error)
        return None
    context.tell("device.saved", name=target.name)
    return target


def _on_android(context: Any, name: str, content: bytes) -> None:
    from mobile_app.android.share import AndroidDocuments, ExportFile, deliver

    documents = AndroidDocuments()

    def answered(tree: Any) -> None:
        if tree is None:
            return
        try:
            deliver(documents, tree, [ExportFile(name, content)])
        except HemxError as error:
            context.show_error(error)
        else:
            context.tell("device.saved", name=name)

    ask_android(context, documents, answered)


def ask_android(context: Any, documents: Documents, answered: Callable[[Any | None], None]) -> None:
    """Open the system's folder chooser; it is no reason to ask for the PIN on the way back.

    Args:
        context: the app's.
        documents: the Java side.
        answered: told the chosen tree on Kivy's thread, None where the user went back.
    """

    def back(tree: Any | None) -> None:
        context.picking = False
        answered(tree)

    context.picking = True
    try:
        # The answer comes on a thread of Android's.
        documents.ask_folder(lambda tree: Clock.schedule_once(lambda _seconds: back(tree), 0))
    except BaseException:
        # No chooser lies over the app: leaving it must lock again.
        context.picking = False
        raise


def _free(folder: Path, name: str) -> Path:
    target, number = folder / name, 1
    while target.exists():
        number += 1
        target = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return target

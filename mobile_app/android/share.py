"""Files out of the app on Android: the user chooses a folder with the Storage Access Framework.

    ask (the system's folder chooser) -> deliver (a job): create each document, write it; all or none

The app needs no storage permission for this. The Java calls are the few lines of `AndroidDocuments`; all
that decides anything is tested with a fake.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hemx_core.errors import OutputError

if TYPE_CHECKING:
    pass


REQUEST = 0x4845
RESULT_OK = -1


class Documents(Protocol):
    """The Java side."""

    def ask_folder(self, chosen: Callable[[Any | None], None]) -> None:
        """Open the chooser; call back with the tree's URI, None where the user went back."""

    def create(self, tree: Any, mime: str, name: str) -> Any | None:
        """Make an empty document in the chosen folder; its URI, or None."""

    def open(self, document: Any) -> int:
        """A file descriptor to write to, the caller's to close."""

    def delete(self, document: Any) -> None:
        """Delete a document."""


def deliver(documents: Documents, tree: Any, files: Sequence[ExportFile | LargeFile]) -> int:
    """Write all files into the chosen folder, or none of them.

    Args:
        documents: the Java side.
        tree: URI of the chosen folder.
        files: what to write.
    Returns:
        How many were written.
    Raises:
        OutputError: the folder's provider refuses; what was written is deleted again.
    """
    made: list[Any] = []
    try:
        for file in files:
            document = documents.create(tree, file.mime, file.name)
            if document is None:
                raise OSError("no document")
            made.append(document)
            with os.fdopen(documents.open(document), "wb") as stream:
                if isinstance(file, LargeFile):
                    with file.path.open("rb") as source:
                        shutil.copyfileobj(source, stream, 1 << 20)
                else:
                    stream.write(file.content)
    except BaseException as error:
        for document in made:
            _delete(documents, document)
        if not isinstance(error, Exception):
            raise
        raise OutputError("folder_refused", reason=type(error).__name__) from error
    return len(files)


def _delete(documents: Documents, document: Any) -> None:
    # The first error is the one to tell.
    with contextlib.suppress(Exception):
        documents.delete(document)


class AndroidDocuments:
    """`Documents` through pyjnius; make it on the main thread, where Android finds all classes."""

    def __init__(self) -> None:
        # By name: python-for-android's modules are not there on the desktop.
        android, jnius = (importlib.import_module(name) for name in ("android", "jnius"))
        self._activity, self._bridge = android.mActivity, android.activity
        self._intent = jnius.autoclass("android.content.Intent")
        self._contract = jnius.autoclass("android.provider.DocumentsContract")
        self._chosen: Callable[[Any | None], None] | None = None

    def ask_folder(self, chosen: Callable[[Any | None], None]) -> None:
        """See `Documents`; the answer comes on Android's own thread."""
        self._chosen = chosen
        self._bridge.bind(on_activity_result=self._answered)
        intent = self._intent(self._intent.ACTION_OPEN_DOCUMENT_TREE)
        self._activity.startActivityForResult(intent, REQUEST)

    def _answered(self, request: int, result: int, intent: Any) -> None:
        if request != REQUEST or self._chosen is None:
            return
        self._bridge.unbind(on_activity_result=self._answered)
        chosen, self._chosen = self._chosen, None
        chosen(intent.getData() if result == RESULT_OK and intent is not None else None)

    def create(self, tree: Any, mime: str, name: str) -> Any | None:
        """See `Documents`."""
        folder = self._contract.buildDocumentUriUsingTree(
            tree, self._contract.getTreeDocumentId(tree)
        )
        return self._contract.createDocument(self._resolver, folder, mime, name)

    def open(self, document: Any) -> int:
        """See `Documents`."""
        return int(self._resolver.openFileDescriptor(document, "w").detachFd())

    def delete(self, document: Any) -> None:
        """See `Documents`."""
        self._contract.deleteDocument(self._resolver, document)

    @property
    def _resolver(self) -> Any:
        return self._activity.getContentResolver()


MIME = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".json": "application/json",
    ".dcm": "application/dicom",
    ".txt": "text/plain",
    ".zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file to be written: its name, and all that it holds."""

    name: str
    content: bytes

    @property
    def mime(self) -> str:
        """Its media type."""
        return MIME[Path(self.name).suffix]


@dataclass(frozen=True, slots=True)
class LargeFile:
    """A file to be written that is too large for the memory: its name, and where it lies."""

    name: str
    path: Path

    @property
    def mime(self) -> str:
        """Its media type."""
        return MIME[Path(self.name).suffix]

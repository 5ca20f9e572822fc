"""The calls into Java of `android_files`: Android's pickers, its content resolver.

Classes are looked up once, on the main thread: Android does not find an app's classes from a thread that
Python made. Methods of objects may then be called from the worker.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from mobile_app.android_files import Document
from mobile_app.errors import AccessError

COLUMNS = ("document_id", "_display_name", "mime_type", "_size")
"""Of DocumentsContract.Document."""

REQUEST = 0x4E4D
RESULT_OK = -1
PREFIX = "hemx-import-"


@dataclass(frozen=True, kw_only=True)
class AndroidClasses:
    """What is needed of Java and of python-for-android.

    Args:
        activity: the app's PythonActivity instance.
        intent, uri, contract: android.content.Intent, android.net.Uri, DocumentsContract.
        java_error: what pyjnius raises for a Java exception.
        bind: python-for-android's `android.activity.bind`.
        unbind: its counterpart.
    """

    activity: Any
    intent: Any
    uri: Any
    contract: Any
    java_error: type[Exception]
    bind: Callable[..., None]
    unbind: Callable[..., None]


def android_classes() -> AndroidClasses:
    """Look everything up; on the main thread."""
    jnius, activity = import_module("jnius"), import_module("android.activity")
    return AndroidClasses(
        activity=jnius.autoclass("org.kivy.android.PythonActivity").mActivity,
        intent=jnius.autoclass("android.content.Intent"),
        uri=jnius.autoclass("android.net.Uri"),
        contract=jnius.autoclass("android.provider.DocumentsContract"),
        java_error=jnius.JavaException,
        bind=activity.bind,
        unbind=activity.unbind,
    )


def device_documents() -> AndroidDocuments:
    """The device's pickers; results come on Kivy's thread."""
    clock = import_module("kivy.clock").Clock
    return AndroidDocuments(android_classes(), schedule=lambda call: clock.schedule_once(call, 0))


class AndroidDocuments:
    """Opens the system's pickers.

    Args:
        java: see `AndroidClasses`.
        schedule: runs a function on the interface's thread; activity results come on Java's.
    """

    def __init__(
        self, java: AndroidClasses, *, schedule: Callable[[Callable[..., None]], object]
    ) -> None:
        self._java, self._schedule = java, schedule
        self.resolver = JavaResolver(java)

    def pick(self, *, tree: bool, on_picked: Callable[[str | None], None]) -> None:
        """Open a picker.

        Raises:
            AccessError: the device has none.
        """
        java = self._java

        def answered(request: int, result: int, intent: Any) -> None:
            if request != REQUEST:
                return
            java.unbind(on_activity_result=answered)
            chosen = intent.getData() if result == RESULT_OK and intent is not None else None
            uri = None if chosen is None else str(chosen.toString())
            self._schedule(lambda *_ignored: on_picked(uri))

        java.bind(on_activity_result=answered)
        try:
            java.activity.startActivityForResult(self._intent(tree), REQUEST)
        except java.java_error as error:
            java.unbind(on_activity_result=answered)
            raise AccessError(
                "this device has no file picker",
                expected="Android's Files app",
                remedy="switch it on in the settings of the device",
            ) from error

    def make_folder(self) -> str:
        """A new folder in the app's cache; what an import left there that was killed is deleted."""
        cache = Path(str(self._java.activity.getCacheDir().getAbsolutePath()))
        for left in cache.glob(f"{PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
        return tempfile.mkdtemp(prefix=PREFIX, dir=cache)

    def _intent(self, tree: bool) -> Any:
        kinds = self._java.intent
        intent = kinds(kinds.ACTION_OPEN_DOCUMENT_TREE if tree else kinds.ACTION_OPEN_DOCUMENT)
        if not tree:
            intent.addCategory(kinds.CATEGORY_OPENABLE)
            # A zip, a DICOMDIR and a DICOM file have many types or none.
            intent.setType("*/*")
        intent.addFlags(kinds.FLAG_GRANT_READ_URI_PERMISSION)
        return intent


class JavaResolver:
    """The content resolver behind `android_files.Resolver`; errors come as OSError."""

    def __init__(self, java: AndroidClasses) -> None:
        self._java = java
        self._resolver = java.activity.getContentResolver()
        self._tree: Any = None

    def root(self, uri: str, *, tree: bool) -> Document:
        """The picked folder or file itself."""
        parsed, contract = self._java.uri.parse(uri), self._java.contract
        self._tree = parsed if tree else None
        if tree:
            parsed = contract.buildDocumentUriUsingTree(parsed, contract.getTreeDocumentId(parsed))
        rows = self._rows(parsed)
        if not rows:
            raise FileNotFoundError(2, "the document is gone")
        return self._document(rows[0], str(parsed.toString()))

    def children(self, document: Document) -> list[Document]:
        """What a folder holds."""
        contract, tree = self._java.contract, self._tree
        number = contract.getDocumentId(self._java.uri.parse(document.uri))
        rows = self._rows(contract.buildChildDocumentsUriUsingTree(tree, number))
        return [
            self._document(row, str(contract.buildDocumentUriUsingTree(tree, row[0]).toString()))
            for row in rows
        ]

    def open(self, document: Document) -> int:
        """A file descriptor, detached from Java: closing it is the caller's."""
        return int(self._call(self._open, self._java.uri.parse(document.uri)))

    def _open(self, uri: Any) -> int:
        opened = self._resolver.openFileDescriptor(uri, "r")
        if opened is None:
            raise FileNotFoundError(2, "the provider opened nothing")
        return int(opened.detachFd())

    def _rows(self, uri: Any) -> list[tuple[str, str, str, int]]:
        rows: list[tuple[str, str, str, int]] = self._call(self._query, uri)
        return rows

    def _query(self, uri: Any) -> list[tuple[str, str, str, int]]:
        cursor = self._resolver.query(uri, list(COLUMNS), None, None, None)
        if cursor is None:
            raise FileNotFoundError(2, "the provider answered nothing")
        rows = []
        try:
            while cursor.moveToNext():
                number, name, mime = (str(cursor.getString(place) or "") for place in range(3))
                rows.append((number, name, mime, 0 if cursor.isNull(3) else int(cursor.getLong(3))))
        finally:
            cursor.close()
        return rows

    def _call(self, act: Callable[[Any], Any], uri: Any) -> Any:
        """A Java exception as the OSError that it is."""
        try:
            return act(uri)
        except self._java.java_error as error:
            kind = str(getattr(error, "classname", "") or "")
            if "SecurityException" in kind:
                raise PermissionError(13, "not allowed") from error
            raise OSError(5, kind.rpartition(".")[2] or "the provider failed") from error

    @staticmethod
    def _document(row: tuple[str, str, str, int], uri: str) -> Document:
        return Document(uri=uri, name=row[1], mime=row[2], size=row[3])

"""Android's Storage Access Framework: the user picks a folder or a file, and the app copies it.

    pick     ACTION_OPEN_DOCUMENT_TREE or ACTION_OPEN_DOCUMENT; no permission, the system asks the user
    fetch    rows of DocumentsContract -> openFileDescriptor -> a private temporary folder

All that decides anything is plain Python behind `Resolver`; the calls into Java stand below it.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from hemx_core.errors import UnsafeInputError, cause
from hemx_core.notes import Phrase
from mobile_app.errors import AccessError, StoreFullError
from mobile_app.work.jobs import Report

FOLDER_MIME = "vnd.android.document/directory"
MOST_FILES = 20_000
MOST_DEPTH = 16
MOST_BYTES = 8 * 2**30
"""A study has some hundred files and less than a gigabyte; a whole card picked by mistake is refused."""
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Document:
    """A row of the provider.

    Args:
        uri: of the document.
        name: as the provider shows it; never used as a path.
        mime: `FOLDER_MIME` for a folder.
        size: bytes, 0 where the provider does not say.
    """

    uri: str
    name: str
    mime: str
    size: int


class Resolver(Protocol):
    """The calls into Java."""

    def root(self, uri: str, *, tree: bool) -> Document:
        """The picked folder or file itself."""

    def children(self, document: Document) -> list[Document]:
        """What a folder holds."""

    def open(self, document: Document) -> int:
        """A file descriptor to read from, the caller's to close."""


class Documents(Protocol):
    """Pickers and resolver of a device."""

    def pick(self, *, tree: bool, on_picked: Callable[[str | None], None]) -> None:
        """Open a picker; tells the URI on the interface's thread, None if the user went back."""

    def make_folder(self) -> str:
        """A new private folder."""

    @property
    def resolver(self) -> Resolver:
        """The calls into Java."""


def fetch_work(
    documents: Documents, uri: str, folder: Path, *, tree: bool
) -> Callable[[Report[Any]], Path]:
    """Work that copies what was picked into a folder; returns the path to import.

    Args:
        folder: empty; deleted where the copy fails or is cancelled.
    Raises (in the job):
        AccessError: the provider does not let the app read, or breaks off.
        UnsafeInputError: too many files or bytes for a study.
        StoreFullError: no room for the copy.
    """

    def work(report: Report[Any]) -> Path:
        try:
            return _fetch(documents.resolver, uri, folder, tree, report)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    return work


def _fetch(resolver: Resolver, uri: str, folder: Path, tree: bool, report: Report[Any]) -> Path:
    with _in_words():
        top = resolver.root(uri, tree=tree)
        if not tree:
            target = folder / safe_name(top.name)
            _copy(resolver, top, target, MOST_BYTES, report)
            report.progress("fetch", 1, 1)
            return target
        files = list(_walk(resolver, top, report))
        left = MOST_BYTES
        for done, (document, parts) in enumerate(files, start=1):
            target = folder.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            left -= _copy(resolver, document, _unused(target), left, report)
            report.progress("fetch", done, len(files))
        return folder


def _walk(
    resolver: Resolver, top: Document, report: Report[Any]
) -> Iterator[tuple[Document, tuple[str, ...]]]:
    """Files below a folder with where their copies go; names are kept, a DICOMDIR refers to them."""
    waiting: list[tuple[Document, tuple[str, ...]]] = [(top, ())]
    seen: set[str] = {top.uri}
    count = 0
    while waiting:
        folder, parts = waiting.pop()
        for child in resolver.children(folder):
            report.check()
            below = (*parts, safe_name(child.name))
            if child.mime != FOLDER_MIME:
                count += 1
                yield child, below
            elif child.uri not in seen and len(below) <= MOST_DEPTH:
                seen.add(child.uri)
                waiting.append((child, below))
            if count + len(seen) > MOST_FILES:
                raise _too_much(Phrase("too_much.files", most=MOST_FILES))


def _copy(
    resolver: Resolver, document: Document, target: Path, most: int, report: Report[Any]
) -> int:
    """Copy one document; return its bytes."""
    copied = 0
    with os.fdopen(resolver.open(document), "rb") as source, target.open("xb") as sink:
        while chunk := source.read(CHUNK):
            report.check()
            copied += len(chunk)
            if copied > most:
                raise _too_much(Phrase("too_much.bytes", gib=MOST_BYTES / 2**30))
            sink.write(chunk)
    return copied


def safe_name(name: str) -> str:
    """A provider's name as one harmless part of a path."""
    kept = "".join(
        character for character in name if character.isprintable() and character not in '/\\:*?"<>|'
    )
    kept = kept.strip().strip(".")[:100]
    return kept or "unnamed"


def _unused(target: Path) -> Path:
    """Two documents of one folder may bear one name."""
    number, one = 1, target
    while one.exists():
        number += 1
        one = target.with_name(f"{target.name}_{number}")
    return one


def _too_much(what: Phrase) -> UnsafeInputError:
    return UnsafeInputError("study_too_large", what=what)


@contextmanager
def _in_words() -> Iterator[None]:
    """Errors of the provider and of the medium, as ours."""
    try:
        yield
    except PermissionError as error:
        raise AccessError("no_access") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StoreFullError("no_room_for_copy") from error
        raise AccessError("copy_broken", reason=cause(error)) from error


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
            raise AccessError("no_picker") from error

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

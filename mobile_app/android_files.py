"""Android's Storage Access Framework: the user picks a folder or a file, the app copies it and forgets it.

    pick     ACTION_OPEN_DOCUMENT_TREE or ACTION_OPEN_DOCUMENT; no permission, the system asks the user
    fetch    rows of DocumentsContract -> openFileDescriptor -> a private temporary folder

The reader wants paths, and a provider (a cloud drive, a USB stick) gives none: hence the copy. Everything
but the calls into Java, in `android_java`, is plain Python behind `Resolver`.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hemx_core.errors import UnsafeInputError
from mobile_app.errors import AccessError, StoreFullError
from mobile_app.jobs import Report

FOLDER_MIME = "vnd.android.document/directory"
MOST_FILES = 20_000
MOST_DEPTH = 16
MOST_BYTES = 8 * 2**30
"""A study has some hundred files and less than a gigabyte; whoever picks a whole card by mistake is told."""
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
        for one in resolver.children(folder):
            report.check()
            below = (*parts, safe_name(one.name))
            if one.mime != FOLDER_MIME:
                count += 1
                yield one, below
            elif one.uri not in seen and len(below) <= MOST_DEPTH:
                seen.add(one.uri)
                waiting.append((one, below))
            if count + len(seen) > MOST_FILES:
                raise _too_much(f"more than {MOST_FILES} files")


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
                raise _too_much(f"more than {MOST_BYTES / 2**30:.0f} GiB")
            sink.write(chunk)
    return copied


def safe_name(name: str) -> str:
    """A provider's name as one harmless part of a path."""
    kept = "".join(one for one in name if one.isprintable() and one not in '/\\:*?"<>|')
    kept = kept.strip().strip(".")[:100]
    return kept or "unnamed"


def _unused(target: Path) -> Path:
    """Two documents of one folder may bear one name."""
    number, one = 1, target
    while one.exists():
        number += 1
        one = target.with_name(f"{target.name}_{number}")
    return one


def _too_much(found: str) -> UnsafeInputError:
    return UnsafeInputError(
        found,
        expected="one CT study",
        remedy="choose the folder of the study, not the whole medium",
    )


@contextmanager
def _in_words() -> Iterator[None]:
    """Errors of the provider and of the medium, as ours."""
    try:
        yield
    except PermissionError as error:
        raise AccessError(
            "the other app does not let HEMX read this",
            expected="a folder or file that may be read",
            remedy="choose it again and allow access, or copy the study to the device first",
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StoreFullError("no room for the copy", remedy="delete studies") from error
        raise AccessError(
            f"a file could not be copied ({error.strerror or type(error).__name__})",
            expected="files that can be read to their end",
            remedy="check the medium, or copy the study to the device first",
        ) from error

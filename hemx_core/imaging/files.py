"""Find the files of a path: a folder, one file, a DICOMDIR or a zip; nothing outside it.

The input is not trusted: numbers, sizes and paths are bounded before anything is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hemx_core.errors import NoSeriesError, UnsafeInputError, cause
from hemx_core.imaging import limits
from hemx_core.imaging.archive import is_zip, open_zip, too_many_files
from hemx_core.imaging.dicomdir import is_dicomdir, referenced_files
from hemx_core.imaging.source import Source, broken_source
from hemx_core.notes import Phrase

_SMALLEST_DICOM_BYTES = 132
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)*", re.ASCII)
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The DICOM files under a path, in a stable order, and the names of files that were skipped."""

    sources: tuple[Source, ...]
    not_dicom: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Files that a DICOMDIR names and that are not there."""
    unlisted: tuple[str, ...] = ()
    """DICOM files beside those that a DICOMDIR names: its end may be cut off."""


@contextmanager
def open_input(path: Path) -> Iterator[FoundFiles]:
    """Find the DICOM files of a path; a zip stays open until the block ends.

    Raises:
        NoSeriesError: nothing there, closed, not a regular file or folder, or a damaged zip.
        UnsafeInputError: a link, a DICOMDIR or a zip member that leaves the input, or too much.
    """
    head = _head_of_file(path)
    if head is None:
        yield _keep_dicom(path, _in_folder(path))
        return
    if not looks_like_dicom(head) and is_zip(path, head):
        with open_zip(path) as members:
            yield _keep_dicom(path, members)
    elif is_dicomdir(path):
        named = referenced_files(path)
        found, beside = (
            _keep_dicom(path, (_file_source(file, path.parent) for file in files))
            for files in (named.found, named.beside)
        )
        unlisted = tuple(source.name for source in beside.sources)
        yield FoundFiles(found.sources, found.not_dicom, named.missing, unlisted)
    else:
        yield _keep_dicom(path, iter((_file_source(path, path.parent),)))


def looks_like_dicom(head: bytes) -> bool:
    """Whether a file's first 132 bytes are DICOM: the preamble's mark, or a first element.

    Without a preamble the file must begin with group 0002 or 0008, little or big endian.
    """
    if len(head) < _SMALLEST_DICOM_BYTES:
        return False
    return head[128:132] == b"DICM" or head[:2] in _FIRST_GROUPS


def _head_of_file(path: Path) -> bytes | None:
    """The first bytes of a file; None for a folder."""
    try:
        # These, too, are refused where a folder above is closed or a name is too long.
        if path.is_dir():
            return None
        if not path.exists():
            raise NoSeriesError("nothing_there", path=str(path))
        if not path.is_file():
            raise NoSeriesError("not_regular", path=str(path))
        with path.open("rb") as stream:
            return stream.read(_SMALLEST_DICOM_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise NoSeriesError("file_closed", file=path.name, reason=cause(error)) from error


def _keep_dicom(path: Path, candidates: Iterator[Source]) -> FoundFiles:
    sources: list[Source] = []
    others: list[str] = []
    for source in candidates:
        if len(sources) > limits.MAX_IMAGES:
            raise too_many_files(path.name or str(path), limits.MAX_IMAGES)
        try:
            with source.open() as stream:
                head = stream.read(_SMALLEST_DICOM_BYTES)
            if not looks_like_dicom(head):
                others.append(source.name)
                continue
            if source.verify is not None:
                source.verify()
        except OSError as error:
            # It cannot be read: the header pass opens it again and reports why.
            sources.append(broken_source(source.name, error))
        else:
            sources.append(source)
    if len(sources) > limits.MAX_IMAGES:
        raise too_many_files(path.name or str(path), limits.MAX_IMAGES)
    shapes = {_shape(source.name) for source in sources}
    lost = {name for name in others if _shape(name) in shapes}
    sources += [broken_source(name, NoBeginningError()) for name in others if name in lost]
    return FoundFiles(tuple(sources), tuple(name for name in others if name not in lost))


class NoBeginningError(OSError):
    """A file that is named as the DICOM files beside it, and is none."""

    phrase = Phrase("dicom.no_beginning")


def _shape(name: str) -> str:
    """A file's place and name without its numbers: slices differ in nothing else.

    Names of numbers alone, such as UIDs, have no shape but their suffix.
    """
    return _NUMBER.sub("0", name)


def _in_folder(root: Path) -> Iterator[Source]:
    """Files under a folder: of each folder first the files, then those of its folders, by name."""
    count = {"files": 0, "others": 0}
    real_root = root.resolve()
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        if depth > limits.MAX_DEPTH:
            raise UnsafeInputError("folder_deep", folder=str(root), most=limits.MAX_DEPTH)
        inside = []
        for entry in _entries(folder):
            is_file = entry.is_file(follow_symlinks=False)
            count["files" if is_file else "others"] += 1
            if max(count.values()) > limits.MAX_FILES:
                raise too_many_files(str(root))
            path = Path(entry.path)
            if entry.is_symlink():
                # A link inside the input is passed over: what it points to is found anyway.
                _check_inside(path, real_root)
            elif is_file:
                yield _file_source(path, root)
            elif entry.is_dir():
                inside.append((path, depth + 1))
        waiting += reversed(inside)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """A folder's entries by name; no more than tell that there are too many."""
    try:
        with os.scandir(folder) as entries:
            found = [
                entry for entry, _ in zip(entries, range(2 * limits.MAX_FILES + 2), strict=False)
            ]
    except OSError as error:
        reason = cause(error)
        raise NoSeriesError("folder_closed", folder=str(folder), reason=reason) from error
    return sorted(found, key=lambda entry: entry.name)


def _check_inside(path: Path, real_root: Path) -> None:
    try:
        path.stat()  # refused where links lead on and on, which Python would follow all the same
        inside = path.resolve().is_relative_to(real_root)
    except (OSError, RuntimeError):  # it leads nowhere, or to itself
        inside = True
    if not inside:
        raise UnsafeInputError("link_leaves", file=path.name)


def _file_source(path: Path, root: Path) -> Source:
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return Source(name, _opener(path))


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")

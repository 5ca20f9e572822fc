"""Find the files of a path: a folder, one file, a DICOMDIR or a zip; nothing outside it.

The input is not trusted: numbers, sizes and paths are bounded before anything is read.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from pydicom.uid import MediaStorageDirectoryStorage

from hemx_core.errors import NoSeriesError, UnsafeInputError, cause
from hemx_core.imaging.parse import parse


def is_dicomdir(path: Path) -> bool:
    """Whether a file is a DICOMDIR, by the SOP class in its file meta information."""
    with path.open("rb") as stream:
        head = stream.read(1024)
    return MediaStorageDirectoryStorage.encode("ascii") in head


def referenced_files(dicomdir: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Files that a DICOMDIR refers to: those that exist, and the names of the missing ones.

    Raises:
        NoSeriesError: the DICOMDIR cannot be read.
        UnsafeInputError: it names a file outside its own folder.
    """
    try:
        with dicomdir.open("rb") as stream:
            records = list(parse(stream, dicomdir.name).get("DirectoryRecordSequence") or ())
        names = [_components(record) for record in records]
    except (UnsafeInputError, NoSeriesError):
        raise
    except Exception as error:  # a damaged file makes pydicom raise nearly anything
        raise NoSeriesError(
            "dicomdir_unreadable", file=dicomdir.name, reason=type(error).__name__
        ) from error
    found: dict[Path, None] = {}
    missing: list[str] = []
    for parts in filter(None, names):
        file = _locate(dicomdir.parent, parts)
        if file is None:
            missing.append("/".join(parts))
        else:
            found[file] = None
    return tuple(found), tuple(missing)


def _components(record: Any) -> tuple[str, ...]:
    value = record.get("ReferencedFileID")
    if not value:
        return ()
    parts = (value,) if isinstance(value, str) else tuple(value)
    # Some writers put a whole path into one component.
    return tuple(piece for part in parts for piece in str(part).split("/"))


def _locate(root: Path, parts: tuple[str, ...]) -> Path | None:
    if any(part in ("", ".", "..") or set(part) & set("\\:\0") for part in parts):
        raise _leaves(parts)
    path: Path | None = root
    for part in parts:
        path = _child(path, part) if path is not None else None
    if path is None or not path.is_file():
        return None
    if not path.resolve().is_relative_to(root.resolve()):
        raise _leaves(parts)
    return path


def _child(folder: Path, name: str) -> Path | None:
    """A folder's entry of that name, or the only one that differs in case (ISO 9660 discs)."""
    exact = folder / name
    if exact.exists():
        return exact
    if not folder.is_dir():
        return None
    same = [entry for entry in folder.iterdir() if entry.name.lower() == name.lower()]
    return same[0] if len(same) == 1 else None


def _leaves(parts: tuple[str, ...]) -> UnsafeInputError:
    return UnsafeInputError("dicomdir_leaves", file="/".join(parts))


MAX_FILES = 20_000
"""Files looked at under one path; more is an archive, not a study."""
MAX_ARCHIVE_BYTES = 4 * 2**30
"""Sum of the uncompressed sizes of a zip's members."""
MAX_MEMBER_BYTES = 2**30
"""Uncompressed size of one zip member; members are held in memory one at a time."""

_SMALLEST_DICOM_BYTES = 132
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")


@dataclass(frozen=True, slots=True)
class Source:
    """One DICOM file: a name for messages, relative to what the user gave, and how to open it."""

    name: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The DICOM files under a path, in a stable order, and the names of files that were skipped."""

    sources: tuple[Source, ...]
    not_dicom: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Files that a DICOMDIR names and that are not there."""


@contextmanager
def open_input(path: Path) -> Iterator[FoundFiles]:
    """Find the DICOM files of a path; a zip stays open until the block ends.

    Raises:
        NoSeriesError: nothing there, closed, not a regular file or folder, or a damaged zip.
        UnsafeInputError: a link, a DICOMDIR or a zip member that leaves the input, or too much.
    """
    head = _head_of_file(path)
    if head is None:
        yield _keep_dicom(_in_folder(path))
        return
    if not looks_like_dicom(head) and zipfile.is_zipfile(path):
        with _open_zip(path) as archive:
            yield _keep_dicom(_in_zip(archive, path.name))
    elif is_dicomdir(path):
        files, missing = referenced_files(path)
        _check_count(len(files), path.name)
        found = _keep_dicom(_file_source(file, path.parent) for file in files)
        yield FoundFiles(found.sources, found.not_dicom, missing)
    else:
        yield _keep_dicom(iter((_file_source(path, path.parent),)))


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
    except OSError as error:
        raise NoSeriesError("file_closed", file=path.name, reason=cause(error)) from error


def _keep_dicom(candidates: Iterator[Source]) -> FoundFiles:
    sources: list[Source] = []
    others: list[str] = []
    for source in candidates:
        try:
            with source.open() as stream:
                head = stream.read(_SMALLEST_DICOM_BYTES)
        except OSError:
            # It cannot even be opened: the header pass opens it again and reports why.
            sources.append(source)
            continue
        if looks_like_dicom(head):
            sources.append(source)
        else:
            others.append(source.name)
    return FoundFiles(tuple(sources), tuple(others))


def _in_folder(root: Path) -> Iterator[Source]:
    count = 0
    real_root = root.resolve()
    for parent, folders, names in os.walk(root, onerror=_refuse_closed_folder):
        folders.sort()
        for name in sorted((*folders, *names)):
            path = Path(parent, name)
            if path.is_symlink():
                # A link inside the input is passed over: what it points to is found anyway.
                _check_inside(path, real_root)
            elif name not in folders and path.is_file():
                count += 1
                _check_count(count, str(root))
                yield _file_source(path, root)


def _refuse_closed_folder(error: OSError) -> None:
    raise NoSeriesError("folder_closed", folder=str(error.filename), reason=cause(error)) from error


def _check_inside(path: Path, real_root: Path) -> None:
    try:
        inside = path.resolve().is_relative_to(real_root)
    except (OSError, RuntimeError):  # a link that points to itself
        inside = True
    if not inside:
        raise UnsafeInputError("link_leaves", file=path.name)


def _file_source(path: Path, root: Path) -> Source:
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return Source(name, lambda: path.open("rb"))


@contextmanager
def _open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise NoSeriesError("zip_damaged", file=path.name, reason=cause(error)) from error
    with archive:
        yield archive


def _in_zip(archive: zipfile.ZipFile, zip_name: str) -> Iterator[Source]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    _check_count(len(members), zip_name)
    total = sum(member.file_size for member in members)
    if total > MAX_ARCHIVE_BYTES:
        raise _too_big(zip_name, total, MAX_ARCHIVE_BYTES)
    for member in members:
        _check_member(member)
    for member in sorted(members, key=lambda member: member.filename):
        yield Source(member.filename, _member_opener(archive, member))


def _check_member(member: zipfile.ZipInfo) -> None:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
        raise UnsafeInputError("zip_leaves", file=member.filename)
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UnsafeInputError("zip_link", file=member.filename)
    if member.file_size > MAX_MEMBER_BYTES:
        raise _too_big(member.filename, member.file_size, MAX_MEMBER_BYTES)
    if member.flag_bits & 0x1:
        raise NoSeriesError("zip_encrypted", file=member.filename)


def _member_opener(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    def open_member() -> BinaryIO:
        try:
            # Never more than the declared size, which the limits have checked.
            return io.BytesIO(archive.read(member))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise OSError(f"damaged in the zip: {error}") from error

    return open_member


def _check_count(count: int, name: str) -> None:
    if count > MAX_FILES:
        raise UnsafeInputError("too_many_files", most=MAX_FILES, file=name)


def _too_big(name: str, size: int, limit: int) -> UnsafeInputError:
    return UnsafeInputError("too_big", file=name, mib=size / 2**20, most_mib=limit / 2**20)

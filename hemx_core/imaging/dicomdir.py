"""The files that a DICOMDIR refers to; nothing outside its folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom.uid import MediaStorageDirectoryStorage

from hemx_core.errors import NoSeriesError, UnsafeInputError
from hemx_core.imaging import limits
from hemx_core.imaging.archive import too_many_files
from hemx_core.imaging.parse import parse


def is_dicomdir(path: Path) -> bool:
    """Whether a file is a DICOMDIR, by the SOP class in its file meta information."""
    with path.open("rb") as stream:
        head = stream.read(1024)
    return MediaStorageDirectoryStorage.encode("ascii") in head


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The files of a DICOMDIR.

    Args:
        found: those that it names and that are there.
        missing: names of those that are not there.
        beside: what else lies in the folders of those that are.
    """

    found: tuple[Path, ...]
    missing: tuple[str, ...]
    beside: tuple[Path, ...]


def referenced_files(dicomdir: Path) -> Named:
    """Files that a DICOMDIR refers to.

    Each folder is listed once, so the cost grows with records and files, not with their product.

    Raises:
        NoSeriesError: the DICOMDIR cannot be read.
        UnsafeInputError: it names a file outside its own folder, or too many.
    """
    try:
        with dicomdir.open("rb") as stream:
            dataset = parse(stream, dicomdir.name, tags=["DirectoryRecordSequence"])
        names = [_components(one) for one in dataset.get("DirectoryRecordSequence") or ()]
    except (UnsafeInputError, NoSeriesError):
        raise
    except Exception as error:  # a damaged file makes pydicom raise nearly anything
        raise NoSeriesError(
            "dicomdir_unreadable", file=dicomdir.name, reason=type(error).__name__
        ) from error
    wanted = list(filter(None, names))
    if len(wanted) > limits.MAX_FILES:
        raise too_many_files(dicomdir.name)
    found: dict[Path, None] = {}
    missing: list[str] = []
    folders = _Folders()
    root = dicomdir.parent.resolve()
    for parts in wanted:
        file = _locate(dicomdir.parent, root, parts, folders)
        if file is None:
            missing.append("/".join(parts))
        else:
            found[file] = None
    beside = folders.beside([*found], dicomdir)
    return Named(found=tuple(found), missing=tuple(missing), beside=beside)


def _components(record: Any) -> tuple[str, ...]:
    value = record.get("ReferencedFileID")
    if not value:
        return ()
    parts = (value,) if isinstance(value, str) else tuple(value)
    # Some writers put a whole path into one component.
    return tuple(piece for part in parts for piece in str(part).split("/"))


class _Folders:
    """Names in folders, each folder listed once; one that cannot be listed holds none."""

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, list[str]]] = {}

    def child(self, folder: Path, name: str) -> Path | None:
        """The entry of that name, or the only one that differs in case (ISO 9660 discs)."""
        if folder not in self._names:
            self._names[folder] = _listed(folder)
        same = self._names[folder].get(name.lower(), [])
        if name in same:
            return folder / name
        return folder / same[0] if len(same) == 1 else None

    def beside(self, files: Sequence[Path], dicomdir: Path) -> tuple[Path, ...]:
        """Regular files in the folders of some files that are none of them, nor the DICOMDIR."""
        known = {*files, dicomdir}
        paths = (
            folder / name
            for folder in dict.fromkeys(file.parent for file in files)
            for names in self._names.get(folder, {}).values()
            for name in names
        )
        return tuple(
            path
            for path in sorted(paths)
            if path not in known and path.is_file() and not path.is_symlink()
        )


def _listed(folder: Path) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count > 2 * limits.MAX_FILES:
                    raise too_many_files(folder.name)
                names.setdefault(entry.name.lower(), []).append(entry.name)
    except OSError:
        return {}
    return names


def _locate(folder: Path, root: Path, parts: tuple[str, ...], folders: _Folders) -> Path | None:
    if any(part in ("", ".", "..") or set(part) & set("\\:\0") for part in parts):
        raise _leaves(parts)
    path: Path | None = folder
    for part in parts:
        path = folders.child(path, part) if path is not None else None
    try:
        if path is None or not path.is_file():
            return None
        inside = path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a link that points to itself
        return None
    if not inside:
        raise _leaves(parts)
    return path


def _leaves(parts: tuple[str, ...]) -> UnsafeInputError:
    return UnsafeInputError("dicomdir_leaves", file="/".join(parts)[:200])

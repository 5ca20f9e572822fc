"""The files that a DICOMDIR names, and none outside its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom.uid import MediaStorageDirectoryStorage

from hemx_core.errors import NoSeriesError, UnsafeInputError
from hemx_core.imaging._parse import parse


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
            f"the DICOMDIR {dicomdir.name} cannot be read ({type(error).__name__})",
            expected="a directory of the files beside it",
            remedy="give the folder instead of the DICOMDIR",
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
    return UnsafeInputError(
        f"the DICOMDIR names a file outside its folder: {'/'.join(parts)!r}",
        expected="files beside or below the DICOMDIR",
        remedy="do not use this medium; ask its sender for a new one",
    )

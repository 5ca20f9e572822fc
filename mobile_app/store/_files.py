"""The DICOM files of imported series: copied whole or not at all, deleted, set aside.

    0123456789abcdef.tmp     a copy that grows; deleted at the next start
    0123456789abcdef         a study's files, each on the medium before the folder has this name
    0123456789abcdef.gone    a study that is being deleted; the next start ends it, or takes it back

A folder that no study owns is never deleted: a lost database would take its studies with it. Files are
numbered: names on a medium often hold the patient's.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hemx_core.errors import cause
from hemx_core.files import sync_folder
from mobile_app.errors import StoreError, StoreFullError

STUDIES = "studies"
DRAFT = ".tmp"
GONE = ".gone"
ASIDE = "set_aside"
RESERVE = "reserve"
RESERVE_BYTES = 1 << 20
"""Kept free on the medium, so that on a full one studies can still be listed and deleted."""
_CHUNK = 1 << 20
_STUDY = re.compile(r"[0-9a-f]{16}")

Opener = Callable[[], BinaryIO]
CopyProgress = Callable[[int, int], None]
"""Called with the files copied and the files there are."""


def is_study(name: str) -> bool:
    """Whether a name is one that a study's folder may have; a damaged row may hold any."""
    return _STUDY.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class FileHash:
    """Size and SHA-256 of a file."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedFiles:
    """What was copied.

    Args:
        draft: the folder that holds it, still under its temporary name.
        files: name of each copy to its size and hash.
    """

    draft: Path
    files: dict[str, FileHash]

    @property
    def bytes(self) -> int:
        """Size of all together."""
        return sum(one.bytes for one in self.files.values())

    @property
    def sha256(self) -> str:
        """See `folder_hash`."""
        return folder_hash(one.sha256 for one in self.files.values())

    @property
    def folder(self) -> str:
        """The name that the draft will have."""
        return self.draft.name.removesuffix(DRAFT)


def folder_hash(digests: Iterable[str]) -> str:
    """SHA-256 of the sorted digests of files; the same files give the same, in any order."""
    return hashlib.sha256("".join(sorted(digests)).encode("ascii")).hexdigest()


def hash_file(path: Path) -> FileHash:
    """Size and hash of a file.

    Raises:
        OSError: it cannot be read.
    """
    digest, length = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            length += len(chunk)
    return FileHash(length, digest.hexdigest())


def copy_files(root: Path, openers: Sequence[Opener], progress: CopyProgress) -> CopiedFiles:
    """Copy files into a new draft folder below `root`; nothing is left of it where that fails.

    Raises:
        StoreFullError: no room on the device.
        StoreError: a file cannot be read or written.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = root / f"{secrets.token_hex(8)}{DRAFT}"
    draft.mkdir(mode=0o700)
    try:
        files = {}
        for number, opener in enumerate(openers, 1):
            name = f"{number:05d}.dcm"
            files[name] = _copy_one(opener, draft / name)
            progress(number, len(openers))
        sync_folder(draft)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if isinstance(error, OSError):
            raise not_copied(error) from error
        raise
    return CopiedFiles(draft=draft, files=files)


def settle(draft: Path) -> Path:
    """Give a complete draft its final name, on the medium when this returns."""
    final = draft.with_name(draft.name.removesuffix(DRAFT))
    draft.rename(final)
    sync_folder(final.parent)
    return final


def remove(folder: Path) -> None:
    """Delete a study's folder.

    Raises:
        StoreError: something of it is still there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise StoreError("files_not_deleted", folder=folder.name)
    if folder.parent.is_dir():
        sync_folder(folder.parent)


def discard(draft: Path) -> None:
    """Delete a draft that is not taken over, if it is still there; never fails."""
    shutil.rmtree(draft, ignore_errors=True)


def mark_gone(folder: Path) -> Path:
    """Give a study's folder the name of one that is being deleted; return it. Needs no room."""
    gone = folder.with_name(folder.name + GONE)
    if folder.is_dir() and not gone.exists():
        folder.rename(gone)
    return gone


def take_back(gone: Path) -> None:
    """Undo `mark_gone`; never fails."""
    folder = gone.with_name(gone.name.removesuffix(GONE))
    if gone.is_dir() and not folder.exists():
        with contextlib.suppress(OSError):
            gone.rename(folder)


def sweep(root: Path, owned: Iterable[str]) -> tuple[str, ...]:
    """End what was broken off, and say which study folders nobody owns; a stray file stays where it is.

    Args:
        root: the folder of all studies.
        owned: folders of the studies in the database.
    """
    keep, strays = set(owned), []
    for path in sorted(root.iterdir()) if root.is_dir() else []:
        name = path.name
        if name.endswith(DRAFT) and path.is_dir():
            discard(path)
        elif name.endswith(GONE) and is_study(name.removesuffix(GONE)):
            if name.removesuffix(GONE) in keep:
                take_back(path)
            else:
                discard(path)
        elif is_study(name) and name not in keep and path.is_dir():
            strays.append(name)
    return tuple(strays)


def set_aside(root: Path, path: Path, name: str = "") -> Path:
    """Move a file or folder to where nothing is looked for; return its new place.

    Args:
        root: the app's folder.
        path: inside it.
        name: the new name; a number is added where it is taken.
    Raises:
        OSError: the system refuses.
    """
    aside = root / ASIDE
    aside.mkdir(mode=0o700, exist_ok=True)
    target = aside / (name or path.name)
    number = 1
    while target.exists():
        number += 1
        target = aside / f"{name or path.name}-{number}"
    path.rename(target)
    return target


def size_below(folder: Path) -> int:
    """Bytes of all files below a folder; 0 where there is none."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                size += (Path(place) / name).lstat().st_size
    return size


def keep_reserve(root: Path) -> None:
    """Hold some room on the medium, where there is plenty; never fails."""
    path = root / RESERVE
    with contextlib.suppress(OSError):
        if not path.exists() and shutil.disk_usage(root).free > 64 * RESERVE_BYTES:
            with path.open("xb") as stream:
                stream.write(bytes(RESERVE_BYTES))


def release_reserve(root: Path) -> bool:
    """Give the room to whatever needs it now; whether there was any."""
    try:
        (root / RESERVE).unlink()
    except OSError:
        return False
    return True


def _copy_one(opener: Opener, target: Path) -> FileHash:
    digest, length = hashlib.sha256(), 0
    with opener() as source, target.open("xb") as copy:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
            length += len(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    return FileHash(length, digest.hexdigest())


def not_copied(error: OSError) -> StoreError:
    """What the system said, as ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFullError("no_room_for_study")
    return StoreError("study_not_copied", reason=cause(error))

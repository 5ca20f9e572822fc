"""The DICOM files of imported series: copied whole or not at all, swept, deleted.

A copy grows in a folder whose name ends in `.tmp` and is renamed when every file is on the medium. A folder
that no study owns (the app was killed between the copy and the database, or during a deletion) is swept at
the next start. Files are numbered: names on a medium often hold the patient's.
"""

from __future__ import annotations

import errno
import hashlib
import os
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
_CHUNK = 1 << 20

Opener = Callable[[], BinaryIO]
CopyProgress = Callable[[int, int], None]
"""Called with the files copied and the files there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedFiles:
    """What was copied.

    Args:
        draft: the folder that holds it, still under its temporary name.
        files: number of files.
        bytes: their size together.
        sha256: of the sorted digests of the files; the same files give the same, in any order.
    """

    draft: Path
    files: int
    bytes: int
    sha256: str


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
        digests, size = [], 0
        for number, opener in enumerate(openers, 1):
            digest, length = _copy_one(opener, draft / f"{number:05d}.dcm")
            digests.append(digest)
            size += length
            progress(number, len(openers))
        sync_folder(draft)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if isinstance(error, OSError):
            raise _not_copied(error) from error
        raise
    total = hashlib.sha256("".join(sorted(digests)).encode("ascii")).hexdigest()
    return CopiedFiles(draft=draft, files=len(openers), bytes=size, sha256=total)


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


def sweep(root: Path, owned: Iterable[str]) -> int:
    """Delete all folders below `root` but the owned ones; return how many were deleted."""
    keep = set(owned)
    strays = [path for path in root.iterdir() if path.name not in keep] if root.is_dir() else []
    for stray in strays:
        remove(stray)
    return len(strays)


def _copy_one(opener: Opener, target: Path) -> tuple[str, int]:
    digest, length = hashlib.sha256(), 0
    with opener() as source, target.open("xb") as copy:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
            length += len(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    return digest.hexdigest(), length


def _not_copied(error: OSError) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFullError("no_room_for_study")
    return StoreError("study_not_copied", reason=cause(error))

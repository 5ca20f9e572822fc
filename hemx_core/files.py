"""Files and folders written whole or not at all: to a temporary name beside the target, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import signal
import stat
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from hemx_core.errors import OutputError, cause
from hemx_core.notes import Phrase

Content = bytes | str | Callable[[BinaryIO], object]
"""What a file is to hold: bytes, text (written as UTF-8, line ends as they are), or what fills a stream."""


def write_whole(
    path: Path,
    content: Content,
    *,
    durable: bool = False,
    mode: int = 0o666,
    make_folder: bool = True,
) -> Path:
    """Write a file whole or not at all; one of its name is replaced.

    A link stays one: what it points to is replaced. A device or a pipe, such as /dev/null, is written
    into and stays.

    Args:
        path: the file.
        content: see `Content`.
        durable: return only when file and name are on the medium, so that a loss of power keeps them.
        mode: of a new file, before the user's mask; it is never wider, not even for a moment.
        make_folder: make the folder where it is missing; not where a person chose it, perhaps on a
            medium that is gone.
    Returns:
        The path.
    Raises:
        OutputError: the system refuses; the file is as it was, and nothing else is left.
    """
    with writing(path):
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        # The name says nothing of the file's: a long one would not leave room for more.
        draft = target.with_name(f".{secrets.token_hex(8)}.tmp")
        if make_folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not (target.is_file() or target.is_dir()):
            with target.open("wb") as stream:
                _fill(stream, content)
            return path
        try:
            with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as stream:
                _fill(stream, content)
                if durable:
                    stream.flush()
                    os.fsync(stream.fileno())
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        if durable:
            sync_folder(target.parent)
    return path


def _fill(stream: BinaryIO, content: Content) -> None:
    if callable(content):
        content(stream)
    else:
        stream.write(content.encode() if isinstance(content, str) else content)


_DRAFT = (".hemx-", ".tmp")


def check_writable(folder: Path) -> None:
    """Make a file in a folder and take it away, or in the nearest folder above that is there.

    Raises:
        OutputError: the system refuses.
    """
    with writing(folder):
        place = folder.absolute()
        while not place.exists() and place != place.parent:
            place = place.parent
        with tempfile.TemporaryFile(dir=place):
            pass


@contextmanager
def unbroken() -> Iterator[None]:
    """Let Ctrl-C wait until the block has ended, so that files are moved all or none."""
    usual, main = signal.default_int_handler, threading.main_thread()
    if threading.current_thread() is not main or signal.getsignal(signal.SIGINT) is not usual:
        yield
        return
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def draft_folder(folder: Path) -> Iterator[Path]:
    """A new folder inside another, which is made where missing; gone afterwards, whatever happens.

    Its files can be renamed to the folder or beside it: they lie on the same file system.

    Raises:
        OutputError: the system refuses, here or in what is done with the draft.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=_DRAFT[0], suffix=_DRAFT[1], dir=folder))
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def left_drafts(folder: Path) -> tuple[Path, ...]:
    """Drafts in a folder: of a run that is going on, or that was killed."""
    begin, end = _DRAFT
    return tuple(sorted(folder.glob(f"{begin}*{end}")))


def draft_place(folder: Path) -> Path:
    """Where a draft for a folder goes: into it where it is there, else beside it.

    Beside one that is there may be another file system, or a place that may not be written to.
    """
    return folder if folder.is_dir() else folder.parent


def publish_files(draft: Path, folder: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """Move files out of a draft into a folder, in order: the one that makes the others count comes last.

    Where one cannot be moved, those that are new in the folder are taken away again.

    Args:
        draft: holds them, on the same file system.
        folder: made where missing; files of these names are replaced.
        names: relative to both.
    Returns:
        Where they lie now.
    Raises:
        OutputError: the system refuses.
    """
    targets, new = [], []
    with unbroken(), writing(folder):
        try:
            for name in names:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                known = target.exists()
                (draft / name).replace(target)
                targets.append(target)
                if not known:
                    new.append(target)
        except BaseException:
            for target in new:
                target.unlink(missing_ok=True)
            raise
    return tuple(targets)


def replace_files(
    draft: Path, folder: Path, names: Iterable[str], earlier: Iterable[str]
) -> tuple[Path, ...]:
    """Put a draft's files in the place of earlier ones, which go first: the two are never mixed.

    Where the system refuses, the earlier ones come back.

    Args:
        draft: holds the files, on the same file system; the earlier ones end in it.
        folder: is there.
        names: of the new files, see `publish_files`.
        earlier: of the files that go, relative to the folder.
    Returns:
        Where the new files lie.
    Raises:
        OutputError: the system refuses.
    """
    aside, moved = draft / ".earlier", []
    with unbroken(), writing(folder):
        try:
            for name in earlier:
                _move(folder / name, aside / name)
                moved.append(name)
            return publish_files(draft, folder, names)
        except BaseException:
            for name in moved:
                _move(aside / name, folder / name)
            raise


def _move(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)


def publish_folder(draft: Path, folder: Path) -> Path:
    """Give a complete draft its final name; a folder of that name is replaced, and stays if that fails.

    Raises:
        OutputError: the system refuses.
    """
    old = folder.with_name(f".{secrets.token_hex(8)}.tmp")
    with unbroken(), writing(folder):
        if folder.exists():
            folder.rename(old)
        try:
            draft.rename(folder)
        except BaseException:
            if old.exists():
                old.rename(folder)
            raise
    shutil.rmtree(old, ignore_errors=True)
    return folder


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the medium, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class UnfitFileError(OSError):
    """A file that is not read, as a phrase; an OSError, like any other file that cannot be."""

    def __init__(self, phrase: Phrase) -> None:
        self.phrase = phrase
        super().__init__(phrase.code)


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """Open a file to be read, and never wait for one: a pipe or a device is refused.

    Raises:
        OSError: the system refuses, or it is no regular file.
    """
    # Opened before it is looked at: what lies at the path could be another file a moment later.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except ValueError as error:  # a zero byte in the name
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise UnfitFileError(Phrase("file.not_regular"))
        yield stream


def read_whole(path: Path, most_bytes: int) -> bytes:
    """The bytes of a file that has a limit.

    Raises:
        OSError: the system refuses, it is no regular file, or it is larger.
    """
    with open_regular(path) as stream:
        content = stream.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise UnfitFileError(Phrase("file.too_large", most=most_bytes))
    return content


def lost_output(error: OSError) -> OutputError:
    """The error for standard output that cannot be written."""
    return OutputError("output_lost", reason=cause(error))


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system refuses while a file or a folder is written into HEMX's error.

    Raises:
        OutputError: instead of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise OutputError("not_written", file=path.name, reason=cause(error)) from error

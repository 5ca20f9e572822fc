"""A log without patient data: the error and its place in the program; no Kivy.

A message may hold a name, an ID or a path, and so may the text of an error. So no text of either is ever
written. A line holds only what comes from the program itself: a time, a level, a module,
a line number, numbers, and the class of an error with the code lines that it came through.

    2026-11-26T09:12:44 ERROR mobile_app.context:88 NoSeriesError < hemx_core.imaging.reader:47 read_series
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path, PurePath
from types import TracebackType

LOG_NAME = "hemx.log"
MAXIMUM_BYTES = 128 * 1024
OLDER_FILES = 2
FRAMES = 12
PACKAGES = ("hemx_core", "mobile_app")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}")
EVENT = "hemx_event"
"""Attribute of a record that `event` made: its words are the program's own, so they are written."""

logger = logging.getLogger("hemx")


class SafeFormatter(logging.Formatter):
    """Makes a line of a record without its message; see the module."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, place in the program, and what kind of error."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        place = f"{module_of(record.pathname)}:{record.lineno}"
        told = getattr(record, EVENT, "")
        error = record.exc_info[1] if record.exc_info else None
        parts = (moment, record.levelname, place, told, described(error) if error else "")
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class InstalledLog:
    """What `install` began, and which hooks there were before."""

    handler: logging.Handler
    hooks: tuple[Callable[..., object], Callable[..., object]]


def install(folder: Path) -> InstalledLog:
    """Begin to log into a folder: warnings of every library, and uncaught errors.

    Args:
        folder: the app's private folder.
    """
    handler = RotatingFileHandler(
        folder / LOG_NAME,
        maxBytes=MAXIMUM_BYTES,
        backupCount=OLDER_FILES,
        encoding="ascii",
        errors="replace",
        delay=True,
    )
    handler.setFormatter(SafeFormatter())
    handler.setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    logger.setLevel(logging.INFO)
    before = InstalledLog(handler, (sys.excepthook, threading.excepthook))
    sys.excepthook = _hook(sys.excepthook)
    threading.excepthook = _thread_hook(threading.excepthook)
    return before


def remove(installed: InstalledLog) -> None:
    """End what `install` began; uncaught errors go where they went before."""
    logging.getLogger().removeHandler(installed.handler)
    installed.handler.close()
    sys.excepthook, threading.excepthook = installed.hooks


def event(name: str, **numbers: float) -> None:
    """Write that something happened.

    Args:
        name: a word of the program, such as "triage_done"; no text that came from outside.
        **numbers: what can be counted or measured.
    Raises:
        ValueError: not a word, or not numbers.
    """
    values = " ".join(f"{key}={float(value):g}" for key, value in numbers.items())
    if not WORD.fullmatch(name):
        raise ValueError("an event's name is one word of the program")
    logger.info("", extra={EVENT: f"{name} {values}".strip()}, stacklevel=2)


def error_met(error: BaseException) -> None:
    """Log an error that was caught and shown to the user."""
    logger.error("", exc_info=error, stacklevel=2)


def described(error: BaseException) -> str:
    """The class of an error and the code lines it came through, then those of its cause; no text of it."""
    told = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = traceback.extract_tb(current.__traceback__)[-FRAMES:]
        lines = [
            f"{module_of(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames)
        ]
        told.append(" < ".join([type(current).__name__, *lines]))
        current = current.__cause__ or current.__context__
    return " caused by ".join(told)


def module_of(path: str) -> str:
    """The module of a source file; of one outside the program without its folders, which may name a user."""
    parts = PurePath(path.removesuffix(".py")).parts
    for package in PACKAGES:
        if package in parts:
            place = len(parts) - 1 - parts[::-1].index(package)
            return ".".join(parts[place:])
    return parts[-1] if parts else ""


def read_log(folder: Path) -> str:
    """Everything that is logged, oldest first; empty where there is nothing."""
    found = []
    for path in reversed(_files(folder)):
        try:
            found.append(path.read_text(encoding="ascii", errors="replace"))
        except FileNotFoundError:
            continue
    return "".join(found)


def clear_log(folder: Path) -> None:
    """Delete the log. What is logged from now on goes into a new file."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, RotatingFileHandler) and Path(handler.baseFilename).parent == folder:
            handler.acquire()
            try:
                handler.close()
                _delete(folder)
            finally:
                handler.release()
            return
    _delete(folder)


def _delete(folder: Path) -> None:
    for path in _files(folder):
        path.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    """The newest first."""
    return [
        folder / LOG_NAME,
        *(folder / f"{LOG_NAME}.{number}" for number in range(1, OLDER_FILES + 1)),
    ]


def _hook(then: Callable[..., object]) -> Callable[..., None]:
    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            logger.critical("", exc_info=error)
        then(kind, error, trace)

    return hook


def _thread_hook(
    then: Callable[[threading.ExceptHookArgs], object],
) -> Callable[[threading.ExceptHookArgs], None]:
    def hook(told: threading.ExceptHookArgs) -> None:
        if told.exc_value is not None:
            logger.critical("", exc_info=told.exc_value)
        then(told)

    return hook

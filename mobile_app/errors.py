"""Errors of the app, in addition to those of the core.

HemxError
├── StoreError                 the app's folder or database
│   ├── StoreBusyError             another process has it open
│   ├── NewerStoreError            written by a newer version of the app
│   ├── DamagedStoreError          a file or record is not what was written
│   ├── RescuedStoreError          the store was damaged and put in order; what was found and what is lost
│   ├── StoreFullError             no room
│   └── NotStoredError             a study, result, correction or comparison that is not (or no more) there
├── MemoryBudgetError          a study that would need more memory than there is
├── AccessError                a file or folder that another app or the system does not let us read
├── PinError                   a PIN that is wrong, too short, or asked for too early
└── UnexpectedError            an error that nobody foresaw, wrapped: a defect of the program
"""

from __future__ import annotations

from hemx_core.errors import HemxError


class StoreError(HemxError):
    """The app's folder or database cannot be used."""


class StoreBusyError(StoreError):
    """Another process has the store open."""


class NewerStoreError(StoreError):
    """The store was written by a newer version of the app."""


class DamagedStoreError(StoreError):
    """A file or record is not what was written."""


class RescuedStoreError(StoreError):
    """The store was damaged and was put in order: told once, with what was found and what is lost."""


class StoreFullError(StoreError):
    """There is no room for what is to be written."""


class NotStoredError(StoreError):
    """There is no such record (any more)."""


class MemoryBudgetError(HemxError):
    """A study would need more memory than there is."""


class AccessError(HemxError):
    """Another app or the system does not let the app read a file or folder, or breaks off."""


class PinError(HemxError):
    """A PIN is wrong, unsuitable, or was given too early."""


class UnexpectedError(HemxError):
    """An unforeseen error; the original is its cause."""

    @classmethod
    def wrap(cls, error: BaseException) -> UnexpectedError:
        """Name the error's type, not its text: a text may hold a path or a patient's name."""
        wrapped = cls("unexpected", kind=type(error).__name__)
        wrapped.__cause__ = error
        return wrapped

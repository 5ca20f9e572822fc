"""How a job ends: whatever its work returns or raises becomes an outcome."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from hemx_core.errors import HemxError
from mobile_app.errors import UnexpectedError

T = TypeVar("T")


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Cancelled(BaseException):
    """Ends a cancelled job from inside. No Exception: nothing in between may take it for an error."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """How a job ended.

    Args:
        state: DONE, FAILED or CANCELLED.
        value: what the work returned; None unless it is done.
        error: why it failed.
    """

    state: JobState
    value: T | None = None
    error: HemxError | None = None


def outcome_of(work: Callable[[], T]) -> Outcome[T]:
    """Run work; an error that is no HemxError comes wrapped."""
    try:
        return Outcome(JobState.DONE, value=work())
    except Cancelled:
        return Outcome(JobState.CANCELLED)
    except HemxError as error:
        _forget_locals(error)
        return Outcome(JobState.FAILED, error=error)
    except BaseException as error:
        # The worker must outlive whatever a job does, MemoryError included.
        _forget_locals(error)
        return Outcome(JobState.FAILED, error=UnexpectedError.wrap(error))


def _forget_locals(error: BaseException) -> None:
    """Keep the lines of a traceback and drop its variables: a volume hangs on them."""
    known: BaseException | None = error
    while known is not None:
        traceback.clear_frames(known.__traceback__)
        known = known.__cause__ or known.__context__

"""What comes of one case, and the counts of many."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hemx_core.errors import HemxError
from hemx_core.records import Json
from hemx_core.words import is_error_code

MOST_SECONDS = 10.0
"""Of processor time, for one case."""
MOST_MIB = 512.0
"""Above what the process holds before the case."""


class Outcome(StrEnum):
    """What came of a case."""

    RIGHT = "right"
    """What the undamaged input gives, or what the damaged bytes say by another reader."""
    TOLD = "told"
    """Read on, with a warning."""
    TYPED = "typed"
    """An error that HEMX raises on purpose."""
    UNTYPED = "untyped"
    """Any other error, or the process's end."""
    HANG = "hang"
    """More than `MOST_SECONDS` of processor time, or no word for long."""
    MEMORY = "memory"
    """More than `MOST_MIB`."""
    SILENT = "silent"
    """Something is changed, lost or let through, and nothing is said."""


FAULTS = (Outcome.UNTYPED, Outcome.HANG, Outcome.MEMORY, Outcome.SILENT)
"""What must not happen."""
Answer = tuple[Outcome, str]
"""What came of it, and why."""
_LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case.

    Args:
        name: of the case; a mutant's is what it is drawn from.
        outcome: what came of it.
        why: code of the error, or what is wrong.
        seconds: of processor time.
        mib: above what the process held before.
    """

    name: str
    outcome: Outcome
    why: str = ""
    seconds: float = 0.0
    mib: float = 0.0

    @property
    def is_fault(self) -> bool:
        """Whether it must not happen."""
        return self.outcome in FAULTS

    def to_json(self) -> Json:
        """As the result file has it."""
        return {
            "name": self.name,
            "outcome": str(self.outcome),
            "why": self.why[:_LONGEST],
            "seconds": round(self.seconds, 3),
            "mib": round(self.mib, 1),
        }


def answered(question: Callable[[], Answer]) -> Answer:
    """The answer to a question; an error is an answer, too, and so is a panic of a decoder."""
    try:
        return question()
    except HemxError as error:
        # What only developers meet has a sentence for its code, with names in it.
        return Outcome.TYPED, error.code if is_error_code(error.code) else type(error).__name__
    except MemoryError:
        return Outcome.MEMORY, "MemoryError"
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        return Outcome.UNTYPED, f"{type(error).__name__}: {error} ({where})"


def counts(rows: Iterable[Row]) -> Json:
    """How many came out in which way, all ways named."""
    found = Counter(str(row.outcome) for row in rows)
    return {str(outcome): found[str(outcome)] for outcome in Outcome}


def summary(rows: Iterable[Row]) -> Json:
    """Counts, the dearest case, and every fault."""
    every = list(rows)
    return {
        "cases": len(every),
        "counts": counts(every),
        "most_seconds": round(max((row.seconds for row in every), default=0.0), 2),
        "most_mib": round(max((row.mib for row in every), default=0.0), 1),
        "faults": [row.to_json() for row in every if row.is_fault],
    }

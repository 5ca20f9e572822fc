"""What is asked for beside a result: each is tried, whatever became of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hemx_core.errors import ExtrasError, FailedExtra, HemxError, OutputError, cause
from hemx_core.notes import Note


@dataclass(slots=True)
class Extras:
    """Tries one after the other, and tells at the end.

    Args:
        files: what is written already.
    """

    files: list[Path]
    failed: list[FailedExtra] = field(default_factory=list)

    def attempt(self, extra: str, make: Callable[[], Iterable[Path]]) -> bool:
        """Make one of them; whether that worked.

        Args:
            extra: its name, see `FailedExtra`.
            make: writes the files, whole or not at all, and answers them.
        """
        try:
            self.files += make()
        except HemxError as error:
            self.failed.append(FailedExtra(extra, error))
        except Exception as error:  # the libraries raise nearly anything of odd images
            broken = OutputError("extra_broken", kind=type(error).__name__, reason=cause(error))
            broken.__cause__ = error
            self.failed.append(FailedExtra(extra, broken))
        else:
            return True
        return False

    def tell(self, notes: tuple[Note, ...] = ()) -> None:
        """Say what could not be made.

        Args:
            notes: on what was written.
        Raises:
            ExtrasError: there is such a one.
        """
        if self.failed:
            raise ExtrasError(tuple(self.files), tuple(self.failed), notes)

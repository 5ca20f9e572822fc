"""The table of drawn cases: how each is made, how it is asked and what is expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.world.bases import Bases, Slices, Study
from benchmarks.world.expect import Expected


@dataclass(frozen=True, kw_only=True)
class Case:
    """One variant of a kind.

    Args:
        kind: what is wrong or awkward.
        variant: in which way.
        build: makes the study of the drawn ones.
        expected: what is accepted.
        ask: triage, compare, save or list.
        options: of what is asked.
        base: name of the drawn study whose unchanged answer it is compared with.
    """

    kind: str
    variant: str
    build: Callable[[Bases], Study]
    expected: Expected
    ask: str = "triage"
    options: Mapping[str, Any] = field(default_factory=dict)
    base: str = "plain"

    @property
    def name(self) -> str:
        """Kind and variant, as in the table and for the name of a folder."""
        return f"{self.kind}/{self.variant}" if self.variant else self.kind


def of_plain(change: Callable[..., Study], /, **given: Any) -> Callable[[Bases], Study]:
    """A study that is the plain one, changed; what is given goes to the change by name."""
    return lambda bases: change(bases.plain(), **given)


def of_pair(
    change: Callable[..., tuple[Slices, Slices]], /, **given: Any
) -> Callable[[Bases], Study]:
    """Two studies, earlier and later, changed; what is given goes to the change by name."""

    def build(bases: Bases) -> Study:
        earlier, later = change(*bases.pair(), **given)
        return {"earlier": earlier, "later": later}

    return build

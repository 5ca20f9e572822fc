"""Which points no other point beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A point in the space of the three figures.

    Args:
        name: of the point.
        score: AUC or Dice; more is better.
        latency_ms: of a call; less is better.
        memory_mib: peak above base; less is better.
    """

    name: str
    score: float
    latency_ms: float
    memory_mib: float

    def dominates(self, other: Candidate) -> bool:
        """Whether this is at least as good in every figure and better in one.

        Equal points do not dominate each other: both may be on the front.
        """
        pairs = (
            (self.score, other.score),
            (-self.latency_ms, -other.latency_ms),
            (-self.memory_mib, -other.memory_mib),
        )
        return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def dominators(candidates: Sequence[Candidate]) -> dict[str, list[str]]:
    """For each point the names of those that dominate it, best score first; the front has none."""
    found = {}
    for one in candidates:
        better = [other for other in candidates if other.dominates(one)]
        better.sort(key=lambda other: (-other.score, other.latency_ms, other.memory_mib))
        found[one.name] = [other.name for other in better]
    return found

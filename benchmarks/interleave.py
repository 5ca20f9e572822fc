"""Contestants in rounds, so that drift of the machine meets all of them alike; interrupted runs go on.

Every round visits every contestant once, each visit in a fresh process. The order moves on by one place
from round to round and every other round runs backwards: nobody is always first or always after the same one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hemx_core.errors import BenchmarkError

T = TypeVar("T")
Json = dict[str, Any]
Visit = Callable[[], Json]
"""Measures once; its answer has a `fingerprint` of the outputs, or `failed` with a reason."""
FAILED = "failed"
RELATIVE, ABSOLUTE = 1e-3, 1e-3
"""How far numbers of two fingerprints of one contestant may differ: threads change the order of sums."""


def order(contestants: Sequence[T], round_index: int) -> list[T]:
    """The contestants in the order of a round, counted from 0."""
    shift = round_index % max(len(contestants), 1)
    turned = [*contestants[shift:], *contestants[:shift]]
    return turned[::-1] if round_index % 2 else turned


class RoundStore:
    """What has been measured, one JSON line a visit; other settings start anew.

    Args:
        path: of the file; its folder is made.
        settings: everything that must be the same for old rounds to count: hashes, sizes, repeats.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self._found: dict[tuple[int, str], Json] = {}
        head = json.dumps({"settings": settings}, sort_keys=True)
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if lines and lines[0] == head:
            for text in lines[1:]:
                self._remember(text)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(head + "\n", encoding="utf-8")

    def get(self, round_index: int, name: str) -> Json | None:
        """What a visit found; None if it has not been made."""
        return self._found.get((round_index, name))

    def put(self, round_index: int, name: str, values: Json) -> None:
        """Keep what a visit found."""
        self._found[round_index, name] = values
        line = json.dumps({"round": round_index, "name": name, "values": values})
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    def _remember(self, text: str) -> None:
        try:
            one = json.loads(text)
        except ValueError:
            return  # The line that the interrupted run was writing: its visit is made again.
        self._found[one["round"], one["name"]] = one["values"]


def visit_all(
    visits: Mapping[str, Visit],
    *,
    rounds: int,
    store: RoundStore,
    tell: Callable[[str], None] = lambda message: None,
) -> dict[str, list[Json]]:
    """Visit every contestant in every round.

    Returns:
        For each contestant what its visits found, in the order of the rounds.
    Raises:
        BenchmarkError: a contestant's outputs differ from its first round's: its speed means nothing.
    """
    found: dict[str, list[Json]] = {name: [] for name in visits}
    for index in range(rounds):
        for name in order(list(visits), index):
            values = store.get(index, name)
            if values is None:
                values = visits[name]()
                check_fingerprint(name, found[name], values)
                if FAILED not in values:
                    store.put(index, name, values)
                tell(f"round {index + 1}/{rounds} {name}")
            else:
                check_fingerprint(name, found[name], values)
            found[name].append(values)
    return found


def check_fingerprint(name: str, earlier: Sequence[Json], values: Json) -> None:
    """Outputs before speeds.

    Raises:
        BenchmarkError: the fingerprint differs from the first round's.
    """
    if FAILED in values:
        return
    first = next((one for one in earlier if FAILED not in one), values)
    if not same(first["fingerprint"], values["fingerprint"]):
        raise BenchmarkError(
            f"{name} answered {_short(values['fingerprint'])} after {_short(first['fingerprint'])}",
            expected="the same outputs in every round",
            remedy="speeds of different answers are not compared; find out what changed",
        )


def same(first: Any, second: Any) -> bool:
    """Whether two fingerprints are equal; numbers up to rounding."""
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, int | float) and isinstance(second, int | float):
        return math.isclose(first, second, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return bool(first == second)


def _short(fingerprint: Any) -> str:
    text = json.dumps(fingerprint)
    return text if len(text) <= 60 else text[:57] + "..."

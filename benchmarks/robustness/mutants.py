"""Seeded mutants of all kinds of input, in pieces: a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.robustness.forks import ask_all
from benchmarks.robustness.kinds import Kind, all_kinds
from benchmarks.robustness.outcome import FAULTS, Outcome, Row, summary
from hemx_core.records import Json

PIECE = 50
"""Mutants of one kind that are made before the next kind's turn comes."""
MEMORY = Path("/dev/shm")
Tell = Callable[[str], None]


def run_mutants(
    count: int,
    *,
    seed: int = 0,
    names: Sequence[str] = (),
    work: Path | None = None,
    first_fault_ends: bool = False,
    tell: Tell = print,
) -> Json:
    """Damage inputs of all kinds, as many of each.

    Args:
        count: of mutants in all.
        seed: of the run; every mutant's own is drawn from it.
        names: of kinds; all by default.
        work: where finished pieces are kept; None keeps none.
        first_fault_ends: stop at the first untyped error, hang, memory or silent change.
        tell: is told of faults and of progress.
    Returns:
        Counts by kind and of all, the dearest case, every fault.
    """
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        kinds = all_kinds(Path(folder))
        chosen = [kinds[name] for name in names or kinds]
        kept = _Pieces(work)
        share, more = divmod(count, len(chosen))
        wanted = {kind.name: share + (place < more) for place, kind in enumerate(chosen)}
        found: dict[str, list[Json]] = {kind.name: [] for kind in chosen}
        ready: set[str] = set()
        for start in range(0, max(wanted.values()), PIECE):
            for kind in chosen:
                numbers = range(start, min(start + PIECE, wanted[kind.name]))
                if not numbers:
                    continue
                piece = kept.get(seed, kind.name, start, len(numbers))
                if piece is None:
                    if kind.name not in ready:
                        kind.prepare()
                        ready.add(kind.name)
                    piece = _ask(kind, [str(seed * 10_000_000 + number) for number in numbers])
                    kept.put(seed, kind.name, start, piece)
                found[kind.name].append(piece)
                for fault in piece["faults"]:
                    tell(f"{kind.name} {fault['name']}: {fault['outcome']}: {fault['why']}")
                if piece["faults"] and first_fault_ends:
                    return report(found, seed)
            done = sum(piece["cases"] for pieces in found.values() for piece in pieces)
            tell(f"{done} of {count} mutants")
        return report(found, seed)


def ask_again(kind_name: str, seed: str) -> Row:
    """One mutant once more, in this process: to look at a fault."""
    from benchmarks.robustness.forks import ask_here

    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        kind = all_kinds(Path(folder))[kind_name]
        kind.prepare()
        return ask_here(kind.ask, seed)


def _ask(kind: Kind, seeds: Sequence[str]) -> Json:
    rows = list(ask_all(kind.ask, seeds))
    why = Counter(row.why.rpartition(": ")[2] for row in rows if row.outcome is Outcome.TYPED)
    seconds = sum(row.seconds for row in rows)
    return summary(rows) | {"typed": dict(why), "seconds": round(seconds, 2)}


def report(found: dict[str, list[Json]], seed: int) -> Json:
    """The pieces of each kind put together, and all kinds."""
    kinds = {name: _joined(pieces) for name, pieces in found.items() if pieces}
    total = _joined(list(kinds.values()))
    total.pop("typed")
    return {"seed": seed, "all": total, "kinds": kinds}


def _joined(pieces: Sequence[Json]) -> Json:
    counts: Counter[str] = Counter()
    typed: Counter[str] = Counter()
    for piece in pieces:
        counts.update(piece["counts"])
        typed.update(piece["typed"])
    return {
        "cases": sum(piece["cases"] for piece in pieces),
        "counts": {str(outcome): counts[str(outcome)] for outcome in Outcome},
        "most_seconds": max((piece["most_seconds"] for piece in pieces), default=0),
        "most_mib": max((piece["most_mib"] for piece in pieces), default=0),
        "seconds": round(sum(piece["seconds"] for piece in pieces), 1),
        "faults": [fault for piece in pieces for fault in piece["faults"]],
        "typed": dict(typed.most_common()),
    }


def faults(counts: Json) -> int:
    """How many of the counted must not happen."""
    return sum(counts[str(outcome)] for outcome in FAULTS)


_CODE = (
    "hemx_core/imaging", "hemx_core/bundle", "hemx_core/data", "hemx_core/*.py", "mobile_app/store",
    "benchmarks/robustness/[kmops]*.py",
)  # fmt: skip
"""What an answer comes from."""


def _fingerprint() -> str:
    """SHA-256 of the code that is asked."""
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for place in _CODE:
        files = root.glob(place) if "*" in place else (root / place).rglob("*.py")
        for path in sorted(files):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class _Pieces:
    """Finished pieces, a line each; only those of this very code count, whatever else was committed."""

    def __init__(self, work: Path | None) -> None:
        self._path = None if work is None else work / "mutants.jsonl"
        self._code = _fingerprint()
        self._found: dict[tuple[object, ...], Json] = {}
        if self._path is not None and self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                try:
                    one = json.loads(line)
                except ValueError:
                    continue  # the line that was being written
                if one["code"] == self._code:
                    self._found[tuple(one["key"])] = one["piece"]

    def get(self, *key: object) -> Json | None:
        return self._found.get(key)

    def put(self, seed: int, name: str, start: int, piece: Json) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = {"code": self._code, "key": [seed, name, start, piece["cases"]], "piece": piece}
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

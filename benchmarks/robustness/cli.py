"""`robustness`: damage, attack, kill, fill, plant; counts of what came of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.robustness.outcome import Outcome, Row, summary
from benchmarks.robustness.report import PARTS, page, read_results
from hemx_core import provenance
from hemx_core.files import write_whole
from hemx_core.records import Json

RESULTS = Path(__file__).resolve().parents[1] / "results" / "robustness"
SHORT, LONG = 2_000, 100_000
"""Mutants of a short and of a long run."""
KILLS, FLIPS = 100, 1_500
FAULT_EXIT = 1
_ALWAYS = ("mutants", "attacks", "bundles", "kills", "store", "full", "canaries")


def main(
    parts: Annotated[str, typer.Option(help=f"Of {', '.join(PARTS)}; commas between.")] = ",".join(
        _ALWAYS
    ),
    short: Annotated[
        bool, typer.Option("--short", help="2,000 mutants only; ends at the first fault.")
    ] = False,
    mutants: Annotated[int, typer.Option(min=1, help="Of all kinds together.")] = LONG,
    kinds: Annotated[str, typer.Option(help="Of mutants; all by default, commas between.")] = "",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    guided: Annotated[int, typer.Option(min=1, help="Seconds of the part `guided`.")] = 3600,
    work: Annotated[Path, typer.Option(help="Finished pieces and the corpus.")] = Path(
        "runs/robustness"
    ),
    out: Annotated[Path, typer.Option(help="Folder of the result files.")] = RESULTS,
) -> None:
    """Nothing lost, nothing in, nothing out: damaged, hostile, killed, full, and planted names.

    A run that was stopped goes on where it was. Exit code 1 where an error is untyped, something hangs,
    takes too much memory, or is changed, lost or let through in silence.
    """
    chosen = ["mutants"] if short else [part.strip() for part in parts.split(",") if part.strip()]
    if unknown := set(chosen) - set(PARTS):
        raise typer.BadParameter(f"no part {', '.join(sorted(unknown))}")
    faults = 0
    for part in chosen:
        makers: dict[str, Callable[[], Json]] = {
            "mutants": lambda: _mutants(
                SHORT if short else mutants, seed, _split(kinds), None if short else work, short
            ),
            "attacks": _attacks,
            "bundles": _bundles,
            "kills": lambda: _kills(seed),
            "store": lambda: _store(seed),
            "full": _full,
            "canaries": _canaries,
            "guided": lambda: _guided(guided, work),
        }
        result = makers[part]()
        faults += len(result["faults"])
        _tell(part, result)
        if not short:
            result = {"provenance": provenance.provenance(seed=seed), **result}
            provenance.write_json(out / f"{part}.json", result)
    if not short:
        write_whole(out.with_suffix(".md"), page(read_results(out)))
    if faults:
        raise typer.Exit(FAULT_EXIT)


def _mutants(count: int, seed: int, kinds: Sequence[str], work: Path | None, short: bool) -> Json:
    from benchmarks.robustness.mutants import run_mutants

    found = run_mutants(
        count, seed=seed, names=kinds, work=work, first_fault_ends=short, tell=typer.echo
    )
    return {**found["all"], "seed": seed, "kinds": found["kinds"]}


def _attacks() -> Json:
    from benchmarks.robustness.attacks import run_attacks

    return _rows(run_attacks(typer.echo))


def _bundles() -> Json:
    from benchmarks.robustness.bundles import run_bundles

    return _rows(run_bundles())


def _kills(seed: int) -> Json:
    from benchmarks.robustness.kills import run_kills

    return run_kills(KILLS, seed=seed)


def _store(seed: int) -> Json:
    """1,500 damaged databases, and as many with damage beside the database."""
    from benchmarks.robustness import stores
    from benchmarks.robustness.forks import ask_all

    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as made:
        sample = Path(made) / "sample"
        stores.fill(sample)
        names = [str(10_000_000 + 10_000 * seed + number) for number in range(2 * FLIPS)]
        rows = list(ask_all(lambda name: stores.ask(sample, int(name)), names))
    return summary(rows)


def _full() -> Json:
    from benchmarks.robustness.full import run_full

    rows = run_full()
    if not rows:
        typer.echo("full: this system mounts nothing for a user; not run")
    return _rows(rows)


def _canaries() -> Json:
    from benchmarks.robustness.canaries import run_canaries

    return _rows(run_canaries())


def _guided(seconds: int, work: Path) -> Json:
    from benchmarks.robustness.guided import run_guided

    return run_guided(seconds, work / "corpus")


def _rows(rows: Sequence[Row]) -> Json:
    return summary(rows) | {"rows": [row.to_json() for row in rows]}


def _tell(part: str, result: Json) -> None:
    counts = result.get("counts", {})
    told = ", ".join(f"{counts[str(one)]} {one}" for one in Outcome) if counts else ""
    typer.echo(f"{part}: {result['cases']} cases: {told}")
    for fault in result["faults"]:
        typer.echo(f"  {fault['name']}: {fault['outcome']}: {fault.get('why', '')}")


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())

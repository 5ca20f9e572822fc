"""`python -m benchmarks app`: the app's limits, each measured by a command that fails beyond it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.app.verdicts import RESULTS, Verdict
from hemx_core.records import Json
from mobile_app import settings

FAILED_EXIT = 1
RUNS = 5
QUICK_SLICES = 6
THREADS = settings.default_threads(settings.cores())
"""As the app takes on this machine."""

app_benchmarks = typer.Typer(
    name="app",
    help="The real app, offscreen, on phantom studies and the shipped bundle. Exit code 1 beyond a limit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Runs = Annotated[int, typer.Option(min=1, help="Fresh processes, or pairs of them.")]
Slices = Annotated[int, typer.Option(min=QUICK_SLICES, help="Slices of each study.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads of the runtime.")]
Quick = Annotated[
    bool, typer.Option("--quick", help="One run of small studies: a test, no measurement.")
]
Out = Annotated[
    Path | None, typer.Option(help="Result file; the repository's by default, none when quick.")
]


@app_benchmarks.command("first-frame")
def first_frame(runs: Runs = RUNS, quick: Quick = False, out: Out = None) -> None:
    """Process start to the first frame; what is imported by then."""
    from benchmarks.app.first_frame import measure

    _finish(measure(runs=1 if quick else runs), quick, out)


@app_benchmarks.command()
def study(
    runs: Runs = RUNS,
    slices: Slices = 30,
    threads: Threads = THREADS,
    quick: Quick = False,
    out: Out = None,
) -> None:
    """Import to result, and to the first slice; at the first start, a later one, and further on."""
    from benchmarks.app.study import measure

    runs, slices = (1, QUICK_SLICES) if quick else (runs, slices)
    _finish(measure(runs=runs, slices=slices, threads=threads, tell=_tell), quick, out)


@app_benchmarks.command()
def frames(
    runs: Runs = 3,
    slices: Slices = 30,
    threads: Threads = THREADS,
    quick: Quick = False,
    out: Out = None,
) -> None:
    """Frame times while a study is imported, triaged and scrolled at once."""
    from benchmarks.app.frames import STUDIES, measure

    runs, slices, studies = (1, QUICK_SLICES, 1) if quick else (runs, slices, STUDIES)
    found = measure(runs=runs, studies=studies, slices=slices, threads=threads, tell=_tell)
    _finish(found, quick, out)


@app_benchmarks.command()
def memory(
    slices: Slices = 30, threads: Threads = THREADS, quick: Quick = False, out: Out = None
) -> None:
    """Resident memory above the empty app through ten studies in turn."""
    from benchmarks.app.memory import STUDIES, measure

    slices, studies = (QUICK_SLICES, 2) if quick else (slices, STUDIES)
    _finish(measure(studies=studies, slices=slices, threads=threads, tell=_tell), quick, out)


@app_benchmarks.command()
def cancel(
    runs: Runs = 3,
    slices: Slices = 30,
    threads: Threads = THREADS,
    quick: Quick = False,
    out: Out = None,
) -> None:
    """Touch on Cancel to a stopped triage, against one slice's time."""
    from benchmarks.app.cancel import TOUCHES, measure

    runs, slices, touches = (1, QUICK_SLICES, 2) if quick else (runs, slices, TOUCHES)
    found = measure(runs=runs, slices=slices, touches=touches, threads=threads, tell=_tell)
    _finish(found, quick, out)


@app_benchmarks.command("all")
def measure_all() -> None:
    """All measurements of docs/app.md; goes on after one that fails."""
    broken = []
    commands: tuple[Callable[[], None], ...] = (first_frame, study, frames, memory, cancel)
    for command in commands:
        try:
            command()
        except typer.Exit:
            broken.append(command.__name__)
    if broken:
        typer.echo(f"beyond their limits: {', '.join(broken)}", err=True)
        raise typer.Exit(FAILED_EXIT)


def _tell(line: str) -> None:
    typer.echo(line, err=True)


def _finish(found: Json, quick: bool, out: Path | None) -> None:
    """Write the report, print its verdicts, fail where one is broken."""
    from hemx_core.provenance import write_json

    found["quick"] = quick
    path = out or (None if quick else RESULTS / f"{found['what']}.json")
    if path is not None:
        write_json(path, found)
    for verdict in found["verdicts"]:
        typer.echo(
            Verdict(**{key: verdict[key] for key in ("claim", "found", "limit", "unit")}).told()
        )
    if not found["passed"]:
        raise typer.Exit(FAILED_EXIT)

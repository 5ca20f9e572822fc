"""`hemx`: triage a study, list its series; other packages add their commands.

Commands of other packages come in through the entry-point group "hemx.commands": each entry is a
`register(app)` function. Heavy imports happen inside the commands, so `hemx --version` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemx_core import __version__
from hemx_core.costs import START_UP, Progress, StageClock
from hemx_core.errors import BackendError, HemxError, InputError

if TYPE_CHECKING:
    from hemx_core.imaging.spec import HUWindow
    from hemx_core.runtime.bundle import Models

COMMAND_GROUP = "hemx.commands"
ERROR_EXIT = 2
PIPE_COLUMNS = 240

app = typer.Typer(
    name="hemx",
    help="Offline triage of brain haemorrhage on CT. Research software, not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; an intended error is one message on stderr and exit code 2."""
    try:
        add_commands(app)
        app()
    except HemxError as error:
        print(f"hemx: {error}", file=sys.stderr)
        raise SystemExit(ERROR_EXIT) from None


def add_commands(target: typer.Typer) -> None:
    """Let every entry point of `COMMAND_GROUP` register its commands.

    Where one cannot be imported (an extra is not installed), a command of the entry point's name
    says so when it is called; the other commands keep working.
    """
    for entry in sorted(entry_points(group=COMMAND_GROUP), key=lambda one: one.name):
        try:
            register: Callable[[typer.Typer], None] = entry.load()
        except ImportError as error:
            _register_missing(target, entry, error)
        else:
            register(target)


def _register_missing(target: typer.Typer, entry: EntryPoint, error: ImportError) -> None:
    reason = str(error)

    @target.command(
        entry.name,
        help="Not available: an extra is not installed.",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def missing() -> None:
        raise BackendError(
            f"the command {entry.name} cannot be loaded ({reason})",
            expected="the packages that it needs",
            remedy=f'pip install "hemx[{entry.name}]"',
        )


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hemx {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Offline triage of brain haemorrhage on CT. Research software, not a medical device."""


Source = Annotated[
    Path, typer.Argument(metavar="INPUT", help="DICOM folder, file, DICOMDIR or zip.")
]
Out = Annotated[Path, typer.Option(help="Folder for result.json and pictures.")]
Series = Annotated[str | None, typer.Option(help="Series to read; `hemx series` lists them.")]
Bundle = Annotated[Path | None, typer.Option(help="Model bundle; the shipped one by default.")]
Window = Annotated[
    str | None,
    typer.Option(help="HU window as lower,upper, for example 0,80; the bundle's if not."),
]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads of the runtime and OpenCV.")]
Identify = Annotated[
    bool, typer.Option("--identify", help="Write patient name, ID and UIDs to result.json.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


@app.command()
def triage(
    source: Source,
    out: Out,
    series: Series = None,
    models: Bundle = None,
    window: Window = None,
    threads: Threads = None,
    identify: Identify = False,
    quiet: Quiet = False,
) -> None:
    """Triage a head CT: haematoma, its volume, expansion markers, and what to do."""
    from rich.console import Console

    from hemx_core.imaging.reader import read_series
    from hemx_core.report.table import result_view
    from hemx_core.report.write import check_output, write_report
    from hemx_core.triage import TriageSettings, triage_volume

    settings = TriageSettings(series=series, window=parse_window(window))
    check_output(out)
    clock = StageClock()
    with _progress(quiet) as progress:
        with clock.stage("read"):
            volume = read_series(source, series=series, progress=progress)
        with clock.stage(START_UP):
            loaded = _load_models(models, threads)
        with loaded:
            result = triage_volume(
                volume, loaded, settings=settings, progress=progress, clock=clock
            )
    shown = settings.window or loaded.manifest.preprocessing.window
    report = write_report(result, volume, out, window=shown, identify=identify)
    if not quiet:
        Console(highlight=False).print(result_view(report.result))
        # Not through Rich: it would wrap a path, and a wrapped path cannot be copied.
        for path in report.named_files:
            typer.echo(f"Written: {path}")


@app.command("series")
def list_all(source: Source) -> None:
    """List the series of an input, best first; `hemx triage` takes the first that is usable."""
    from rich.console import Console

    from hemx_core.imaging.reader import list_series
    from hemx_core.report.table import series_view

    # A pipe has no width: wide enough that no UID is broken.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)
    console.print(series_view(list_series(source)))


def parse_window(text: str | None) -> HUWindow | None:
    """A window given as "lower,upper"; None where none is given.

    Raises:
        InputError: not two numbers.
        VolumeError: lower is not below upper.
    """
    from hemx_core.imaging.spec import HUWindow

    if text is None:
        return None
    try:
        lower, upper = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            f"a window {text!r}", expected="two numbers, lower,upper", remedy="give --window 0,80"
        ) from error
    return HUWindow(lower, upper)


def _load_models(folder: Path | None, threads: int | None) -> Models:
    """Load the bundle on the desktop runtime, with a number of threads if one is asked for."""
    from hemx_core.runtime.bundle import load_models

    if threads is None:
        return load_models(folder)
    import cv2

    from hemx_core.runtime.pte_desktop import DesktopBackend

    cv2.setNumThreads(threads)
    return load_models(folder, DesktopBackend(threads=threads))


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress | None]:
    """A progress bar on a terminal; None in a pipe or when quiet."""
    if quiet or not (sys.stdout.isatty() and sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    tasks: dict[str, TaskID] = {}
    with Bar(console=Console(stderr=True), transient=True) as bar:

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage.capitalize(), total=total)
            bar.update(tasks[stage], completed=done)

        yield tell

"""`hemx`: triage a study, list its series; other packages add their commands.

Commands of other packages come in through the entry-point group "hemx.commands": each entry is a
`register(app)` function. Heavy imports happen inside the commands, so `hemx --version` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemx_core import __version__
from hemx_core.commands.progress_bar import progress_bar
from hemx_core.costs import START_UP, Progress, StageClock
from hemx_core.errors import BackendError, HemxError, InputError

if TYPE_CHECKING:
    from hemx_core.bundle.load import Models
    from hemx_core.imaging.spec import HUWindow

COMMAND_GROUP = "hemx.commands"
ERROR_EXIT = 2
PIPE_COLUMNS = 240
EXTRA_OF = {"data": "train", "evaluate": "train", "experiment": "bench", "benchmark": "bench"}
"""The extra that brings what an entry point needs, where their names differ."""

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
            remedy=f'pip install "hemx[{EXTRA_OF.get(entry.name, entry.name)}]"',
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
Unsigned = Annotated[
    bool, typer.Option("--allow-unsigned", help="Take an unsigned bundle; for development only.")
]
Identify = Annotated[
    bool, typer.Option("--identify", help="Let the written files name the patient.")
]
Pdf = Annotated[bool, typer.Option("--pdf", help="Also write the referral as PDF and PNG.")]
Dicom = Annotated[bool, typer.Option("--dicom", help="Also write DICOM SEG and SR.")]
Language = Annotated[str, typer.Option(help="Language of the referral: en or ja.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


@app.command()
def triage(
    source: Source,
    out: Out,
    series: Series = None,
    models: Bundle = None,
    window: Window = None,
    threads: Threads = None,
    pdf: Pdf = False,
    dicom: Dicom = False,
    language: Language = "en",
    identify: Identify = False,
    allow_unsigned: Unsigned = False,
    quiet: Quiet = False,
) -> None:
    """Triage a head CT: haematoma, its volume, expansion markers, and what to do."""
    from rich.console import Console

    from hemx_core.imaging.reader import read_series
    from hemx_core.pipeline import TriageSettings, triage_volume
    from hemx_core.report import dicom as dicom_write
    from hemx_core.report import referral
    from hemx_core.report.terminal import result_view
    from hemx_core.report.write import check_output, write_report

    settings = TriageSettings(series=series, window=parse_window(window))
    options = referral.ReferralOptions(language=language, identify=identify)
    check_output(out)
    if dicom:
        dicom_write.check_dicom()
    clock = StageClock()
    with _progress(quiet) as progress:
        with clock.stage("read"):
            volume = read_series(source, series=series, progress=progress)
        with clock.stage(START_UP):
            loaded = _load_models(models, threads, allow_unsigned)
        with loaded:
            result = triage_volume(
                volume, loaded, settings=settings, progress=progress, clock=clock
            )
    shown = settings.window or loaded.manifest.preprocessing.window
    report = write_report(result, volume, out, window=shown, identify=identify)
    files = list(report.named_files)
    if pdf:
        files += referral.write_referral(result, volume, out, window=shown, options=options).files
    if dicom:
        files += dicom_write.write_dicom(result, volume, source, out, identify=identify).files
    if not quiet:
        Console(highlight=False).print(result_view(report.result))
        _tell(files)


Earlier = Annotated[Path, typer.Argument(metavar="EARLIER", help="The first study.")]
Later = Annotated[Path, typer.Argument(metavar="LATER", help="The follow-up.")]
Force = Annotated[bool, typer.Option("--force", help="Compare although the patient IDs differ.")]


@app.command()
def compare(
    earlier: Earlier,
    later: Later,
    out: Annotated[Path, typer.Option(help="Folder for comparison.json and comparison.png.")],
    models: Bundle = None,
    window: Window = None,
    threads: Threads = None,
    force: Force = False,
    pdf: Pdf = False,
    language: Language = "en",
    identify: Identify = False,
    allow_unsigned: Unsigned = False,
    quiet: Quiet = False,
) -> None:
    """Compare two head CTs of a patient: did the haematoma expand, by which definition."""
    from rich.console import Console

    from hemx_core.comparison import check_pair, compare_volumes
    from hemx_core.imaging.reader import read_series
    from hemx_core.pipeline import TriageSettings
    from hemx_core.report import comparison, referral
    from hemx_core.report.comparison import FORMAT
    from hemx_core.report.terminal import comparison_view
    from hemx_core.report.write import check_output

    settings = TriageSettings(window=parse_window(window))
    options = referral.ReferralOptions(language=language, identify=identify)
    check_output(out, comparison.COMPARISON_NAME, FORMAT)
    with _progress(quiet) as progress:
        first, second = (read_series(one, progress=progress) for one in (earlier, later))
        # Before the models are loaded: two patients are refused at once.
        check_pair(first.identity, second.identity, force=force)
        with _load_models(models, threads, allow_unsigned) as loaded:
            result = compare_volumes(
                first, second, loaded, settings=settings, force=force, progress=progress
            )
    shown = settings.window or loaded.manifest.preprocessing.window
    written = comparison.write_comparison(
        result, first, second, out, window=shown, identify=identify
    )
    files = [written.comparison_json, written.picture]
    if pdf:
        files += referral.write_referral(
            result.later, second, out, window=shown, comparison=result, options=options
        ).files
    if not quiet:
        Console(highlight=False).print(comparison_view(result))
        _tell(files)


def _tell(files: Sequence[Path]) -> None:
    """Name the written files; not through Rich, which would wrap a path: it could not be copied."""
    for path in files:
        typer.echo(f"Written: {path}")


@app.command("series")
def list_all(source: Source) -> None:
    """List the series of an input, best first; `hemx triage` takes the first that is usable."""
    from rich.console import Console

    from hemx_core.imaging.reader import list_series
    from hemx_core.report.terminal import series_view

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


def _load_models(folder: Path | None, threads: int | None, allow_unsigned: bool) -> Models:
    """Load the bundle on the desktop runtime, with a number of threads if one is asked for."""
    from hemx_core.bundle.load import load_models

    if threads is None:
        return load_models(folder, allow_unsigned=allow_unsigned)
    import cv2

    from hemx_core.runtime.desktop import DesktopBackend

    cv2.setNumThreads(threads)
    backend = DesktopBackend(threads=threads)
    return load_models(folder, backend, allow_unsigned=allow_unsigned)


def _progress(quiet: bool) -> AbstractContextManager[Progress | None]:
    """A progress bar on a terminal; None in a pipe or when quiet."""
    return progress_bar(shown=not quiet and sys.stdout.isatty() and sys.stderr.isatty())

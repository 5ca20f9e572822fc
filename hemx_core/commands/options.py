"""Options that commands share, how a window is given, and the progress bar."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from hemx_core.errors import ExtrasError, InputError
from hemx_core.report.folder import RunKind, foreign_files
from hemx_core.words import tell_labelled

if TYPE_CHECKING:
    from hemx_core.costs import Progress
    from hemx_core.imaging.spec import HUWindow
    from hemx_core.notes import Note

_SHOWN = 5
"""Names of files that are not of this run."""

PIPE_COLUMNS = 240
"""A pipe has no width: wide enough that no UID and no row of a table is broken."""

Source = Annotated[
    Path, typer.Argument(metavar="INPUT", help="DICOM folder, file, DICOMDIR or zip.")
]
Out = Annotated[Path, typer.Option(help="Folder for result.json and pictures.")]
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
Dicom = Annotated[
    bool,
    typer.Option(
        "--dicom", help="Also write DICOM SEG and SR; with --pdf the referral as DICOM too."
    ),
]
Nifti = Annotated[bool, typer.Option("--nifti", help="Also write the mask as NIfTI.")]
KeepUids = Annotated[
    bool,
    typer.Option(
        "--keep-uids",
        help="Let DICOM objects without names keep the UIDs of the images, which then name the study.",
    ),
]
Language = Annotated[str, typer.Option(help="Language of the referral: en or ja.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


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
        raise InputError("window_pair", window=repr(text)) from error
    return HUWindow(lower, upper)


class Named(Protocol):
    """Names written files, and tells notes on them."""

    def __call__(self, files: Sequence[Path], notes: Sequence[Note] = ()) -> None:
        """Name them."""


@contextmanager
def naming_files(folder: Path, kind: RunKind, *, quiet: bool) -> Iterator[Named]:
    """What names the files that were written, and then those that are not of this run.

    They are named too where something beside the result could not be made. Not through Rich, which would
    wrap a path: it could not be copied.
    """

    def name(files: Sequence[Path], notes: Sequence[Note] = ()) -> None:
        if quiet:
            return
        for note in notes:
            typer.echo(tell_labelled(note))
        for path in files:
            typer.echo(f"Written: {path}")
        if others := foreign_files(folder, kind):
            more = f" and {len(others) - _SHOWN} more" * (len(others) > _SHOWN)
            told = ", ".join(ascii(other) for other in others[:_SHOWN])
            typer.echo(f"Not of this run, left as it was: {told}{more}")

    try:
        yield name
    except ExtrasError as error:
        name(error.files, error.notes)
        raise


def progress(quiet: bool) -> AbstractContextManager[Progress | None]:
    """A progress bar on a terminal; None in a pipe or when quiet."""
    return progress_bar(shown=not quiet and sys.stdout.isatty() and sys.stderr.isatty())


@contextmanager
def progress_bar(*, shown: bool) -> Iterator[Progress | None]:
    """A bar on stderr with a line for each stage; None where it is not to be shown."""
    if not shown:
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

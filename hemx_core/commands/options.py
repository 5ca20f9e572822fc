"""Options that commands share, how a window is given, and the progress bar."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemx_core.errors import InputError

if TYPE_CHECKING:
    from hemx_core.costs import Progress
    from hemx_core.imaging.spec import HUWindow

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


def tell_files(files: Sequence[Path]) -> None:
    """Name the written files; not through Rich, which would wrap a path: it could not be copied."""
    for path in files:
        typer.echo(f"Written: {path}")


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

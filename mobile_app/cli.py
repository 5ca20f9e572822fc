"""`hemx app`: the tablet app in a desktop window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Study = Annotated[
    Path | None, typer.Argument(metavar="STUDY", help="DICOM folder, file, DICOMDIR or zip.")
]
Demo = Annotated[bool, typer.Option("--demo", help="Open a synthetic study.")]


def register(app: typer.Typer) -> None:
    """Add `app` to the command line."""
    app.command("app")(open_app)


def open_app(study: Study = None, demo: Demo = False) -> None:
    """Open the app in a window: read a study with what triage finds on it."""
    from importlib.util import find_spec

    from hemx_core.errors import BackendError, NoSeriesError

    if find_spec("kivy") is None:
        raise BackendError("no_kivy")
    if study is not None and not study.exists():
        raise NoSeriesError("nothing_there", path=str(study))
    from mobile_app.main import main

    main(study, demo=demo)

"""Starts the app, on the tablet and on the desk."""

from __future__ import annotations

import os
from pathlib import Path


def main(study: Path | None = None, *, demo: bool = False) -> None:
    """Open the window; returns when it is closed.

    Args:
        study: a DICOM folder, file, DICOMDIR or zip to open.
        demo: open a phantom instead.
    """
    # Kivy would read our command line as its own.
    os.environ.setdefault("KIVY_NO_ARGS", "1")
    from mobile_app.app import HemxApp

    HemxApp(study=study, demo=demo).run()

"""Starts the app, on the tablet and on the desk."""

from __future__ import annotations

import os
from pathlib import Path

DESKTOP_SIZE = (1280, 800)


def main(study: Path | None = None, *, demo: bool = False) -> None:
    """Open the window; returns when it is closed.

    Args:
        study: a DICOM folder, file, DICOMDIR or zip to import and open.
        demo: start with synthetic studies instead, in a store that is deleted at the end.
    """
    # Kivy would read our command line as its own, and log what it is told, file names among it.
    os.environ.setdefault("KIVY_NO_ARGS", "1")
    os.environ.setdefault("KIVY_NO_FILELOG", "1")
    configure()
    from mobile_app.app import HemxApp

    HemxApp(study=study, demo=demo).run()


def configure() -> None:
    """Settings of Kivy that must stand before its window is made; nothing is written to its file."""
    from kivy.config import Config

    from hemx_core.device.machine import on_android

    # Kivy asks for two samples a pixel: in software a frame then costs twice as much, for nothing one sees.
    Config.set("graphics", "multisamples", "0")
    if on_android():
        return
    Config.set("graphics", "width", str(DESKTOP_SIZE[0]))
    Config.set("graphics", "height", str(DESKTOP_SIZE[1]))
    # The red dots of a simulated second finger lie on the picture; Ctrl still makes one.
    Config.set("input", "mouse", "mouse,multitouch_on_demand")
    # Escape goes back, as on the tablet, and does not end the app.
    Config.set("kivy", "exit_on_escape", "0")

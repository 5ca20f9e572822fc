"""`hemx`, and `python -m hemx_core`: nothing is imported before Ctrl-C and closed streams are cared for."""

from __future__ import annotations

import os
import sys

STOPPED_EXIT = 130
"""Ended by Ctrl-C, as shells count it: 128 and the signal's number."""


def run() -> None:
    """Run the command line; every end is an exit code with one line at most."""
    try:
        _open_closed_streams()
        from hemx_core.commands.main import main

        try:
            main()
        finally:
            _flush()
    except KeyboardInterrupt:
        print("hemx: stopped", file=sys.stderr)
        raise SystemExit(STOPPED_EXIT) from None


def _open_closed_streams() -> None:
    """Give streams that the caller closed a place: else the next file opened would be standard output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115, PTH123


def _flush() -> None:
    """Write what is left to write, while it can still be told that this fails."""
    try:
        sys.stdout.flush()
    except OSError as error:
        from hemx_core.commands.main import fail_output

        fail_output(error)


if __name__ == "__main__":
    run()

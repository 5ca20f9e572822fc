"""`python -m mobile_app [--demo] [STUDY]`: the same as `hemx app`, without Typer."""

import argparse
from pathlib import Path

from mobile_app.main import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m mobile_app")
    parser.add_argument("study", nargs="?", type=Path, help="DICOM folder, file, DICOMDIR or zip")
    parser.add_argument("--demo", action="store_true", help="open a synthetic study")
    asked = parser.parse_args()
    main(asked.study, demo=asked.demo)

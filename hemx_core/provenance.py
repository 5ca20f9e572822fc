"""Provenance of a measured number: command, commit, machine and versions."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import hemx_core
from hemx_core.device.machine import machine
from hemx_core.files import write_whole
from hemx_core.records import Json

PACKAGES = (
    "torch",
    "executorch",
    "torchao",
    "numpy",
    "pydicom",
    "opencv-python-headless",
    "PyWavelets",
)


def provenance(*, seed: int | None = None) -> Json:
    """Facts of this process: command line, commit, machine, versions, UTC time and seed."""
    return {
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(map(_nameless, sys.argv)),
        "commit": commit(),
        "seed": seed,
        "machine": machine(),
        "versions": {"hemx": hemx_core.__version__, "python": platform.python_version()}
        | _versions(),
    }


def _nameless(argument: str) -> str:
    """An argument without the folders of this machine."""
    return Path(argument).name if Path(argument).is_absolute() else argument


def commit() -> str:
    """The checkout's commit, with `+` where the work tree differs; empty outside a checkout."""
    folder = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        revision = git("rev-parse", "--short=12", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no")
    except OSError:
        return ""
    return revision + "+" if revision and changed else revision


def write_json(path: Path, values: Json) -> None:
    """Write JSON whole or not at all, making the folder."""
    write_whole(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def merge_json(path: Path, values: Json) -> None:
    """Put entries into a JSON file and keep its others, at the top and one level down.

    The file may be missing.
    """
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name, value in values.items():
        both = isinstance(value, dict) and isinstance(known.get(name), dict)
        known[name] = known[name] | value if both else value
    write_json(path, known)


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found

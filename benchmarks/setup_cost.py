"""What `make demo` costs on a bare Debian 12: packages, bytes and seconds, with empty and full caches.

Run as root, with mmdebstrap installed, from the repository:

    python benchmarks/setup_cost.py --label after --commit HEAD

It makes a root with git, make and Python only, clones the commit into it, and runs `make demo` twice:
cold (pip's cache is empty, Debian's packages are not installed) and warm (a new environment from a full
cache). What pip and apt need to reach their packages is handed in: `--bind` for files and folders,
`--env` for variables. The row is written into benchmarks/results/setup.json under its label.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import resource
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "setup.json"
PACKAGES = "git,python3.11,make,ca-certificates"
PLACE = "/project"
CACHE = "/root/.cache/pip"


def main() -> None:
    """Measure one commit and write its row."""
    arguments = _parse()
    commit = _text("git", "-C", str(ROOT), "rev-parse", arguments.commit)
    with tempfile.TemporaryDirectory(prefix="hemx-setup-", dir=arguments.scratch) as folder:
        root = Path(folder) / "root"
        _run(
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            f"--include={PACKAGES}",
            "bookworm",
            str(root),
        )
        with _bound(root, arguments.bind):
            row = _measure(root, commit, arguments.env)
    row = {
        "commit": commit,
        "command": "make demo",
        "machine": _machine(),
        "date": datetime.date.today().isoformat(),
        **row,
        "note": arguments.note,
    }
    rows = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    rows[arguments.label] = row
    text = json.dumps(rows, indent=2) + "\n"
    temporary = RESULTS.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(RESULTS)
    print(text)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--label", required=True, help="Name of the row, for example before.")
    parser.add_argument("--commit", default="HEAD")
    parser.add_argument(
        "--bind", nargs="*", default=[], help="Paths that the root sees as they are."
    )
    parser.add_argument("--env", nargs="*", default=[], help="Variables that `make` gets.")
    parser.add_argument("--note", default="", help="What a reader of the row must know.")
    parser.add_argument("--scratch", default=None, help="Folder for the root, 8 GB.")
    return parser.parse_args()


def _measure(root: Path, commit: str, names: Sequence[str]) -> dict[str, Any]:
    place = root / PLACE.lstrip("/")
    _run("git", "clone", "--quiet", str(ROOT), str(place))
    _run("git", "-C", str(place), "checkout", "--quiet", commit)
    system = _used(root, "/usr", "/var/lib")
    cold = _demo(root, names)
    venv = place / ".venv"
    measured = {
        "packages": len(list(venv.glob("lib/python*/site-packages/*.dist-info"))),
        "environment_mb": _used(root, f"{PLACE}/.venv"),
        "system_mb": round(_used(root, "/usr", "/var/lib") - system, 1),
        "pip_cache_mb": _used(root, CACHE),
    }
    shutil.rmtree(venv)
    shutil.rmtree(place / "demo")
    return {**measured, "cold": cold, "warm": _demo(root, names)}


def _demo(root: Path, names: Sequence[str]) -> dict[str, float]:
    """Seconds of `make demo`, which must have written its result; load says what else the machine did."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    variables = [f"{name}={os.environ[name]}" for name in names if name in os.environ]
    started = time.perf_counter()
    _run(
        "chroot", str(root), "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME=/root", "DEBIAN_FRONTEND=noninteractive", *variables,
        "make", "-C", PLACE, "demo",
    )  # fmt: skip
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (root / PLACE.lstrip("/") / "demo" / "result" / "result.json").exists()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"s": round(seconds, 1), "cpu_s": round(cpu, 1), "load": round(os.getloadavg()[1], 1)}


def _used(root: Path, *folders: str) -> float:
    """Bytes on the disk, MB; 0 for a folder that is not there."""
    there = [str(root / folder.lstrip("/")) for folder in folders]
    there = [folder for folder in there if Path(folder).exists()]
    lines = _text("du", "-sk", *there).splitlines() if there else []
    return round(sum(int(line.split()[0]) for line in lines) * 1024 / 1e6, 1)


@contextlib.contextmanager
def _bound(root: Path, paths: Sequence[str]) -> Iterator[None]:
    """Mount /proc, /dev and what was asked for, and take all of it away at the end."""
    mounted: list[Path] = []
    try:
        for path in ("/proc", "/dev", "/dev/shm", "/etc/resolv.conf", *paths):
            source, target = Path(path), root / path.lstrip("/")
            if not source.exists():
                continue
            if source.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.touch()
            _run("mount", "--bind", str(source), str(target))
            mounted.append(target)
        yield
    finally:
        for target in reversed(mounted):
            _run("umount", str(target))


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    return f"{model or platform.machine()}, {os.cpu_count()} cores"


def _run(*command: str) -> None:
    print("+", shlex.join(command), flush=True)
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def _text(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()

"""Without a network: triage and the app work, and nothing asks for an address."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NO_NETWORK = ["unshare", "-rn"]
WATCH = """
import sys
asked = []
def watch(event, given):
    # A pair of sockets within the process is no network: `socketpair`, as event loops use it.
    if event in ("socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname",
                 "socket.gethostbyaddr", "socket.getnameinfo", "socket.sendto", "socket.sendmsg"):
        asked.append((event, str(given[1:])))
sys.addaudithook(watch)
"""
FIRST = "import hemx_core, pydicom.dataset\nassert 'requests' not in sys.modules\nimport requests\n"
TRIAGE = """
import hemx_core as hemx
from tests.factories import ThresholdModels, simple_head
import hemx_core.imaging.pixels, hemx_core.report.write, hemx_core.bundle.load
result = hemx.triage(simple_head(clot_mm=15.0), models=ThresholdModels())
result.save(sys.argv[1], pdf=True)
"""
COMMANDS = """
from hemx_core.__main__ import run
words, sys.argv = ["list", sys.argv[1]], ["hemx"]
sys.argv += words
try:
    run()
except SystemExit:
    pass
"""
APP = """
from benchmarks.app.driver import drive
def script(app):
    yield lambda: True
drive(sys.argv[1], script)
"""


def run(script: str, folder: Path, *, network: bool) -> str:
    """What a fresh process printed that ran a script and watched for addresses."""
    words = [sys.executable, "-c", WATCH + script + "\nprint('asked:', asked)", str(folder)]
    done = subprocess.run(
        words if network else [*NO_NETWORK, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return next(line for line in done.stdout.splitlines() if line.startswith("asked:"))


@pytest.fixture(scope="module")
def cut_off() -> bool:
    """Whether this system lets a process be without a network; else addresses are only watched for."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("script", [TRIAGE, COMMANDS], ids=["triage", "commands"])
def test_nothing_asks_for_an_address(tmp_path: Path, script: str, cut_off: bool) -> None:
    assert run(script, tmp_path / "out", network=not cut_off) == "asked: []"


def test_the_app_starts_without_a_network(tmp_path: Path, cut_off: bool) -> None:
    pytest.importorskip("kivy")
    assert run(APP, tmp_path, network=not cut_off) == "asked: []"


def test_only_pydicom_goes_without_requests(tmp_path: Path) -> None:
    pytest.importorskip("requests")
    asked = run(FIRST, tmp_path, network=True)
    assert "bind" in asked, "urllib3 asks for nothing any more: hemx_core.offline is not needed"

"""The command line as a process: closed and full streams, Ctrl-C, names that steer a terminal."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hemx_core
from hemx_core import files
from hemx_core.errors import OutputError
from hemx_core.report.folder import check_output
from tests.factories import write_ct_series

ROOT = Path(hemx_core.__file__).parents[1]
POSIX = pytest.mark.skipif(os.name != "posix", reason="the streams of a POSIX shell")


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line in which `hemx` is this checkout's."""
    hemx = f'"{sys.executable}" -m hemx_core'
    return subprocess.run(
        ["bash", "-c", line.replace("hemx", hemx, 1)],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )


@POSIX
@pytest.mark.parametrize("words", ["--version", "--help"])
def test_a_full_or_broken_output_is_one_line_and_an_exit_code(words: str) -> None:
    full = shell(f"hemx {words} > /dev/full")
    assert full.returncode == 2
    assert len(full.stderr.splitlines()) == 1
    assert "No space left" in full.stderr
    broken = shell(f"(sleep 2; hemx {words}; echo code $? >&2) | true")
    assert "Traceback" not in broken.stderr
    assert broken.stderr.splitlines()[-1] in ("code 1", "code 2")


@POSIX
def test_closed_streams_are_nowhere_and_no_file_takes_their_place(tmp_path: Path) -> None:
    done = shell("hemx --version >&- 2>&- <&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    wrong = shell(f"hemx series {tmp_path / 'missing'} >&- 2>&-")
    assert wrong.returncode == 2


@POSIX
@pytest.mark.parametrize("after", [0.05, 0.3, 0.8])
def test_ctrl_c_in_the_first_second_is_no_traceback(tmp_path: Path, after: float) -> None:
    code = "import hemx_core.__main__ as m; print(1, flush=True); m.run()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "phantom", "--out", str(tmp_path / "out")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert "Traceback" not in told
    assert process.returncode in (0, 1, 130)
    assert not list(tmp_path.glob(".*"))


def test_names_from_files_steer_no_terminal(tmp_path: Path) -> None:
    write_ct_series(tmp_path)
    (tmp_path / "\x1b[2Jclear\x07").write_bytes(b"\0" * 128 + b"DICM" + b"\x1b[31m" * 50)
    for line in (f"hemx series {tmp_path}", f"hemx triage {tmp_path} --out {tmp_path / 'o'}"):
        done = shell(line)
        assert "\x1b" not in done.stdout + done.stderr
        assert "\x07" not in done.stdout + done.stderr


@pytest.mark.parametrize("there", [True, False])
def test_an_output_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    out = tmp_path if there else tmp_path / "a" / "b"
    check_output(out)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(files.tempfile, "TemporaryFile", refuse)  # type: ignore[attr-defined]
    with pytest.raises(OutputError, match="Read-only"):
        check_output(out)


@POSIX
def test_ctrl_c_waits_until_files_are_moved(tmp_path: Path) -> None:
    draft, folder = tmp_path / "draft", tmp_path / "folder"
    for place, content in ((draft, "new"), (folder, "old")):
        place.mkdir()
        for name in ("a", "b"):
            (place / name).write_text(content)

    def names() -> object:
        yield "a"
        signal.raise_signal(signal.SIGINT)
        yield "b"

    with pytest.raises(KeyboardInterrupt):
        files.publish_files(draft, folder, names())  # type: ignore[arg-type]
    assert [(folder / name).read_text() for name in ("a", "b")] == ["new", "new"]

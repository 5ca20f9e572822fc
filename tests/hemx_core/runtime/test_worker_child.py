"""How a runtime's process starts, and every way in which it may end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hemx_core.errors import BackendError
from hemx_core.manifest import ProgramSpec
from hemx_core.runtime.pte_process import ProcessBackend, ProcessProgram, can_start_processes
from tests.hemx_core.runtime.contract import example_inputs
from tests.hemx_core.runtime.processes import runs, soon

pytestmark = pytest.mark.skipif(not can_start_processes(), reason="pipes are handed on by POSIX")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux ends orphans")

ROOT = Path(__file__).resolve().parents[3]


def test_a_process_that_dies_in_a_call_is_an_error_and_the_next_open_starts_another(
    backend: ProcessBackend,
    exported: tuple[Path, ProgramSpec],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONFAULTHANDLER", "1")
    program = backend.open(*exported)
    inputs, process = example_inputs(exported[1]), backend.process_id
    assert process is not None
    os.kill(process, signal.SIGSTOP)  # the call is certain to be under way
    found: list[BaseException] = []

    def call() -> None:
        try:
            program(inputs)
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    time.sleep(0.2)
    os.kill(process, signal.SIGSEGV)
    os.kill(process, signal.SIGCONT)
    thread.join(60)
    assert isinstance(found[0], BackendError)
    assert "was ended by SIGSEGV: " in found[0].found
    assert "Segmentation fault" in found[0].found, "what it wrote stands in the error"
    assert len(found[0].found) < 700
    assert "try again" in found[0].remedy
    assert not runs(process)
    with pytest.raises(BackendError, match="process"):
        program(inputs)
    again = backend.open(*exported)
    assert backend.process_id not in (None, process)
    assert len(again(inputs)) == 2
    program.close()
    assert len(again(inputs)) == 2, "a program of the process that died closes nothing of this one"


def test_a_process_that_dies_between_calls_is_an_error_too(
    backend: ProcessBackend, exported: tuple[Path, ProgramSpec]
) -> None:
    program = backend.open(*exported)
    process = backend.process_id
    assert process is not None
    os.kill(process, signal.SIGKILL)
    assert soon(lambda: backend.process_id is None)
    with pytest.raises(BackendError, match="was ended by SIGKILL"):
        program(example_inputs(exported[1]))
    assert len(backend.open(*exported)(example_inputs(exported[1]))) == 2


ORPHAN = """
import sys, time
from hemx_core.runtime.pte_process import ProcessBackend
backend = ProcessBackend(threads=1)
backend.start()
print(backend.process_id, flush=True)
time.sleep(600)
"""


@linux
@pytest.mark.parametrize("stopped", [False, True])
def test_it_ends_with_its_parent_however_that_ends(stopped: bool) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    with parent:
        assert parent.stdout is not None
        process = int(parent.stdout.readline())
        assert runs(process)
        if stopped:  # it cannot see that its pipe has ended
            os.kill(process, signal.SIGSTOP)
        parent.kill()
        parent.wait()
        assert soon(lambda: not runs(process))


def test_a_thread_that_started_it_may_end(
    backend: ProcessBackend, exported: tuple[Path, ProgramSpec]
) -> None:
    """Linux ends a child with the thread that started it, not with the process."""
    programs: list[ProcessProgram] = []
    thread = threading.Thread(target=lambda: programs.append(backend.open(*exported)))
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert len(programs[0](example_inputs(exported[1]))) == 2


BARE = """
import os, sys
from pathlib import Path
for one in range(3):
    os.close(one)
from hemx_core.runtime.pte_process import ProcessBackend
backend = ProcessBackend(threads=1)
try:
    backend.start()
    said = f"started {backend.process_id}"
except Exception as error:
    said = str(error)
Path(sys.argv[1]).write_text(said)
"""


def test_standard_streams_that_are_not_there_do_not_matter(tmp_path: Path) -> None:
    said = tmp_path / "said"
    subprocess.run([sys.executable, "-c", BARE, str(said)], cwd=ROOT, check=True)
    assert said.read_text().startswith("started ")


def test_a_missing_runtime_names_the_remedy(
    backend: ProcessBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('there is no torch')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackendError, match=r"there is no torch.*hemx\[runtime\]"):
        backend.start()
    assert backend.process_id is None


def test_what_lies_in_the_working_folder_is_not_imported(
    backend: ProcessBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('a study with a program in it')")
    monkeypatch.chdir(tmp_path)
    backend.start()


def test_an_interpreter_that_does_not_start_is_told(
    backend: ProcessBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BackendError, match="cannot be started"):
        backend.start()
    assert backend.process_id is None

"""How a runtime's process starts, and every way in which it may end."""

from __future__ import annotations

import gc
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemx_core.bundle.load import app_models_folder, load_models
from hemx_core.device.memory import process_bytes
from hemx_core.errors import BackendError, HemxError, IntegrityError
from hemx_core.manifest import ModelManifest, ProgramSpec
from hemx_core.runtime import process as pte_process
from hemx_core.runtime.desktop import DesktopBackend
from hemx_core.runtime.process import ProcessBackend, ProcessProgram, can_start_processes
from hemx_core.runtime.program import OutsideBackend
from tests.hemx_core.runtime.contract import ProgramContract, example_inputs
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
from hemx_core.runtime.process import ProcessBackend
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
from hemx_core.runtime.process import ProcessBackend
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


@pytest.fixture(scope="module")
def standing() -> Iterator[ProcessBackend]:
    """One process for all tests that do not end it: starting one takes a second."""
    backend = ProcessBackend(threads=1, stays=True)
    yield backend
    backend.close()


class TestProcessBackend(ProgramContract):
    @pytest.fixture
    def backend(self, standing: ProcessBackend) -> ProcessBackend:
        return standing

    @pytest.fixture
    def program_file(self, exported: tuple[Path, ProgramSpec]) -> tuple[Path, ProgramSpec]:
        return exported


def test_outputs_are_the_desktop_backends_bit_by_bit(
    standing: ProcessBackend, exported_bundle: Path
) -> None:
    here = DesktopBackend()
    assert (standing.name, standing.version) == (here.name, here.version)
    manifest = ModelManifest.load(exported_bundle)
    for spec in (manifest.segmenter, manifest.classifier):
        path = exported_bundle / spec.file
        inputs = example_inputs(spec, seed=3)
        for one, two in zip(
            here.open(path, spec)(inputs), standing.open(path, spec)(inputs), strict=True
        ):
            assert one.tobytes() == two.tobytes()


def test_its_errors_are_the_desktop_backends(
    standing: ProcessBackend, exported: tuple[Path, ProgramSpec], tmp_path: Path
) -> None:
    path, spec = exported
    half = tmp_path / "half.pte"
    half.write_bytes(path.read_bytes()[:2000])
    digest = hashlib.sha256(half.read_bytes()).hexdigest()
    crop, features = spec.inputs
    wrong = (
        (half, replace(spec, file=half.name, sha256=digest, bytes=2000)),
        (path, replace(spec, inputs=(replace(crop, shape=(1, 1, 64, 64)), features))),
        (path, replace(spec, sha256="0" * 64)),
        (tmp_path / "none.pte", spec),
    )
    for one in wrong:
        errors: list[HemxError] = []
        for backend in (DesktopBackend(), standing):
            with pytest.raises((BackendError, IntegrityError)) as caught:
                backend.open(*one)
            errors.append(caught.value)
        assert type(errors[0]) is type(errors[1])
        assert str(errors[0]) == str(errors[1])


def test_it_ends_with_the_last_program_and_leaves_nothing(
    backend: ProcessBackend, exported: tuple[Path, ProgramSpec]
) -> None:
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    assert backend.process_id is None
    one, two = backend.open(*exported), backend.open(*exported)
    process = backend.process_id
    assert 0 < backend.runtime_bytes < process_bytes(process).resident
    one.close()
    assert backend.process_id == process
    two.close()
    assert backend.process_id is None
    assert not Path(f"/proc/{process}").exists(), "no zombie"
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
    with pytest.raises(IntegrityError):
        backend.open(exported[0], replace(exported[1], sha256="0" * 64))
    assert backend.process_id is None, "nor one without a program"


def test_one_that_stays_ends_when_it_is_closed(exported: tuple[Path, ProgramSpec]) -> None:
    backend = ProcessBackend(threads=1, stays=True)
    assert isinstance(backend, OutsideBackend)
    backend.start()
    process = backend.process_id
    program = backend.open(*exported)
    program.close()
    assert runs(process)
    assert backend.process_id == process
    program = backend.open(*exported)
    backend.close()
    backend.close()
    assert not Path(f"/proc/{process}").exists()
    with pytest.raises(BackendError):
        program(example_inputs(exported[1]))


def test_a_process_is_seen_when_what_its_libraries_take_is_known(backend: ProcessBackend) -> None:
    starting = threading.Thread(target=backend.start)
    starting.start()
    seen = [backend.process_id]
    while starting.is_alive():
        seen.append(backend.process_id)
        assert seen[-1] is None or backend.runtime_bytes > 0
        time.sleep(0.001)
    assert len(seen) > 1
    assert seen[0] is None
    assert backend.process_id is not None


def test_what_is_dropped_is_freed(exported: tuple[Path, ProgramSpec]) -> None:
    backend = ProcessBackend(threads=1, stays=True)
    for _ in range(3):
        backend.open(*exported)
        gc.collect()
    assert len(backend._programs) == 1, "the ones before it are closed"
    process = backend.process_id
    assert runs(process)
    del backend
    gc.collect()
    assert soon(lambda: not runs(process))


def test_refuses_no_threads_and_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendError, match="0 threads"):
        ProcessBackend(threads=0)

    def missing(_name: str) -> str:
        raise pte_process.importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(pte_process.importlib.metadata, "version", missing)
    with pytest.raises(BackendError, match=r"not installed.*hemx\[runtime\]"):
        ProcessBackend()


def test_threads_take_turns(standing: ProcessBackend, exported: tuple[Path, ProgramSpec]) -> None:
    programs = [standing.open(*exported), standing.open(*exported)]
    inputs = [example_inputs(exported[1], seed) for seed in range(4)]
    alone = [programs[0](one) for one in inputs]
    wrong: list[int] = []

    def run(index: int) -> None:
        for _ in range(20):
            outputs = programs[index % 2](inputs[index])
            if not all(map(np.array_equal, outputs, alone[index])):
                wrong.append(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, "one call's numbers came out of another"


TRIAGE = """
import sys, tempfile
from pathlib import Path
from hemx_core.phantoms import PhantomSpec, SiteSpec, make_phantom
from hemx_core.pipeline import triage_volume
from mobile_app.work.device_models import DeviceModels
from mobile_app.store import Store
with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
    models = DeviceModels(store)
    models.preload()
    spec = PhantomSpec(seed=1, noise_seed=1, site=SiteSpec(slices=6, matrix=256))
    triage_volume(make_phantom(spec).volume, models.get())
    assert models.process_id and models.budget.__self__ is models
    models.end()
print([one for one in sys.modules if one.split(".")[0] in ("torch", "executorch")])
"""


@pytest.mark.skipif(not app_models_folder().is_dir(), reason="needs the shipped bundle")
def test_the_app_triages_without_torch_in_its_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRIAGE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr[-2000:]


def test_a_bundle_says_which_process_runs_it(
    standing: ProcessBackend, exported_bundle: Path
) -> None:
    with load_models(exported_bundle, standing, allow_unsigned=True) as models:
        assert models.process_id == standing.process_id is not None
        assert (models.backend_name, models.backend_version) == ("executorch", standing.version)

"""The parent's side of the process that runs programs: start, calls, and its last error output.

Three things end it: the end of its request pipe, the death of the parent (Linux, at once), and `end`, which
waits and in need kills. A thread that starts it waits for it as well, so that nothing is left of it.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hemx_core.device.memory import process_bytes
from hemx_core.errors import BackendError, ModelError, cause
from hemx_core.manifest import ProgramSpec
from hemx_core.notes import Phrase
from hemx_core.records import to_values
from hemx_core.runtime.program import Array, check_inputs
from hemx_core.runtime.wire import Kind, empty_arrays, error_of, receive, receive_arrays, send

WORKER = "hemx_core.runtime.worker"
PIPE_BYTES = 2**20
"""Room for a slice, so that neither side wakes the other for every 64 KiB; Linux."""
FIRST_FREE = 3
"""The lowest descriptor that is no standard stream's."""
GRACE_SECONDS = 5.0
FIRST_BYTES, LAST_BYTES = 150, 350
"""Of what it wrote to its standard error, that an error repeats: native code says first what happened, Python
last."""


class Child:
    """One process; `wait_until_ready` once before the first `ask`.

    Args:
        threads: of its runtime; None leaves the choice to it.
    Raises:
        BackendError: the process cannot be started.
    """

    def __init__(self, threads: int | None) -> None:
        # Neither pipe is a standard stream: libraries write to those, and an app may have none.
        requests, self._requests = _pipe()
        self._answers, answers = _pipe()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the pipes
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._open = True
        self._started, self._ended = threading.Event(), threading.Event()
        self._failure: Exception | None = None
        command = [sys.executable, "-P", "-m", WORKER, str(requests), str(answers)]
        command += [str(os.getpid()), "" if threads is None else str(threads)]
        threading.Thread(
            target=self._keep, args=(command, (requests, answers)), name="hemx-runtime", daemon=True
        ).start()
        self._started.wait()
        os.close(requests)
        os.close(answers)
        if self._failure is not None:
            self._close()
            raise BackendError(
                "process_not_started", reason=cause(self._failure), program=sys.executable
            ) from self._failure

    def _keep(self, command: list[str], descriptors: tuple[int, ...]) -> None:
        """Start the process and wait for it.

        In a thread of its own, which lives as long as the process does: Linux ends a child with the thread
        that started it.
        """
        try:
            self._process = subprocess.Popen(
                command,
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                # Apart from Ctrl-C in a terminal; a session of its own would also be weighed apart by the
                # scheduler, and its niceness count for nothing against the app.
                process_group=0,
                # The same modules as here, and none from the folder that the app was started in.
                env=os.environ | {"PYTHONPATH": _search_path()},
            )
        except (OSError, ValueError) as error:
            self._failure = error
            self._ended.set()
            return
        finally:
            self._started.set()
        self._process.wait()
        self._ended.set()

    @property
    def process_id(self) -> int | None:
        """Of the process while it runs."""
        running = self._process is not None and self._open and not self._ended.is_set()
        return self._process.pid if running and self._process is not None else None

    def wait_until_ready(self) -> None:
        """Wait until the runtime is loaded.

        Raises:
            BackendError: it does not load, or the process ended.
        """
        with self._turn:
            self._exchange(None, (), {})

    def ask(
        self,
        kind: Kind,
        program: int,
        *,
        text: Any = None,
        arrays: Sequence[Array] = (),
        into: Sequence[Array] = (),
    ) -> None:
        """Send a request and wait for its answer, one at a time.

        Args:
            kind: see `Kind`.
            program: its number.
            text: see `send`.
            arrays: to send, in C order.
            into: arrays that the answer's are read into.
        Raises:
            ModelError: what the runtime raised there.
            BackendError: the process ended.
        """
        with self._turn:
            self._exchange(kind, into, {"program": program, "text": text, "arrays": arrays})

    def _exchange(self, kind: Kind | None, into: Sequence[Array], asked: dict[str, Any]) -> None:
        if not self._open:
            raise self._lost()
        try:
            if kind is not None:
                send(self._requests, kind, **asked)
            answer = receive(self._answers)
            if answer.kind is not Kind.FAILED:
                receive_arrays(self._answers, answer, into)
        except (OSError, EOFError, ValueError) as error:
            self._kill()
            raise self._lost() from error
        except BaseException:
            # Half an exchange: what comes next would be the answer to another question.
            self._kill()
            raise
        if answer.kind is Kind.FAILED:
            raise error_of(answer.text)

    def end(self) -> None:
        """End the process and wait for it; a call under way is given some seconds. Twice is harmless."""
        if not self._turn.acquire(timeout=GRACE_SECONDS):
            self._kill()
            self._turn.acquire()
        try:
            self._close()
        finally:
            self._turn.release()
        if not self._ended.wait(GRACE_SECONDS):
            self._kill()
            self._ended.wait()

    def let_go(self) -> None:
        """Close the pipes and wait for nothing, when nobody can call any more: the process ends by itself."""
        self._close()

    def _close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._requests)
            os.close(self._answers)
            self._errors.close()

    def _kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.kill()

    def _lost(self) -> BackendError:
        """How the process ended."""
        how = Phrase("process.ended")
        if self._ended.wait(GRACE_SECONDS) and self._process is not None and self._open:
            code = self._process.returncode
            how = (
                Phrase("process.exit_code", exit=code)
                if code >= 0
                else Phrase("process.signal", signal=_signal(-code))
            )
        words = self._last_words()
        return BackendError("process_lost", how=how, said=words or None)

    def _last_words(self) -> str:
        if self._errors.closed:
            return ""
        descriptor = self._errors.fileno()
        size = os.fstat(descriptor).st_size
        # Read at a place: the process writes through the same position.
        said = os.pread(descriptor, FIRST_BYTES + LAST_BYTES, 0)
        if size > len(said):
            said = (
                said[:FIRST_BYTES] + b" ... " + os.pread(descriptor, LAST_BYTES, size - LAST_BYTES)
            )
        lines = (line.strip() for line in said.decode(errors="replace").splitlines())
        return " | ".join(line for line in lines if line)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _search_path() -> str:
    """Where this process finds its modules, in order; an empty entry is its folder."""
    return os.pathsep.join(folder or str(Path.cwd()) for folder in sys.path)


def _pipe() -> tuple[int, int]:
    """A pipe of a slice's size, where the system can and lets this user: its ends to read and to write."""
    import fcntl

    ends = os.pipe()
    # An app without standard streams gets their numbers, which the process's own would then replace.
    reads, writes = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE) for end in ends)
    for end in ends:
        os.close(end)
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return reads, writes


def can_start_processes() -> bool:
    """Whether this interpreter can start another one and hand it pipes: not on Windows, not when frozen."""
    return os.name == "posix" and bool(sys.executable) and not getattr(sys, "frozen", False)


class ProcessBackend:
    """Opens `.pte` programs with the installed `executorch` package, in a process of its own.

    The process starts with `start` or the first `open`. It ends with `close`, with the last program unless it
    `stays`, and with this process, however that ends. Where it ends by itself, its programs are lost, and the
    next `open` starts another one.

    Args:
        threads: size of ExecuTorch's thread pool there; None leaves it.
        stays: keep the process when its last program is closed, for the next one; `close` ends it.
    Raises:
        BackendError: executorch is not installed, or `threads` is below 1.
    """

    name = "executorch"

    def __init__(self, *, threads: int | None = None, stays: bool = False) -> None:
        if threads is not None and threads < 1:
            raise BackendError("threads", threads=threads)
        self.version = _installed_version()
        self.runtime_bytes = 0
        """Resident bytes of the process when it had loaded its libraries and no program."""
        self._threads, self._stays = threads, stays
        self._lock = threading.RLock()
        self._child: Child | None = None
        self._numbers = itertools.count(1)
        self._programs: set[int] = set()
        self._dropped: deque[int] = deque()

    @property
    def process_id(self) -> int | None:
        """Of the process; None where none runs, and until `runtime_bytes` is known."""
        child = self._child
        return None if child is None else child.process_id

    def start(self) -> None:
        """Start the process if none runs, and wait until its runtime is loaded.

        Raises:
            BackendError: executorch or torch is missing there or does not load.
        """
        self._ready_child()

    def open(self, path: Path, spec: ProgramSpec) -> ProcessProgram:
        """Verify and load one program.

        Raises:
            IntegrityError: the file differs from `spec`; ExecuTorch has not seen it then.
            BackendError: the runtime cannot be loaded, or cannot load the program, or its process ended.
        """
        with self._lock:
            child = self._ready_child()
            self._close_dropped(child)
            number = next(self._numbers)
            text = {"path": str(Path(path).absolute()), "spec": to_values(spec)}
            try:
                child.ask(Kind.OPEN, number, text=text)
                self._programs.add(number)
            finally:
                self._end_unused(child)
        program = ProcessProgram(spec, backend=self, child=child, number=number)
        # One that is dropped unclosed is closed before the next one opens: no pipe is written while Python
        # collects garbage.
        weakref.finalize(program, self._dropped.append, number).atexit = False
        return program

    def close(self) -> None:
        """End the process; its programs may not be called any more. Closing twice is harmless."""
        with self._lock:
            child, self._child = self._child, None
            self._programs.clear()
        if child is not None:
            self._let_go.detach()
            child.end()

    def closed(self, child: Child, number: int) -> None:
        """Free one program there; called by it."""
        with self._lock:
            if child is not self._child or number not in self._programs:
                return
            self._close_dropped(child)
            self._free(child, number)
            self._end_unused(child)

    def _ready_child(self) -> Child:
        with self._lock:
            if self._child is not None and self._child.process_id is None:
                # It ended by itself: its pipes are still open.
                self.close()
            if self._child is None:
                self._child = self._started_child()
            return self._child

    def _started_child(self) -> Child:
        """A process whose runtime is loaded; nobody sees it before what that takes is known."""
        child = Child(self._threads)
        self._let_go = weakref.finalize(self, child.let_go)
        try:
            child.wait_until_ready()
        except BaseException:
            self._let_go.detach()
            child.end()
            raise
        self.runtime_bytes = process_bytes(child.process_id).resident
        return child

    def _close_dropped(self, child: Child) -> None:
        while self._dropped:
            number = self._dropped.popleft()
            if number in self._programs:
                self._free(child, number)

    def _free(self, child: Child, number: int) -> None:
        self._programs.discard(number)
        # A process that has ended has freed it already.
        with contextlib.suppress(ModelError):
            child.ask(Kind.CLOSE, number)

    def _end_unused(self, child: Child) -> None:
        if not self._programs and not self._stays and child is self._child:
            self.close()


class ProcessProgram:
    """One loaded program; keeps the `Program` contract. Threads take turns."""

    def __init__(
        self, spec: ProgramSpec, *, backend: ProcessBackend, child: Child, number: int
    ) -> None:
        self.spec = spec
        self._backend = backend
        self._child: Child | None = child
        self._number = number

    def __call__(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Run `forward` once; see `Program.__call__`. A BackendError too where the process has ended."""
        child = self._child
        if child is None:
            raise BackendError("program_closed", file=self.spec.file)
        check_inputs(inputs, self.spec.inputs)
        outputs = empty_arrays(self.spec.outputs)
        arrays = [np.ascontiguousarray(array) for array in inputs]
        child.ask(Kind.RUN, self._number, arrays=arrays, into=outputs)
        return outputs

    def close(self) -> None:
        """Free the program."""
        child, self._child = self._child, None
        if child is not None:
            self._backend.closed(child, self._number)


def _installed_version() -> str:
    """Of executorch, which is not imported."""
    try:
        return importlib.metadata.version("executorch")
    except importlib.metadata.PackageNotFoundError as error:
        raise BackendError("runtime_missing") from error

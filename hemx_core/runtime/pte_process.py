"""The desktop runtime in a process of its own, for programs with an interface.

    ProcessBackend.open, program(...)  ->  pipe  ->  python -m hemx_core.runtime.pte_worker  (DesktopBackend)

ExecuTorch's Python binding holds the interpreter's lock during a call, 25 to 55 ms a slice, and importing
torch holds the dynamic loader's for most of a second: in one process an interface stands still meanwhile.
Here the caller waits on a pipe, and imports neither torch nor executorch.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import itertools
import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from hemx_core.errors import BackendError, ModelError
from hemx_core.manifest import ProgramSpec
from hemx_core.memory import process_bytes
from hemx_core.runtime._worker_child import Child
from hemx_core.runtime._worker_wire import Kind, empty_arrays
from hemx_core.runtime.program import Array, check_inputs

REMEDY = 'pip install "hemx[runtime]"'


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
            raise BackendError(f"{threads} threads", expected="at least 1", remedy="leave them out")
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
            text = {"path": str(Path(path).absolute()), "spec": asdict(spec)}
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
            raise BackendError(
                f"{self.spec.file} is closed",
                expected="an open program",
                remedy="load the models again",
            )
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
        raise BackendError(
            "the ExecuTorch runtime is not installed",
            expected="the packages executorch and torch",
            remedy=REMEDY,
        ) from error

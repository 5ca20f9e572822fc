"""The tablet's backend: ExecuTorch's Android library (`org.pytorch:executorch-android`) by pyjnius.

Importing this module imports no pyjnius and starts no JVM; making an `AndroidBackend` does. Make the
first one on the main thread: Android finds an app's classes from there only. The library's classes
are `Module`, `EValue` and `Tensor`; it tells neither its version nor a program's shapes.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hemx_core.errors import BackendError, IntegrityError
from hemx_core.manifest import ProgramSpec
from hemx_core.runtime._java_errors import failure
from hemx_core.runtime._java_library import (
    AAR_VERSION,
    TURN,
    JavaClasses,
    PooledInput,
    PooledOutput,
    java_classes,
)
from hemx_core.runtime.program import Array, check_inputs, check_program_file

METHOD = "forward"

_open_programs: weakref.WeakSet[AndroidProgram] = weakref.WeakSet()
"""Open programs of this process: they point into ExecuTorch's thread pool, which is one for all."""


class AndroidBackend:
    """Opens `.pte` programs with the Android library that the app carries.

    Args:
        threads: size of ExecuTorch's thread pool, which the whole process shares; None takes the
            library's own choice, half of the cores.
    Raises:
        BackendError: pyjnius or the library is missing, this is not the main thread and no backend
            was made before, or `threads` is below 1.
    """

    name = "executorch-android"

    def __init__(self, *, threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise BackendError(f"{threads} threads", expected="at least 1", remedy="leave them out")
        self.version = AAR_VERSION
        self._threads = threads or 0
        self._java = java_classes()

    def open(self, path: Path, spec: ProgramSpec) -> AndroidProgram:
        """Verify and load one program, and run it once on zeros.

        The library does not tell a program's shapes, so the run is what compares them with `spec`;
        it also takes the delegate's preparation out of the first slice.

        Raises:
            IntegrityError: the file differs from `spec`, or the program takes or returns other
                shapes.
            BackendError: the library cannot load it, programs are open with another number of
                threads, or `spec` asks for another type than float32.
        """
        # Damaged programs crash the process or run silently wrong: hash first.
        check_program_file(path, spec)
        _check_types(spec)
        with TURN:
            _check_pool(self._threads)
            program = AndroidProgram(
                spec, module=self._load(path), java=self._java, threads=self._threads
            )
            try:
                program.prepare()
            except BaseException:
                program.close()
                raise
        return program

    def _load(self, path: Path) -> Any:
        module = self._java.module
        try:
            return module.load(str(path), module.LOAD_MODE_MMAP, self._threads)
        except self._java.exception as error:
            raise failure(error, f"cannot load {path.name}") from error


class AndroidProgram:
    """One loaded program; keeps the `Program` contract. Threads take turns, over all programs."""

    def __init__(self, spec: ProgramSpec, *, module: Any, java: JavaClasses, threads: int) -> None:
        self.spec = spec
        self.threads = threads
        self._module = module
        self._java = java
        self._inputs: list[PooledInput] = []
        self._outputs: list[PooledOutput] = []
        _open_programs.add(self)

    def __call__(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Run `forward` once; see `Program.__call__`."""
        check_inputs(inputs, self.spec.inputs)
        with TURN:
            if self._module is None:
                raise BackendError(
                    f"{self.spec.file} is closed",
                    expected="an open program",
                    remedy="load the models again",
                )
            try:
                return self._run(inputs)
            except self._java.exception as error:
                raise failure(
                    error, f"failed in {self.spec.file}", log=self._log(), running=True
                ) from error

    def prepare(self) -> None:
        """Load `forward`, allocate its buffers and run it on zeros; see `AndroidBackend.open`."""
        try:
            self._module.loadMethod(METHOD)
            self._inputs = [PooledInput(tensor, self._java) for tensor in self.spec.inputs]
            self._outputs = [PooledOutput(tensor, self._java) for tensor in self.spec.outputs]
        except self._java.exception as error:
            raise failure(
                error, f"cannot prepare {METHOD} of {self.spec.file}", log=self._log()
            ) from error
        self([np.zeros(tensor.shape, tensor.dtype) for tensor in self.spec.inputs])

    def close(self) -> None:
        """Free the program, after a run that is still going on."""
        with TURN:
            module, self._module = self._module, None
            if module is not None:
                module.destroy()
        _open_programs.discard(self)

    def _run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        for pooled, array in zip(self._inputs, inputs, strict=True):
            pooled.fill(array)
        values = self._module.execute(METHOD, *(pooled.value for pooled in self._inputs))
        if len(values) != len(self._outputs):
            raise IntegrityError(
                f"{self.spec.file} returned {len(values)} outputs",
                expected=f"{len(self._outputs)}, as the manifest says",
                remedy="export the bundle again",
            )
        return tuple(
            pooled.read(value) for pooled, value in zip(self._outputs, values, strict=True)
        )

    def _log(self) -> list[str]:
        """The library's latest log entries, where it keeps them."""
        if not hasattr(self._module, "readLogBuffer"):
            return []
        try:
            return list(self._module.readLogBuffer() or [])
        except self._java.exception:
            return []


def _check_types(spec: ProgramSpec) -> None:
    for tensor in (*spec.inputs, *spec.outputs):
        if tensor.dtype != "float32":
            raise BackendError(
                f"{spec.file} has {tensor.name} of type {tensor.dtype}",
                expected="float32, the only type that this backend passes",
                remedy="export the bundle with float32 inputs and outputs",
            )


def _check_pool(threads: int) -> None:
    """Loading resizes the one thread pool, and open programs keep a pointer to it: a crash."""
    others = {program.threads for program in _open_programs} - {threads}
    if others:
        raise BackendError(
            f"a pool of {_count(threads)} while programs are open with {_count(others.pop())}",
            expected="one number of threads for the whole process",
            remedy="close the open models first",
        )


def _count(threads: int) -> str:
    return f"{threads} threads" if threads else "the library's own number of threads"

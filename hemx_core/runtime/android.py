"""The tablet's backend: ExecuTorch's Android library (`org.pytorch:executorch-android`) by pyjnius.

First what it needs of Java: exceptions as HEMX errors, the library's classes, pooled buffers.
"""

from __future__ import annotations

import importlib
import math
import re
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hemx_core.errors import BackendError, IntegrityError, ModelError
from hemx_core.manifest import ProgramSpec, TensorSpec
from hemx_core.notes import Phrase
from hemx_core.runtime.program import Array, check_inputs, checked_program

NOT_SUPPORTED = 0x10
INVALID_ARGUMENT = 0x12
OPERATOR_MISSING = 0x14
MEMORY_ALLOCATION_FAILED = 0x21
INVALID_PROGRAM = 0x23
OUT_OF_RESOURCES = 0x25
DELEGATE_INVALID_COMPATIBILITY = 0x30
DELEGATE_MEMORY_ALLOCATION_FAILED = 0x31

MISFITS = {NOT_SUPPORTED, INVALID_ARGUMENT}
"""How the library refuses inputs of another shape, type or number than the program's."""

MEMORY = {MEMORY_ALLOCATION_FAILED, OUT_OF_RESOURCES, DELEGATE_MEMORY_ALLOCATION_FAILED}
VERSION = {OPERATOR_MISSING, INVALID_PROGRAM, DELEGATE_INVALID_COMPATIBILITY}

LOG_LINES = 3

_CODE = re.compile(r"\[ExecuTorch Error 0x([0-9a-fA-F]+)\]")


def failure(
    error: Exception, what: Phrase, *, log: Sequence[str] = (), running: bool = False
) -> ModelError:
    """The HEMX error for a Java exception.

    Args:
        error: pyjnius's `JavaException`.
        what: what failed, such as `Phrase("executorch.load", file="segmenter.pte")`.
        log: the library's log; its last lines are quoted.
        running: the program ran on inputs that fit the manifest, so a refusal of their shape or
            type means that the program is not the manifest's.
    """
    code = error_code(error)
    reason, tail = describe(error), tuple(line.strip() for line in log[-LOG_LINES:])
    if running and code in MISFITS:
        return IntegrityError("executorch_misfit", what=what, reason=reason, log=tail)
    memory = code in MEMORY or "OutOfMemoryError" in _class_name(error)
    told = (
        "executorch_memory"
        if memory
        else "executorch_version"
        if code in VERSION
        else "executorch_failed"
    )
    return BackendError(told, what=what, reason=reason, log=tail)


def error_code(error: Exception) -> int | None:
    """ExecuTorch's error code in a Java exception's message, or None."""
    match = _CODE.search(_message(error))
    return int(match.group(1), 16) if match else None


def describe(error: Exception) -> str:
    """Class and message of a Java exception, in one line."""
    return f"{_class_name(error)}: {_message(error)}".strip(": \n").replace("\n", " ")


def _class_name(error: Exception) -> str:
    return str(getattr(error, "classname", None) or type(error).__name__)


def _message(error: Exception) -> str:
    return str(getattr(error, "innermessage", None) or error)


AAR_VERSION = "1.5.1"
"""The library's version that the app is built with; the packaging holds its build file to it."""

PACKAGE = "org.pytorch.executorch"
FLOAT_BYTES = 4

TURN = threading.RLock()
"""Held during every use of these classes. pyjnius keeps one object for a method of all instances
and writes the instance into it at every look-up (1.7 and 1.9 do), so two threads that call the same
method of two programs could each reach the other's."""


@dataclass(frozen=True, kw_only=True)
class JavaClasses:
    """What this module needs of Java, found once.

    Args:
        module: the library's `Module`.
        evalue: its `EValue`.
        tensor: its `Tensor`.
        byte_buffer: `java.nio.ByteBuffer`.
        byte_order: `java.nio.ByteOrder`.
        exception: what pyjnius raises for a Java exception.
    """

    module: Any
    evalue: Any
    tensor: Any
    byte_buffer: Any
    byte_order: Any
    exception: type[Exception]

    @property
    def copies_in_bulk(self) -> bool:
        """Whether tensors have `copyDataInto`; without it an output goes through a Python list."""
        return hasattr(self.tensor, "copyDataInto")


@cache
def java_classes() -> JavaClasses:
    """Find the classes, once, on the main thread.

    A thread that Python made is attached to Java without the app's class loader.
    """
    if threading.current_thread() is not threading.main_thread():
        raise BackendError("not_main_thread")
    try:
        jnius = importlib.import_module("jnius")
    except Exception as error:  # pyjnius raises plain errors of many kinds where Java is missing
        raise BackendError("no_pyjnius", reason=str(error)) from error
    try:
        return JavaClasses(
            module=jnius.autoclass(f"{PACKAGE}.Module"),
            evalue=jnius.autoclass(f"{PACKAGE}.EValue"),
            tensor=jnius.autoclass(f"{PACKAGE}.Tensor"),
            byte_buffer=jnius.autoclass("java.nio.ByteBuffer"),
            byte_order=jnius.autoclass("java.nio.ByteOrder"),
            exception=jnius.JavaException,
        )
    except jnius.JavaException as error:
        raise BackendError("no_library", reason=describe(error), version=AAR_VERSION) from error


class PooledInput:
    """A direct buffer that lives as long as its program, and the value that shows it.

    On a desktop JVM 256 x 256 floats took 0.3 ms as bytes; a list of Python floats takes many times that.
    """

    def __init__(self, spec: TensorSpec, java: JavaClasses) -> None:
        native = java.byte_order.nativeOrder()
        size = FLOAT_BYTES * math.prod(spec.shape)
        self._buffer = java.byte_buffer.allocateDirect(size).order(native)
        tensor = java.tensor.fromBlob(self._buffer.asFloatBuffer(), list(spec.shape))
        self.value = getattr(java.evalue, "from")(tensor)

    def fill(self, array: Array) -> None:
        """Copy an array of any memory layout into the buffer."""
        self._buffer.clear()
        self._buffer.put(array.tobytes())


class PooledOutput:
    """Copies an output out of native memory, where it stays valid until the next call only."""

    def __init__(self, spec: TensorSpec, java: JavaClasses) -> None:
        self._spec = spec
        self._heap: Any = None
        if java.copies_in_bulk:
            size = FLOAT_BYTES * math.prod(spec.shape)
            self._heap = java.byte_buffer.allocate(size).order(java.byte_order.nativeOrder())
            self._floats = self._heap.asFloatBuffer()

    def read(self, value: Any) -> Array:
        """An array of its own with the output's numbers.

        Raises:
            IntegrityError: the output has another shape or type than the manifest says.
        """
        tensor = value.toTensor()
        shape, dtype = tuple(tensor.shape()), tensor.dtype().toString()
        if shape != self._spec.shape or dtype != "FLOAT":
            raise IntegrityError(
                "output_shape",
                name=self._spec.name,
                shape=str(shape),
                dtype=str(dtype),
                needed=str(self._spec.shape),
            )
        if self._heap is None:
            return np.array(tensor.getDataAsFloatArray(), np.float32).reshape(shape)
        self._floats.clear()
        tensor.copyDataInto(self._floats)
        copied = self._heap.array().tostring()
        start = self._heap.arrayOffset()
        flat = np.frombuffer(copied, np.float32, count=math.prod(shape), offset=start)
        return flat.reshape(shape).copy()


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
            raise BackendError("threads", threads=threads)
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
        _check_types(spec)
        # Damaged programs crash the process or run silently wrong: hash first. The library opens the
        # file when it runs it first.
        with checked_program(path, spec, by_name=True), TURN:
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
            raise failure(error, Phrase("executorch.load", file=path.name)) from error


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
                raise BackendError("program_closed", file=self.spec.file)
            try:
                return self._run(inputs)
            except self._java.exception as error:
                raise failure(
                    error,
                    Phrase("executorch.run", file=self.spec.file),
                    log=self._log(),
                    running=True,
                ) from error

    def prepare(self) -> None:
        """Load `forward`, allocate its buffers and run it on zeros; see `AndroidBackend.open`."""
        try:
            self._module.loadMethod(METHOD)
            self._inputs = [PooledInput(tensor, self._java) for tensor in self.spec.inputs]
            self._outputs = [PooledOutput(tensor, self._java) for tensor in self.spec.outputs]
        except self._java.exception as error:
            raise failure(
                error,
                Phrase("executorch.prepare", method=METHOD, file=self.spec.file),
                log=self._log(),
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
                "output_count", file=self.spec.file, found=len(values), needed=len(self._outputs)
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
            raise BackendError("tensor_type", file=spec.file, name=tensor.name, dtype=tensor.dtype)


def _check_pool(threads: int) -> None:
    """Loading resizes the one thread pool, and open programs keep a pointer to it: a crash."""
    others = {program.threads for program in _open_programs} - {threads}
    if others:
        raise BackendError("pool_in_use", asked=_count(threads), found=_count(others.pop()))


def _count(threads: int) -> Phrase:
    return Phrase("threads_of", count=threads) if threads else Phrase("library_threads")

"""What the Android backend needs of Java, by pyjnius: the library's classes and pooled buffers."""

from __future__ import annotations

import importlib
import math
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from hemx_core.errors import BackendError, IntegrityError
from hemx_core.manifest import TensorSpec
from hemx_core.runtime._java_errors import describe
from hemx_core.runtime.program import Array

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
        raise BackendError(
            "the first Android backend was asked for on a worker thread",
            expected="the main thread, the only one from which Android finds the app's classes",
            remedy="make one AndroidBackend while the app starts",
        )
    try:
        jnius = importlib.import_module("jnius")
    except Exception as error:  # pyjnius raises plain errors of many kinds where Java is missing
        raise BackendError(
            f"pyjnius cannot be imported ({error})",
            expected="the package pyjnius and a Java runtime",
            remedy="build the app as docs/android.md says; on a desk use the desktop runtime",
        ) from error
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
        raise BackendError(
            f"the ExecuTorch library is not in this app ({describe(error)})",
            expected=f"org.pytorch:executorch-android:{AAR_VERSION} and its arm64 library",
            remedy="build the app with the gradle dependency of mobile_app/packaging",
        ) from error


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
                f"output {self._spec.name} of shape {shape} and type {dtype}",
                expected=f"shape {self._spec.shape}, FLOAT, as the manifest says",
                remedy="export the bundle again",
            )
        if self._heap is None:
            return np.array(tensor.getDataAsFloatArray(), np.float32).reshape(shape)
        self._floats.clear()
        tensor.copyDataInto(self._floats)
        copied = self._heap.array().tostring()
        start = self._heap.arrayOffset()
        flat = np.frombuffer(copied, np.float32, count=math.prod(shape), offset=start)
        return flat.reshape(shape).copy()

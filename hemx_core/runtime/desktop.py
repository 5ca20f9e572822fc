"""The desktop backend: ExecuTorch's C++ runtime through its Python binding.

Importing this module imports neither executorch nor torch; making a `DesktopBackend` imports torch
and the binding's extension module. ExecuTorch's own `portable_lib` would import its compiler too,
and torchao if that is there: 2.8 s and 134 MiB more (measured with 1.5.1 on two cores).
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.metadata
import importlib.util
import os
import sys
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hemx_core.errors import BackendError, IntegrityError
from hemx_core.manifest import ProgramSpec, TensorSpec
from hemx_core.runtime.program import Array, check_inputs, checked_program

METHOD = "forward"
TORCH_LIBRARY = "libtorch_cpu.so"
BINDING = "executorch.extension.pybindings._C"

_open_programs: weakref.WeakSet[DesktopProgram] = weakref.WeakSet()
"""Open programs of this process: they point into ExecuTorch's thread pool, which is one for all."""


class DesktopBackend:
    """Opens `.pte` programs with the installed `executorch` package.

    Args:
        threads: size of ExecuTorch's thread pool, which the whole process shares; None leaves it.
    Raises:
        BackendError: executorch or torch is missing or does not load, `threads` is below 1, or the
            pool would have to change under an open program.
    """

    name = "executorch"

    def __init__(self, *, threads: int | None = None) -> None:
        self._torch, self._binding = _import_runtime()
        self.version = importlib.metadata.version("executorch")
        _set_threads(self._binding, threads)

    def open(self, path: Path, spec: ProgramSpec) -> DesktopProgram:
        """Verify and load one program.

        Raises:
            IntegrityError: the file differs from `spec`; ExecuTorch has not seen it then.
            BackendError: ExecuTorch cannot load it.
        """
        # Random bytes abort the process and damaged weights run silently wrong: hash first, and let
        # ExecuTorch check the flatbuffer's consistency too.
        try:
            with checked_program(path, spec) as checked:
                program = self._binding._load_program(
                    checked, program_verification=self._binding.Verification.InternalConsistency
                )
                method = program.load_method(METHOD)
        except RuntimeError as error:
            raise BackendError(
                "program_not_loaded", version=self.version, file=path.name, reason=str(error)
            ) from error
        _check_signature(method.method_meta(), spec)
        return DesktopProgram(spec, program=program, method=method, torch=self._torch)


class DesktopProgram:
    """One loaded program; keeps the `Program` contract."""

    def __init__(self, spec: ProgramSpec, *, program: Any, method: Any, torch: Any) -> None:
        self.spec = spec
        self._program = program
        self._method = method
        self._torch = torch
        _open_programs.add(self)

    def __call__(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Run `forward` once; see `Program.__call__`."""
        if self._method is None:
            raise BackendError("program_closed", file=self.spec.file)
        check_inputs(inputs, self.spec.inputs)
        # Dense and writable copies: the runtime refuses zero strides, torch warns of read-only.
        tensors = [self._torch.from_numpy(np.array(array, order="C")) for array in inputs]
        try:
            outputs = run_method(self._method, tensors)
        except RuntimeError as error:
            raise BackendError("program_failed", file=self.spec.file, reason=str(error)) from error
        # Copies: the tensors lie in the program's memory, which the next call overwrites.
        arrays = tuple(np.array(output.numpy(), order="C") for output in outputs)
        _check_outputs(arrays, self.spec)
        return arrays

    def close(self) -> None:
        """Free the program."""
        self._method = None
        self._program = None
        _open_programs.discard(self)


def run_method(method: Any, tensors: Sequence[Any]) -> Any:
    """Run a method of the binding without its own copies of the outputs.

    torch makes those in parallel, and its idle worker then spins on a core that XNNPACK's needs (measured on
    two cores: 1.4 times the time of a slice).

    Args:
        method: as `load_method` of the binding gives it.
        tensors: inputs.
    Returns:
        Tensors in the program's memory, which its next call overwrites.
    """
    return method(tensors, clone_outputs=False)


def _import_runtime() -> tuple[Any, Any]:
    """Torch, which loads the libraries the binding needs, and the binding."""
    _load_library()
    try:
        return importlib.import_module("torch"), importlib.import_module(BINDING)
    except (ImportError, OSError) as error:
        raise BackendError("runtime_import", reason=str(error)) from error


def _load_library() -> None:
    """Load torch's large library as a foreign call, which lets other threads run meanwhile.

    `import torch` loads it under the interpreter's lock: measured, an interface stands still for 0.7 s.
    Where this does not work, the import loads it, or says why it cannot.
    """
    found = importlib.util.find_spec("torch") if "torch" not in sys.modules else None
    if found is None or found.origin is None or not sys.platform.startswith("linux"):
        return
    library = Path(found.origin).parent / "lib" / TORCH_LIBRARY
    try:
        load = ctypes.CDLL(None).dlopen
    except (AttributeError, OSError):
        return
    load.restype, load.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    load(os.fsencode(library), os.RTLD_NOW)


def _set_threads(binding: Any, threads: int | None) -> None:
    if threads is not None and threads < 1:
        raise BackendError("threads", threads=threads)
    with _silent_stderr():
        current = binding._threadpool_get_thread_count()
        if threads is None or threads == current:
            return
        if _open_programs:
            # Programs keep a pointer to the pool they were loaded with: measured, a crash.
            raise BackendError("threads_in_use", found=current, asked=threads)
        binding._unsafe_reset_threadpool(threads)


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Drop what native code writes: making the pool probes for ARM cores and complains on x86."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as sink:
            os.dup2(sink.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _check_signature(meta: Any, spec: ProgramSpec) -> None:
    """Compare the shapes inside the program with the manifest's."""
    inside = (
        [tuple(meta.input_tensor_meta(i).sizes()) for i in range(meta.num_inputs())],
        [tuple(meta.output_tensor_meta(i).sizes()) for i in range(meta.num_outputs())],
    )
    stated = (_shapes(spec.inputs), _shapes(spec.outputs))
    if inside != stated:
        raise IntegrityError(
            "program_shapes", file=spec.file, found=str(inside), needed=str(stated)
        )


def _check_outputs(arrays: tuple[Array, ...], spec: ProgramSpec) -> None:
    found = [(array.shape, str(array.dtype)) for array in arrays]
    expected = [(tensor.shape, tensor.dtype) for tensor in spec.outputs]
    if found != expected:
        raise BackendError(
            "program_returned", file=spec.file, found=str(found), needed=str(expected)
        )


def _shapes(tensors: tuple[TensorSpec, ...]) -> list[tuple[int, ...]]:
    return [tensor.shape for tensor in tensors]

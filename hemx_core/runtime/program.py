"""The protocol of runtime backends, and the checks before a graph runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import IntegrityError, ModelInputError
from hemx_core.manifest import ProgramSpec, TensorSpec, open_verified

PTE_MAGIC = b"ET12"

Array = NDArray[Any]


class Program(Protocol):
    """A loaded graph with fixed shapes. One contract test class holds every backend to this."""

    spec: ProgramSpec

    def __call__(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Run `forward` once.

        Args:
            inputs: one array for each entry of `spec.inputs`.
        Returns:
            One array for each entry of `spec.outputs`; the caller owns them.
        Raises:
            ModelInputError: an input does not fit `spec` or is not finite.
            BackendError: the runtime failed, or the program was closed.
        """

    def close(self) -> None:
        """Free the program; it may not be called afterwards. Closing twice is harmless."""


class Backend(Protocol):
    """Opens programs. `name` and `version` go into every result."""

    name: str
    version: str

    def open(self, path: Path, spec: ProgramSpec) -> Program:
        """Verify and load one program.

        Raises:
            IntegrityError: the file differs from `spec`.
            BackendError: the runtime cannot load it.
        """


@runtime_checkable
class OutsideBackend(Protocol):
    """A backend that runs its programs in a process of its own, whose memory counts as the caller's."""

    runtime_bytes: int
    """Resident bytes of the process when it had loaded its libraries and no program; 0 before that."""

    @property
    def process_id(self) -> int | None:
        """Of the process; None where none runs, and until `runtime_bytes` is known."""

    def start(self) -> None:
        """Start the process if none runs, and wait until its runtime is loaded.

        Raises:
            BackendError: it does not load.
        """

    def close(self) -> None:
        """End the process; its programs may not be called any more."""


@contextmanager
def checked_program(path: Path, spec: ProgramSpec, *, by_name: bool = False) -> Iterator[str]:
    """Check size, hash and magic; a damaged program can crash the process or run silently wrong.

    Args:
        path: the program's file.
        spec: what the manifest says of it.
        by_name: give its own path, and tell afterwards whether another file lay there by then.
    Yields:
        The path to load the program from: of the very file that was checked, where the system can name
        an open file.
    Raises:
        IntegrityError: the file differs from the manifest or is no ExecuTorch program; or it was written
            to or exchanged while it was loaded.
    """
    with open_verified(path, sha256=spec.sha256, size=spec.bytes) as stream:
        head = stream.read(8)
        if head[4:8] != PTE_MAGIC:
            raise IntegrityError(
                "not_a_program", file=path.name, found=repr(head), needed=repr(PTE_MAGIC)
            )
        before = _state(os.fstat(stream.fileno()))
        opened = Path(f"/proc/self/fd/{stream.fileno()}")
        by_name = by_name or not opened.exists()
        yield str(path if by_name else opened)
        try:
            after = _state(path.stat() if by_name else os.fstat(stream.fileno()))
        except OSError:
            after = None
        if after != before:
            raise IntegrityError("file_changed", file=path.name)


def _state(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def check_inputs(inputs: Sequence[Array], specs: tuple[TensorSpec, ...]) -> None:
    """Check number, shape, dtype and finiteness: int8 graphs turn NaN into finite numbers silently.

    Raises:
        ModelInputError: an input does not fit.
    """
    if len(inputs) != len(specs):
        raise ModelInputError("input_count", found=len(inputs), needed=len(specs))
    for array, spec in zip(inputs, specs, strict=True):
        if tuple(array.shape) != spec.shape or array.dtype != np.dtype(spec.dtype):
            raise ModelInputError(
                "input_shape",
                name=spec.name,
                shape=str(tuple(array.shape)),
                dtype=str(array.dtype),
                needed=str(spec.shape),
                axes=spec.axes,
                needed_dtype=spec.dtype,
            )
        if not np.isfinite(array).all():
            raise ModelInputError("input_not_finite", name=spec.name)

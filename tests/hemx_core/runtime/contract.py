"""The contract of every runtime: a backend's test class inherits `ProgramContract`."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hemx_core.errors import BackendError, IntegrityError, ModelInputError
from hemx_core.manifest import ProgramSpec
from hemx_core.runtime.program import Backend, Program

Arrays = list[NDArray[Any]]


def example_inputs(spec: ProgramSpec, seed: int = 0) -> Arrays:
    """Random inputs in [0, 1) that fit a specification."""
    rng = np.random.default_rng(seed)
    return [rng.random(tensor.shape).astype(tensor.dtype) for tensor in spec.inputs]


class ProgramContract:
    """What triage relies on. A subclass gives the fixtures `backend` and `program_file`.

    The program's first input is a picture of shape (1, 1, S, S), and every output depends on it.
    """

    @pytest.fixture
    def backend(self) -> Backend:
        """The backend under test."""
        raise NotImplementedError

    @pytest.fixture
    def program_file(self) -> tuple[Path, ProgramSpec]:
        """A program that it can open, and the program's true specification."""
        raise NotImplementedError

    @pytest.fixture
    def program(self, backend: Backend, program_file: tuple[Path, ProgramSpec]) -> Program:
        return backend.open(*program_file)

    def test_names_itself(self, backend: Backend) -> None:
        assert backend.name
        assert backend.version

    def test_outputs_fit_the_specification(self, program: Program) -> None:
        outputs = program(example_inputs(program.spec))
        found = [(array.shape, str(array.dtype)) for array in outputs]
        assert found == [(tensor.shape, tensor.dtype) for tensor in program.spec.outputs]
        assert all(np.isfinite(array).all() for array in outputs)

    def test_runs_are_repeatable_and_follow_the_input(self, program: Program) -> None:
        first = program(example_inputs(program.spec))
        other = program(example_inputs(program.spec, seed=1))
        again = program(example_inputs(program.spec))
        for one, two, three in zip(first, other, again, strict=True):
            np.testing.assert_array_equal(one, three)
            assert not np.array_equal(one, two)

    def test_caller_owns_the_outputs(self, program: Program) -> None:
        outputs = program(example_inputs(program.spec))
        kept = [array.copy() for array in outputs]
        program(example_inputs(program.spec, seed=1))
        program.close()
        for array, copy in zip(outputs, kept, strict=True):
            np.testing.assert_array_equal(array, copy)
            array[...] = 0

    def test_inputs_are_left_alone(self, program: Program) -> None:
        inputs = example_inputs(program.spec)
        for array in inputs:
            array.flags.writeable = False
        kept = [array.copy() for array in inputs]
        program(inputs)
        for array, copy in zip(inputs, kept, strict=True):
            np.testing.assert_array_equal(array, copy)

    def test_memory_layout_does_not_matter(self, program: Program) -> None:
        image, *rest = example_inputs(program.spec)
        dense = program([image, *rest])
        transposed = np.ascontiguousarray(image.swapaxes(2, 3)).swapaxes(2, 3)
        assert not transposed.flags.c_contiguous
        for one, two in zip(dense, program([transposed, *rest]), strict=True):
            np.testing.assert_array_equal(one, two)

    def test_broadcast_inputs_work(self, program: Program) -> None:
        image, *rest = example_inputs(program.spec)
        flat = np.broadcast_to(np.float32(0.5), image.shape)
        assert 0 in flat.strides
        for one, two in zip(program([flat.copy(), *rest]), program([flat, *rest]), strict=True):
            np.testing.assert_array_equal(one, two)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_refuses_what_is_not_finite(self, program: Program, value: float) -> None:
        for index in range(len(program.spec.inputs)):
            inputs = example_inputs(program.spec)
            inputs[index].flat[-1] = value
            with pytest.raises(ModelInputError, match="not finite"):
                program(inputs)

    def test_refuses_wrong_count_shape_and_type(self, program: Program) -> None:
        image, *rest = example_inputs(program.spec)
        wrong = (
            [],
            [image, *rest, image],
            [image[0], *rest],
            [image[..., :-1], *rest],
            [np.concatenate([image, image]), *rest],
            [image.astype(np.float64), *rest],
            [(image * 255).astype(np.uint8), *rest],
        )
        for inputs in wrong:
            with pytest.raises(ModelInputError):
                program(inputs)
        assert len(program([image, *rest])) == len(program.spec.outputs)

    def test_closed_program_refuses_to_run(self, program: Program) -> None:
        program.close()
        program.close()
        with pytest.raises(BackendError, match="closed"):
            program(example_inputs(program.spec))

    def test_two_programs_do_not_disturb_each_other(
        self, backend: Backend, program_file: tuple[Path, ProgramSpec]
    ) -> None:
        one, two = backend.open(*program_file), backend.open(*program_file)
        inputs = example_inputs(one.spec)
        before = one(inputs)
        two.close()
        for old, new in zip(before, one(inputs), strict=True):
            np.testing.assert_array_equal(old, new)

    @pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "longer", "flipped"])
    def test_refuses_a_file_that_differs(
        self,
        backend: Backend,
        program_file: tuple[Path, ProgramSpec],
        tmp_path: Path,
        damage: str,
    ) -> None:
        path, spec = program_file
        content = bytearray(path.read_bytes())
        flipped = content.copy()
        flipped[len(content) // 2] ^= 1
        changed = {
            "empty": b"",
            "truncated": content[:-1],
            "longer": content + b"\0",
            "flipped": flipped,
        }
        bad = tmp_path / "bad" / path.name
        bad.parent.mkdir()
        if damage != "missing":
            bad.write_bytes(changed[damage])
        with pytest.raises(IntegrityError):
            backend.open(bad, spec)

    @pytest.mark.parametrize("content", [b"", b"short", bytes(range(256)) * 8])
    def test_refuses_what_is_no_program_even_if_the_manifest_agrees(
        self,
        backend: Backend,
        program_file: tuple[Path, ProgramSpec],
        tmp_path: Path,
        content: bytes,
    ) -> None:
        spec = program_file[1]
        bad = tmp_path / "no-program.pte"
        bad.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        with pytest.raises(IntegrityError, match="ET12"):
            backend.open(bad, replace(spec, file=bad.name, sha256=digest, bytes=len(content)))

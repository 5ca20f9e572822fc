from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from export.lower import lower
from hemx_core.errors import BackendError, IntegrityError
from hemx_core.manifest import ProgramSpec, TensorSpec
from hemx_core.runtime import desktop as pte_desktop
from hemx_core.runtime.desktop import DesktopBackend
from tests.hemx_core.runtime.contract import ProgramContract, example_inputs


class TestDesktopBackend(ProgramContract):
    @pytest.fixture
    def backend(self) -> DesktopBackend:
        return DesktopBackend()

    @pytest.fixture
    def program_file(self, exported: tuple[Path, ProgramSpec]) -> tuple[Path, ProgramSpec]:
        return exported


def test_refuses_a_truncated_program_that_the_manifest_agrees_with(
    exported: tuple[Path, ProgramSpec], tmp_path: Path
) -> None:
    content = exported[0].read_bytes()[:2000]
    bad = tmp_path / "half.pte"
    bad.write_bytes(content)
    spec = replace(
        exported[1], file=bad.name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)
    )
    with pytest.raises(BackendError, match=r"half\.pte"):
        DesktopBackend().open(bad, spec)


def test_refuses_a_program_of_other_shapes_than_the_manifest_says(
    exported: tuple[Path, ProgramSpec],
) -> None:
    path, spec = exported
    crop, features = spec.inputs
    wrong = replace(spec, inputs=(replace(crop, shape=(1, 1, 64, 64)), features))
    with pytest.raises(IntegrityError, match="64, 64"):
        DesktopBackend().open(path, wrong)


def test_a_missing_runtime_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pte_desktop, "BINDING", "executorch.no_such_binding")
    with pytest.raises(BackendError, match=r"hemx\[runtime\]"):
        DesktopBackend()


def test_the_thread_pool_does_not_change_under_an_open_program(
    exported: tuple[Path, ProgramSpec],
) -> None:
    backend = DesktopBackend()
    current = backend._binding._threadpool_get_thread_count()
    program = backend.open(*exported)
    with pytest.raises(BackendError, match="open"):
        DesktopBackend(threads=current + 1)
    program.close()
    try:
        other = DesktopBackend(threads=current + 1)
        assert other._binding._threadpool_get_thread_count() == current + 1
        again = other.open(*exported)
        assert len(again(example_inputs(again.spec))) == 2
        again.close()
    finally:
        DesktopBackend(threads=current)


def test_refuses_no_threads() -> None:
    with pytest.raises(BackendError, match="0 threads"):
        DesktopBackend(threads=0)


def test_start_up_is_light_and_silent(exported: tuple[Path, ProgramSpec]) -> None:
    """Neither ExecuTorch's compiler nor torchao is imported, and nothing is printed."""
    code = """
import sys
import hemx_core.runtime.desktop as desktop
assert "torch" not in sys.modules and "executorch" not in sys.modules
desktop.DesktopBackend()
heavy = [name for name in ("executorch.exir", "torchao", "torch._dynamo") if name in sys.modules]
assert not heavy, heavy
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_no_worker_of_torch_runs_beside_the_programs(tmp_path: Path) -> None:
    """One would spin on a core that the program's own threads need."""
    pte = lower(nn.Conv2d(1, 1, 1).eval(), (torch.zeros(1, 1, 256, 256),)).pte
    (tmp_path / "large.pte").write_bytes(pte)
    image = TensorSpec("image", (1, 1, 256, 256), "float32", "batch, channel, row, column")
    digest = hashlib.sha256(pte).hexdigest()
    spec = ProgramSpec("large.pte", digest, len(pte), (image,), (image,))
    code = """
import pickle, sys
from pathlib import Path
import numpy as np
from hemx_core.runtime.desktop import DesktopBackend
program = DesktopBackend(threads=2).open(Path(sys.argv[1]), pickle.loads(bytes.fromhex(sys.argv[2])))
before = len(list(Path("/proc/self/task").iterdir()))
for value in (0, 1):
    program([np.full((1, 1, 256, 256), value, np.float32)])
print(len(list(Path("/proc/self/task").iterdir())) - before)
"""
    arguments = [str(tmp_path / "large.pte"), pickle.dumps(spec).hex()]
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "2"},
    )
    assert (run.returncode, run.stdout.strip()) == (0, "0"), run.stderr


def test_outputs_outlive_the_next_call(exported: tuple[Path, ProgramSpec]) -> None:
    program = DesktopBackend().open(*exported)
    first = program([np.zeros_like(one) for one in example_inputs(program.spec)])
    kept = [one.copy() for one in first]
    program([one + 1 for one in example_inputs(program.spec)])
    assert all(np.array_equal(one, other) for one, other in zip(first, kept, strict=True))
    program.close()

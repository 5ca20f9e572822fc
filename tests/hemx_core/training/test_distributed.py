"""Two gloo processes under torchrun against one process with the same batches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hemx_core.errors import TrainingError
from hemx_core.training.loop import Batches, StepBatches, launched_processes, whole_batch
from tests.hemx_core.training import ddp_run

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Reports and weights of one and of two processes."""
    found = {}
    for processes in (1, 2):
        folder = tmp_path_factory.mktemp(f"ddp{processes}")
        torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        done = subprocess.run(
            [sys.executable, *torchrun, str(Path(ddp_run.__file__)), str(folder)],
            cwd=ROOT,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "PYTHONPATH": str(ROOT),
                "CUDA_VISIBLE_DEVICES": "",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        report = json.loads((folder / "report.json").read_text())
        found[processes] = report, torch.load(folder / "state.pt", weights_only=True)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["segmenter", "classifier"])
def test_two_processes_give_the_loss_and_weights_of_one(runs, stage):
    (alone, one), (together, two) = runs[1], runs[2]
    assert (alone["world"], together["world"]) == (1, 2)
    assert len(alone["losses"][stage]) == ddp_run.STEPS
    assert together["losses"][stage] == pytest.approx(alone["losses"][stage], abs=1e-5)
    for name, tensor in one[stage].items():
        torch.testing.assert_close(two[stage][name], tensor, atol=1e-5, rtol=0, msg=name)


@pytest.mark.slow
def test_the_weights_moved(runs):
    """Or the equality above would say nothing."""
    torch.manual_seed(0)
    state = runs[1][1]["segmenter"]
    assert state["head.bias"].abs() > 1e-4  # it starts at 0


def test_processes_and_workers_share_out_the_batches_of_one():
    def whole(step):
        return {"x": torch.arange(6) + 10 * step}

    shares = [StepBatches(whole, start=3, rank=rank, world=3).batch(5)["x"] for rank in range(3)]
    assert [share.tolist() for share in shares] == [[50, 53], [51, 54], [52, 55]]
    loader = torch.utils.data.DataLoader(
        StepBatches(whole, start=3), batch_size=None, num_workers=2
    )
    found = [batch["x"][0].item() for batch, _ in zip(loader, range(5), strict=False)]
    assert found == [30, 40, 50, 60, 70]


def test_a_batch_that_cannot_be_shared_is_refused():
    class Trainer:
        world_size, global_rank = 4, 0

    batches = Batches(lambda _: {"x": torch.zeros(6)}, start=0, validation=None, workers=0)
    batches.trainer = Trainer()
    with pytest.raises(TrainingError, match="6 for 4 processes"):
        batches.train_dataloader()


def test_alone_a_share_is_the_batch(monkeypatch):
    share = torch.zeros(2, 3)
    assert whole_batch(share) is share
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert launched_processes() is None
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert launched_processes() == (4, 2)

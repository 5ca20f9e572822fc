import numpy as np
import pytest
import torch

from hemx_core.errors import DatasetError, TrainingError
from hemx_core.nn.config import UNetConfig
from hemx_core.training.config import SegmentationTraining
from hemx_core.training.loop import checkpoint_step, fit, latest_checkpoint
from hemx_core.training.segmentation import SegmentationModule, validation_loader
from hemx_core.training.slice_pools import BatchMaker, SlicePool

SIZE = 64


def pool(count=12, blood=True, seed=0):
    """Noisy disks; every other slice holds a bright blob, the mask."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    image = np.zeros((count, SIZE, SIZE), np.float32)
    mask = np.zeros(image.shape, bool)
    image[:, (rows - 32) ** 2 + (columns - 32) ** 2 < 28**2] = 0.4
    for i in range(0, count if blood else 0, 2):
        row, column = rng.integers(22, 42, 2)
        mask[i] = (rows - row) ** 2 + (columns - column) ** 2 < 64
    image[mask] = 0.8
    image += rng.normal(0, 0.02, image.shape) * (image > 0)
    return SlicePool(image.astype(np.float16), mask, np.ones_like(mask))


def settings(**changes):
    values = {"steps": 80, "peak_lr": 4e-3, "network": UNetConfig(width=0.2, depth=0.34)} | changes
    return SegmentationTraining(**values)


def test_a_step_always_gives_the_same_batch():
    one = BatchMaker(settings(), real=pool(), phantom=pool(seed=1))
    two = BatchMaker(settings(), real=pool(), phantom=pool(seed=1))
    for name, tensor in one(7).items():
        torch.testing.assert_close(tensor, two(7)[name])
    assert not torch.equal(one(7)["image"], one(8)["image"])


def test_batches_hold_the_asked_mixture_and_move_mask_with_image():
    maker = BatchMaker(settings(), real=pool(), phantom=None)
    for step in range(5):
        batch = maker(step)
        assert batch["image"].shape == (8, 1, SIZE, SIZE)
        with_blood = batch["mask"].flatten(1).any(1)
        assert with_blood.tolist() == [True] * 4 + [False] * 2 + [True] + [False]
        inside = batch["image"][batch["mask"] > 0].mean()
        outside = batch["image"][(batch["mask"] == 0) & (batch["image"] > 0.1)].mean()
        assert inside > outside + 0.1


def test_data_without_blood_is_refused():
    with pytest.raises(DatasetError, match="both kinds"):
        BatchMaker(settings(), real=pool(blood=False), phantom=None)
    with pytest.raises(DatasetError, match="neither"):
        BatchMaker(settings(), real=None, phantom=None)


def test_loss_ignores_open_pixels():
    module = SegmentationModule(settings())
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    logits = torch.where(mask > 0, 8.0, -8.0)
    known = torch.ones_like(mask)
    known[..., :2] = 0
    wrong = logits.clone()
    wrong[..., :2] = -8.0
    assert module.loss(wrong, mask, known) == module.loss(logits, mask, known)
    assert module.loss(wrong, mask, torch.ones_like(known)) > 1


def test_resumed_training_equals_an_uninterrupted_one(tmp_path):
    """Stopped at 4 of 6 steps and resumed, the weights are those of a run in one go."""
    config = settings(steps=6, peak_lr=1e-3)

    def run(folder, until):
        torch.manual_seed(0)
        module = SegmentationModule(config)
        fit(
            module,
            BatchMaker(config, real=pool(), phantom=None),
            run_dir=tmp_path / folder,
            max_steps=until,
            checkpoint_every=2,
            resume=(tmp_path / folder).exists(),
            precision="32-true",
        )
        return module.network.state_dict()

    # Stochastic depth draws from torch's global state, which a checkpoint does not hold.
    config = settings(steps=6, peak_lr=1e-3, network=UNetConfig(width=0.2, depth=0.34, drop_path=0))
    whole = run("whole", 6)
    run("cut", 4)
    assert checkpoint_step(latest_checkpoint(tmp_path / "cut")) == 4
    cut = run("cut", 6)
    for name, tensor in whole.items():
        torch.testing.assert_close(tensor, cut[name], atol=1e-6, rtol=1e-4, msg=name)
    with pytest.raises(TrainingError, match="already holds a run"):
        fit(
            SegmentationModule(config),
            BatchMaker(config, real=pool(), phantom=None),
            run_dir=tmp_path / "cut",
            max_steps=8,
        )


def test_training_learns_to_segment(tmp_path):
    torch.manual_seed(0)
    config = settings()
    module = SegmentationModule(config)
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 0.3  # eighty steps are too few for the slow statistics of real runs
    held_out = [pool(seed=8), pool(seed=9)]
    fit(
        module,
        BatchMaker(config, real=pool(24), phantom=None),
        run_dir=tmp_path,
        max_steps=80,
        validation=validation_loader(held_out),
        validate_every=80,
        precision="32-true",
    )
    header, *rows = (tmp_path / "log" / "from_step_0" / "metrics.csv").read_text().splitlines()
    column = header.split(",").index("val_dice")
    scores = [float(row.split(",")[column]) for row in rows if row.split(",")[column]]
    assert scores[-1] > 0.5


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    config = settings(steps=4)
    maker = BatchMaker(config, real=pool(), phantom=None)

    def broken(step):
        batch = maker(step)
        if step == 2:
            batch["image"][0, 0, 0, 0] = torch.nan
        return batch

    with pytest.raises(TrainingError, match="step 3"):
        fit(SegmentationModule(config), broken, run_dir=tmp_path, max_steps=4, precision="32-true")

"""What test_distributed.py starts under torchrun: three steps of either stage on tiny networks."""

import json
import sys
from pathlib import Path

import lightning
import numpy as np
import torch

from hemx_core.nn.config import UNetConfig, WaveletVGGConfig
from hemx_core.training.classifier import fit_classifier
from hemx_core.training.config import ClassifierTraining, SegmentationTraining
from hemx_core.training.loop import is_first, world_size
from hemx_core.training.marker_slices import TrainingSlices
from hemx_core.training.segmentation import fit_segmenter
from hemx_core.training.slice_pools import SlicePool

STEPS = 3
SIZE = 32


def pool() -> SlicePool:
    rng = np.random.default_rng(0)
    image = rng.random((8, SIZE, SIZE)).astype(np.float16)
    mask = np.zeros(image.shape, bool)
    for i in range(0, 8, 2):  # of very different sizes, so that Dice of a share is not Dice of all
        mask[i, 4 : 8 + 3 * i, 6 : 10 + 2 * i] = True
    known = rng.random(mask.shape) > 0.2
    return SlicePool(image, mask, known)


def slices() -> TrainingSlices:
    rng = np.random.default_rng(1)
    labels = rng.integers(-1, 2, (9, 4)).astype(np.int8)  # uneven numbers of known labels
    return TrainingSlices(
        rng.random((9, SIZE, SIZE)).astype(np.float16),
        np.full((9, 2), 15.5),
        rng.normal(size=(9, 2, 5)).astype(np.float32),
        labels,
        labels,
    )


def losses(run_dir: Path) -> list[float]:
    """Of every step, as the CSV log has them."""
    header, *rows = (run_dir / "log" / "from_step_0" / "metrics.csv").read_text().splitlines()
    column = header.split(",").index("loss")
    return [float(row.split(",")[column]) for row in rows if row.split(",")[column]]


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    lightning.seed_everything(1, verbose=False)
    segmenter = fit_segmenter(
        SegmentationTraining(
            steps=STEPS,
            network=UNetConfig(width=0.1, depth=0.2, drop_path=0.0),
            frozen_batch_norm=True,
            precision="32-true",
        ),
        pool(),
        [],
        run_dir=folder / "segmenter",
    )
    settings = ClassifierTraining(
        steps=STEPS,
        batch=4,
        crop_size=32,
        consistency=0.5,
        network=WaveletVGGConfig(width=0.125),
        frozen_batch_norm=True,
        precision="32-true",
    )
    classifier = fit_classifier(settings, slices(), run_dir=folder / "classifier")
    if is_first():
        state = {"segmenter": segmenter.state_dict(), "classifier": classifier.state_dict()}
        torch.save(state, folder / "state.pt")
        found = {name: losses(folder / name) for name in ("segmenter", "classifier")}
        (folder / "report.json").write_text(json.dumps({"world": world_size(), "losses": found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Training of the conditional SNGAN on crops round haematomas and their classes.

Hinge loss, several discriminator steps to one of the generator.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hemx_core.data.study import UNKNOWN, Study
from hemx_core.errors import DatasetError, TrainingError
from hemx_core.imaging.prepare import crop_around
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.sngan import (
    Discriminator,
    Generator,
    hinge_discriminator,
    hinge_generator,
)
from hemx_core.nn.weights import save_weights
from hemx_core.training.config import GanTraining
from hemx_core.training.loop import Batch, fit, launched_processes

HYPODENSITY = ("hypodensity",)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GanCrops:
    """Crops and their classes.

    Args:
        crops: shape (N, K, K), float16 or float32, in [0, 1].
        classes: class of each crop, shape (N,), from 0 on.
        names: of the classes.
        patient: number of each crop's patient, shape (N,); by default every crop is a patient.
    Raises:
        DatasetError: shapes, values or classes contradict this.
    """

    crops: NDArray[np.floating]
    classes: NDArray[np.int64]
    names: tuple[str, ...]
    patient: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        shape = self.crops.shape
        square = len(shape) == 3 and shape[1] == shape[2]
        if not square or self.classes.shape != shape[:1] or not len(self.classes):
            raise DatasetError(
                f"crops of shape {shape}, classes of shape {self.classes.shape}",
                expected="square crops (N, K, K), one class each, and at least one crop",
                remedy="collect crops of slices with blood and known markers",
            )
        if not len(self.patient):
            object.__setattr__(self, "patient", np.arange(len(self.classes)))
        lowest, highest = float(self.crops.min()), float(self.crops.max())
        if not (lowest >= 0 and highest <= 1):  # also where they are not numbers
            raise DatasetError(f"grey values from {lowest} to {highest}", expected="0 to 1")
        if self.classes.min() < 0 or self.classes.max() >= len(self.names):
            raise DatasetError(
                f"classes from {self.classes.min()} to {self.classes.max()}",
                expected=f"0 to {len(self.names) - 1}, one for each name",
            )

    def __len__(self) -> int:
        """Number of crops."""
        return len(self.crops)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Crops of each class, shape (classes,)."""
        return np.bincount(self.classes, minlength=len(self.names))


def collect_crops(
    patients: Iterable[Study], *, size: int = 64, markers: Sequence[str] = HYPODENSITY
) -> GanCrops:
    """Crops of all slices that show blood and on which every one of the markers was judged.

    Args:
        patients: prepared studies.
        size: rows and columns of the crops, pixels of the prepared grid.
        markers: the condition, codes of `MARKER_CODES`.
    Raises:
        DatasetError: no such marker, or no such slice.
    """
    names = class_names(markers)
    crops, labels, numbers = [], [], []
    for number, patient in enumerate(patients):
        for i in np.flatnonzero(patient.with_blood):
            crop, _ = crop_around(patient.image[i].astype(np.float32), patient.mask[i], size)
            crops.append(crop.astype(np.float16))
            labels.append(patient.slice_markers[i])
            numbers.append(number)
    if not crops:
        raise DatasetError("no slice with blood", remedy="choose studies with haematomas")
    classes = marker_classes(np.stack(labels), markers)
    known = classes != UNKNOWN
    return GanCrops(
        crops=np.stack(crops)[known],
        classes=classes[known],
        names=names,
        patient=np.array(numbers)[known],
    )


def class_names(markers: Sequence[str]) -> tuple[str, ...]:
    """Names of the 2^m classes of m markers, such as `none`, `hypodensity`.

    Raises:
        DatasetError: no such marker, or none.
    """
    if not markers or len(set(markers)) < len(markers) or not set(markers) <= set(MARKER_CODES):
        raise DatasetError(
            f"markers {tuple(markers)}",
            expected=f"one or more of {MARKER_CODES}, each once",
            remedy="correct the names",
        )
    return tuple(
        "+".join(code for i, code in enumerate(markers) if number >> i & 1) or "none"
        for number in range(2 ** len(markers))
    )


def marker_classes(labels: NDArray[np.int8], markers: Sequence[str]) -> NDArray[np.int64]:
    """Class of labels (N, 4): shape (N,), -1 where one of the markers is not known."""
    columns = labels[:, [MARKER_CODES.index(code) for code in markers]].astype(np.int64)
    bits = 1 << np.arange(len(markers))
    return np.where((columns >= 0).all(1), (columns == 1) @ bits, UNKNOWN)


def marker_labels(classes: NDArray[np.int64], markers: Sequence[str]) -> NDArray[np.int8]:
    """Labels of classes (N,): shape (N, 4), -1 for the markers that the classes say nothing of."""
    labels = np.full((len(classes), len(MARKER_CODES)), UNKNOWN, np.int8)
    for i, code in enumerate(markers):
        labels[:, MARKER_CODES.index(code)] = classes >> i & 1
    return labels


GENERATOR = "gan_generator.safetensors"
DISCRIMINATOR = "gan_discriminator.safetensors"


class Gan(NamedTuple):
    """The trained networks, in evaluation mode; the generator is the averaged one."""

    generator: Generator
    discriminator: Discriminator


class GanBatches:
    """Makes the batch of a step; the same step gives the same batch.

    Classes are drawn uniformly among those that occur, for real and generated crops alike: were they
    drawn in different shares, the discriminator would learn the shares.
    """

    def __init__(self, config: GanTraining, crops: GanCrops) -> None:
        self.config = config
        self.crops = crops
        self.present = np.flatnonzero(crops.counts)
        if config.mismatch and len(self.present) < 2:
            raise TrainingError(
                "crops of one class only",
                expected="two classes, where the wrong class is among the negatives",
                remedy="set mismatch to 0, or add crops of another class",
            )
        self._members = {int(c): np.flatnonzero(crops.classes == c) for c in self.present}

    def __call__(self, step: int) -> Batch:
        """Batch of a generator step, with n = `n_critic` batches for the discriminator before it.

        Returns:
            `real` (n, B, 1, K, K); `real_classes` and `wrong_classes` (n, B), the latter drawn among
            the other classes; `noise` (n + 1, B, latent) and `fake_classes` (n + 1, B).
        """
        config = self.config
        rng = np.random.default_rng((config.seed, step))
        shape = (config.n_critic, config.batch)
        one_more = (config.n_critic + 1, config.batch)
        places = rng.integers(0, len(self.present), shape)
        classes = self.present[places]
        turn = rng.integers(1, max(len(self.present), 2), shape)
        wrong = self.present[(places + turn) % len(self.present)]
        picks = np.vectorize(lambda c: rng.choice(self._members[int(c)]))(classes)
        real = self.crops.crops[picks].astype(np.float32)
        # An exact mirror image; any warp would blur the noise that the generator has to learn.
        mirrored = rng.random(shape) < 0.5
        real[mirrored] = real[mirrored][..., ::-1]
        noise = rng.standard_normal((*one_more, config.network.latent), dtype=np.float32)
        return {
            "real": torch.from_numpy(real[:, :, None]),
            "real_classes": torch.from_numpy(classes),
            "wrong_classes": torch.from_numpy(wrong),
            "noise": torch.from_numpy(noise),
            "fake_classes": torch.from_numpy(rng.choice(self.present, one_more)),
        }


class SNGANModule(lightning.LightningModule):
    """Both networks, the averaged generator, and one step of the game between them."""

    def __init__(self, config: GanTraining) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.config = config
        self.generator = Generator(config.network).to(memory_format=torch.channels_last)
        self.discriminator = Discriminator(config.network).to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)

    def training_step(self, batch: Batch, _: int) -> dict[str, Tensor]:
        """`n_critic` discriminator steps and a generator step."""
        generator_steps, discriminator_steps = self.optimizers()
        self.discriminator.requires_grad_(True)
        for i in range(self.config.n_critic):
            judged = self._discriminator_loss(batch, i)
            discriminator_steps.zero_grad()
            self.manual_backward(judged)
            # The optimiser under Lightning's: this step does not count.
            discriminator_steps.optimizer.step()
        self.discriminator.requires_grad_(False)
        fake = self.generator(batch["noise"][-1], batch["fake_classes"][-1])
        made = hinge_generator(self.discriminator(fake, batch["fake_classes"][-1]))
        generator_steps.zero_grad()
        self.manual_backward(made)
        generator_steps.step()
        self._average()
        self.log_dict({"discriminator": judged, "generator": made}, prog_bar=True)
        return {"loss": (judged + made).detach()}

    def _discriminator_loss(self, batch: Batch, i: int) -> Tensor:
        real, classes = batch["real"][i], batch["real_classes"][i]
        fake_classes = batch["fake_classes"][i]
        with torch.no_grad():
            fake = self.generator(batch["noise"][i], fake_classes)
        # One pass, so one power iteration of the spectral norms, for both halves.
        scores = self.discriminator(torch.cat([real, fake]), torch.cat([classes, fake_classes]))
        loss = hinge_discriminator(*scores.chunk(2))
        if self.config.mismatch:
            wrong = self.discriminator(real, batch["wrong_classes"][i])
            loss = loss + self.config.mismatch * torch.relu(1 + wrong).mean()
        return loss

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averaged generator, its running statistics too, towards the present one."""
        step = self.global_step
        keep = min(self.config.averaging, (1 + step) / (10 + step))
        now = self.generator.state_dict()
        for name, average in self.averaged.state_dict().items():
            if average.is_floating_point():
                average.lerp_(now[name], 1 - keep)
            else:
                average.copy_(now[name])

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for the generator and for the discriminator."""
        config = self.config
        return [
            torch.optim.Adam(self.generator.parameters(), config.generator_lr, config.betas),
            torch.optim.Adam(
                self.discriminator.parameters(), config.discriminator_lr, config.betas
            ),
        ]


def train_gan(config: GanTraining, crops: GanCrops, run_dir: Path, *, resume: bool = False) -> Gan:
    """Train on crops.

    Args:
        config: settings; its network fits the crops' size and classes.
        crops: of training patients only.
        run_dir: checkpoints and log.
        resume: continue the newest checkpoint.
    Raises:
        TrainingError: the network does not fit the crops, the run folder holds a run already and
            `resume` is not set, the loss is not finite, or torchrun started several processes.
    """
    network = config.network
    # The discriminator's steps pass by Lightning, so nothing would gather their gradients.
    if launched_processes() not in (None, (1, 1)):
        raise TrainingError(
            "several processes",
            expected="one: the SNGAN trains on one device",
            remedy="start it without torchrun",
        )
    if crops.crops.shape[1] != network.size or len(crops.names) != network.classes:
        raise TrainingError(
            f"crops of {crops.crops.shape[1]} pixels in {len(crops.names)} classes",
            expected=f"{network.size} pixels and {network.classes} classes, as the network",
            remedy="give the network the crops' size and classes",
        )
    lightning.seed_everything(config.seed, verbose=False)
    module = SNGANModule(config)
    fit(
        module,
        GanBatches(config, crops),
        run_dir=run_dir,
        max_steps=config.steps,
        checkpoint_every=config.checkpoint_every,
        resume=resume,
        precision=config.precision,
        gradient_clip=None,
    )
    module = module.float().cpu()
    return Gan(module.averaged.eval(), module.discriminator.requires_grad_(False).eval())


def save_gan(folder: Path, gan: Gan, *, training: dict[str, Any]) -> None:
    """Write both networks' weights; `nn.weights.load_generator` and `load_discriminator` read them."""
    for name, network in ((GENERATOR, gan.generator), (DISCRIMINATOR, gan.discriminator)):
        save_weights(folder / name, network, config=asdict(network.config), training=training)

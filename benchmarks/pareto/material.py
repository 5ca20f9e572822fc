"""What the points are trained, calibrated and scored on; collected when first asked for, then held."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.harness.material import TIMED_SEED
from benchmarks.harness.networks import TINY_SIZE
from benchmarks.pareto.plan import Plan
from export.calibration import ordinary_slices
from export.networks import Networks
from export.samples import DATA_VARIABLE, choose, load_samples, phantom_samples
from hemx_core.costs import Progress
from hemx_core.data import phe_sich
from hemx_core.data.cohort import build_cohort
from hemx_core.data.sources import Asked, open_sources
from hemx_core.data.study import StudySource
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.imaging.volume import HUVolume
from hemx_core.nn.unet import UNet
from hemx_core.phantoms import SiteSpec, make_phantom, random_spec
from hemx_core.training.config import ClassifierTraining
from hemx_core.training.marker_slices import (
    HeldOutSlices,
    TrainingSlices,
    held_out_slices,
    picture,
    training_slices,
)
from hemx_core.training.stage2 import MIN_BLOOD_MM2

T = TypeVar("T")
Array = NDArray[np.float32]
Mask = NDArray[np.bool_]
Inputs = tuple[torch.Tensor, ...]
SCAN_SEED, SCANS, MATRIX, TINY_MATRIX = 14, 6, 256, 96


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A study with its mask.

    Args:
        volume: HU and geometry.
        truth: haematoma, shape (slices, rows, columns).
        known: False on pixels that the reference leaves open, same shape.
    """

    volume: HUVolume
    truth: Mask
    known: Mask


@dataclass(kw_only=True, eq=False)
class Material:
    """Slices for the classifiers, as the frozen segmenter sees them.

    Args:
        networks: the shipped ones: their segmenter finds the blood and gives the features.
        source: the labelled studies.
        plan: says how many slices calibrate.
        tiny: calibrate on a small phantom.
        tell: told what is being collected.
    """

    networks: Networks
    source: StudySource
    plan: Plan
    tiny: bool = False
    tell: Callable[[str], None] = lambda message: None
    _memo: dict[str, Any] = field(default_factory=dict)

    @property
    def grid(self) -> int:
        """Rows and columns of the segmenter's grid."""
        return self.networks.decision.preprocessing.size

    def training(self, config: ClassifierTraining) -> TrainingSlices:
        """Training slices with the features of the segmenter's encoder."""
        # A crop is cut when its batch is made: crops of all sizes share one collection.
        key = "training crop" if config.view == "crop" else f"training slice {config.crop_size}"
        return self._once(
            key,
            lambda: training_slices(self._unet(), self.source.patients("train"), config=config),
        )

    def test(self, config: ClassifierTraining) -> HeldOutSlices:
        """Test slices on which the segmenter finds blood, cut by its mask as triage cuts them."""
        decision = self.networks.decision
        least = max(1, round(MIN_BLOOD_MM2 / decision.preprocessing.pixel_mm**2))
        return self._once(
            f"test {config.view} {config.crop_size}",
            lambda: held_out_slices(
                self._unet(),
                self.source.patients("test"),
                config=config,
                mask_threshold=decision.mask_threshold,
                min_area_px=least,
            )["predicted"],
        )

    def calibration(self, config: ClassifierTraining) -> list[Inputs]:
        """(picture, features) of the calibration slices on which the segmenter finds blood."""
        seen = self._once("calibration", self._bloody)
        return [
            (torch.from_numpy(picture(image, mask, config))[None, None], features)
            for image, mask, features in seen
        ]

    def _bloody(self) -> list[tuple[Array, Mask, torch.Tensor]]:
        decision, unet = self.networks.decision, self.networks.segmenter
        images = calibration_slices(decision.preprocessing, self.plan, tiny=self.tiny)
        found = []
        for image in ordinary_slices(unet, images):
            with torch.inference_mode():
                logits, features = unet(torch.from_numpy(image)[None, None])
                mask = torch.sigmoid(logits)[0, 0].numpy() >= decision.mask_threshold
            if mask.any():
                found.append((image, mask, features))
        return found

    def _unet(self) -> UNet:
        # A copy: the export must meet the weights in the layout in which they were loaded.
        own: UNet = copy.deepcopy(self.networks.segmenter)
        own.to(memory_format=torch.channels_last)
        return own

    def _once(self, key: str, make: Callable[[], T]) -> T:
        if key not in self._memo:
            self.tell(f"collecting slices: {key}")
            self._memo[key] = make()
        held: T = self._memo[key]
        return held


def real_slices(*, tiny: bool) -> bool:
    """Whether real slices are used: where HEMX_DATA has them."""
    return bool(os.environ.get(DATA_VARIABLE)) and not tiny


def open_cohort(
    networks: Networks,
    plan: Plan,
    folder: Path,
    *,
    workers: int,
    tiny: bool,
    progress: Progress | None = None,
) -> StudySource:
    """The labelled studies, built if need be: in real slices and drawn heads, else in drawn heads only.

    Args:
        networks: say how slices are prepared.
        plan: numbers of studies.
        folder: of the cohorts' folders `inserted` and `cohort`.
        workers: processes that build.
        tiny: a cohort of few small slices, in a folder of its own.
        progress: told while studies are built.
    Raises:
        DatasetError: a folder holds another cohort.
    """
    spec = networks.decision.preprocessing
    if tiny:
        site = SiteSpec(
            matrix=TINY_MATRIX, slices=8, slice_spacing_mm=10.0, slice_thickness_mm=10.0
        )
        return build_cohort(
            folder / f"cohort-{TINY_SIZE}",
            patients=plan.phantoms,
            spec=spec,
            sites=(site,),
            workers=workers,
            progress=progress,
        )
    real = real_slices(tiny=tiny)
    asked = Asked(
        phantoms=plan.phantoms if real else plan.inserted,
        inserted=plan.inserted if real else 0,
        dataset=None,
        phantom_folder=folder / "cohort",
        inserted_folder=folder / "inserted",
        dataset_cache=folder / "data_cache",
        workers=workers,
    )
    source = open_sources(asked, spec, progress=progress)
    if source is None:
        raise DatasetError(
            "no studies to train on", expected="a plan with some", remedy="ask for some"
        )
    return source


def calibration_slices(spec: PreprocessingSpec, plan: Plan, *, tiny: bool) -> list[Array]:
    """Prepared slices that set int8 ranges, as `hemx dev export` takes them; of training patients."""
    if tiny:
        pool = phantom_samples(spec, seed=TIMED_SEED, studies=1, matrix=TINY_MATRIX)
        return list(pool.take(choose(pool.blood, plan.calibration)).images)
    return list(load_samples(spec, data=None, calibration=plan.calibration)[0].images)


def validation_scans(*, tiny: bool) -> tuple[str, Iterator[Scan]]:
    """What masks are scored on: real validation patients where HEMX_DATA has them, else phantoms."""
    if real_slices(tiny=tiny):
        folder = phe_sich.data_folder()
        rows = phe_sich.read_rows(folder)
        patients = phe_sich.split_patients(rows)["validation"]
        return (
            f"PHE-SICH-CT-IDS, {len(patients)} validation patients, derived reference",
            (_real_scan(folder, rows[patient]) for patient in patients),
        )
    count, matrix = (2, TINY_MATRIX) if tiny else (SCANS, MATRIX)
    return f"{count} phantoms, seed {SCAN_SEED}", _phantom_scans(count, matrix)


def at_size(networks: Networks, size: int) -> Networks:
    """The same networks with slices of another size over the same field of view."""
    spec = networks.decision.preprocessing
    shrunk = replace(spec, size=size, pixel_mm=spec.pixel_mm * spec.size / size)
    return replace(networks, decision=replace(networks.decision, preprocessing=shrunk))


def _real_scan(folder: Path, rows: list[phe_sich.SliceRow]) -> Scan:
    volume = phe_sich.read_volume(folder, rows)
    truth, known, _faults = phe_sich.read_reference(folder, rows, volume)
    return Scan(volume, truth, known)


def _phantom_scans(count: int, matrix: int) -> Iterator[Scan]:
    rng = np.random.default_rng(SCAN_SEED)
    for _ in range(count):
        phantom = make_phantom(random_spec(rng, matrix=matrix))
        yield Scan(phantom.volume, phantom.mask, np.ones_like(phantom.mask))

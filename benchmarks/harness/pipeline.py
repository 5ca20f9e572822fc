"""A whole study through the product's pipeline, with the exported programs or with torch in their place."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.bundle.load import default_bundle, load_models, verify_bundle
from hemx_core.device.memory import PeakMemory
from hemx_core.device.record import fingerprint
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume
from hemx_core.manifest import ModelManifest
from hemx_core.notes import Note
from hemx_core.phantoms import LesionSpec, PhantomSpec, SiteSpec, make_phantom, write_dicom_series
from hemx_core.pipeline import TriageModels, triage_volume
from hemx_core.profile import output_facts
from hemx_core.records import Json
from hemx_core.runtime.desktop import DesktopBackend
from hemx_core.runtime.program import Backend

Array = NDArray[np.float32]
SEED = 7
SEARCH_MATRIX = 128
CANDIDATES_ML = (12.0, 18.0, 25.0, 30.0, 36.0, 43.0, 50.0, 60.0, 72.0, 86.0)
TORCH = "torch"
STUDY_SLICES, STUDY_BLOODY = 32, 10
"""The study on which whole pipelines are compared."""
TINY_SLICES, TINY_MATRIX = 6, 96


@dataclass(frozen=True, eq=False)
class TorchModels:
    """The trained networks in torch eager float32, channels last, behind the triage's own protocol."""

    manifest: ModelManifest
    segmenter: Any
    classifier: Any
    backend_name: str = TORCH
    backend_version: str = ""
    notes: tuple[Note, ...] = ()
    slices_a_call: int = 1

    def segment_slices(self, images: Sequence[Array]) -> list[tuple[Array, Array]]:
        """Slices (S, S) to probabilities (S, S) and features (channels,) of each."""
        import torch

        with torch.inference_mode():
            logits, features = self.segmenter(torch.from_numpy(np.stack(images))[:, None])
            maps = torch.sigmoid(logits)[:, 0].numpy()
        return list(zip(maps, features.numpy(), strict=True))

    def classify(self, crop: Array, features: Array) -> tuple[Array, Array]:
        """Crop (K, K) and features to logits and map."""
        import torch

        given = torch.from_numpy(np.ascontiguousarray(crop))[None, None]
        with torch.inference_mode():
            logits, cam = self.classifier(given, torch.from_numpy(features)[None])
            return logits[0].numpy(), cam[0].contiguous().numpy()


@contextmanager
def open_models(
    runtime: str, backend: Backend, *, bundle: Path | None, weights: Path | None, tiny: bool
) -> Iterator[TriageModels]:
    """The bundle's programs, or torch's networks with the bundle's manifest."""
    if runtime == TORCH:
        verified = verify_bundle(bundle or default_bundle(), allow_unsigned=True)
        yield _torch_models(verified.manifest, weights, tiny=tiny)
        return
    with load_models(bundle, backend, allow_unsigned=True) as models:
        yield models


def measure_pipeline(
    runtime: str,
    study: str,
    threads: int,
    runs: int,
    bundle: str | None,
    weights: str | None,
    tiny: bool,
) -> Json:
    """Triage a study several times with one way of running the networks; runs in a fresh process.

    Args:
        runtime: "torch", or anything else for the exported programs.
        study: DICOM folder; reading it is not timed.
        threads: of torch or ExecuTorch, and of OpenCV.
        runs: timed studies after a first one.
        bundle: folder of the bundle; None for the shipped one.
        weights: folder of torch's weights; None for the repository's.
        tiny: narrow networks.
    """
    import torch

    cv2.setNumThreads(threads)
    torch.set_num_threads(threads)
    # Before the base of memory, for both ways: a tablet has no torch.
    backend = DesktopBackend(threads=threads)
    volume = read_series(Path(study))
    with (
        PeakMemory() as memory,
        open_models(
            runtime,
            backend,
            bundle=Path(bundle) if bundle else None,
            weights=Path(weights) if weights else None,
            tiny=tiny,
        ) as models,
    ):
        times: list[float] = []
        result: Any = None
        for _ in range(runs + 1):
            result = None  # or the last study's mask would count as this one's memory
            start = time.perf_counter()
            result = triage_volume(volume, models)
            times.append(1000 * (time.perf_counter() - start))
    facts = output_facts(result)
    return {
        "first_ms": times[0],
        "calls_ms": [round(time_, 3) for time_ in times[1:]],
        "memory": memory.to_json(),
        "volume_mib": volume_mib(volume),
        "outputs": facts,
        "fingerprint": fingerprint(facts),
    }


def volume_mib(volume: HUVolume) -> float:
    """Size of the HU volume and of the mask kept with it, MiB."""
    return round(volume.hu.nbytes * 1.5 / 2**20, 1)


def study_folder(
    work: Path, *, slices: int, matrix: int, volume_ml: float, spacing_mm: float | None = None
) -> Path:
    """A phantom study as DICOM, written once."""
    folder = work / "studies" / f"{slices}x{matrix}_{volume_ml:g}ml_{spacing_mm or 0:g}mm"
    if not (folder / "done").exists():
        site = SiteSpec(slices=slices, matrix=matrix)
        if spacing_mm is not None:
            site = SiteSpec(
                slices=slices,
                matrix=matrix,
                slice_spacing_mm=spacing_mm,
                slice_thickness_mm=spacing_mm,
            )
        lesion = LesionSpec(volume_ml=volume_ml, lobes=4)
        spec = PhantomSpec(seed=SEED, noise_seed=SEED, lesion=lesion, site=site)
        write_dicom_series(make_phantom(spec).volume, folder / "series")
        (folder / "done").touch()
    return folder / "series"


@dataclass(frozen=True, slots=True)
class Compared:
    """The study on which whole pipelines are compared: its folder, slices and drawn volume, mL."""

    folder: Path
    slices: int
    drawn_ml: float


def compared_study(work: Path, *, tiny: bool) -> Compared:
    """Written once; a small one for tests."""
    slices, matrix = (TINY_SLICES, TINY_MATRIX) if tiny else (STUDY_SLICES, 512)
    volume_ml = 30.0 if tiny else volume_for_blood(slices, STUDY_BLOODY)
    folder = study_folder(work, slices=slices, matrix=matrix, volume_ml=volume_ml)
    return Compared(folder, slices, volume_ml)


def volume_for_blood(slices: int, bloody: int) -> float:
    """The haematoma's volume, mL, whose truth shows blood on as many slices as asked, or nearly."""

    def shown(volume_ml: float) -> int:
        spec = PhantomSpec(
            seed=SEED,
            noise_seed=SEED,
            lesion=LesionSpec(volume_ml=volume_ml, lobes=4),
            site=SiteSpec(slices=slices, matrix=SEARCH_MATRIX),
        )
        return int(make_phantom(spec).mask.any((1, 2)).sum())

    return min(CANDIDATES_ML, key=lambda volume_ml: abs(shown(volume_ml) - bloody))


def _torch_models(manifest: ModelManifest, weights: Path | None, *, tiny: bool) -> TorchModels:
    import torch

    from benchmarks.harness.networks import open_networks

    networks = open_networks(weights, tiny=tiny)
    form = torch.channels_last
    return TorchModels(
        manifest=manifest,
        segmenter=networks.segmenter.eval().to(memory_format=form),
        classifier=networks.classifier.eval().to(memory_format=form),
        backend_version=torch.__version__,
    )

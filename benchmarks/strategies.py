"""Ways to segment a study's slices: one at a time, in batches, in two instances, or prepared ahead.

All give the same masks and features; they differ in time and memory. What follows the segmentation is the
product's own code for every one of them.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.prepare import PreparedVolume, prepare
from hemx_core.imaging.volume import HUVolume
from hemx_core.memory import PeakMemory
from hemx_core.triage import Segmentation

Array = NDArray[np.float32]
Run = Callable[[Array], tuple[Array, Array]]
"""Images (n, 1, S, S) to probabilities (n, 1, S, S) and features (n, channels), n fixed."""
Found = tuple[int, NDArray[np.bool_], Array]


def in_batches(prepared: PreparedVolume, run: Run, size: int, threshold: float) -> Segmentation:
    """So many slices in each call; the last call is filled up with empty ones."""
    return gather(prepared, _batches(_slices(prepared, range(len(prepared))), run, size, threshold))


def ahead(prepared: PreparedVolume, run: Run, threshold: float) -> Segmentation:
    """A second thread prepares the next slice while one is segmented."""

    def slices() -> Iterator[tuple[int, Any]]:
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(prepared.__getitem__, 0)
            for index in range(len(prepared)):
                one = coming.result()
                if index + 1 < len(prepared):
                    coming = pool.submit(prepared.__getitem__, index + 1)
                yield index, one

    return gather(prepared, _batches(slices(), run, 1, threshold))


def two_instances(prepared: PreparedVolume, runs: Sequence[Run], threshold: float) -> Segmentation:
    """Two threads of this process, each with an instance of its own and every second slice."""

    def half(place: int) -> list[Found]:
        indices = range(place, len(prepared), len(runs))
        return list(_batches(_slices(prepared, indices), runs[place], 1, threshold))

    with ThreadPoolExecutor(len(runs)) as pool:
        return gather(
            prepared, [one for found in pool.map(half, range(len(runs))) for one in found]
        )


class SecondProcess:
    """A process with an instance of its own, which takes every second slice.

    Args:
        bundle: whose segmenter it runs, in one thread.
    """

    def __init__(self, bundle: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, str(bundle)), daemon=True)
        self._process.start()
        self._pipe.recv()

    def segment(self, prepared: PreparedVolume, run: Run, threshold: float) -> Segmentation:
        """Both halves at once; the volume goes over and masks come back through a pipe."""
        self._pipe.send((prepared.volume, threshold))
        here = list(_batches(_slices(prepared, range(0, len(prepared), 2)), run, 1, threshold))
        return gather(prepared, [*here, *self._pipe.recv()])

    def close(self) -> float:
        """End it; returns its peak memory above its own base, MiB."""
        self._pipe.send(None)
        above: float = self._pipe.recv()
        self._process.join()
        return above


@contextmanager
def second_process(bundle: Path) -> Iterator[SecondProcess]:
    """A second process, ended however the block ends."""
    process = SecondProcess(bundle)
    try:
        yield process
    finally:
        if process._process.is_alive():
            process._process.terminate()


def gather(prepared: PreparedVolume, found: Iterable[Found]) -> Segmentation:
    """Masks and features of slices in any order, as `hemx_core.triage.segment` keeps them."""
    mask = np.zeros(prepared.volume.shape, dtype=np.bool_)
    features = {}
    for index, blood, vector in found:
        if blood.any():
            mask[index], features[index] = blood, vector
    return Segmentation(mask, features)


def _slices(prepared: PreparedVolume, indices: Iterable[int]) -> Iterator[tuple[int, Any]]:
    for index in indices:
        yield index, prepared[index]


def _batches(
    slices: Iterable[tuple[int, Any]], run: Run, size: int, threshold: float
) -> Iterator[Found]:
    shown = ((index, one) for index, one in slices if one.image.any())
    while group := list(islice(shown, size)):
        images = np.zeros((size, 1, *group[0][1].image.shape), np.float32)
        for place, (_, one) in enumerate(group):
            images[place, 0] = one.image
        probabilities, features = run(images)
        for place, (index, one) in enumerate(group):
            blood = one.transform.to_native(probabilities[place, 0]) >= threshold
            yield index, blood, features[place]


def _serve(pipe: Any, bundle: str) -> None:
    """The second process: waits for volumes until it is told to end."""
    import cv2

    from hemx_core.runtime.bundle import load_models
    from hemx_core.runtime.pte_desktop import DesktopBackend

    cv2.setNumThreads(1)
    backend = DesktopBackend(threads=1)
    with PeakMemory() as memory, load_models(Path(bundle), backend, allow_unsigned=True) as models:
        pipe.send("ready")
        while (job := pipe.recv()) is not None:
            volume, threshold = job
            pipe.send(_half(volume, threshold, models))
    pipe.send(memory.above_base_mib)


def _half(volume: HUVolume, threshold: float, models: Any) -> list[Found]:
    prepared = prepare(volume, models.manifest.preprocessing)
    indices = range(1, len(prepared), 2)

    def run(images: Array) -> tuple[Array, Array]:
        probabilities, features = models.segmenter([images])
        return probabilities, features

    return list(_batches(_slices(prepared, indices), run, 1, threshold))

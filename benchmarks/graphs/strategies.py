"""Ways to segment a study that the product does not take: prepared ahead, or in two instances.

All give the same masks and features as `hemx_core.pipeline.segment`; they differ in time and memory. What
follows the segmentation is the product's own code for every one of them.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.device.memory import PeakMemory
from hemx_core.imaging.prepare import PreparedSlice, PreparedVolume, prepare
from hemx_core.imaging.volume import HUVolume
from hemx_core.pipeline import Array, Segmentation, TriageModels

Found = tuple[int, NDArray[np.bool_], Array]


def ahead(prepared: PreparedVolume, models: TriageModels) -> Segmentation:
    """A second thread prepares the next call's slices while one call's are segmented."""

    def slices() -> Iterator[tuple[int, PreparedSlice]]:
        with ThreadPoolExecutor(1) as pool:
            rest = iter(range(len(prepared)))
            coming = deque(
                (index, pool.submit(prepared.__getitem__, index))
                for index in islice(rest, models.slices_a_call)
            )
            while coming:
                index, one = coming.popleft()
                ready = one.result()
                for after in islice(rest, 1):
                    coming.append((after, pool.submit(prepared.__getitem__, after)))
                yield index, ready

    return gather(prepared, _calls(slices(), models))


def two_instances(
    prepared: PreparedVolume, both: tuple[TriageModels, TriageModels]
) -> Segmentation:
    """Two threads of this process, each with an instance of its own and every second slice."""

    def half(place: int) -> list[Found]:
        return list(_calls(_every_second(prepared, place), both[place]))

    with ThreadPoolExecutor(len(both)) as pool:
        return gather(prepared, [answer for found in pool.map(half, range(2)) for answer in found])


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

    def segment(self, prepared: PreparedVolume, models: TriageModels) -> Segmentation:
        """Both halves at once; the volume goes over and masks come back through a pipe."""
        self._pipe.send(prepared.volume)
        here = list(_calls(_every_second(prepared, 0), models))
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
    """Masks and features of slices in any order, as `hemx_core.pipeline.segment` keeps them."""
    mask = np.zeros(prepared.volume.shape, dtype=np.bool_)
    features = {}
    for index, blood, vector in found:
        if blood.any():
            mask[index], features[index] = blood, vector
    return Segmentation(mask, features)


def _every_second(prepared: PreparedVolume, first: int) -> Iterator[tuple[int, PreparedSlice]]:
    for index in range(first, len(prepared), 2):
        yield index, prepared[index]


def _calls(slices: Iterable[tuple[int, PreparedSlice]], models: TriageModels) -> Iterator[Found]:
    threshold = models.manifest.mask_threshold
    shown = ((index, slice_) for index, slice_ in slices if slice_.image.any())
    while group := list(islice(shown, models.slices_a_call)):
        found = models.segment_slices([slice_.image for _, slice_ in group])
        for (index, slice_), (probabilities, features) in zip(group, found, strict=True):
            yield index, slice_.transform.to_native(probabilities) >= threshold, features


def _serve(pipe: Any, bundle: str) -> None:
    """The second process: waits for volumes until it receives the end."""
    import cv2

    from hemx_core.bundle.load import load_models
    from hemx_core.runtime.desktop import DesktopBackend

    cv2.setNumThreads(1)
    backend = DesktopBackend(threads=1)
    with PeakMemory() as memory, load_models(Path(bundle), backend, allow_unsigned=True) as models:
        pipe.send("ready")
        while (volume := pipe.recv()) is not None:
            pipe.send(_half(volume, models))
    pipe.send(memory.above_base_mib)


def _half(volume: HUVolume, models: TriageModels) -> list[Found]:
    prepared = prepare(volume, models.manifest.preprocessing)
    return list(_calls(_every_second(prepared, 1), models))

"""One contestant in a fresh process: load, first call, steady calls, memory, energy, accuracy."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.energy import EnergyMeter
from benchmarks.harness.material import Inputs, grouped, read_inputs
from benchmarks.peers.roster import Model, Peer, contestants
from hemx_core.device.memory import PeakMemory, rss_mib
from hemx_core.records import Json

WARM_UP = 2
LEAST_MS = 250.0
"""A visit times no less: a few calls of a millisecond meet one state of the machine."""
DIGITS = 4


def measure_peer(
    name: str, subject: str, folder: str, material: str, threads: int, calls: int, judge: bool
) -> Json:
    """Measure one contestant; runs in a fresh process.

    Args:
        name: of the contestant.
        subject: "segmenter" or "classifier".
        folder: its prepared model.
        material: folder of the inputs.
        threads: of its runtime.
        calls: timed calls, going round the timed inputs; more where they take less than `LEAST_MS` together.
        judge: compare its answers to the judged inputs with torch's as well.
    Returns:
        Milliseconds of load and first call, and of every timed call for each of its slices; MiB above the
        process with runtime and inputs in it; joules a slice; fingerprint of the outputs; accuracy.
    """
    peer = next(contestant for contestant in contestants(subject) if contestant.name == name)
    place = Path(material)
    size = peer.slices_a_call(subject)
    inputs = grouped(read_inputs(place, subject, "timed"), size)
    bare = rss_mib()
    adapter = peer.adapter()
    start = time.perf_counter()
    adapter.start(threads)
    runtime_ms = 1000 * (time.perf_counter() - start)
    runtime_mib = rss_mib() - bare
    with PeakMemory() as memory:
        start = time.perf_counter()
        model: Model = adapter.open_model(Path(folder), threads, peer.option)
        loaded = time.perf_counter()
        outputs = [model(inputs[0])]
        first = time.perf_counter()
        outputs += [model(input_) for input_ in inputs[1:]]
        for _ in range(WARM_UP):
            model(inputs[0])
        with EnergyMeter() as energy:
            timed = time_calls(model, inputs, calls)
    return {
        "runtime_ms": round(runtime_ms, 2),
        "runtime_mib": round(runtime_mib, 1),
        "load_ms": round(1000 * (loaded - start), 3),
        "first_ms": round(1000 * (first - loaded), 3),
        "calls_ms": [round(seconds / size, 3) for seconds in timed],
        "memory": memory.to_json(),
        "joules_per_call": None if energy.joules is None else energy.joules / len(timed) / size,
        "fingerprint": fingerprint(outputs),
        "accuracy": _judge(peer, subject, place, model) if judge else None,
    }


def fingerprint(outputs: list[list[NDArray[np.float32]]]) -> list[list[float]]:
    """Mean and standard deviation of every output of every call."""
    return [
        [
            round(float(figure), DIGITS)
            for output in call
            for figure in (output.mean(), output.std())
        ]
        for call in outputs
    ]


def mask_accuracy(
    found: list[NDArray[np.float32]], expected: list[NDArray[np.float32]], threshold: float
) -> Json:
    """Dice of all masks together against torch's, and differences of probabilities."""
    ours = np.stack(found) >= threshold
    theirs = np.stack(expected) >= threshold
    pixels = int(ours.sum()) + int(theirs.sum())
    apart = np.abs(np.stack(found) - np.stack(expected))
    return {
        "mask_dice": round(2 * int((ours & theirs).sum()) / pixels, 5) if pixels else 1.0,
        "probability_mean": float(f"{apart.mean():.3g}"),
        "probability_max": float(f"{apart.max():.3g}"),
    }


def marker_accuracy(
    found: list[NDArray[np.float32]], expected: list[NDArray[np.float32]], temperatures: list[float]
) -> Json:
    """Differences of calibrated marker probabilities against torch's."""
    scale = np.array(temperatures)
    both = [
        1 / (1 + np.exp(-np.stack(answers).astype(np.float64) / scale))
        for answers in (found, expected)
    ]
    apart = np.abs(both[0] - both[1])
    return {
        "probability_mean": float(f"{apart.mean():.3g}"),
        "probability_p95": float(f"{np.quantile(apart, 0.95):.3g}"),
        "probability_max": float(f"{apart.max():.3g}"),
    }


def _judge(peer: Peer, subject: str, material: Path, model: Model) -> Json | None:
    """Accuracy on the judged inputs; none for another network than the trained one."""
    if peer.graph == "max-pool":
        return None
    facts = json.loads((material / "facts.json").read_text(encoding="utf-8"))
    given: list[Inputs] = read_inputs(material, subject, "judged")
    expected = read_inputs(material, subject, "reference")
    calls = grouped(given, peer.slices_a_call(subject))
    found = [answer[None] for call in calls for answer in model(call)[0]][: len(given)]
    wanted = [answer[0] for answer in expected]
    if subject == "segmenter":
        return mask_accuracy(found, wanted, facts["mask_threshold"])
    return marker_accuracy(found, wanted, facts["temperatures"])


def time_calls(
    model: Model, inputs: list[Inputs], calls: int, least_ms: float = LEAST_MS
) -> list[float]:
    """Milliseconds of each call: of so many, and of as many more as `least_ms` takes."""
    timed: list[float] = []
    spent = 0.0
    while len(timed) < calls or spent < least_ms:
        timed.append(_time(model, inputs[len(timed) % len(inputs)]))
        spent += timed[-1]
    return timed


def _time(model: Model, inputs: Inputs) -> float:
    start = time.perf_counter()
    model(inputs)
    return 1000 * (time.perf_counter() - start)

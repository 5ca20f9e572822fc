"""Profile of a device on one study: latency per stage, memory and sizes, as one record.

The app's benchmark screen and `python -m benchmarks` write the same record, described in
docs/benchmark_format.md, so that figures of tablet and desk can be compared. The study is a
phantom, written as DICOM and read again: no patient's data enters a record.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hemx_core.bundle.load import Models
from hemx_core.bundle.self_test import SelfTestReport, run_self_test
from hemx_core.costs import StageClock
from hemx_core.device.memory import PeakMemory
from hemx_core.device.record import fingerprint, header
from hemx_core.errors import BenchmarkError
from hemx_core.imaging.reader import read_series
from hemx_core.manifest import MANIFEST_NAME, file_sha256
from hemx_core.phantoms import LesionSpec, PhantomSpec, SiteSpec, make_phantom, write_dicom_series
from hemx_core.pipeline import triage_volume
from hemx_core.records import Json, to_values
from hemx_core.result import SliceUpdate, TriageResult

STUDY = "study"
"""The kind of record that `profile_study` makes."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is; may raise to end it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileOptions:
    """What is measured, and how often.

    Args:
        slices: slices of the phantom study.
        runs: how often models are loaded and tested and the study is triaged.
        seed: of the phantom.
        matrix: rows and columns of its slices.
        volume_ml: its haematoma.
        threads: of the runtime, as `load` was told; goes into the record.
        source: which program measures: "app" or "benchmarks".
        commit: what the program was built from; empty where that is not known.
        label: a name for the device, if its owner gives one.
    """

    slices: int = 30
    runs: int = 5
    seed: int = 7
    matrix: int = 512
    volume_ml: float = 30.0
    threads: int | None = None
    source: str = "benchmarks"
    commit: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        if self.slices < 1 or self.runs < 1:
            raise BenchmarkError(
                f"{self.runs} runs of {self.slices} slices",
                expected="at least one of each",
                remedy="ask for more",
            )


@dataclass(slots=True)
class Timings:
    """Seconds of every call of everything that was timed, in order."""

    calls: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def time(self, name: str, *, slices: int = 1) -> Iterator[None]:
        """Time what runs inside, as one call; of one with several slices a slice's share."""
        start = time.perf_counter()
        yield
        self.add(name, (time.perf_counter() - start) / slices)

    def add(self, name: str, seconds: float) -> None:
        """Add a call."""
        self.calls.setdefault(name, []).append(seconds)

    def to_json(self) -> dict[str, dict[str, float]]:
        """First, median and 95th percentile of each, in milliseconds; `steady` leaves the first out."""
        return {name: summarise_seconds(values) for name, values in self.calls.items()}


class CallClock(StageClock):
    """A stage clock that also keeps every single call.

    Args:
        timings: what it keeps them in.
        slices: of a stage's calls, where they are several: what is kept is a slice's share.
    """

    def __init__(self, timings: Timings, slices: Mapping[str, int]) -> None:
        super().__init__()
        self._timings, self._slices = timings, slices

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what runs inside; see `StageClock.stage`."""
        with super().stage(name), self._timings.time(name, slices=self._slices.get(name, 1)):
            yield


def summarise_seconds(seconds: list[float]) -> dict[str, float]:
    """Statistics of one timing, in milliseconds; see docs/benchmark_format.md.

    Args:
        seconds: every call, in order; at least one.
    """
    later = np.array(seconds[1:] or seconds) * 1000
    return {
        "calls": len(seconds),
        "first_ms": round(seconds[0] * 1000, 3),
        "median_ms": round(float(np.median(later)), 3),
        "p95_ms": round(float(np.quantile(later, 0.95)), 3),
    }


def profile_study(
    load: Callable[[], Models],
    *,
    options: ProfileOptions | None = None,
    progress: Progress = lambda _stage, _done, _total: None,
    process: int | None = None,
) -> Json:
    """Load, self-test and triage a phantom study several times, and say what it took.

    The first run shows what a cold start costs: run it in a fresh process for that. The models are
    loaded anew in every run, and closed.

    Args:
        load: loads a bundle, as `load_models` does.
        options: see `ProfileOptions`.
        progress: told after every slice.
        process: that the models run in, where it is not this one; its memory counts too.
    Returns:
        The record; `hemx_core.device.record.write_record` writes it.
    Raises:
        HemxError: what loading, reading or triage raise.
        BenchmarkError: two runs gave different outputs.
    """
    options = options or ProfileOptions()
    runs = _Runs(load, options, progress, PeakMemory(process))
    with tempfile.TemporaryDirectory() as folder:
        progress("phantom", 0, 1)
        study = write_study(Path(folder) / "study", options)
        progress("phantom", 1, 1)
        with runs.memory:
            for done in range(options.runs):
                runs.run(study)
                progress("run", done + 1, options.runs)
    return {
        **header(STUDY, source=options.source, commit=options.commit, label=options.label),
        **runs.facts,
        "input": input_facts(options),
        "runs": options.runs,
        "timings": runs.timings.to_json(),
        "study_ms": [round(1000 * seconds, 3) for seconds in runs.timings.calls["study"]],
        "memory": runs.memory.to_json(),
        "outputs": runs.outputs,
        "fingerprint": fingerprint(runs.outputs),
    }


class _Runs:
    """The repeated part of a profile, and what it has found so far."""

    def __init__(
        self,
        load: Callable[[], Models],
        options: ProfileOptions,
        progress: Progress,
        memory: PeakMemory,
    ) -> None:
        self.timings, self.memory = Timings(), memory
        self.facts: Json = {}
        self.outputs: Json = {}
        self._load, self._options, self._progress = load, options, progress

    def run(self, study: Path) -> None:
        """Load, self-test, triage, close."""
        with self.timings.time("load"):
            models = self._load()
        with models:
            report = _self_test(models, self.timings, self._progress)
            outputs = output_facts(_triage(study, models, self.timings, self._progress))
            self.facts = {
                "bundle": bundle_facts(models),
                "runtime": runtime_facts(models, self._options),
                "self_test": report and to_values(report) | {"passed": report.passed},
            }
        if self.outputs and outputs != self.outputs:
            raise BenchmarkError(
                "two runs of one study with different outputs",
                expected="the same outputs in every run",
                remedy="run the self-test; do not triage on this device",
            )
        self.outputs = outputs


def bundle_facts(models: Models) -> Json:
    """What was measured: recipe, slices a call, hash of the manifest, sizes in bytes."""
    manifest, path = models.manifest, models.folder / MANIFEST_NAME
    sizes = {file.file: file.bytes for file in manifest.files}
    return {
        "recipe": manifest.recipe,
        "slices_a_call": manifest.slices_a_call,
        "manifest_sha256": file_sha256(path),
        "files": sizes,
        "bytes": sum(sizes.values()) + path.stat().st_size,
        "executorch": manifest.executorch,
    }


def runtime_facts(models: Models, options: ProfileOptions) -> Json:
    """Which runtime, its version, and its threads; null where the runtime chose them."""
    return {
        "backend": models.backend_name,
        "version": models.backend_version,
        "threads": options.threads,
    }


def input_facts(options: ProfileOptions) -> Json:
    """The phantom: its seed and shape, and the volume that it was drawn with."""
    return {
        "phantom_seed": options.seed,
        "slices": options.slices,
        "matrix": options.matrix,
        "drawn_ml": options.volume_ml,
    }


def output_facts(result: TriageResult) -> Json:
    """What triage answered, rounded so that last digits do not count."""
    return {
        "slices_with_blood": sum(slice_.blood_area_mm2 > 0 for slice_ in result.slices),
        "volume_ml": round(result.haematoma_volume_ml, 1),
        "markers": {code: round(marker.probability, 2) for code, marker in result.markers.items()},
        "areas_cm2": [round(slice_.blood_area_mm2 / 100, 1) for slice_ in result.slices],
    }


def write_study(folder: Path, options: ProfileOptions) -> Path:
    """The phantom study as DICOM."""
    spec = PhantomSpec(
        seed=options.seed,
        noise_seed=options.seed,
        lesion=LesionSpec(volume_ml=options.volume_ml, lobes=4),
        site=SiteSpec(slices=options.slices, matrix=options.matrix),
    )
    write_dicom_series(make_phantom(spec).volume, folder)
    return folder


def _triage(study: Path, models: Models, timings: Timings, progress: Progress) -> TriageResult:
    """One whole study, DICOM to result; `first_slice` is when the first mask is there."""
    start = time.perf_counter()
    seen = False

    def on_slice(_update: SliceUpdate) -> None:
        nonlocal seen
        if not seen:
            timings.add("first_slice", time.perf_counter() - start)
            seen = True

    clock = CallClock(timings, {"segment": models.slices_a_call})
    with clock.stage("read"):
        volume = read_series(study)
    result = triage_volume(volume, models, clock=clock, progress=progress, on_slice=on_slice)
    timings.add("study", time.perf_counter() - start)
    return result


def _self_test(models: Models, timings: Timings, progress: Progress) -> SelfTestReport | None:
    """The self-test, where the bundle has references."""
    if models.manifest.reference is None:
        return None
    with timings.time("self_test"):
        return run_self_test(
            models, on_slice=lambda done, total: progress("self_test", done, total)
        )

"""`threads`: what makes a study fastest on two cores, and what it costs in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks import strategies
from benchmarks.batches import batch_spec, prepare_batch
from benchmarks.interleave import FAILED, RoundStore, visit_all
from benchmarks.peers.contest import STUDY_BLOODY, STUDY_SLICES, TINY_STUDY
from benchmarks.pipeline import study_folder, volume_for_blood
from benchmarks.process import ChildError, run_fresh
from benchmarks.records import MIB, MS, figure, new_record, write_records
from benchmarks.settings import Settings
from hemx_core.benchmark_record import fingerprint
from hemx_core.costs import StageClock, Watch
from hemx_core.imaging.prepare import prepare
from hemx_core.imaging.reader import read_series
from hemx_core.memory import PeakMemory
from hemx_core.profile import output_facts
from hemx_core.runtime.bundle import Models, load_models
from hemx_core.runtime.pte_desktop import DesktopBackend
from hemx_core.triage import check, classify, judge_signs, measure, summarise

Json = dict[str, Any]
KIND, FILE = "threads", "threads.jsonl"
ONE, BATCH, AHEAD, TWO_THREADS, TWO_PROCESSES = (
    "one",
    "batch",
    "ahead",
    "two threads",
    "two processes",
)
RUNS = 2
VISIT_SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One way.

    Args:
        name: as in tables.
        kind: of the constants above.
        threads: of the runtime.
        batch: slices in a call.
    """

    name: str
    kind: str = ONE
    threads: int = 1
    batch: int = 1


def all_strategies(batches: tuple[int, ...] = (2, 4, 8)) -> tuple[Strategy, ...]:
    """Every way that is measured; the first two are what ships."""
    return (
        Strategy(name="a slice a call, 1 thread"),
        Strategy(name="a slice a call, 2 threads", threads=2),
        *(
            Strategy(
                name=f"{n} slices a call, {t} thread{'s' * (t > 1)}", kind=BATCH, threads=t, batch=n
            )
            for n in batches
            for t in (1, 2)
        ),
        Strategy(name="a slice a call, 1 thread, next one prepared ahead", kind=AHEAD),
        Strategy(name="a slice a call, 2 threads, next one prepared ahead", kind=AHEAD, threads=2),
        Strategy(name="two instances of 1 thread in two threads", kind=TWO_THREADS),
        Strategy(name="two instances of 1 thread in two processes", kind=TWO_PROCESSES),
    )


def compare_strategies(settings: Settings) -> list[Json]:
    """Measure every strategy on the issue's study and write `threads.jsonl`."""
    ways = all_strategies((2,) if settings.tiny else (2, 4, 8))
    programs = settings.place / "batches"
    for batch in sorted({one.batch for one in ways if one.kind == BATCH}):
        prepare_batch(settings, programs, batch)
    slices, matrix = TINY_STUDY if settings.tiny else (STUDY_SLICES, 512)
    volume_ml = 30.0 if settings.tiny else volume_for_blood(slices, STUDY_BLOODY)
    study = study_folder(settings.place, slices=slices, matrix=matrix, volume_ml=volume_ml)
    bundle = settings.open_bundle()

    def visitor(way: Strategy) -> Callable[[], Json]:
        arguments = {
            "kind": way.kind,
            "threads": way.threads,
            "batch": way.batch,
            "study": str(study),
            "bundle": str(bundle),
            "programs": str(programs),
            "runs": 1 if settings.tiny else RUNS,
        }

        def visit() -> Json:
            try:
                found: Json = run_fresh(
                    measure_strategy, arguments, threads=way.threads, timeout=VISIT_SECONDS
                )
            except ChildError as error:
                return {FAILED: error.reason}
            return found

        return visit

    store = RoundStore(settings.place / "rounds" / FILE, settings.measured())
    visits = {way.name: visitor(way) for way in ways}
    found = visit_all(visits, rounds=settings.rounds, store=store, tell=settings.tell)
    records = [_record(way, found[way.name], slices) for way in ways]
    write_records(settings.results / FILE, records)
    return records


def measure_strategy(
    kind: str, threads: int, batch: int, study: str, bundle: str, programs: str, runs: int
) -> Json:
    """Triage a study with one strategy; runs in a fresh process. Reading the study is not timed."""
    cv2.setNumThreads(threads)
    backend = DesktopBackend(threads=threads)
    volume = read_series(Path(study))
    times, result = [], None
    with ExitStack() as stack:
        memory = stack.enter_context(PeakMemory())
        models = stack.enter_context(load_models(Path(bundle), backend, allow_unsigned=True))
        segment, close = _segment(kind, batch, models, backend, Path(programs), stack)
        for _ in range(runs + 1):
            start = time.perf_counter()
            result = _triage(volume, models, segment)
            times.append(1000 * (time.perf_counter() - start))
        elsewhere_mib = close()
    facts = output_facts(result)
    return {
        "first_ms": times[0],
        "calls_ms": times[1:],
        "memory_mib": memory.above_base_mib + elsewhere_mib,
        "outputs": facts,
        "fingerprint": fingerprint(facts),
    }


def _segment(
    kind: str, batch: int, models: Models, backend: DesktopBackend, programs: Path, stack: ExitStack
) -> tuple[Callable[[Any], Any], Callable[[], float]]:
    """The strategy's segmentation, and what ends it and tells the MiB that another process took."""
    threshold = models.manifest.mask_threshold
    spec, run = models.manifest.segmenter, _runner(models.segmenter)

    def nothing() -> float:
        return 0.0

    if kind == TWO_PROCESSES:
        process = stack.enter_context(strategies.second_process(models.folder))
        return lambda prepared: process.segment(prepared, run, threshold), process.close
    if kind == TWO_THREADS:
        other = backend.open(models.folder / spec.file, spec)
        stack.callback(other.close)
        both = (run, _runner(other))
        return lambda prepared: strategies.two_instances(prepared, both, threshold), nothing
    if kind == AHEAD:
        return lambda prepared: strategies.ahead(prepared, run, threshold), nothing
    if kind == BATCH:
        path = programs / f"segmenter_{batch}.pte"
        program = backend.open(path, batch_spec(spec, path, batch))
        stack.callback(program.close)
        run = _runner(program)
    return lambda prepared: strategies.in_batches(prepared, run, batch, threshold), nothing


def _runner(program: Any) -> strategies.Run:
    return lambda images: program([images])


def _triage(volume: Any, models: Models, segment: Callable[[Any], Any]) -> Any:
    """`hemx_core.triage.triage_volume` with another way to segment."""
    watch = Watch(StageClock())
    check(volume, watch)
    prepared = prepare(volume, models.manifest.preprocessing)
    found = segment(prepared)
    haematoma = measure(found.mask, volume, models.manifest, watch)
    signs = judge_signs(volume, haematoma, watch)
    slices = classify(prepared, haematoma, found.features, models, watch)
    return summarise(prepared, haematoma, slices, signs, models, watch)


def _record(way: Strategy, rounds: list[Json], slices: int) -> Json:
    failed = [one[FAILED] for one in rounds if FAILED in one]
    figures: dict[str, Json] = {}
    if not failed:
        calls = [call for one in rounds for call in one["calls_ms"]]
        figures = {
            "call": figure([float(np.median(one["calls_ms"])) for one in rounds], MS, calls),
            "first": figure([one["first_ms"] for one in rounds], MS),
            "memory": figure([one["memory_mib"] for one in rounds], MIB),
        }
    return new_record(
        KIND,
        way.name,
        figures,
        strategy=way.kind,
        threads=way.threads,
        batch=way.batch,
        shipped=way.kind == ONE,
        slices=slices,
        status=f"fails: {failed[0]}" if failed else "ok",
        outputs=None if failed else rounds[0]["outputs"],
        fingerprint=None if failed else rounds[0]["fingerprint"],
    )

"""`threads`: what makes a study fastest on two cores, and what it costs in memory.

Strategies beside the product's own, and segmenter programs for other numbers of slices in a call.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2

from benchmarks.graphs import strategies
from benchmarks.harness.material import read_inputs
from benchmarks.harness.networks import weights_digest
from benchmarks.harness.pipeline import compared_study
from benchmarks.harness.process import RoundStore, failure, run_fresh, try_fresh, visit_all
from benchmarks.harness.records import call_figures, new_record, threads_name, write_records
from benchmarks.harness.settings import Settings, narrow_recipe
from hemx_core.bundle.load import Models, verify_bundle
from hemx_core.costs import StageClock, Watch
from hemx_core.device.memory import PeakMemory
from hemx_core.device.record import fingerprint
from hemx_core.files import write_whole
from hemx_core.imaging.prepare import PreparedVolume, prepare
from hemx_core.imaging.reader import read_series
from hemx_core.manifest import ModelManifest, ProgramSpec
from hemx_core.pipeline import Segmentation, check, classify, judge_signs, measure, summarise
from hemx_core.pipeline import segment as segment_slices
from hemx_core.profile import output_facts
from hemx_core.records import Json, from_values, to_values
from hemx_core.runtime.desktop import DesktopBackend


def prepare_batch(settings: Settings, folder: Path, batch: int, *, recipe: str) -> None:
    """Export the segmenter for so many slices a call, unless these networks and this recipe were before."""
    stamp = folder / f"segmenter_{batch}.key"
    wanted = f"{weights_digest(settings.weights, tiny=settings.tiny)} {recipe}"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    settings.tell(f"exporting the segmenter for {batch} slices a call")
    folder.mkdir(parents=True, exist_ok=True)
    arguments: dict[str, Any] = {
        "folder": str(folder),
        "batch": batch,
        "material": str(settings.material()),
        "recipe": recipe,
        "weights": str(settings.weights) if settings.weights else None,
        "tiny": settings.tiny,
    }
    run_fresh(write_batch_program, arguments)
    write_whole(stamp, wanted)


def batch_program(folder: Path, batch: int) -> tuple[Path, ProgramSpec]:
    """A program that `prepare_batch` wrote, and its specification."""
    values = json.loads((folder / f"segmenter_{batch}.json").read_text(encoding="utf-8"))
    spec = from_values(ProgramSpec, values)
    return folder / spec.file, spec


def write_batch_program(
    folder: str, batch: int, material: str, recipe: str, weights: str | None, tiny: bool
) -> None:
    """Export the segmenter as a recipe does, but for another batch; runs in a fresh process."""
    from benchmarks.harness.networks import open_networks
    from export.bundle import build_segmenter
    from export.recipes import find_recipe

    networks = open_networks(Path(weights) if weights else None, tiny=tiny)
    rules = narrow_recipe() if tiny else find_recipe(recipe)
    images = [input_[0][0, 0] for input_ in read_inputs(Path(material), "segmenter", "calibration")]
    made = build_segmenter(networks, replace(rules, slices_a_call=batch), images)
    name = f"segmenter_{batch}"
    spec = replace(made.spec, file=f"{name}.pte")
    for path, content in (
        (Path(folder) / spec.file, made.pte),
        (Path(folder) / f"{name}.json", json.dumps(to_values(spec)).encode()),
    ):
        write_whole(path, content)


KIND, FILE = "threads", "threads.jsonl"
PLAIN, AHEAD, TWO_THREADS, TWO_PROCESSES = (
    "plain",
    "ahead",
    "two threads",
    "two processes",
)
RUNS = 2
VISIT_SECONDS = 900.0
Segment = Callable[[PreparedVolume, Watch], Segmentation]


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
    kind: str = PLAIN
    threads: int = 1
    batch: int = 1


def all_strategies(shipped: int, others: tuple[int, ...]) -> tuple[Strategy, ...]:
    """Every way that is measured.

    Args:
        shipped: slices a call of the bundle's segmenter.
        others: other numbers of slices a call.
    """

    def named(batch: int, threads: int) -> str:
        count = "a slice" if batch == 1 else f"{batch} slices"
        return f"{count} a call, {threads_name(threads)}"

    batches = sorted({shipped, *others})
    pairs = [(batch, threads) for batch in batches for threads in (1, 2)]
    early = [pair for pair in pairs if pair[0] in (1, shipped)]
    return (
        *(Strategy(name=named(*pair), batch=pair[0], threads=pair[1]) for pair in pairs),
        *(
            Strategy(
                name=f"{named(*pair)}, next ones prepared ahead",
                kind=AHEAD,
                batch=pair[0],
                threads=pair[1],
            )
            for pair in early
        ),
        Strategy(name="two instances of 1 thread in two threads", kind=TWO_THREADS, batch=shipped),
        Strategy(
            name="two instances of 1 thread in two processes", kind=TWO_PROCESSES, batch=shipped
        ),
    )


def compare_strategies(settings: Settings) -> list[Json]:
    """Measure every strategy on the issue's study and write `threads.jsonl`."""
    bundle = settings.open_bundle()
    manifest = ModelManifest.load(bundle)
    shipped = manifest.slices_a_call
    ways = all_strategies(shipped, (1,) if settings.tiny else (1, 2, 3, 4, 8))
    programs = settings.place / "batches"
    for batch in sorted({way.batch for way in ways} - {shipped}):
        prepare_batch(settings, programs, batch, recipe=manifest.recipe)
    study = compared_study(settings.place, tiny=settings.tiny)

    def visitor(way: Strategy) -> Callable[[], Json]:
        arguments = {
            "kind": way.kind,
            "threads": way.threads,
            "batch": way.batch,
            "study": str(study.folder),
            "bundle": str(bundle),
            "programs": str(programs),
            "runs": 1 if settings.tiny else RUNS,
        }
        return lambda: try_fresh(
            measure_strategy, arguments, threads=way.threads, timeout=VISIT_SECONDS
        )

    store = RoundStore(settings.place / "rounds" / FILE, settings.measured())
    visits = {way.name: visitor(way) for way in ways}
    found = visit_all(visits, rounds=settings.rounds, store=store, tell=settings.tell)
    records = [
        _record(
            way, found[way.name], study.slices, shipped=way.kind == PLAIN and way.batch == shipped
        )
        for way in ways
    ]
    write_records(settings.results / FILE, records)
    return records


def measure_strategy(
    kind: str, threads: int, batch: int, study: str, bundle: str, programs: str, runs: int
) -> Json:
    """Triage a study with one strategy; runs in a fresh process. Reading the study is not timed."""
    cv2.setNumThreads(threads)
    backend = DesktopBackend(threads=threads)
    volume = read_series(Path(study))
    times: list[float] = []
    result: Any = None
    with ExitStack() as stack:
        memory = stack.enter_context(PeakMemory())
        models = stack.enter_context(_open(Path(bundle), Path(programs), batch, backend))
        segment, close = _segmentation(kind, Path(bundle), models, backend, stack)
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


def _open(bundle: Path, programs: Path, batch: int, backend: DesktopBackend) -> Models:
    """The bundle's models, with a segmenter of so many slices a call; no other one is loaded."""
    manifest = verify_bundle(bundle, allow_unsigned=True).manifest
    path, spec = bundle / manifest.segmenter.file, manifest.segmenter
    if batch != manifest.slices_a_call:
        path, spec = batch_program(programs, batch)
    return Models(
        manifest=replace(manifest, segmenter=spec),
        segmenter=backend.open(path, spec),
        classifier=backend.open(bundle / manifest.classifier.file, manifest.classifier),
        backend_name=backend.name,
        backend_version=backend.version,
        folder=bundle,
    )


def _segmentation(
    kind: str, bundle: Path, models: Models, backend: DesktopBackend, stack: ExitStack
) -> tuple[Segment, Callable[[], float]]:
    """The strategy's segmentation, and what ends it and tells the MiB that another process took."""

    def nothing() -> float:
        return 0.0

    if kind == TWO_PROCESSES:
        process = stack.enter_context(strategies.second_process(bundle))
        return lambda prepared, _watch: process.segment(prepared, models), process.close
    if kind == TWO_THREADS:
        spec = models.manifest.segmenter
        other = replace(models, segmenter=backend.open(bundle / spec.file, spec))
        stack.callback(other.segmenter.close)
        both = (models, other)
        return lambda prepared, _watch: strategies.two_instances(prepared, both), nothing
    if kind == AHEAD:
        return lambda prepared, _watch: strategies.ahead(prepared, models), nothing
    return lambda prepared, watch: segment_slices(prepared, models, watch), nothing


def _triage(volume: Any, models: Models, segment: Segment) -> Any:
    """`hemx_core.pipeline.triage_volume` with another way to segment."""
    watch = Watch(StageClock())
    check(volume, watch)
    prepared = prepare(volume, models.manifest.preprocessing)
    found = segment(prepared, watch)
    haematoma = measure(found.mask, volume, models.manifest, watch)
    signs = judge_signs(volume, haematoma, watch)
    slices = classify(prepared, haematoma, found.features, models, watch)
    return summarise(prepared, haematoma, slices, signs, models, watch)


def _record(way: Strategy, rounds: list[Json], slices: int, *, shipped: bool) -> Json:
    failed = failure(rounds)
    return new_record(
        KIND,
        way.name,
        {} if failed else call_figures(rounds),
        strategy=way.kind,
        threads=way.threads,
        batch=way.batch,
        shipped=shipped,
        slices=slices,
        status=f"fails: {failed}" if failed else "ok",
        outputs=None if failed else rounds[0]["outputs"],
        fingerprint=None if failed else rounds[0]["fingerprint"],
    )

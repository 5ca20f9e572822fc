"""`run`: what the bundle needs on this machine, stage by stage and for whole studies, in fresh processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.harness.energy import EnergyMeter, tell_joules
from benchmarks.harness.pipeline import STUDY_BLOODY, STUDY_SLICES, TINY_MATRIX, volume_for_blood
from benchmarks.harness.process import RoundStore, run_fresh, visit_all
from benchmarks.harness.records import BYTES, MIB, MS, figure, study_name, write_records
from benchmarks.harness.settings import Settings
from hemx_core.device.budget import Verdict, find_budget, judge, load_budgets
from hemx_core.device.memory import rss_mib
from hemx_core.profile import ProfileOptions, profile_study
from hemx_core.provenance import commit
from hemx_core.records import Json

FILE = "run.jsonl"
USUAL_SLICES, USUAL_ML = 30, 30.0
RUNS_IN_PROCESS, TINY_RUNS = 3, 2
MATRIX = 512
WITHOUT_TORCH = ("phone", "tablet")
"""Device classes whose runtime is a library of a few MB; a desktop's binding brings torch."""


def run_studies(settings: Settings, *, out: Path | None = None) -> list[Json]:
    """Measure whole studies and write `run.jsonl`.

    Args:
        settings: see there; `calls` is not used.
        out: another result file.
    Returns:
        One record for each study and number of threads, of kind `study`.
    """
    bundle = settings.open_bundle()
    usual = (USUAL_SLICES, USUAL_ML)
    studies = [usual]
    if not settings.tiny:
        studies.append((STUDY_SLICES, volume_for_blood(STUDY_SLICES, STUDY_BLOODY)))

    def visitor(slices: int, volume_ml: float, threads: int) -> Callable[[], Json]:
        arguments = {
            "bundle": str(bundle),
            "slices": slices,
            "volume_ml": volume_ml,
            "matrix": TINY_MATRIX if settings.tiny else MATRIX,
            "threads": threads,
            "runs": TINY_RUNS if settings.tiny else RUNS_IN_PROCESS,
        }
        return lambda: run_fresh(measure_run, arguments, threads=threads)

    visits = {
        study_name(slices, threads): visitor(slices, volume_ml, threads)
        for slices, volume_ml in studies
        for threads in settings.threads
    }
    store = RoundStore(settings.place / "rounds" / "run.jsonl", settings.measured())
    found = visit_all(visits, rounds=settings.rounds, store=store, tell=settings.tell)
    records = [merge(name, rounds) for name, rounds in found.items()]
    write_records(out or settings.results / FILE, records)
    return records


def measure_run(
    bundle: str, slices: int, volume_ml: float, matrix: int, threads: int, runs: int
) -> Json:
    """One record of `profile_study`; runs in a fresh process.

    The runtime is imported before the base of memory is taken: `runtime` says what that costs.
    """
    from hemx_core.bundle.load import load_models
    from hemx_core.runtime.desktop import DesktopBackend

    cv2.setNumThreads(threads)
    bare = rss_mib()
    backend = DesktopBackend(threads=threads)
    runtime_mib = rss_mib() - bare
    options = ProfileOptions(
        slices=slices,
        runs=runs,
        matrix=matrix,
        volume_ml=volume_ml,
        threads=threads,
        commit=commit(),
    )
    with EnergyMeter() as energy:
        record = profile_study(
            lambda: load_models(Path(bundle), backend, allow_unsigned=True), options=options
        )
    joules = None if energy.joules is None else energy.joules / runs
    return {**record, "runtime_memory_mib": round(runtime_mib, 1), "joules_per_run": joules}


def merge(name: str, rounds: list[Json]) -> Json:
    """One record of several processes' records of the same study: medians of every figure.

    A timing's `first_ms` is then the median of cold starts, its `p95_ms` the median of the processes'
    percentiles; a study's percentile is over all studies of all processes.
    """
    first = rounds[0]
    timings = {
        stage: {
            "calls": sum(round_["timings"][stage]["calls"] for round_ in rounds),
            **{
                key: round(
                    float(np.median([round_["timings"][stage][key] for round_ in rounds])), 3
                )
                for key in ("first_ms", "median_ms", "p95_ms")
            },
        }
        for stage in first["timings"]
    }
    figures = {
        stage: figure([round_["timings"][stage]["median_ms"] for round_ in rounds], MS)
        | {"p95": timings[stage]["p95_ms"]}
        for stage in timings
    }
    figures |= {
        f"first {stage}": figure([round_["timings"][stage]["first_ms"] for round_ in rounds], MS)
        for stage in timings
    }
    studies = [call for round_ in rounds for call in round_["study_ms"]]
    figures["study"] = figure(figures["study"]["rounds"], MS, studies)
    above = [round_["memory"]["above_base_mib"] or 0.0 for round_ in rounds]
    figures["memory"] = figure(above, MIB)
    figures["runtime_memory"] = figure([round_["runtime_memory_mib"] for round_ in rounds], MIB)
    figures["bundle"] = figure([float(first["bundle"]["bytes"])], BYTES)
    known = [round_["joules_per_run"] for round_ in rounds if round_["joules_per_run"] is not None]
    timings["study"]["p95_ms"] = figures["study"]["p95"]
    return {
        **{key: value for key, value in first.items() if key != "joules_per_run"},
        "what": name,
        "timings": timings,
        "study_ms": studies,
        "memory": {**first["memory"], "above_base_mib": figures["memory"]["median"]},
        "runtime_memory_mib": figures["runtime_memory"]["median"],
        "joules_per_run": tell_joules(float(np.median(known)) if known else None),
        "rounds": len(rounds),
        "figures": figures,
    }


def judge_run(records: list[Json], device_class: str) -> dict[str, tuple[Verdict, ...]]:
    """The budget's lines for every record of the study that it is meant for.

    Raises:
        BenchmarkError: no such class, or no record of the right number of slices.
    """
    budget = find_budget(load_budgets(), device_class)
    fitting = [
        record for record in records if record["input"]["slices"] == budget.slices
    ] or records[:1]
    return {record["what"]: judge(for_class(record, device_class), budget) for record in fitting}


def for_class(record: Json, device_class: str) -> Json:
    """The record as a device class counts memory: with the runtime where it is torch's, on a desk."""
    above = record["memory"]["above_base_mib"]
    if device_class in WITHOUT_TORCH or above is None:
        return record
    whole = above + record.get("runtime_memory_mib", 0.0)
    return {**record, "memory": {**record["memory"], "above_base_mib": whole}}

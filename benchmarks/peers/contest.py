"""The contest: everyone prepared, visited in interleaved rounds, one record each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from benchmarks.harness.material import SUBJECTS
from benchmarks.harness.networks import weights_digest
from benchmarks.harness.pipeline import TORCH, compared_study, measure_pipeline
from benchmarks.harness.process import FAILED, RoundStore, failure, run_fresh, try_fresh, visit_all
from benchmarks.harness.records import (
    BYTES,
    call_figures,
    figure,
    new_record,
    threads_name,
    write_records,
)
from benchmarks.harness.settings import Settings
from benchmarks.peers.measure import LEAST_MS, measure_peer
from benchmarks.peers.prepare import prepare_all, size_bytes
from benchmarks.peers.roster import EAGER, OURS, SHIPPED, Peer, contestants, version_of
from hemx_core.bundle.load import verify_bundle
from hemx_core.errors import BenchmarkError
from hemx_core.records import Json

KIND, STUDY = "peer", "study"
FILE = "peers.jsonl"
STUDY_RUNS = 2
VISIT_SECONDS = 900.0


def hold_contest(
    settings: Settings,
    *,
    subjects: tuple[str, ...] = (*SUBJECTS, STUDY),
    names: tuple[str, ...] = (),
) -> list[Json]:
    """Measure everyone and write `peers.jsonl`.

    Args:
        settings: see there.
        subjects: of segmenter, classifier and study.
        names: beginnings of contestants' names; all where left out.
    Returns:
        The records.
    Raises:
        BenchmarkError: a subject that there is not, or outputs that change between rounds.
    """
    unknown = [subject for subject in subjects if subject not in (*SUBJECTS, STUDY)]
    if unknown or not subjects:
        raise BenchmarkError(
            f"subjects {', '.join(unknown) or 'left empty'}",
            expected=f"some of {', '.join((*SUBJECTS, STUDY))}",
            remedy="correct --subjects",
        )
    records: list[Json] = []
    for subject in subjects:
        if subject == STUDY:
            records += _study_records(settings)
        else:
            records += _graph_records(settings, subject, contestants(subject, names))
    write_records(settings.results / FILE, records)
    return records


def _graph_records(settings: Settings, subject: str, peers: list[Peer]) -> list[Json]:
    material, bundle = settings.material(), settings.open_bundle()
    common = {
        "material": str(material),
        "weights": str(settings.weights) if settings.weights else None,
        "bundle": str(bundle),
        "tiny": settings.tiny,
    }
    networks, key = weights_digest(settings.weights, tiny=settings.tiny), settings.key()
    status = prepare_all(
        peers,
        subject,
        work=settings.place,
        key=lambda peer: made_of(peer, subject, networks=networks, bundle=key),
        common=common,
        tell=settings.tell,
    )
    visits = {
        _visit(peer, threads): _visitor(settings, peer, subject, material, threads)
        for peer in peers
        if status[peer.name]["status"] == "ok"
        for threads in settings.threads
    }
    store = RoundStore(
        settings.place / "rounds" / f"{subject}.jsonl",
        settings.measured() | {"least_ms": LEAST_MS},
    )
    found = visit_all(visits, rounds=settings.rounds, store=store, tell=settings.tell)
    facts = json.loads((material / "facts.json").read_text(encoding="utf-8"))
    records = []
    for peer in peers:
        rounds = {count: found.get(_visit(peer, count), []) for count in settings.threads}
        # Judged once: the number of threads changes no answer.
        judged = [
            record["accuracy"]
            for several in rounds.values()
            for record in several
            if record.get("accuracy")
        ]
        records += [
            _record(settings, peer, subject, count, status[peer.name], several)
            | {"accuracy": judged[0] if judged else None, "material": facts}
            for count, several in rounds.items()
        ]
    return records


def made_of(peer: Peer, subject: str, *, networks: str, bundle: str) -> str:
    """Only what takes the bundle's own program is made anew for another bundle of the same networks.

    Args:
        peer: a contestant.
        subject: "segmenter" or "classifier".
        networks: changes with them.
        bundle: changes with the networks and with their bundle.
    """
    source = bundle if peer.graph == SHIPPED else networks
    return f"{source}, {peer.slices_a_call(subject)} a call,"


def _visitor(
    settings: Settings, peer: Peer, subject: str, material: Path, threads: int
) -> Callable[[], Json]:
    judged = threads == settings.threads[0]
    arguments = {
        "name": peer.name,
        "subject": subject,
        "folder": str(settings.place / "models" / subject / peer.slug),
        "material": str(material),
        "threads": threads,
        "calls": settings.calls,
    }

    def visit() -> Json:
        nonlocal judged
        given = {**arguments, "judge": judged}
        found = try_fresh(measure_peer, given, threads=threads, timeout=VISIT_SECONDS)
        judged = judged and FAILED in found
        return found

    return visit


def _record(
    settings: Settings, peer: Peer, subject: str, threads: int, status: Json, rounds: list[Json]
) -> Json:
    failed = failure(rounds)
    said = f"fails at run time: {failed}" if failed else status["status"]
    figures: dict[str, Json] = {}
    if rounds and not failed:
        folder = settings.place / "models" / subject / peer.slug
        figures = call_figures(rounds) | _size(size_bytes(folder))
    return new_record(
        KIND,
        what_of(subject, peer.name, threads),
        figures,
        subject=subject,
        peer=peer.name,
        precision=peer.precision,
        graph=peer.graph,
        slices_a_call=peer.slices_a_call(subject),
        threads=threads,
        status=said,
        packages={name: version_of(name) for name in peer.packages},
        prepare_seconds=status.get("seconds"),
        joules_per_call=_median([round_.get("joules_per_call") for round_ in rounds]),
        fingerprint=rounds[0]["fingerprint"] if figures else None,
    )


def what_of(subject: str, peer: str, threads: int) -> str:
    """Name of a contestant's record."""
    return f"{subject} | {peer} | {threads_name(threads)}"


def _study_records(settings: Settings) -> list[Json]:
    """The whole pipeline with torch eager and with the bundle, on the issue's study."""
    bundle = settings.open_bundle()
    study = compared_study(settings.place, tiny=settings.tiny)
    ways: Mapping[str, str] = {EAGER: TORCH, OURS: "bundle"}

    def visitor(runtime: str, threads: int) -> Callable[[], Json]:
        arguments = {
            "runtime": runtime,
            "study": str(study.folder),
            "threads": threads,
            "runs": STUDY_RUNS,
            "bundle": str(bundle),
            "weights": str(settings.weights) if settings.weights else None,
            "tiny": settings.tiny,
        }
        return lambda: run_fresh(
            measure_pipeline, arguments, threads=threads, timeout=VISIT_SECONDS
        )

    pairs = [(name, count) for name in ways for count in settings.threads]
    visits = {what_of(STUDY, name, count): visitor(ways[name], count) for name, count in pairs}
    store = RoundStore(settings.place / "rounds" / "study.jsonl", settings.measured())
    found = visit_all(visits, rounds=settings.rounds, store=store, tell=settings.tell)
    size = sum(file.bytes for file in verify_bundle(bundle, allow_unsigned=True).manifest.files)
    return [
        new_record(
            KIND,
            what_of(STUDY, name, count),
            call_figures(found[what_of(STUDY, name, count)]) | _size(size),
            subject=STUDY,
            peer=name,
            precision="fp32" if ways[name] == TORCH else "int8",
            threads=count,
            status="ok",
            slices=study.slices,
            drawn_ml=study.drawn_ml,
            outputs=found[what_of(STUDY, name, count)][0]["outputs"],
            fingerprint=found[what_of(STUDY, name, count)][0]["fingerprint"],
        )
        for name, count in pairs
    ]


def _size(model_bytes: int) -> dict[str, Json]:
    return {"size": figure([float(model_bytes)], BYTES)}


def _visit(peer: Peer, threads: int) -> str:
    return f"{peer.name} | {threads_name(threads)}"


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None

"""Can resynthesised haematomas be told from real ones? Simple features, a small network, sheets for the eye.

    python -m benchmarks lesion-realism --studies 240 --sheets FOLDER

Discriminators learn on the training patients: their real slices against haematomas resynthesised from them.
They are scored on held-out patients: real slices against haematomas with the training patients' outlines and
textures in the held-out patients' slices (those drawn in place have the outline that was there). So neither
side shows a pixel that was learnt. 0.5 means that nothing tells them apart.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray

from benchmarks.accuracy.lesion_discriminators import (
    Contest,
    Sample,
    Scored,
    by_features,
    by_network,
    feature_table,
    outline,
    rated,
)
from hemx_core import provenance
from hemx_core.data import phe_sich
from hemx_core.data.inserted import BLOCK, InsertedMaker
from hemx_core.data.lesion_drawing import draw_lesion
from hemx_core.data.lesion_material import (
    Material,
    blood_slices,
    read_material,
    to_hu,
    wrong_references,
)
from hemx_core.data.real_lesions import patient_folds
from hemx_core.files import write_whole
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.phantoms.fields import Floats
from hemx_core.phantoms.resynthesis import Rates

SPEC = PreprocessingSpec()
LEAST_MM2 = 100.0
SLICES_A_PATIENT = 6
PUBLISHED = replace(Rates(), fluid=0.01)
"""Fluid levels as rare as in patients; training draws them more often."""
GATE = 0.65
NETWORKS = 3
"""Trained from other seeds: one of them says little, they differ by up to a tenth."""


def real_samples(folder: Path, patients: Sequence[str]) -> list[Sample]:
    """Up to `SLICES_A_PATIENT` slices of each patient, evenly chosen among the large enough ones."""
    rows, wrong = phe_sich.read_rows(folder), wrong_references(folder)
    samples = []
    for patient in patients:
        if patient in wrong:
            continue
        found = [
            _sample(patient, one.hu, one.mask) for one in blood_slices(folder, rows[patient], SPEC)
        ]
        samples += _some(found)
    return samples


def drawn_samples(
    material: Material, *, seed: int, studies: int, rates: Rates | None = None
) -> list[Sample]:
    """The same of resynthesised haematomas."""
    samples = []
    for number in range(studies):
        rng = np.random.default_rng((seed, number))
        drawn = draw_lesion(rng, material, pixel_mm=SPEC.pixel_mm, rates=rates)
        stored = to_hu(np.rint(drawn.hu * (255 / 80)) / 255, SPEC)
        found = [
            _sample(str(number), hu, mask) for hu, mask in zip(stored, drawn.mask, strict=True)
        ]
        samples += _some(found)
    return samples


def _sample(patient: str, hu: Floats, hint: NDArray[np.bool_]) -> Sample | None:
    if not hint.any():
        return None
    mask = outline(hu, hint)
    if np.count_nonzero(mask) * SPEC.pixel_mm**2 < LEAST_MM2:
        return None
    return Sample(patient=patient, hu=hu, mask=mask)


def _some(found: Sequence[Sample | None]) -> list[Sample]:
    large = [one for one in found if one is not None]
    if not large:
        return []
    picks = np.linspace(0, len(large) - 1, min(SLICES_A_PATIENT, len(large)))
    return [large[i] for i in np.unique(picks.round().astype(int))]


def contests(
    material: Material,
    real: Sequence[Sample],
    parts: Sequence[tuple[Collection[str], Collection[str]]],
    *,
    studies: int,
    seed: int,
) -> list[Contest]:
    """A contest for each (patients to learn on, patients to score on).

    Args:
        material: of all patients.
        real: slices of all patients.
        parts: the patients.
        studies: resynthesised to learn on; a third as many to score on.
        seed: of the studies.
    """
    found = []
    for place, (seen, held) in enumerate(parts):
        ours = material.of(seen)
        found.append(
            Contest(
                learn=(
                    [one for one in real if one.patient in seen],
                    drawn_samples(ours, seed=seed, studies=studies, rates=PUBLISHED),
                ),
                score=(
                    [one for one in real if one.patient in held],
                    drawn_samples(
                        ours.on(material.of(held)),
                        seed=seed + 1 + place,
                        studies=studies // 3,
                        rates=PUBLISHED,
                    ),
                ),
            )
        )
    return found


def judge(held: Sequence[Contest], *, seed: int, steps: int) -> dict[str, Any]:
    """AUC of every discriminator over the contests, with counts and the features' medians."""
    scored: dict[str, list[Scored]] = {}
    for one in held:
        for name, values in by_features(one, seed=seed).items():
            scored.setdefault(name, []).append(values)
        for member in range(NETWORKS if steps else 0):
            found = by_network(one, seed=NETWORKS * seed + member, steps=steps)
            scored.setdefault(f"network_{member + 1}", []).append(found)
    rates = {name: rated(parts, seed=seed) for name, parts in scored.items()}
    networks = [rate["auc"] for name, rate in rates.items() if name.startswith("network")]
    if networks:
        rates["networks_mean"] = {"auc": round(float(np.mean(networks)), 3)}
    real = [sample for one in held for sample in one.score[0]]
    drawn = [sample for one in held for sample in one.score[1]]
    return {
        "real_slices": len(real),
        "real_patients": len({sample.patient for sample in real}),
        "drawn_slices": len(drawn),
        **rates,
        "features": feature_table(real, drawn),
    }


def _is_rate(value: object) -> bool:
    return isinstance(value, dict) and "auc" in value


def phantom_samples(folder: Path, split: str, *, seed: int, studies: int) -> list[Sample]:
    """The same slices of phantom haematomas inserted into real slices (`hemx_core.data.inserted`)."""
    maker = InsertedMaker(seed=seed, source=folder, blood_free=0)
    numbers = [number for number in range(5 * studies + BLOCK) if maker.split(number) == split]
    samples = []
    for group in maker.groups(numbers[:studies]):
        for number in group:
            study = maker.make(number)
            found = [
                _sample(str(number), to_hu(image.astype(np.float32), SPEC), mask)
                for image, mask in zip(study.image, study.mask, strict=True)
            ]
            samples += _some(found)
    return samples


def sheet(samples: Sequence[Sample], *, numbered: bool = False) -> NDArray[np.uint8]:
    """Slices as tiles of 86 mm round the outline, enlarged, eight or five in a row."""
    tiles, columns = [], 5 if numbered else 8
    for place, one in enumerate(samples):
        row, column = (round(float(value)) for value in np.argwhere(one.mask).mean(0))
        tile = np.pad(one.hu, 48)[row : row + 96, column : column + 96]
        grey = np.clip(tile / 80 * 255, 0, 255).astype(np.uint8)
        large = cv2.resize(grey, (288, 288), interpolation=cv2.INTER_CUBIC)
        if numbered:
            cv2.putText(large, str(place), (4, 282), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255,), 1)
        tiles.append(large)
    while len(tiles) % columns:
        tiles.append(np.zeros_like(tiles[0]))
    lines = [cv2.hconcat(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.asarray(cv2.vconcat(lines), np.uint8)


def write_sheets(folder: Path, contest: Contest, *, seed: int, each: int = 20) -> None:
    """Real and resynthesised slices beside each other, and a shuffled set with its key for a blind test."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng((seed, 31))
    real, drawn = (
        [one_of[i] for i in rng.permutation(len(one_of))[:each]]
        for one_of in (_one_each(contest.score[0], rng), _one_each(contest.score[1], rng))
    )
    cv2.imwrite(str(folder / "real.png"), sheet(real))
    cv2.imwrite(str(folder / "drawn.png"), sheet(drawn))
    order = rng.permutation(len(real) + len(drawn))
    mixed = [[*real, *drawn][i] for i in order]
    cv2.imwrite(str(folder / "blind.png"), sheet(mixed, numbered=True))
    drawn_places = [int(i) for i in np.flatnonzero(order >= len(real))]
    write_whole(folder / "blind_key.json", json.dumps({"drawn": drawn_places}))


def _one_each(samples: Sequence[Sample], rng: np.random.Generator) -> list[Sample]:
    """Slices of every patient once or, where there are too few patients, twice."""
    order = rng.permutation(len(samples))
    rounds: dict[str, int] = {}
    ranked = []
    for i in order:
        rounds[samples[i].patient] = rounds.get(samples[i].patient, 0) + 1
        ranked.append((rounds[samples[i].patient], int(i)))
    return [samples[i] for _, i in sorted(ranked)][:20]


def main(
    studies: Annotated[int, typer.Option(min=6, help="Resynthesised, to learn on.")] = 120,
    steps: Annotated[int, typer.Option(min=0, help="Of the small network; 0: none.")] = 250,
    folds: Annotated[int, typer.Option(min=0, help="Also in so many folds; 0: not.")] = 4,
    drawn: Annotated[
        int, typer.Option(min=0, help="Also against so many drawn phantoms; 0: not.")
    ] = 0,
    test: Annotated[
        bool, typer.Option("--test", help="Score on the test patients: once, at the end.")
    ] = False,
    sheets: Annotated[
        Path | None, typer.Option(help="Folder of contact sheets: real patients, never committed.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of studies and discriminators.")] = 1,
    out: Annotated[Path, typer.Option(help="Result file.")] = Path(
        "benchmarks/results/lesion_realism.json"
    ),
) -> None:
    """Measure how well resynthesised haematomas are told from real ones on held-out patients."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    folder = phe_sich.data_folder()
    splits = phe_sich.split_patients(phe_sich.read_rows(folder))
    held = "test" if test else "validation"
    patients = [*splits["train"], *splits[held]]
    material = read_material(folder, patients, SPEC)
    real = real_samples(folder, patients)
    first = contests(
        material, real, [(splits["train"], splits[held])], studies=studies, seed=10 * seed
    )
    report: dict[str, Any] = {
        "provenance": provenance.provenance(seed=seed),
        "attribution": phe_sich.ATTRIBUTION,
        "studies": studies,
        "network_steps": steps,
        "gate": GATE,
        held: judge(first, seed=seed, steps=steps),
    }
    if folds and not test:
        parts = [set(part) for part in patient_folds(patients, folds)]
        pairs = [(set(patients) - part, part) for part in parts]
        held_out = contests(material, real, pairs, studies=studies, seed=10 * seed + 5)
        report["folds"] = judge(held_out, seed=seed, steps=steps)
    if drawn:
        phantoms = Contest(
            learn=(first[0].learn[0], phantom_samples(folder, "train", seed=1, studies=drawn)),
            score=(first[0].score[0], phantom_samples(folder, held, seed=1, studies=drawn // 3)),
        )
        report["drawn_phantoms"] = judge([phantoms], seed=seed, steps=steps)
    if sheets is not None:
        write_sheets(sheets, first[0], seed=seed)
    provenance.write_json(out, report)
    for name, found in report.items():
        if isinstance(found, dict) and "forest" in found:
            rates = {key: rate["auc"] for key, rate in found.items() if _is_rate(rate)}
            typer.echo(f"{name}: {rates}")
    typer.echo(f"-> {out}")

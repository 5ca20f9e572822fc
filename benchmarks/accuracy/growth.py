"""How well two studies tell haematoma expansion, on phantoms and in real slices with known growth.

python -m benchmarks growth evaluate --pairs 40
python -m benchmarks growth inserted --pairs 40
python -m benchmarks growth inserted --fold 0/5 --weights folds/0/segmenter.safetensors --pairs 24 \
    --out growth_0.json --errors growth_errors_0.json

`evaluate` scans drawn heads before and after a known growth and counts right answers, by the bundle's
interval of growth. `inserted` does so with haematomas in real slices (HEMX_DATA), and judges each patient's
pairs by an interval that the other patients give. With `--weights` it reads them by a trained segmenter
instead of a bundle; `--errors` writes what `benchmarks intervals` fits the bundle's interval to. Both keep
what they have measured and go on from there; other networks or patients start anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from export.networks import DECISION_NAME, default_weights
from hemx_core import provenance
from hemx_core.bundle.load import load_models
from hemx_core.costs import StageClock, Watch
from hemx_core.data import phe_sich
from hemx_core.data.inserted import source_index
from hemx_core.data.real_background import RealBackground, read_background
from hemx_core.errors import DatasetError
from hemx_core.imaging.prepare import prepare
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.intervals import GrowthInterval, Interval
from hemx_core.manifest import file_sha256
from hemx_core.measure.clean import clean_mask, find_components
from hemx_core.measure.estimate import VolumeEstimate, estimate_volume
from hemx_core.measure.expansion import DEFINITIONS, Answer, Definition, judge_growth
from hemx_core.phantoms import PhantomSpec, grow, make_phantom, random_site, random_spec
from hemx_core.phantoms.insert import Inserted, insert_pair, place
from hemx_core.pipeline import TriageModels, measure, segment
from hemx_core.records import Json
from hemx_core.runtime.desktop import DesktopBackend
from hemx_core.training.scoring.conformal import coverage_by_patient, fit_growth_interval
from hemx_core.training.scoring.volume_errors import GrowthRow, write_errors

SEED = 505
SPLIT = "test"
LARGEST_OUTSIDE = 0.2
"""A placement with more of the clot outside the brain or in fluid is drawn again."""
ATTEMPTS = 60
LEAST_SLICES = 5
FOLD_STEP = 10_000
"""Between the numbers of two folds' first pairs: each fold has haematomas of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One scan and its truth: mask bool, shape (slices, rows, columns), and volume in mL."""

    volume: HUVolume
    mask: NDArray[np.bool_]
    true_ml: float


def scans_with_growth(index: int, source: Path, patients: Sequence[str]) -> list[Scan]:
    """A patient's two scans: one in four without growth, else 0.8 to 2 times the volume.

    Args:
        index: draws patient, haematoma and growth.
        source: the folder of phe_sich.
        patients: whose slices are taken; the networks must not have seen them.
    Raises:
        DatasetError: no patient has room for a haematoma and its growth.
    """
    rng = np.random.default_rng([SEED, index])
    factor = 1.0 if rng.random() < 0.25 else float(rng.uniform(0.8, 2.0))
    for _ in range(ATTEMPTS):
        patient = str(rng.choice(list(patients)))
        real = _background(source, patient)
        drawn = random_spec(rng)
        if real is None or drawn.lesion is None:
            continue
        placed = place(real.background, drawn.lesion, rng, seed=drawn.seed)
        if placed is None or placed.outside + placed.fluid > LARGEST_OUTSIDE:
            continue
        pair = insert_pair(real.background, placed, factor, rng)
        if not all(phantom.mask.any() for phantom in pair):
            continue
        kept = clean_run(real.background.usable, pair[0].mask | pair[1].mask)
        if kept is not None:
            return [_scan(phantom, patient, kept) for phantom in pair]
    raise DatasetError(
        f"no room for pair {index} in {len(patients)} patients",
        expected="patients with lesion-free slices at the level of the basal ganglia",
        remedy="check the folder of phe_sich",
    )


def clean_run(usable: NDArray[np.bool_], mask: NDArray[np.bool_]) -> slice | None:
    """The unbroken run of lesion-free slices round a clot; None where the clot leaves it or it is short.

    The patient's own haematoma is covered only where the reference knows it. On other slices a part of it
    can show, and a scan that holds these slices would have more blood than its truth.

    Args:
        usable: lesion-free slices, shape (slices,).
        mask: the clot, shape (slices, rows, columns).
    """
    bloody = np.flatnonzero(mask.any((1, 2)))
    first, last = int(bloody[0]), int(bloody[-1]) + 1
    if not usable[first:last].all():
        return None
    while first > 0 and usable[first - 1]:
        first -= 1
    while last < len(usable) and usable[last]:
        last += 1
    return slice(first, last) if last - first >= LEAST_SLICES else None


def _scan(inserted: Inserted, patient: str, kept: slice) -> Scan:
    background = inserted.background
    pixel = background.pixel_mm
    volume = HUVolume(
        np.stack([inserted.hu(index) for index in range(kept.start, kept.stop)]),
        spacing_mm=(background.slice_mm, pixel, pixel),
        clipped_to_hu=background.window_hu,
        identity=SeriesIdentity(patient_id=patient, source="inserted"),
    )
    return Scan(volume, inserted.mask[kept], inserted.volume_ml)


@lru_cache(maxsize=4)
def _background(source: Path, patient: str) -> RealBackground | None:
    rows, _, boxed = source_index(source)
    return read_background(source, rows[patient], boxed)


RESULTS = Path("benchmarks/results")
EVALUATION_SEED = 404
MATRIX = 256
NEAR_POINTS = 5.0
"""A pair this near to a threshold, in points of the earlier volume, is not counted for "right"."""

app = typer.Typer(
    help="Measure haematoma expansion where the truth is known.",
    no_args_is_help=True,
    add_completion=False,
)
Bundle = Annotated[Path | None, typer.Option(help="Model bundle; the shipped one by default.")]


def before_and_after(index: int) -> list[PhantomSpec]:
    """A head and its follow-up: one in four without growth, else 0.8 to 2 times; one in three elsewhere."""
    rng = np.random.default_rng([EVALUATION_SEED, index])
    first = random_spec(rng, matrix=MATRIX)
    factor = 1.0 if rng.random() < 0.25 else float(rng.uniform(0.8, 2.0))
    later = grow(first, factor)
    if rng.random() < 1 / 3:
        later = replace(later, site=random_site(rng, matrix=MATRIX))
    return [first, later]


def scan(spec: PhantomSpec) -> Scan:
    """Scan a phantom."""
    phantom = make_phantom(spec)
    return Scan(phantom.volume, phantom.mask, phantom.haematoma_volume_ml)


Read = Callable[[HUVolume], NDArray[np.bool_]]
"""A volume to its mask as triage reports it."""


def bundle_reader(models: TriageModels) -> Read:
    """Reads as triage does."""

    def read(volume: HUVolume) -> NDArray[np.bool_]:
        watch = Watch(StageClock(), None)
        found = segment(prepare(volume, models.manifest.preprocessing), models, watch)
        return measure(found.mask, volume, models.manifest, watch).mask

    return read


def weights_reader(weights: Path, decision: Path) -> Read:
    """Reads by a trained segmenter, as triage would with the rules of a `decision.json`."""
    from hemx_core.nn.inference import segment_slice
    from hemx_core.nn.weights import load_segmenter
    from hemx_core.training.scoring.segmenters import native_probabilities

    rules: Json = json.loads(decision.read_text(encoding="utf-8"))
    spec = PreprocessingSpec.from_json(rules["preprocessing"])
    network = load_segmenter(weights)

    def read(volume: HUVolume) -> NDArray[np.bool_]:
        found = native_probabilities(lambda image: segment_slice(network, image)[0], volume, spec)
        mask = found >= rules["mask_threshold"]
        return clean_mask(mask, volume, min_component_ml=rules["min_component_ml"]).mask

    return read


def measure_scan(scanned: Scan, read: Read) -> Json:
    """Segment and measure a scan; truth beside it."""
    mask, geometry = read(scanned.volume), scanned.volume.geometry
    both = np.count_nonzero(mask) + np.count_nonzero(scanned.mask)
    return {
        "patient": scanned.volume.identity.patient_id,
        "true_ml": round(scanned.true_ml, 4),
        "volume_ml": round(estimate_volume(mask, geometry, None).volume_ml, 4),
        "components": len(find_components(mask, geometry).volumes_ml),
        "dice": round(2 * np.count_nonzero(mask & scanned.mask) / both, 4),
    }


def gather(
    out: Path, count: int, scans: Callable[[int], list[Scan]], read: Read, made_of: Json
) -> list[list[Json]]:
    """Measure `count` sets of studies, going on with what the file holds that is made of the same.

    Args:
        out: the result file.
        count: of sets.
        scans: a set's studies, by its number.
        read: see `Read`.
        made_of: what the sets depend on, JSON values.
    """
    cv2.setNumThreads(1)
    known: Json = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    same = all(known.get(name) == value for name, value in made_of.items())
    sets: list[list[Json]] = known.get("sets", []) if same else []
    for index in range(len(sets), count):
        sets.append([measure_scan(one, read) for one in scans(index)])
        provenance.write_json(out, {**made_of, "sets": sets})
        shown = ", ".join(f"{one['volume_ml']:.1f} of {one['true_ml']:.1f}" for one in sets[-1])
        typer.echo(f"{index + 1}/{count}: {shown} mL")
    return sets


@app.command()
def evaluate(
    pairs: Annotated[int, typer.Option(min=3, help="Heads, each scanned before and after.")] = 40,
    models: Bundle = None,
    out: Annotated[Path, typer.Option(help="Result file.")] = RESULTS / "growth.json",
) -> None:
    """Count right answers on expansion of drawn heads, by the bundle's interval of growth."""
    with load_models(models, DesktopBackend(threads=1)) as loaded:
        manifest = loaded.manifest
        made_of = {"segmenter": manifest.segmenter.sha256}
        sets = gather(
            out,
            pairs,
            lambda index: [scan(phantom) for phantom in before_and_after(index)],
            bundle_reader(loaded),
            made_of,
        )
    _write(out, sets, made_of, [manifest.growth_interval] * len(sets), seed=EVALUATION_SEED)


@app.command()
def inserted(
    pairs: Annotated[int, typer.Option(min=3, help="Pairs of scans in real slices.")] = 40,
    models: Bundle = None,
    weights: Annotated[
        Path | None, typer.Option(help="A trained segmenter instead of a bundle.")
    ] = None,
    decision: Annotated[
        Path | None, typer.Option(help="Rules for its masks; those of the shipped weights.")
    ] = None,
    fold: Annotated[
        str, typer.Option(help="Slices of a fold's patients, as 0/5; else of the test patients.")
    ] = "",
    errors: Annotated[
        Path | None, typer.Option(help="Also write the errors, for `benchmarks intervals`.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Result file.")] = RESULTS / "growth_inserted.json",
) -> None:
    """Count right answers on expansion of haematomas in real slices (HEMX_DATA)."""
    source = phe_sich.data_folder()
    number, chosen = held_out(source, fold)
    first = FOLD_STEP * (number or 0)

    def scans(index: int) -> list[Scan]:
        return scans_with_growth(first + index, source, chosen)

    made_of: Json = {"patients": chosen, "fold": number}
    if weights is not None:
        made_of["segmenter"] = file_sha256(weights)
        read = weights_reader(weights, decision or default_weights() / DECISION_NAME)
        sets = gather(out, pairs, scans, read, made_of)
    else:
        with load_models(models, DesktopBackend(threads=1)) as loaded:
            made_of["segmenter"] = loaded.manifest.segmenter.sha256
            sets = gather(out, pairs, scans, bundle_reader(loaded), made_of)
    rows = growth_rows(sets, fold=number)
    if errors is not None:
        write_errors(errors, growths=rows, about={"growth": "haematomas drawn into real slices"})
    _write(out, sets, made_of, intervals_of_others(rows), seed=SEED)


def held_out(source: Path, fold: str) -> tuple[int | None, list[str]]:
    """Number and patients of a fold, or the test patients; those with a reference mask.

    Raises:
        DatasetError: no such fold.
    """
    rows, splits, _boxed = source_index(source)
    chosen = phe_sich.read_fold(fold)
    if chosen is None:
        return None, splits[SPLIT]
    whole = {patient for patients in splits.values() for patient in patients}
    held = phe_sich.split_by_fold(rows, chosen)["test"]
    return chosen.number, [patient for patient in held if patient in whole]


def growth_rows(sets: Sequence[Sequence[Json]], *, fold: int | None = None) -> list[GrowthRow]:
    """The pairs as rows for `hemx_core.training.scoring.conformal`."""
    return [
        GrowthRow(
            patient=earlier["patient"],
            fold=fold,
            earlier_ml=earlier["volume_ml"],
            later_ml=later["volume_ml"],
            true_earlier_ml=earlier["true_ml"],
            true_later_ml=later["true_ml"],
        )
        for earlier, later in sets
    ]


def intervals_of_others(rows: Sequence[GrowthRow]) -> list[GrowthInterval | None]:
    """For each pair the interval that the other patients' pairs give; None where they are too few."""
    found: dict[str, GrowthInterval | None] = {}
    for name in {row.patient for row in rows}:
        try:
            found[name] = fit_growth_interval([row for row in rows if row.patient != name])
        except DatasetError:
            found[name] = None
    return [found[row.patient] for row in rows]


def _write(
    out: Path,
    sets: list[list[Json]],
    made_of: Json,
    measured: Sequence[GrowthInterval | None],
    *,
    seed: int,
) -> None:
    scores = score(sets, measured)
    report = {"provenance": provenance.provenance(seed=seed), **scores, **made_of, "sets": sets}
    provenance.write_json(out, report)
    for code, definition in scores["definitions"].items():
        typer.echo(f"{code}: {definition}")
    typer.echo(f"Coverage: {scores['coverage']} -> {out}")


def score(sets: Sequence[Sequence[Json]], measured: Sequence[GrowthInterval | None]) -> Json:
    """Answers by definition, and how often the intervals of growth hold the truth.

    Args:
        sets: pairs of studies.
        measured: the interval by which each pair is judged.
    """
    pairs = [
        _Pair(*scans, measured=interval) for scans, interval in zip(sets, measured, strict=True)
    ]
    definitions = {}
    for definition in DEFINITIONS:
        clear = [pair for pair in pairs if not pair.is_near(definition)]
        right = [pair.answer(definition) == pair.truth(definition) for pair in clear]
        unsure = [pair.answer(definition) is Answer.INDETERMINATE for pair in clear]
        point = [pair.point_answer(definition) == pair.truth(definition) for pair in clear]
        definitions[definition.code] = {
            "clear_pairs": len(clear),
            "expanded": sum(pair.truth(definition) is Answer.YES for pair in clear),
            "right_by_point_estimate": _share(point),
            "right": _share(right),
            "indeterminate": _share(unsure),
            "right_among_decided": _share(
                [yes for yes, open_ in zip(right, unsure, strict=True) if not open_]
            ),
        }
    covered = {
        "growth_ml": [pair.ml_covered for pair in pairs],
        "growth_percent": [pair.percent_covered for pair in pairs],
    }
    coverage = {name: _coverage(hits, sets) for name, hits in covered.items()}
    return {"pairs": len(pairs), "definitions": definitions, "coverage": coverage}


class _Pair:
    """Two measured studies with their truth."""

    def __init__(self, earlier: Json, later: Json, *, measured: GrowthInterval | None) -> None:
        self.true = (earlier["true_ml"], later["true_ml"])
        volumes = (VolumeEstimate(volume_ml=study["volume_ml"]) for study in (earlier, later))
        self.growth = judge_growth(*volumes, measured=measured)

    @property
    def true_ml(self) -> float:
        return float(self.true[1] - self.true[0])

    @property
    def true_percent(self) -> float:
        return 100 * self.true_ml / float(self.true[0])

    def is_near(self, definition: Definition) -> bool:
        """Within `NEAR_POINTS` of one of the definition's limits."""
        points = [] if definition.percent is None else [self.true_percent - definition.percent]
        if definition.ml is not None:
            points.append(100 * (self.true_ml - definition.ml) / self.true[0])
        return min(map(abs, points)) < NEAR_POINTS

    def truth(self, definition: Definition) -> Answer:
        return _reached(definition, self.true_percent, self.true_ml)

    def point_answer(self, definition: Definition) -> Answer:
        """The answer without regard to uncertainty."""
        return _reached(definition, self.growth.percent, self.growth.ml)

    def answer(self, definition: Definition) -> Answer:
        return self.growth.answers[definition.code]

    @property
    def ml_covered(self) -> bool | None:
        return _holds(self.growth.ml_interval, self.true_ml)

    @property
    def percent_covered(self) -> bool | None:
        return _holds(self.growth.percent_interval, self.true_percent)


def _holds(interval: Interval | None, truth: float) -> bool | None:
    return None if interval is None else bool(interval[0] <= truth <= interval[1])


def _coverage(hits: Sequence[bool | None], sets: Sequence[Sequence[Json]]) -> Json | None:
    """Share of the pairs with an interval; patients are drawn for the share's own."""
    known = [
        (hit, earlier["patient"])
        for hit, (earlier, _later) in zip(hits, sets, strict=True)
        if hit is not None
    ]
    if not known:
        return None
    return coverage_by_patient(*(np.array(column) for column in zip(*known, strict=True)))


def _reached(definition: Definition, percent: float | None, ml: float) -> Answer:
    by_percent = (
        definition.percent is not None and percent is not None and percent >= definition.percent
    )
    by_ml = definition.ml is not None and ml >= definition.ml
    return Answer.YES if by_percent or by_ml else Answer.NO


def _share(hits: Sequence[bool]) -> float | None:
    return round(float(np.mean(hits)), 4) if len(hits) else None

"""Fit the intervals of `hemx_core.intervals` to measured errors, and measure how often they hold.

Every error is relative: |ln(truth / measured)| of a volume or of a ratio of two, or the error of a growth in
mL over the mean of both volumes. Its score is `relative / (1 + floor / size)`, and a width is the
ceil((n + 1) coverage)-th smallest of n scores: split conformal prediction with cross-validated errors (Vovk
2005; Lei et al. 2018, JASA 113:1094; Barber et al. 2021, Ann Stat 49:486, on why errors of folds may be used
for a network that was then fitted to all).

Coverage is measured by leaving out: a patient's rows are judged by widths of the other patients' scores,
with the floor chosen on those too. For one row a patient and a floor that is given, that is ceil(n coverage)
/ n in every group by construction, so it says little by itself. Coverage by size, and of folds that were left
out as a whole, says where intervals fail.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import DatasetError
from hemx_core.intervals import GrowthInterval, VolumeInterval, Width
from hemx_core.training.scoring.intervals import cluster_draws, from_draws, wilson
from hemx_core.training.scoring.predictions import Array
from hemx_core.training.scoring.volume_errors import GrowthRow, VolumeRow
from hemx_core.training.scoring.weighted import weighted_mean

COVERAGE = 0.9
FLOORS_ML = (0.0, 0.25, 0.5, 1.0, 2.0)
"""To choose from, by `choose_floor`."""
DRAWS, SEED = 2000, 1

Names = NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """Relative errors of measured rows.

    Args:
        relative: at least 0, infinite where no interval can hold the truth, shape (rows,).
        size_ml: what the floor is compared with, more than 0, shape (rows,).
        group: rows of one group share a width, shape (rows,).
        patient: whose each row is, shape (rows,).
    """

    relative: Array
    size_ml: Array
    group: NDArray[np.intp]
    patient: Names

    def __len__(self) -> int:
        return len(self.relative)

    def scores(self, floor_ml: float) -> Array:
        """What widths are quantiles of, shape (rows,)."""
        return self.relative / self.scale(floor_ml)

    def scale(self, floor_ml: float) -> Array:
        """Width of the interval at each row, for a width of 1, shape (rows,)."""
        return 1 + floor_ml / self.size_ml

    def part(self, rows: NDArray[np.bool_]) -> Errors:
        """Some of the rows."""
        return Errors(self.relative[rows], self.size_ml[rows], self.group[rows], self.patient[rows])


def errors_of_volumes(rows: Sequence[VolumeRow]) -> Errors:
    """Errors of volumes in two groups: 0 in one component, 1 in several.

    Patients in whom nothing was found have no interval, and are left out.
    """
    found = [row for row in rows if row.predicted_ml > 0]
    return Errors(
        np.array([_log_ratio(row.reference_ml, row.predicted_ml) for row in found], np.float64),
        np.array([row.predicted_ml for row in found], np.float64),
        np.array([row.components > 1 for row in found], np.intp),
        np.array([row.patient for row in found], np.str_),
    )


def errors_of_ratios(rows: Sequence[GrowthRow]) -> Errors:
    """Errors of later over earlier volume; pairs in which a volume is 0 have no such interval."""
    found = [row for row in rows if min(row.earlier_ml, row.later_ml) > 0]
    relative = [
        _log_ratio(row.true_later_ml / row.true_earlier_ml, row.later_ml / row.earlier_ml)
        for row in found
    ]
    return Errors(
        np.array(relative, np.float64),
        np.array([min(row.earlier_ml, row.later_ml) for row in found], np.float64),
        np.zeros(len(found), np.intp),
        np.array([row.patient for row in found], np.str_),
    )


def errors_of_growths(rows: Sequence[GrowthRow]) -> Errors:
    """Errors of later minus earlier volume, over the mean of both; pairs without any blood are left out."""
    found = [row for row in rows if row.earlier_ml + row.later_ml > 0]
    means = np.array([(row.earlier_ml + row.later_ml) / 2 for row in found], np.float64)
    errors = [
        row.true_later_ml - row.true_earlier_ml - (row.later_ml - row.earlier_ml) for row in found
    ]
    return Errors(
        np.abs(np.array(errors, np.float64)) / means,
        means,
        np.zeros(len(found), np.intp),
        np.array([row.patient for row in found], np.str_),
    )


def _log_ratio(truth: float, measured: float) -> float:
    return abs(math.log(truth / measured)) if truth > 0 else math.inf


def quantile(scores: Array, coverage: float) -> float:
    """The ceil((n + 1) coverage)-th smallest of n scores; infinite where n is too small."""
    # Rounded first: 0.9 * 30 is a hair above 27 in binary.
    rank = math.ceil(round((len(scores) + 1) * coverage, 9))
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else math.inf


def widths(errors: Errors, floor_ml: float, coverage: float) -> dict[int, float]:
    """The width of each group; one that is too small for any has that of all rows together."""
    scores = errors.scores(floor_ml)
    whole = quantile(scores, coverage)
    found = {}
    for group in (0, 1):
        own = quantile(scores[errors.group == group], coverage)
        found[group] = own if math.isfinite(own) else whole
    return found


def inside(errors: Errors, floor_ml: float, width: dict[int, float]) -> NDArray[np.bool_]:
    """Whether the truth lies in each row's interval, shape (rows,)."""
    return np.asarray(errors.relative <= half_widths(errors, floor_ml, width))


def half_widths(errors: Errors, floor_ml: float, width: dict[int, float]) -> Array:
    """Half of each row's interval, as `relative` is measured, shape (rows,)."""
    own = np.array([width[int(group)] for group in errors.group], np.float64)
    return np.asarray(own * errors.scale(floor_ml))


def choose_floor(errors: Errors, coverage: float, floors: Sequence[float] = FLOORS_ML) -> float:
    """The floor of the lowest interval score, each patient judged by the others' widths.

    The interval score (Gneiting and Raftery 2007) is the interval's width and 2 / (1 - coverage) times what
    the truth lies outside by; of intervals that are right as often, it prefers the narrower ones.
    """

    parts = _each(errors)
    relative = np.concatenate([held.relative for _rest, held in parts])
    known = np.isfinite(relative)

    def total_score(floor: float) -> float:
        half = np.concatenate(
            [half_widths(held, floor, widths(rest, floor, coverage)) for rest, held in parts]
        )[known]
        outside = np.maximum(relative[known] - half, 0.0)
        return float((2 * half + 2 / (1 - coverage) * outside).sum())

    return min(floors, key=total_score)


def _each(errors: Errors) -> list[tuple[Errors, Errors]]:
    """For each patient: the others' rows, and the patient's own."""
    names = np.unique(errors.patient)
    if len(names) < 2:
        raise DatasetError(
            f"errors of {len(names)} patients",
            expected="those of many: an interval of 90 % takes at least nine",
            remedy="measure more patients",
        )
    return [
        (errors.part(errors.patient != name), errors.part(errors.patient == name)) for name in names
    ]


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """Rows as they were judged without themselves.

    Args:
        errors: the rows, by patient.
        half: half of each interval, shape (rows,).
    """

    errors: Errors
    half: Array

    @property
    def hits(self) -> NDArray[np.bool_]:
        """Whether the truth lies inside, shape (rows,)."""
        return np.asarray(self.errors.relative <= self.half)


def leave_out(errors: Errors, coverage: float, *, floor_ml: float | None = None) -> LeftOut:
    """Judge every patient by widths, and by a floor, that the other patients give.

    Args:
        errors: of all patients.
        coverage: nominal.
        floor_ml: a floor that is not chosen.
    """
    halves, rows = [], []
    for rest, held in _each(errors):
        floor = choose_floor(rest, coverage) if floor_ml is None else floor_ml
        halves.append(half_widths(held, floor, widths(rest, floor, coverage)))
        rows.append(held)
    joined = Errors(
        *(
            np.concatenate([getattr(one, name) for one in rows])
            for name in ("relative", "size_ml", "group", "patient")
        )
    )
    return LeftOut(joined, np.concatenate(halves))


def fit_volume_interval(rows: Sequence[VolumeRow], *, coverage: float = COVERAGE) -> VolumeInterval:
    """The interval for the manifest.

    Raises:
        DatasetError: too few errors, or too many without any reference to hold.
    """
    errors = errors_of_volumes(rows)
    floor = choose_floor(errors, coverage)
    return VolumeInterval(
        coverage=coverage,
        floor_ml=floor,
        one=_width(errors, floor, coverage, 0),
        several=_width(errors, floor, coverage, 1),
    )


def fit_growth_interval(rows: Sequence[GrowthRow], *, coverage: float = COVERAGE) -> GrowthInterval:
    """The interval for the manifest.

    Raises:
        DatasetError: too few errors.
    """
    ratio, ml = errors_of_ratios(rows), errors_of_growths(rows)
    ratio_floor, ml_floor = (choose_floor(one, coverage) for one in (ratio, ml))
    return GrowthInterval(
        coverage=coverage,
        ratio=_width(ratio, ratio_floor, coverage, 0),
        ratio_floor_ml=ratio_floor,
        ml=_width(ml, ml_floor, coverage, 0),
        ml_floor_ml=ml_floor,
    )


def _width(errors: Errors, floor_ml: float, coverage: float, group: int) -> Width:
    """Rounded up, so that rounding leaves nobody out."""
    width = widths(errors, floor_ml, coverage)[group]
    own = int(np.count_nonzero(errors.group == group))
    enough = math.isfinite(quantile(errors.scores(floor_ml)[errors.group == group], coverage))
    if not math.isfinite(width):
        least = math.ceil(round(1 / (1 - coverage), 9)) - 1
        raise DatasetError(
            f"no finite interval of {len(errors)} errors",
            expected=f"errors of at least {least} patients with a reference",
            remedy="measure more patients",
        )
    return Width(width=math.ceil(width * 1e5) / 1e5, errors=own if enough else len(errors))


def coverage_of(hits: NDArray[np.bool_]) -> dict[str, object]:
    """Share of hits with its 95 % interval (Wilson), for JSON; rows are taken as independent."""
    return {"rows": len(hits), **wilson(int(hits.sum()), len(hits)).to_json()}


def coverage_by_patient(hits: NDArray[np.bool_], patient: Names) -> dict[str, object]:
    """The same where patients have several rows: a bootstrap that draws patients."""
    number = np.unique(patient, return_inverse=True)[1].astype(np.int64)
    draws = cluster_draws(number, draws=DRAWS, seed=SEED)
    estimate = from_draws(weighted_mean(hits.astype(np.float64), draws))
    return {"rows": len(hits), "patients": int(number.max() + 1), **estimate.to_json()}

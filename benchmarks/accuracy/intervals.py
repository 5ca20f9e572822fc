"""`intervals`: fit the intervals of volume and growth to cross-validated errors, and measure their coverage.

python -m benchmarks intervals --errors folds.json --errors fold0_growth.json --errors fold1_growth.json ... \
    [--check test.json] [--decision hemx_core/weights/decision.json]

The files have the format of `hemx_core.training.scoring.volume_errors`: volumes of patients beside the
derived reference, and pairs with known growth, each read by networks that had not seen the patient. The
answer goes to `benchmarks/results/intervals.json`, a table of it into docs/accuracy.md (`benchmarks pages`),
and with `--decision` the two records into the file from which the export takes them into the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from hemx_core import provenance
from hemx_core.intervals import VolumeInterval
from hemx_core.records import Json, to_values
from hemx_core.training.scoring.conformal import (
    COVERAGE,
    Errors,
    LeftOut,
    coverage_by_patient,
    coverage_of,
    errors_of_growths,
    errors_of_ratios,
    errors_of_volumes,
    fit_growth_interval,
    fit_volume_interval,
    half_widths,
    leave_out,
)
from hemx_core.training.scoring.predictions import Array, rounded
from hemx_core.training.scoring.volume_errors import GrowthRow, VolumeRow, read_errors

RESULTS = Path("benchmarks/results")
THIRDS = ("smallest third", "middle third", "largest third")


def main(
    errors: Annotated[
        list[Path], typer.Option(help="A file of errors; may be given several times.")
    ],
    check: Annotated[
        list[Path] | None, typer.Option(help="Errors of other patients: judged, never fitted to.")
    ] = None,
    decision: Annotated[
        Path | None, typer.Option(help="A decision.json that the intervals are written into.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Result file.")] = RESULTS / "intervals.json",
) -> None:
    """Fit the intervals of volume and growth to cross-validated errors, and measure their coverage."""
    found, others = read_errors(*errors), read_errors(*(check or ()))
    report: Json = {"provenance": provenance.provenance(), "about": found.about}
    if found.volumes:
        report["volume"] = judge_volumes(found.volumes, others.volumes)
    if found.growths:
        report["growth"] = judge_growths(found.growths)
    provenance.write_json(out, report)
    if decision is not None:
        fitted = {
            f"{name}_interval": report[name]["interval"]
            for name in ("volume", "growth")
            if name in report
        }
        # Put beside the others, and not into them: a record is written as a whole.
        known = json.loads(decision.read_text(encoding="utf-8"))
        provenance.write_json(decision, known | fitted)
    for line in _told(report):
        typer.echo(line)
    typer.echo(f"-> {out}")


def judge_volumes(rows: Sequence[VolumeRow], others: Sequence[VolumeRow] = ()) -> Json:
    """The interval of a volume, its coverage of patients left out, and its width.

    Args:
        rows: cross-validated.
        others: patients that the interval is not fitted to.
    Returns:
        JSON values. `median_width` is the interval's width over the volume. A patient with blood in whom
        nothing was found has no interval; `not_found` counts them.
    Raises:
        DatasetError: too few patients.
    """
    found = [row for row in rows if row.predicted_ml > 0]
    errors, interval = errors_of_volumes(rows), fit_volume_interval(rows)
    left_out = leave_out(errors, COVERAGE)
    number = {name: place for place, name in enumerate(left_out.errors.patient)}
    order = np.array([number[row.patient] for row in found], np.intp)
    hits, half = left_out.hits[order], left_out.half[order]
    parts = {
        "all": np.ones(len(found), np.bool_),
        "one component": errors.group == 0,
        "several components": errors.group == 1,
        **dict(zip(THIRDS, _thirds(errors.size_ml), strict=True)),
    }
    report: Json = {
        "interval": to_values(interval),
        "patients": len(rows),
        "not_found": sum(row.predicted_ml <= 0 < row.reference_ml for row in rows),
        "error_ml_median": rounded(
            np.median([abs(row.predicted_ml - row.reference_ml) for row in rows])
        ),
        "false_ml_mean": rounded(float(np.mean([row.false_ml for row in rows]))),
        "parts": {
            name: {
                **coverage_of(hits[part]),
                "median_width": _median(2 * np.sinh(half[part])),
            }
            for name, part in parts.items()
        },
        "folds_left_out": coverage_of(_folds_left_out(rows, errors)),
        "per_patient": [
            {
                "patient": row.patient,
                "predicted_ml": row.predicted_ml,
                "reference_ml": row.reference_ml,
                "components": row.components,
                "interval_ml": [rounded(row.predicted_ml * np.exp(sign * own)) for sign in (-1, 1)],
                "inside": bool(hit),
            }
            for row, own, hit in zip(found, half, hits, strict=True)
        ],
    }
    if others:
        report["check"] = _check(others, interval)
    return report


def judge_growths(rows: Sequence[GrowthRow]) -> Json:
    """The interval of a growth, and its coverage where each patient's pairs are left out together.

    Raises:
        DatasetError: too few pairs.
    """
    interval = fit_growth_interval(rows)
    judged: dict[str, LeftOut] = {
        "percent": leave_out(errors_of_ratios(rows), COVERAGE),
        "ml": leave_out(errors_of_growths(rows), COVERAGE),
    }
    return {
        "interval": to_values(interval),
        "pairs": len(rows),
        "patients": len({row.patient for row in rows}),
        **{
            name: {
                **coverage_by_patient(one.hits, one.errors.patient),
                "median_half_width": _median(one.half),
            }
            for name, one in judged.items()
        },
    }


def _folds_left_out(rows: Sequence[VolumeRow], errors: Errors) -> NDArray[np.bool_]:
    """Whether each patient of a fold is held by what the other folds give, shape (rows,)."""
    folds = np.array([str(row.fold) for row in rows if row.predicted_ml > 0], np.str_)
    if len(np.unique(folds)) < 3:
        return np.zeros(0, np.bool_)
    whole = Errors(errors.relative, errors.size_ml, errors.group, folds)
    return leave_out(whole, COVERAGE).hits


def _check(others: Sequence[VolumeRow], interval: VolumeInterval) -> Json:
    errors = errors_of_volumes(others)
    width = {0: interval.one.width, 1: interval.several.width}
    half = half_widths(errors, interval.floor_ml, width)
    return {
        **coverage_of(errors.relative <= half),
        "median_width": _median(2 * np.sinh(half)),
    }


def _thirds(sizes: Array) -> list[NDArray[np.bool_]]:
    place = np.argsort(np.argsort(sizes)) * len(THIRDS) // max(len(sizes), 1)
    return [place == third for third in range(len(THIRDS))]


def _median(values: Array) -> float | None:
    return rounded(np.median(values)) if len(values) else None


def _told(report: Json) -> list[str]:
    lines = []
    if "volume" in report:
        volume, interval = report["volume"], report["volume"]["interval"]
        lines.append(f"volume: {interval}, not found {volume['not_found']}")
        lines += [f"  {name}: {part}" for name, part in volume["parts"].items()]
        lines.append(f"  folds left out: {volume['folds_left_out']}")
    if "growth" in report:
        growth = report["growth"]
        lines.append(f"growth: {growth['interval']}")
        lines += [f"  {name}: {growth[name]}" for name in ("percent", "ml")]
    return lines

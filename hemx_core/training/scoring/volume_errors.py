"""Volumes beside their truth, of patients that the networks had not seen: what intervals are fitted to.

Two kinds of rows, each in a JSON file of its own or both in one:

    {"format": "hemx.volume-errors", "version": 1, "about": {...},
     "volumes": [{"patient": "0015", "fold": 0, "predicted_ml": 12.92, "reference_ml": 12.50,
                  "components": 1, "false_ml": 0.0}, ...],
     "growths": [{"patient": "0015", "fold": 0, "earlier_ml": 10.7, "later_ml": 17.1,
                  "true_earlier_ml": 10.6, "true_later_ml": 17.7}, ...]}

Volumes are voxel volumes, mL, of masks as triage reports them. `fold` is that of the networks which read the
patient (they saw nothing of those in it); null where there are none. `components` are those of the mask,
`false_ml` is blood on slices without any in the reference. `about` says what they are: command, reference,
spacing.

An evaluation of folds writes the first kind so:

    rows = [row for fold, report in enumerate(reports) for row in volumes_of(report, fold=fold)]
    write_errors(Path("errors.json"), volumes=rows, about={"reference": ...})

where each report is what `segmenters.evaluate_masks` answers; `benchmarks growth inserted` writes the second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hemx_core.errors import DatasetError, cause
from hemx_core.provenance import write_json
from hemx_core.records import Json, RecordError, from_values, parse_json, to_values

FORMAT, VERSION = "hemx.volume-errors", 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRow:
    """One patient's volume; see the module."""

    patient: str
    fold: int | None
    predicted_ml: float
    reference_ml: float
    components: int
    false_ml: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthRow:
    """Two studies of one head with a known growth; see the module."""

    patient: str
    fold: int | None
    earlier_ml: float
    later_ml: float
    true_earlier_ml: float
    true_later_ml: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeErrors:
    """What a file holds."""

    volumes: tuple[VolumeRow, ...] = ()
    growths: tuple[GrowthRow, ...] = ()
    about: Json = field(default_factory=dict)


def volumes_of(report: Mapping[str, Any], *, fold: int | None) -> tuple[VolumeRow, ...]:
    """Rows of a report of `evaluate_masks`.

    Raises:
        DatasetError: its rows do not say how many components a mask has.
    """
    try:
        return tuple(
            VolumeRow(
                patient=row["patient"],
                fold=fold,
                predicted_ml=row["predicted_ml"],
                reference_ml=row["reference_ml"],
                components=row["components"],
                false_ml=row["false_ml"],
            )
            for row in report["per_patient"]
        )
    except KeyError as error:
        raise DatasetError(
            f"a report without {error}",
            expected="rows with patient, volumes, components and false blood",
            remedy="evaluate the masks again",
        ) from error


def write_errors(
    path: Path,
    *,
    volumes: Sequence[VolumeRow] = (),
    growths: Sequence[GrowthRow] = (),
    about: Json | None = None,
) -> None:
    """Write a file, whole or not at all.

    Raises:
        DatasetError: a patient's volume stands twice.
    """
    values = VolumeErrors(volumes=tuple(volumes), growths=tuple(growths), about=about or {})
    _check(values, path)
    write_json(path, {"format": FORMAT, "version": VERSION, **to_values(values)})


def read_errors(*paths: Path) -> VolumeErrors:
    """The rows of all files together; `about` is that of the first.

    Raises:
        DatasetError: a file cannot be read, or a patient's volume stands twice.
    """
    found = [_read(path) for path in paths]
    joined = VolumeErrors(
        volumes=tuple(row for one in found for row in one.volumes),
        growths=tuple(row for one in found for row in one.growths),
        about=found[0].about if found else {},
    )
    _check(joined, *paths)
    return joined


def _read(path: Path) -> VolumeErrors:
    try:
        values = parse_json(path.read_bytes())
        if (values.pop("format", None), values.pop("version", None)) != (FORMAT, VERSION):
            raise RecordError(f"not {FORMAT} of version {VERSION}")
        return from_values(VolumeErrors, values)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{path.name} cannot be read ({cause(error)})",
            expected=f"a file of the format {FORMAT}, version {VERSION}",
            remedy="write it by hemx_core.training.scoring.volume_errors.write_errors",
        ) from error


def _check(found: VolumeErrors, *paths: Path) -> None:
    names = [row.patient for row in found.volumes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(
            f"patients {', '.join(twice[:5])} stand twice in {', '.join(p.name for p in paths)}",
            expected="one volume a patient, by networks that have not seen him",
            remedy="give each fold's own patients only",
        )

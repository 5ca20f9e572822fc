"""A comparison of two studies as a JSON document; `comparison.schema.json` is its contract.

Needs no Rich: it is made on the tablet too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from hemx_core.compare import ComparisonResult
from hemx_core.measure.expansion import DEFINITIONS, Interval
from hemx_core.measure.uncertainty import VolumeEstimate
from hemx_core.report.deidentify import nameless_note
from hemx_core.report.json_report import DISCLAIMER, Json, to_document

FORMAT = "hemx.comparison"
SCHEMA_VERSION = 1


def comparison_schema() -> Json:
    """The JSON Schema (2020-12) of the document; its studies are documents of `hemx triage`."""
    text = files("hemx_core.report").joinpath("comparison.schema.json").read_text(encoding="utf-8")
    loaded: Json = json.loads(text)
    return loaded


def to_comparison_document(
    result: ComparisonResult,
    *,
    identify: bool = False,
    pictures: Sequence[str] = (),
    created_at: datetime | None = None,
) -> Json:
    """The document of a comparison, plain JSON values.

    Args:
        result: the comparison.
        identify: include what names the patient, in both studies.
        pictures: files written beside the document.
        created_at: when the document was made; now by default.
    """
    at = created_at or datetime.now(UTC)
    growth = result.growth
    identities = (result.earlier.identity, result.later.identity)
    notes = result.notes
    if not identify:
        for identity in identities:
            notes = tuple(nameless_note(note, identity) for note in notes)
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "created_at": at.isoformat(timespec="seconds"),
        "disclaimer": DISCLAIMER,
        "interval_hours": _rounded(result.interval_hours),
        "volumes": {
            "earlier": _volume(result.earlier_volume),
            "later": _volume(result.later_volume),
        },
        "growth": {
            "ml": _rounded(growth.ml),
            "ml_interval": _pair(growth.ml_interval),
            "percent": _rounded(growth.percent),
            "percent_interval": _pair(growth.percent_interval),
        },
        "expansion": {
            one.code: {"definition": one.text, "answer": growth.answers[one.code].value}
            for one in DEFINITIONS
        },
        "notes": [{"code": note.code, "message": note.message} for note in notes],
        "earlier": to_document(result.earlier, identify=identify, created_at=at),
        "later": to_document(result.later, identify=identify, created_at=at),
        "pictures": list(pictures),
    }


def _volume(one: VolumeEstimate) -> Json:
    return {
        "ml": _rounded(one.volume_ml),
        "interval_ml": _pair(one.interval_ml),
        "surface_mm2": round(one.surface_mm2, 1),
        "sampling_sd_ml": _rounded(one.sampling_sd_ml),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _pair(interval: Interval | None) -> list[Any] | None:
    return None if interval is None else [_rounded(one) for one in interval]

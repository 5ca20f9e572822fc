"""A triage result as a JSON document; `result.schema.json` is its contract.

A de-identified document has no names, identifiers, dates or files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from hemx_core.costs import peak_mib, start_up_seconds, study_seconds
from hemx_core.imaging.volume import SeriesIdentity, VolumeGeometry
from hemx_core.markers import MARKER_CODES
from hemx_core.measure.estimate import estimate_result
from hemx_core.measure.signs import SIGNS
from hemx_core.notes import Phrase, gravest_first
from hemx_core.records import Json
from hemx_core.report.folder import TRIAGE
from hemx_core.report.nameless import nameless_description, nameless_note
from hemx_core.result import (
    MarkerResult,
    SignResult,
    SliceResult,
    StageCost,
    TriageResult,
)
from hemx_core.words import tell
from hemx_core.words.plain import escaped
from hemx_core.words.report import TEXTS

FORMAT = TRIAGE.form
SCHEMA_VERSION = 3
DISCLAIMER = TEXTS["disclaimer"][0]


def schema() -> Json:
    """The JSON Schema (2020-12) of the document."""
    text = files("hemx_core.report").joinpath("result.schema.json").read_text(encoding="utf-8")
    loaded: Json = json.loads(text)
    return loaded


def to_document(
    result: TriageResult,
    *,
    identify: bool = False,
    pictures: Sequence[str] = (),
    created_at: datetime | None = None,
) -> Json:
    """The document of a result, plain JSON values.

    Args:
        result: the triage result.
        identify: include patient name and ID, UIDs, site, acquisition time and the input's path.
        pictures: files written beside the document, relative to its folder.
        created_at: when the document was made; now by default.
    """
    notes, reasons = result.notes, result.reasons
    if not identify:
        notes = tuple(nameless_note(note, result.identity) for note in notes)
        reasons = tuple(nameless_note(reason, result.identity) for reason in reasons)
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "created_at": (created_at or datetime.now(UTC)).isoformat(timespec="seconds"),
        "disclaimer": DISCLAIMER,
        "recommendation": {
            "code": result.recommendation.value,
            "reasons": [said(reason) for reason in reasons],
        },
        "notes": [said(note) for note in gravest_first(notes)],
        "input": _input(result.identity, result.geometry, result.mask.shape, identify=identify),
        "haematoma": _haematoma(result),
        "markers": {code: _marker(marker) for code, marker in result.markers.items()},
        "signs": {sign.code: _sign(sign) for sign in result.signs},
        "slices": [_slice(shown, result.geometry) for shown in result.slices],
        "versions": dict(result.versions),
        "costs": _costs(result.costs),
        "pictures": list(pictures),
    }


def said(phrase: Phrase) -> Json:
    """A note or reason: code, values (severity), and the English sentence."""
    return {**_rounded(phrase.to_json()), "message": tell(phrase)}


def _rounded(plain: Any) -> Any:
    """Numbers with four decimals, however deep."""
    if isinstance(plain, dict):
        return {name: _rounded(value) for name, value in plain.items()}
    if isinstance(plain, list):
        return [_rounded(value) for value in plain]
    return round(plain, 4) if isinstance(plain, float) else plain


def dumps(document: Json) -> str:
    """The document's text; control characters are escaped, NaN and infinity refused."""
    return escaped(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def short_hash(uid: str) -> str | None:
    """First 12 hexadecimal digits of a UID's SHA-256: joins results of one series, names nobody."""
    return hashlib.sha256(uid.encode("utf-8")).hexdigest()[:12] if uid else None


def _input(
    identity: SeriesIdentity,
    geometry: VolumeGeometry,
    shape: tuple[int, ...],
    *,
    identify: bool,
) -> Json:
    slices, rows, columns = shape
    description = identity.series_description
    if not identify:
        description = nameless_description(description, identity)
    thicknesses = sorted({round(float(thickness), 3) for thickness in geometry.slice_thickness_mm})
    summary: Json = {
        "series_description": description,
        "scanner": identity.scanner,
        "series_uid_sha256": short_hash(identity.series_uid),
        "study_uid_sha256": short_hash(identity.study_uid),
        "slices": slices,
        "rows": rows,
        "columns": columns,
        "spacing_mm": [round(value, 4) for value in geometry.spacing_mm],
        "slice_thicknesses_mm": thicknesses,
        "tilt_deg": round(geometry.tilt_deg, 2),
    }
    if identify:
        acquired = identity.acquired_at
        summary["identity"] = {
            "patient_name": identity.patient_name,
            "patient_id": identity.patient_id,
            "birth_date": identity.birth_date,
            "sex": identity.sex,
            "study_uid": identity.study_uid,
            "series_uid": identity.series_uid,
            "site": identity.site,
            "acquired_at": acquired.isoformat() if acquired else None,
            "source": identity.source,
        }
    return summary


def _haematoma(result: TriageResult) -> Json:
    haematoma, interval = result.haematoma, estimate_result(result).interval_ml
    return {
        "found": haematoma.volume_ml > 0,
        "volume_ml": round(haematoma.volume_ml, 3),
        "interval_ml": None if interval is None else [round(end, 3) for end in interval],
        "at_most_ml": None if haematoma.at_most_ml is None else round(haematoma.at_most_ml, 3),
        "lower_bound": haematoma.lower_bound,
        "abc2_volume_ml": round(haematoma.abc2_volume_ml, 3),
        "filled_ml": round(haematoma.filled_ml, 3),
        "component_volumes_ml": [round(volume, 3) for volume in haematoma.component_volumes_ml],
        "max_diameter_mm": round(haematoma.max_diameter_mm, 2),
        "mean_hu": None if haematoma.mean_hu is None else round(haematoma.mean_hu, 1),
    }


def _marker(marker: MarkerResult) -> Json:
    return {
        "probability": round(marker.probability, 4),
        "threshold": marker.threshold,
        "present": marker.present,
        "validated": marker.validated,
        "slice_index": marker.slice_index,
    }


def _sign(sign: SignResult) -> Json:
    return {
        "answer": sign_answer(sign),
        "quantity": SIGNS[sign.code].quantity,
        "value": None if sign.value is None else round(sign.value, 4),
        "unit": sign.unit,
        "threshold": sign.threshold,
        "present_from": "threshold up" if sign.at_least else "threshold down",
        "slice_index": sign.slice_index,
    }


def sign_answer(sign: SignResult) -> str:
    """The answer in a word: yes, no or undecided."""
    return {True: "yes", False: "no", None: "undecided"}[sign.present]


def _slice(shown: SliceResult, geometry: VolumeGeometry) -> Json:
    probabilities = dict(
        zip(MARKER_CODES, (round(value, 4) for value in shown.probabilities), strict=True)
        if shown.probabilities
        else ()
    )
    return {
        "index": shown.index,
        "offset_mm": round(float(geometry.slice_offsets_mm[shown.index]), 3),
        "blood_area_mm2": round(shown.blood_area_mm2, 2),
        "probabilities": probabilities or None,
    }


def _costs(costs: tuple[StageCost, ...]) -> Json:
    return {
        "stages": [
            {
                "name": cost.name,
                "seconds": round(cost.seconds, 4),
                "peak_rss_mib": round(cost.peak_rss_mib, 1),
            }
            for cost in costs
        ],
        "start_up_seconds": round(start_up_seconds(costs), 4),
        "study_seconds": round(study_seconds(costs), 4),
        "peak_rss_mib": round(peak_mib(costs), 1),
    }

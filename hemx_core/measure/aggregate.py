"""From slices to the patient: calibrated probabilities, markers, the recommendation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import ModelError
from hemx_core.manifest import MarkerSpec
from hemx_core.measure.doubts import Doubt, doubt, in_doubt
from hemx_core.measure.slices import aggregate
from hemx_core.notes import Note, Phrase, Reason
from hemx_core.result import Haematoma, MarkerResult, Recommendation

LARGE_HAEMATOMA_ML = 30.0
"""From here a haematoma is urgent whatever its markers (the volume cut of the ICH score, Hemphill
et al., Stroke 2001;32:891-897)."""


def calibrated_probabilities(
    logits: NDArray[np.float32], specs: Sequence[MarkerSpec]
) -> tuple[float, ...]:
    """Sigmoid of logit / temperature (temperature scaling, Guo et al. 2017).

    Args:
        logits: shape (markers,).
        specs: temperature of each marker, in the same order.
    Returns:
        One probability for each marker, in [0, 1].
    Raises:
        ModelError: wrong number of logits, or one that is not finite.
    """
    if logits.shape != (len(specs),) or not np.isfinite(logits).all():
        raise ModelError("logits", logits=str(np.asarray(logits).tolist()), needed=len(specs))
    return tuple(
        _calibrated(float(logit), spec.temperature)
        for logit, spec in zip(logits, specs, strict=True)
    )


def _calibrated(logit: float, temperature: float) -> float:
    # tanh form: does not overflow for large logits.
    return float(0.5 * (1 + np.tanh(0.5 * logit / temperature)))


def positive_share(cam: NDArray[np.float32]) -> NDArray[np.float32]:
    """The part of each map that speaks for its marker, scaled to a maximum of 1 (Grad-CAM's ReLU).

    Args:
        cam: shape (markers, k, k).
    Returns:
        Same shape, [0, 1]; all zero where nothing speaks for the marker.
    """
    positive = np.maximum(cam, 0, dtype=np.float32)
    peaks = positive.max(axis=(1, 2), keepdims=True)
    shares: NDArray[np.float32] = np.divide(
        positive, peaks, out=np.zeros_like(positive), where=peaks > 0
    )
    return shares


def patient_markers(
    logits: Mapping[int, Sequence[float]],
    areas_mm2: Sequence[float],
    specs: Sequence[MarkerSpec],
) -> dict[str, MarkerResult]:
    """The patient's markers: logits of slices to one, then temperature, then threshold.

    Args:
        logits: slice index to one logit for each marker, of the slices that were classified.
        areas_mm2: blood on every slice of the volume.
        specs: way from slices to patient, temperature and threshold of each marker, in the same order.
    Returns:
        One result for each marker; empty where no slice was classified. A marker is present from
        its threshold up. Which slice is shown of equal ones, see `hemx_core.measure.slices.aggregate`.
    """
    if not logits:
        return {}
    index = np.array(sorted(logits), dtype=np.int64)
    table = np.array([logits[slice_] for slice_ in index], dtype=np.float64)
    areas = np.array(areas_mm2, dtype=np.float64)[index]
    markers = {}
    for column, spec in zip(table.T, specs, strict=True):
        patient = aggregate(column, areas, index, spec.aggregation)
        probability = _calibrated(patient.logit, spec.temperature)
        markers[spec.code] = MarkerResult(
            code=spec.code,
            probability=probability,
            threshold=spec.threshold,
            present=probability >= spec.threshold,
            slice_index=int(index[patient.place]),
            validated=spec.validated,
        )
    return markers


def judge(volume_ml: float, *, any_marker: bool, notes: Iterable[Note] = ()) -> Recommendation:
    """What triage advises, from its facts; see the table in `recommend`.

    Args:
        volume_ml: voxel volume of the haematoma, the upper figure where there are two; 0 where none was
            found.
        any_marker: whether a validated marker is present.
        notes: of the study.
    """
    if volume_ml <= 0:
        hidden = Doubt.PICTURE in in_doubt(notes)
        return Recommendation.CANNOT_TELL if hidden else Recommendation.NO_HAEMATOMA_FOUND
    if any_marker or volume_ml >= LARGE_HAEMATOMA_ML:
        return Recommendation.CALL_NOW
    return Recommendation.DISCUSS


def recommend(
    haematoma: Haematoma, markers: Mapping[str, MarkerResult], notes: Sequence[Note] = ()
) -> tuple[Recommendation, tuple[Reason, ...]]:
    """What triage advises, and why.

    | finding | recommendation |
    | --- | --- |
    | no haematoma, on pictures that may hide one | CANNOT_TELL |
    | no haematoma | NO_HAEMATOMA_FOUND (which does not rule out haemorrhage) |
    | haematoma with any validated marker present, or of 30 mL and more | CALL_NOW |
    | any other haematoma | DISCUSS |

    A marker that is not shown to hold on real patients changes nothing: that it is present is told,
    and that it does not count.

    Args:
        haematoma: as measured. Of two figures for its volume the upper one counts.
        markers: the patient's markers.
        notes: of the study. What they put in doubt (`hemx_core.measure.doubts`) never lowers the advice.
    Returns:
        The recommendation and its reasons.
    """
    most_ml = haematoma.at_most_ml or haematoma.volume_ml
    present = [marker for marker in markers.values() if marker.present]
    counted = any(marker.validated for marker in present)
    recommendation = judge(most_ml, any_marker=counted, notes=notes)
    if recommendation is Recommendation.CANNOT_TELL:
        because = next(note for note in notes if Doubt.PICTURE in doubt(note))
        return recommendation, (
            Reason("cannot_tell", because=Phrase(because.code, **because.values)),
            Reason("look_or_scan_again"),
        )
    if recommendation is Recommendation.NO_HAEMATOMA_FOUND:
        return recommendation, (Reason("none_found"), Reason("not_ruled_out"))
    reasons = [_found(haematoma)]
    if most_ml >= LARGE_HAEMATOMA_ML:
        certain = haematoma.volume_ml >= LARGE_HAEMATOMA_ML
        code = "large_haematoma" if certain else "perhaps_large"
        reasons.append(Reason(code, limit_ml=LARGE_HAEMATOMA_ML))
    reasons.extend(
        Reason(
            "marker_present" if marker.validated else "marker_not_validated",
            marker=marker.code,
            probability=marker.probability,
            threshold=marker.threshold,
            slice=marker.slice_index + 1,
        )
        for marker in sorted(present, key=lambda marker: not marker.validated)
    )
    if recommendation is Recommendation.DISCUSS:
        every = all(marker.validated for marker in markers.values())
        calm = "nothing_urgent" if every else "nothing_validated_urgent"
        reasons.append(Reason(calm, limit_ml=LARGE_HAEMATOMA_ML))
    return recommendation, tuple(reasons)


def _found(haematoma: Haematoma) -> Reason:
    ml, most_ml = haematoma.volume_ml, haematoma.at_most_ml
    if haematoma.lower_bound:
        return Reason("haematoma_at_least", volume_ml=ml, at_most_ml=most_ml)
    if most_ml is not None:
        return Reason("haematoma_between", volume_ml=ml, at_most_ml=most_ml)
    return Reason("haematoma_found", volume_ml=ml)

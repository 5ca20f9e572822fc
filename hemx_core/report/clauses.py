"""What the markers say for the recommendation, as clauses that the referral and the app share."""

from __future__ import annotations

from collections.abc import Iterable

from hemx_core.result import MarkerResult
from hemx_core.words.report import Texts


def marker_clauses(markers: Iterable[MarkerResult], texts: Texts) -> list[str]:
    """Validated markers at or above their thresholds, or that there is none; then those that do not count.

    Args:
        markers: the patient's.
        texts: in the reader's language.
    """
    judged = list(markers)
    named = {
        validated: [
            texts.sign(marker.code).lower()
            for marker in judged
            if marker.present and marker.validated is validated
        ]
        for validated in (True, False)
    }
    none = "why_no_markers" if all(marker.validated for marker in judged) else "why_no_validated"
    counted = (
        texts("why_markers", markers=texts.joined(named[True])) if named[True] else texts(none)
    )
    others = texts("why_not_validated", markers=texts.joined(named[False]))
    return [counted, *[others] * bool(named[False])]

"""Haematoma expansion from two studies: growth, its uncertainty, and a three-way answer per definition.

| definition | expansion when | source |
| --- | --- | --- |
| he_30 | volume grew by 30 % or more | Okita and Hirano (the paper) |
| he_33_or_6ml | by 33 % or more, or by 6 mL or more | Brouwers 2014 |
| he_12_5ml | by 12.5 mL or more | Kazui 1996 |

Both studies are read by the same segmenter. What its two readings of one clot differ by is independent:
s1, s2 from `REPEAT_BOUNDARY_MM` and each study's sampling. What it always does (an outline too far in, a
dark part left out) is common: one boundary error of both, of standard deviation d = `ACCURACY_BOUNDARY_MM`.
With surfaces S1, S2 that changes the growth by d (S2 - S1) only, and the ratio's logarithm by
d (S2 / V2 - S1 / V1):

    growth in mL:  V2 - V1            -+ z sqrt(s1^2 + s2^2 + (d (S2 - S1))^2)
    ratio:         exp(ln(V2 / V1)    -+ z sqrt((s1 / V1)^2 + (s2 / V2)^2 + (d (S2 / V2 - S1 / V1))^2))

The answer is "yes" where the whole 90 % interval is at or above the threshold, "no" where it is below, and
"indeterminate" where it straddles. Where the later volume is a lower bound, because the pictures do not show
the whole region, only a "yes" stands: the growth is at least that. Where the earlier one is, none does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from hemx_core.measure.volume import (
    ACCURACY_BOUNDARY_MM,
    MM3_PER_ML,
    REPEAT_BOUNDARY_MM,
    Z_90,
    VolumeEstimate,
)

Interval = tuple[float, float]


class Answer(StrEnum):
    """Whether a haematoma expanded, as far as the two volumes can tell."""

    YES = "yes"
    NO = "no"
    INDETERMINATE = "indeterminate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A definition of expansion: reaching either limit is enough.

    Args:
        code: stable code.
        text: for people.
        percent: growth in per cent from which it holds; None where it has no such limit.
        ml: growth in mL from which it holds; None where it has no such limit.
    """

    code: str
    text: str
    percent: float | None
    ml: float | None


DEFINITIONS = (
    Definition(code="he_30", text="30 % or more", percent=30.0, ml=None),
    Definition(code="he_33_or_6ml", text="33 % or 6 mL or more", percent=33.0, ml=6.0),
    Definition(code="he_12_5ml", text="12.5 mL or more", percent=None, ml=12.5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Growth from the earlier to the later study, with 90 % intervals.

    Args:
        ml: growth in mL.
        ml_interval: its interval.
        percent: growth in per cent of the earlier volume; None where that is 0.
        percent_interval: its interval; None likewise.
        answers: definition code to answer.
    """

    ml: float
    ml_interval: Interval
    percent: float | None
    percent_interval: Interval | None
    answers: dict[str, Answer]


def judge_growth(
    earlier: VolumeEstimate,
    later: VolumeEstimate,
    *,
    earlier_whole: bool = True,
    later_whole: bool = True,
) -> Growth:
    """Compare two volumes of one haematoma.

    Args:
        earlier, later: the volumes.
        earlier_whole, later_whole: whether they are those of a whole haematoma; False where a volume is
            a lower bound.

    From an earlier volume of 0 growth in per cent is not defined: a definition by per cent alone is then
    indeterminate, and the others are judged by their mL.
    """
    first, second = (study.sd_ml(REPEAT_BOUNDARY_MM) for study in (earlier, later))
    ml = later.volume_ml - earlier.volume_ml
    common = ACCURACY_BOUNDARY_MM * (later.surface_mm2 - earlier.surface_mm2) / MM3_PER_ML
    half = Z_90 * float(np.linalg.norm([first, second, common]))
    ml_interval = (ml - half, ml + half)
    percent, percent_interval = _percent(earlier, later, first, second)
    answers = {
        definition.code: _either(
            _judge(percent_interval, definition.percent), _judge(ml_interval, definition.ml)
        )
        for definition in DEFINITIONS
    }
    if not (earlier_whole and later_whole):
        stands = {Answer.YES} if earlier_whole else set()
        answers = {
            code: answer if answer in stands else Answer.INDETERMINATE
            for code, answer in answers.items()
        }
    return Growth(
        ml=ml,
        ml_interval=ml_interval,
        percent=percent,
        percent_interval=percent_interval,
        answers=answers,
    )


def _percent(
    earlier: VolumeEstimate, later: VolumeEstimate, first: float, second: float
) -> tuple[float | None, Interval | None]:
    if earlier.volume_ml <= 0:
        return None, None
    if later.volume_ml <= 0:
        return -100.0, (-100.0, -100.0)
    ratio = later.volume_ml / earlier.volume_ml
    shares = [study.surface_mm2 / (study.volume_ml * MM3_PER_ML) for study in (earlier, later)]
    parts = (
        first / earlier.volume_ml,
        second / later.volume_ml,
        ACCURACY_BOUNDARY_MM * (shares[1] - shares[0]),
    )
    spread = Z_90 * float(np.linalg.norm(parts))
    low, high = (100 * (ratio * float(np.exp(sign * spread)) - 1) for sign in (-1, 1))
    return 100 * (ratio - 1), (low, high)


def _judge(interval: Interval | None, threshold: float | None) -> Answer | None:
    """The answer of one limit; None where there is no such limit or nothing to compare."""
    if threshold is None or interval is None:
        return None
    if interval[0] >= threshold:
        return Answer.YES
    return Answer.NO if interval[1] < threshold else Answer.INDETERMINATE


def _either(percent: Answer | None, ml: Answer | None) -> Answer:
    """Yes if either limit is reached, no if neither is, else indeterminate."""
    answers = {answer for answer in (percent, ml) if answer is not None}
    if Answer.YES in answers:
        return Answer.YES
    if not answers or Answer.INDETERMINATE in answers:
        return Answer.INDETERMINATE
    return Answer.NO

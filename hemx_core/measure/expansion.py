"""Haematoma expansion from two studies: growth, its uncertainty, and a three-way answer per definition.

| definition | expansion when | source |
| --- | --- | --- |
| he_30 | volume grew by 30 % or more | Okita and Hirano (the paper) |
| he_33_or_6ml | by 33 % or more, or by 6 mL or more | Brouwers 2014 |
| he_12_5ml | by 12.5 mL or more | Kazui 1996 |

The interval of a growth is measured as a whole, on pairs of studies with known growth, because much of an
error is the same in both (`hemx_core.intervals.GrowthInterval`, in the bundle's manifest):

    growth in mL:  V2 - V1       -+ half_width_ml(V1, V2)
    ratio:         V2 / V1 * exp(-+ log_spread(V1, V2))

What slices are missing may add to either volume, or take from it, and widens both. Without such a
measurement, or where two studies were read by networks of different ones, there is no interval.

The answer is "yes" where the whole 90 % interval is at or above the threshold, "no" where it is below, and
"indeterminate" where it straddles or there is none. Where the later volume is a lower bound, because the
pictures do not show the whole region, only a "yes" stands: the growth is at least that. Where the earlier one
is, none does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from hemx_core.intervals import GrowthInterval, Interval
from hemx_core.measure.estimate import VolumeEstimate


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
        ml_interval: its interval; None where the networks' errors were not measured.
        percent: growth in per cent of the earlier volume; None where that is 0.
        percent_interval: its interval; None in either case.
        answers: definition code to answer.
    """

    ml: float
    ml_interval: Interval | None
    percent: float | None
    percent_interval: Interval | None
    answers: dict[str, Answer]


def judge_growth(
    earlier: VolumeEstimate,
    later: VolumeEstimate,
    *,
    measured: GrowthInterval | None,
    earlier_whole: bool = True,
    later_whole: bool = True,
) -> Growth:
    """Compare two volumes of one haematoma.

    Args:
        earlier, later: the volumes.
        measured: how far the networks' growths are off; None where nobody measured it: all answers are then
            indeterminate.
        earlier_whole, later_whole: whether they are those of a whole haematoma; False where a volume is
            a lower bound.

    From an earlier volume of 0 growth in per cent is not defined: a definition by per cent alone is then
    indeterminate, and the others are judged by their mL.
    """
    ml_interval = percent_interval = None
    if measured is not None:
        ml_interval = _ml_interval(earlier, later, measured)
        percent_interval = _percent_interval(earlier, later, measured)
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
    nothing = earlier.volume_ml <= 0
    return Growth(
        ml=later.volume_ml - earlier.volume_ml,
        ml_interval=ml_interval,
        percent=None if nothing else 100 * (later.volume_ml / earlier.volume_ml - 1),
        percent_interval=percent_interval,
        answers=answers,
    )


def _ml_interval(
    earlier: VolumeEstimate, later: VolumeEstimate, measured: GrowthInterval
) -> Interval:
    ml = later.volume_ml - earlier.volume_ml
    half = measured.half_width_ml(earlier.volume_ml, later.volume_ml)
    return (
        ml - half - later.less_ml - earlier.more_ml,
        ml + half + later.more_ml + earlier.less_ml,
    )


def _percent_interval(
    earlier: VolumeEstimate, later: VolumeEstimate, measured: GrowthInterval
) -> Interval | None:
    if earlier.volume_ml <= 0:
        return None
    if later.volume_ml <= 0:
        return -100.0, -100.0
    factor = math.exp(measured.log_spread(earlier.volume_ml, later.volume_ml))
    # Blood was seen beside every gap, so that what is left of the earlier volume is not nothing.
    least, most = earlier.volume_ml - earlier.less_ml, earlier.volume_ml + earlier.more_ml
    low = (later.volume_ml - later.less_ml) / most / factor
    high = (later.volume_ml + later.more_ml) / least * factor
    return 100 * (low - 1), 100 * (high - 1)


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

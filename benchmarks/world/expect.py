"""What a person would expect of a case, and what is made of the answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hemx_core.records import Json
from hemx_core.result import Recommendation


class Outcome(StrEnum):
    """What came of a case."""

    RIGHT = "right"
    """The answer that the study without the change would give."""
    REFUSED = "refused"
    """A typed error that names the reason."""
    WARNED = "warned"
    """Read on, with a warning that names the reason."""
    WRONG = "wrong"
    """Anything else."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """A note: its code, severity and English sentence."""

    code: str
    severity: str
    text: str

    def matches(self, pattern: str) -> bool:
        """Whether code or sentence match a regular expression."""
        return bool(pattern and re.search(pattern, f"{self.code}: {self.text}", re.IGNORECASE))


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the program answered.

    Args:
        error: code and sentence of a typed error; the traceback's last line of another.
        typed: whether the error was one that HEMX raises on purpose.
        recommendation, volume_ml, at_most_ml, lower_bound, slices, series: of the (later) study.
        notes: of the study, or of the comparison and both its studies.
        answers: of a comparison, by definition.
        files: names of what was written.
        leaked: texts that must be in no file, and are.
        absent: texts that must be in a DICOM object, and are in none.
        seconds: wall time.
    """

    error: str = ""
    typed: bool = True
    recommendation: str = ""
    volume_ml: float | None = None
    at_most_ml: float | None = None
    lower_bound: bool = False
    slices: int | None = None
    series: str = ""
    notes: tuple[Said, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    leaked: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    seconds: float = 0.0

    def warnings(self) -> list[Said]:
        """Notes of severity warning."""
        return [note for note in self.notes if note.severity == "warning"]

    def to_json(self) -> Json:
        """What a row of the table keeps: codes, no sentences of notes below a warning."""
        return {
            "error": self.error,
            "recommendation": self.recommendation,
            "volume_ml": None if self.volume_ml is None else round(self.volume_ml, 2),
            "lower_bound": self.lower_bound,
            "slices": self.slices,
            "notes": [f"{note.severity} {note.code}" for note in self.notes],
            "warnings": [note.text for note in self.warnings()],
            "answers": dict(self.answers),
            "files": list(self.files),
            "leaked": list(self.leaked),
            "absent": list(self.absent),
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What is accepted. Patterns are regular expressions over code and English sentence.

    Args:
        right: the answer of the study without the change is accepted.
        refusal: of a typed error; empty: none is accepted.
        warning: of a warning; empty: none is accepted beyond those of the unchanged study.
        partial: with the warning, less than the whole is accepted, if the answer says that it is a bound
            or that it cannot tell.
        note: must be there, whatever its severity.
        volume: largest relative error of the volume; None: it does not count.
        between: the unchanged volume must lie between the two figures that are given.
        advice: the recommendation must be the unchanged study's.
        slices: as many slices as the unchanged study must be read.
        series: of the description of what was read.
        answer: pattern of what every definition of a comparison must say; empty: as unchanged, where
            `advice`.
        files: names that must be written.
        hidden: texts that must be in no file.
        shown: texts that must be in a DICOM object.
    """

    right: bool = True
    refusal: str = ""
    warning: str = ""
    partial: bool = False
    note: str = ""
    volume: float | None = None
    between: bool = False
    advice: bool = False
    slices: bool = False
    series: str = ""
    answer: str = ""
    files: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


def judge(found: Found, full: Found, expected: Expected) -> tuple[Outcome, str]:
    """What came of a case, and why it is wrong or what was said.

    Args:
        found: the answer to the case.
        full: the answer to the study without the change.
        expected: what is accepted.
    """
    if found.error:
        if not found.typed:
            return Outcome.WRONG, f"untyped error: {found.error}"
        if expected.refusal and re.search(expected.refusal, found.error, re.IGNORECASE):
            return Outcome.REFUSED, found.error
        return Outcome.WRONG, f"refused: {found.error}"
    known = {note.code for note in full.warnings()}
    new = [note for note in found.warnings() if note.code not in known]
    named = [note for note in new if note.matches(expected.warning)]
    bounded = found.lower_bound or found.recommendation == Recommendation.CANNOT_TELL
    excused = bool(expected.partial and named and bounded)
    misses = [*_misses(found, full, expected, excused=excused)]
    misses += [
        f"warns of {note.code}: {note.text}"
        for note in new
        if note not in named and not note.matches(expected.note)
    ]
    if misses:
        return Outcome.WRONG, "; ".join(misses)
    if named:
        return Outcome.WARNED, named[0].text
    return (Outcome.RIGHT, "") if expected.right else (Outcome.WRONG, "nothing is said")


def _misses(found: Found, full: Found, expected: Expected, *, excused: bool) -> Iterator[str]:
    none = Recommendation.NO_HAEMATOMA_FOUND
    if found.recommendation == none != full.recommendation:
        yield "says that none was found"
    if not excused:
        yield from _differences(found, full, expected)
    if expected.note and not any(note.matches(expected.note) for note in found.notes):
        yield f"no note of {expected.note}"
    if expected.series and not re.search(expected.series, found.series):
        yield f"read {found.series!r}"
    if expected.answer:
        answers = set(found.answers.values())
        others = sorted(said for said in answers if not re.fullmatch(expected.answer, said))
        if others:
            yield f"answers {', '.join(others)}"
    missing = [name for name in expected.files if name not in found.files]
    if missing:
        yield f"not written: {', '.join(missing)}"
    if found.leaked:
        yield f"in the files: {', '.join(found.leaked)}"
    if found.absent:
        yield f"in no file: {', '.join(found.absent)}"


def _differences(found: Found, full: Found, expected: Expected) -> Iterator[str]:
    if expected.volume is not None and full.volume_ml and found.volume_ml is not None:
        error = found.volume_ml / full.volume_ml - 1
        if abs(error) > expected.volume:
            yield f"{found.volume_ml:.1f} mL instead of {full.volume_ml:.1f}"
    if expected.between and not _between(found, full):
        yield f"{found.volume_ml} to {found.at_most_ml} mL do not hold {full.volume_ml}"
    if expected.advice and found.recommendation != full.recommendation:
        yield f"advises {found.recommendation} instead of {full.recommendation}"
    if expected.advice and full.answers and not expected.answer and found.answers != full.answers:
        yield f"answers {dict(found.answers)}"
    if expected.slices and found.slices != full.slices:
        yield f"{found.slices} slices instead of {full.slices}"


def _between(found: Found, full: Found) -> bool:
    """Whether the two figures hold the unchanged volume, to a hundredth."""
    figures = (found.volume_ml, full.volume_ml, found.at_most_ml)
    least, whole, most = (0.0 if figure is None else figure for figure in figures)
    return least <= 1.01 * whole <= 1.02 * most


def counts(rows: Sequence[Json]) -> dict[str, int]:
    """How many rows of a table have each outcome."""
    found = Counter(row["outcome"] for row in rows)
    return {str(outcome): found[str(outcome)] for outcome in Outcome}

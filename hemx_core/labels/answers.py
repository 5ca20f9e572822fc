"""What a reader answers to each marker of a study, and the labels that several readers make together.

Only "yes" and "no" are labels; "possible", "cannot tell" and disagreement are unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hemx_core.markers import MARKER_CODES
from hemx_core.result import TriageResult

OUTLINE = "outline"
"""What is asked besides the markers: whether the outline shown is right."""
QUESTIONS = (*MARKER_CODES, OUTLINE)
YES_LABEL, NO_LABEL, UNKNOWN_LABEL = 1, 0, -1


class Answer(StrEnum):
    """An answer to one question."""

    YES = "yes"
    POSSIBLE = "possible"
    NO = "no"
    CANNOT_TELL = "cannot_tell"

    @property
    def label(self) -> int:
        """1 for yes, 0 for no; -1 for what is no label."""
        return {Answer.YES: YES_LABEL, Answer.NO: NO_LABEL}.get(self, UNKNOWN_LABEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reader's answers for one study.

    Args:
        answers: by marker code or `OUTLINE`; what was not answered is missing.
        slices: by marker code, slices that show it, from 0 in HEMX's order; examples, not all that do.
        read_at: when the last answer was given.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    slices: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    read_at: datetime | None = None

    @property
    def complete(self) -> bool:
        """Whether all markers are answered."""
        return set(MARKER_CODES) <= set(self.answers)


def agreed_label(answers: Iterable[Answer]) -> int | None:
    """The label that answers to one marker make: 1 or 0 where all say so, else -1; None without answers."""
    labels = {answer.label for answer in answers}
    if not labels:
        return None
    return labels.pop() if len(labels) == 1 else UNKNOWN_LABEL


def agreed_slices(named: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Slices that every reader names who names any."""
    sets = [set(slices) for slices in named if slices]
    return tuple(sorted(set.intersection(*sets))) if sets else ()


READING_COLUMNS = (
    "study",
    "read_at",
    *(name for code in MARKER_CODES for name in (code, f"{code}_slices")),
    OUTLINE,
    "mask",
)
"""Of `readings/READER.csv`, in order."""


def reading_row(study: str, reading: Reading, mask: str = "") -> dict[str, str]:
    """A reading as a row of `readings/READER.csv`.

    Args:
        study: its id.
        reading: the answers.
        mask: path of what the reader takes for the haematoma, `none` for no blood; empty for no word.
    """
    cells = {"study": study, OUTLINE: str(reading.answers.get(OUTLINE, "")), "mask": mask}
    cells["read_at"] = reading.read_at.isoformat(timespec="seconds") if reading.read_at else ""
    for code in MARKER_CODES:
        cells[code] = str(reading.answers.get(code, ""))
        cells[f"{code}_slices"] = " ".join(map(str, reading.slices.get(code, ())))
    return {name: cells[name] for name in READING_COLUMNS}


NETWORK_COLUMNS = (
    "study",
    "model",
    *(name for code in MARKER_CODES for name in (code, f"{code}_probability")),
)
"""Of `network.csv`, in order."""


def network_row(study: str, result: TriageResult) -> dict[str, str]:
    """What a network called in a study, as a row of `network.csv`.

    Args:
        study: its id.
        result: of triage.
    """
    cells = {"study": study, "model": result.versions.get("classifier_sha256", "")[:12]}
    for code, call in zip(MARKER_CODES, called(result), strict=True):
        marker = result.markers.get(code)
        cells[code] = "unknown" if call == UNKNOWN_LABEL else str(call)
        cells[f"{code}_probability"] = f"{marker.probability:.4f}" if marker else ""
    return {name: cells[name] for name in NETWORK_COLUMNS}


def called(result: TriageResult) -> tuple[int, ...]:
    """What a triage says of each marker: 1 or 0; where it found no blood it found no marker."""
    none = UNKNOWN_LABEL if result.mask.any() else NO_LABEL
    found = (result.markers.get(code) for code in MARKER_CODES)
    return tuple(none if marker is None else int(marker.present) for marker in found)

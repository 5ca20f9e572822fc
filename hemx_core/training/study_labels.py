"""Labels of slices and studies for a run's targets. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hemx_core.data.study import UNKNOWN, PreparedStudy
from hemx_core.markers import MARKER_CODES

EXPANSION = "expansion"
TARGETS = (*MARKER_CODES, EXPANSION)
"""What a classifier can be trained for."""
Labels = NDArray[np.int8]


def study_labels(study: PreparedStudy, targets: Sequence[str]) -> Labels:
    """Labels of a study's slices, shape (slices, targets).

    Every slice carries the study's expansion: which slices show it is what aggregation finds out.
    """
    whole = np.full((len(study.image), 1), study.expanded, np.int8)
    return _columns(np.concatenate([study.slice_markers, whole], 1), targets)


def patient_labels(
    studies: Sequence[PreparedStudy], targets: Sequence[str]
) -> tuple[Labels, NDArray[np.int64]]:
    """What is true of each study about which a target is known, in order.

    A study is what triage answers for, so it is what is called and scored: a patient's follow-up may
    show other markers than the first scan did.

    Returns:
        labels (studies, targets), and the number of each study's patient, shape (studies,): studies of
        one patient are not independent.
    """
    kept = [study for study in studies if says_something(study, targets)]
    rows = [np.append(study.patient_markers, np.int8(study.expanded)) for study in kept]
    table = np.stack(rows) if rows else np.zeros((0, len(TARGETS)), np.int8)
    names = list(dict.fromkeys(study.patient_id for study in kept))
    numbers = np.array([names.index(study.patient_id) for study in kept], np.int64)
    return _columns(table, targets), numbers


def says_something(study: PreparedStudy, targets: Sequence[str]) -> bool:
    """Whether any target of the study or of one of its slices is known."""
    whole = np.append(study.patient_markers, np.int8(study.expanded))[None]
    slices = study_labels(study, targets)
    return bool((_columns(whole, targets) != UNKNOWN).any() or (slices != UNKNOWN).any())


def _columns(labels: Labels, targets: Sequence[str]) -> Labels:
    return labels[:, [TARGETS.index(target) for target in targets]]

"""Crops round haematomas and their classes: what the conditional SNGAN trains on. Torch-free.

A class is a combination of judged markers: with m markers, bit i of the class says whether marker i
is present. The paper's condition is one marker, hypodensity or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hemx_core.data.study import UNKNOWN, PreparedStudy
from hemx_core.errors import DatasetError
from hemx_core.imaging.crop import crop_around
from hemx_core.markers import MARKER_CODES

HYPODENSITY = ("hypodensity",)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GanCrops:
    """Crops and their classes.

    Args:
        crops: shape (N, K, K), float16 or float32, in [0, 1].
        classes: class of each crop, shape (N,), from 0 on.
        names: of the classes.
        patient: number of each crop's patient, shape (N,); by default every crop is a patient.
    Raises:
        DatasetError: shapes, values or classes contradict this.
    """

    crops: NDArray[np.floating]
    classes: NDArray[np.int64]
    names: tuple[str, ...]
    patient: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        shape = self.crops.shape
        square = len(shape) == 3 and shape[1] == shape[2]
        if not square or self.classes.shape != shape[:1] or not len(self.classes):
            raise DatasetError(
                f"crops of shape {shape}, classes of shape {self.classes.shape}",
                expected="square crops (N, K, K), one class each, and at least one crop",
                remedy="collect crops of slices with blood and known markers",
            )
        if not len(self.patient):
            object.__setattr__(self, "patient", np.arange(len(self.classes)))
        lowest, highest = float(self.crops.min()), float(self.crops.max())
        if not (lowest >= 0 and highest <= 1):  # also where they are not numbers
            raise DatasetError(f"grey values from {lowest} to {highest}", expected="0 to 1")
        if self.classes.min() < 0 or self.classes.max() >= len(self.names):
            raise DatasetError(
                f"classes from {self.classes.min()} to {self.classes.max()}",
                expected=f"0 to {len(self.names) - 1}, one for each name",
            )

    def __len__(self) -> int:
        """Number of crops."""
        return len(self.crops)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Crops of each class, shape (classes,)."""
        return np.bincount(self.classes, minlength=len(self.names))


def collect_crops(
    patients: Iterable[PreparedStudy], *, size: int = 64, markers: Sequence[str] = HYPODENSITY
) -> GanCrops:
    """Crops of all slices that show blood and on which every one of the markers was judged.

    Args:
        patients: prepared studies.
        size: rows and columns of the crops, pixels of the prepared grid.
        markers: the condition, codes of `MARKER_CODES`.
    Raises:
        DatasetError: no such marker, or no such slice.
    """
    names = class_names(markers)
    crops, labels, numbers = [], [], []
    for number, patient in enumerate(patients):
        for i in np.flatnonzero(patient.with_blood):
            crop, _ = crop_around(patient.image[i].astype(np.float32), patient.mask[i], size)
            crops.append(crop.astype(np.float16))
            labels.append(patient.slice_markers[i])
            numbers.append(number)
    if not crops:
        raise DatasetError("no slice with blood", remedy="choose studies with haematomas")
    classes = marker_classes(np.stack(labels), markers)
    known = classes != UNKNOWN
    return GanCrops(
        crops=np.stack(crops)[known],
        classes=classes[known],
        names=names,
        patient=np.array(numbers)[known],
    )


def class_names(markers: Sequence[str]) -> tuple[str, ...]:
    """Names of the 2^m classes of m markers, such as `none`, `hypodensity`.

    Raises:
        DatasetError: no such marker, or none.
    """
    if not markers or len(set(markers)) < len(markers) or not set(markers) <= set(MARKER_CODES):
        raise DatasetError(
            f"markers {tuple(markers)}",
            expected=f"one or more of {MARKER_CODES}, each once",
            remedy="correct the names",
        )
    return tuple(
        "+".join(code for i, code in enumerate(markers) if number >> i & 1) or "none"
        for number in range(2 ** len(markers))
    )


def marker_classes(labels: NDArray[np.int8], markers: Sequence[str]) -> NDArray[np.int64]:
    """Class of labels (N, 4): shape (N,), -1 where one of the markers is not known."""
    columns = labels[:, [MARKER_CODES.index(code) for code in markers]].astype(np.int64)
    bits = 1 << np.arange(len(markers))
    return np.where((columns >= 0).all(1), (columns == 1) @ bits, UNKNOWN)


def marker_labels(classes: NDArray[np.int64], markers: Sequence[str]) -> NDArray[np.int8]:
    """Labels of classes (N,): shape (N, 4), -1 for the markers that the classes say nothing of."""
    labels = np.full((len(classes), len(MARKER_CODES)), UNKNOWN, np.int8)
    for i, code in enumerate(markers):
        labels[:, MARKER_CODES.index(code)] = classes >> i & 1
    return labels

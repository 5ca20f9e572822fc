"""A prepared study: what every source of training data gives, whatever it was made from. Torch-free.

Sources are phantom cohorts, lesions inserted into real slices, and data sets in HEMX's format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec

SPLITS = ("train", "validation", "test")
HELD_OUT = SPLITS[1:]
"""What scoring needs."""
UNKNOWN = -1
"""Label of a marker that was not judged, lies in a grey zone or is not recorded."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PreparedStudy:
    """Prepared slices of one study with their truth.

    Args:
        patient_id: studies of one patient share it; splits and intervals go by it.
        site: name of the site, empty where unknown.
        location: of the haematoma (`putamen`, `thalamus`, `subcortical`, …), empty where unknown.
        image: shape (slices, size, size), float16 in [0, 1].
        mask: haematoma on the grid, same shape, bool.
        known: False on pixels that the reference leaves open, same shape, bool.
        slice_markers: 1 present, 0 absent, -1 unknown, shape (slices, 4), int8.
        patient_markers: the same for the patient, shape (4,), int8.
        expanded: whether the haematoma grew by 30 % or more later: 1, 0, -1 unknown.
        slice_index: number of each slice in its volume, shape (slices,), int16.
        haematoma_volume_ml: of the native mask; NaN where unknown.
    """

    patient_id: str
    site: str
    location: str
    image: NDArray[np.float16]
    mask: NDArray[np.bool_]
    known: NDArray[np.bool_]
    slice_markers: NDArray[np.int8]
    patient_markers: NDArray[np.int8]
    expanded: int
    slice_index: NDArray[np.int16]
    haematoma_volume_ml: float

    @property
    def with_blood(self) -> NDArray[np.bool_]:
        """Slices whose mask is not empty, shape (slices,)."""
        return np.asarray(self.mask.any((1, 2)))


class StudySource(Protocol):
    """Where training takes its studies from."""

    @property
    def preprocessing(self) -> PreprocessingSpec:
        """How the slices were prepared."""

    @property
    def description(self) -> dict[str, Any]:
        """Name, licence, attribution and counts, for the training card; JSON values."""

    def patients(self, split: str) -> Sequence[PreparedStudy]:
        """Studies of a split of SPLITS; all studies of a patient are in one split.

        Raises:
            DatasetError: no such split.
        """


class StoredStudies(Sequence[PreparedStudy]):
    """Studies that are each read from their file when asked for."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)

    def __len__(self) -> int:
        """Number of studies."""
        return len(self._files)

    def __iter__(self) -> Iterator[PreparedStudy]:
        """Studies in order."""
        return (load_study(path) for path in self._files)

    def __getitem__(self, index: int) -> PreparedStudy:  # type: ignore[override]
        """Read one study."""
        return load_study(self._files[index])


def check_split(split: str) -> None:
    """Raise DatasetError where a split is not one of SPLITS."""
    if split not in SPLITS:
        raise DatasetError(
            f"split {split!r}", expected=f"one of {SPLITS}", remedy="correct the name"
        )


def patient_truth(slice_markers: NDArray[np.int8]) -> NDArray[np.int8]:
    """The patient's markers from exactly known slices, shape (slices, 4) to (4,).

    1 where any slice shows the marker; else -1 where a slice lies in that marker's grey zone (slices
    too small for any marker do not count); else 0.
    """
    judged = slice_markers[(slice_markers >= 0).any(1)]
    grey = np.where((judged == UNKNOWN).any(0), np.int8(UNKNOWN), np.int8(0))
    return np.where((judged == 1).any(0), np.int8(1), grey)


def save_study(path: Path, study: PreparedStudy) -> None:
    """Store a study, whole or not at all; grey values in 255 steps, masks as bits."""
    stored = {field.name: getattr(study, field.name) for field in fields(study)}
    stored["image"] = np.rint(study.image * np.float32(255)).astype(np.uint8)
    for name in ("mask", "known"):
        stored[name] = np.packbits(stored[name], axis=-1)
    draft = path.with_suffix(".tmp")
    with draft.open("wb") as stream:
        np.savez(stream, **stored)
    draft.replace(path)


def load_study(path: Path) -> PreparedStudy:
    """Read one study.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            values: dict[str, Any] = {name: stored[name] for name in stored.files}
        values["image"] = (values["image"] / np.float32(255)).astype(np.float16)
        size = values["image"].shape[-1]
        for name in ("mask", "known"):
            values[name] = np.unpackbits(values[name], axis=-1, count=size).astype(bool)
        for name in ("patient_id", "site", "location", "expanded", "haematoma_volume_ml"):
            values[name] = values[name].item()
        return PreparedStudy(**values)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise DatasetError(
            f"{path.name} cannot be read: {error}",
            expected="a study that this version of HEMX stored",
            remedy="delete the file and build the folder again",
        ) from error

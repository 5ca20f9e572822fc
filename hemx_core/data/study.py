"""A prepared study, the common form of all training data. Torch-free.

Sources are phantom cohorts, lesions inserted into real slices, data sets in HEMX's format, and several of
these as one. A study's labels are the targets of a run: the markers, or expansion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import DatasetError
from hemx_core.files import write_whole
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.markers import TARGETS

SPLITS = ("train", "validation", "test")
HELD_OUT = SPLITS[1:]
"""What scoring needs."""
UNKNOWN = -1
"""Label of a marker that was not judged, lies in a grey zone or is not recorded."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Study:
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

    def patients(self, split: str) -> Sequence[Study]:
        """Studies of a split of SPLITS; all studies of a patient are in one split.

        Raises:
            DatasetError: no such split.
        """


class StoredStudies(Sequence[Study]):
    """Studies that are each read from their file when asked for."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)

    def __len__(self) -> int:
        """Number of studies."""
        return len(self._files)

    def __iter__(self) -> Iterator[Study]:
        """Studies in order."""
        return (load_study(path) for path in self._files)

    def __getitem__(self, index: int) -> Study:  # type: ignore[override]
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


def kept_slices(
    blood: NDArray[np.bool_], free: NDArray[np.bool_], blood_free: int | None
) -> NDArray[np.intp]:
    """Numbers of the slices to keep: those with blood, and some of the free ones, evenly spaced.

    Args:
        blood: which slices show blood, shape (slices,).
        free: which may be kept without, same shape.
        blood_free: how many of these; None keeps all.
    """
    other = np.flatnonzero(free)
    if blood_free is not None:
        picks = np.linspace(0, len(other) - 1, min(blood_free, len(other)))
        other = other[np.unique(picks.round().astype(int))]
    return np.sort(np.concatenate([np.flatnonzero(blood), other]))


def stored_grey(image: NDArray[np.float32]) -> NDArray[np.float16]:
    """Grey values in the 255 steps that are stored, so that half floats do not round twice."""
    return (np.rint(image * 255) / 255).astype(np.float16)


def save_study(path: Path, study: Study) -> None:
    """Store a study, whole or not at all; grey values in 255 steps, masks as bits."""
    stored = {field.name: getattr(study, field.name) for field in fields(study)}
    stored["image"] = np.rint(study.image * np.float32(255)).astype(np.uint8)
    for name in ("mask", "known"):
        stored[name] = np.packbits(stored[name], axis=-1)
    write_whole(path, lambda stream: np.savez(stream, **stored))


def load_study(path: Path) -> Study:
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
        return Study(**values)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise DatasetError(
            f"{path.name} cannot be read: {error}",
            expected="a study that this version of HEMX stored",
            remedy="delete the file and build the folder again",
        ) from error


class CombinedSource:
    """A `StudySource` over others, in their order.

    Args:
        sources: at least one, all prepared in the same way.
    Raises:
        DatasetError: no source, or sources that were prepared differently.
    """

    def __init__(self, sources: Sequence[StudySource]) -> None:
        if not sources:
            raise DatasetError(
                "no source of studies", expected="at least one", remedy="name a source"
            )
        self._sources = tuple(sources)
        for source in self._sources[1:]:
            if source.preprocessing != self.preprocessing:
                raise DatasetError(
                    f"{source.description.get('name')} was prepared with {source.preprocessing}",
                    expected=f"the preprocessing of the first source, {self.preprocessing}",
                    remedy="build the sources with one preprocessing specification",
                )

    @property
    def preprocessing(self) -> PreprocessingSpec:
        """How the slices of all sources were prepared."""
        return self._sources[0].preprocessing

    @property
    def description(self) -> dict[str, Any]:
        """Names and licences joined, counts summed, and every source's own description."""
        parts = [source.description for source in self._sources]
        licences = dict.fromkeys(str(part.get("licence", "not stated")) for part in parts)
        return {
            "name": " + ".join(str(part.get("name", "unnamed")) for part in parts),
            "licence": "; ".join(licences),
            "patients": sum(int(part.get("patients", 0)) for part in parts),
            "sources": parts,
        }

    def patients(self, split: str) -> Sequence[Study]:
        """Studies of a split of every source, one source after the other.

        Raises:
            DatasetError: no such split.
        """
        check_split(split)
        return _Chained([source.patients(split) for source in self._sources])


class _Chained(Sequence[Study]):
    """Sequences one after the other; nothing is read before it is asked for."""

    def __init__(self, parts: Sequence[Sequence[Study]]) -> None:
        self._parts = tuple(parts)

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def __iter__(self) -> Iterator[Study]:
        return chain.from_iterable(self._parts)

    def __getitem__(self, index: int) -> Study:  # type: ignore[override]
        place = index + len(self) if index < 0 else index
        if place >= 0:
            for part in self._parts:
                if place < len(part):
                    return part[place]
                place -= len(part)
        raise IndexError(index)


Labels = NDArray[np.int8]


def study_labels(study: Study, targets: Sequence[str]) -> Labels:
    """Labels of a study's slices, shape (slices, targets).

    Every slice carries the study's expansion: which slices show it is what aggregation finds out.
    """
    whole = np.full((len(study.image), 1), study.expanded, np.int8)
    return _columns(np.concatenate([study.slice_markers, whole], 1), targets)


def patient_labels(
    studies: Sequence[Study], targets: Sequence[str]
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


def says_something(study: Study, targets: Sequence[str]) -> bool:
    """Whether any target of the study or of one of its slices is known."""
    whole = np.append(study.patient_markers, np.int8(study.expanded))[None]
    slices = study_labels(study, targets)
    return bool((_columns(whole, targets) != UNKNOWN).any() or (slices != UNKNOWN).any())


def _columns(labels: Labels, targets: Sequence[str]) -> Labels:
    return labels[:, [TARGETS.index(target) for target in targets]]

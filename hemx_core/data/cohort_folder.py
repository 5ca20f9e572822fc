"""A folder of numbered studies that a cohort was made into: claimed, named and fingerprinted. Torch-free."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hemx_core.data.study import PreparedStudy, StoredStudies, check_split
from hemx_core.errors import DatasetError


def patient_file(folder: Path, number: int) -> Path:
    """Where a study is stored."""
    return folder / f"{number:06d}.npz"


def stored_studies(
    folder: Path, count: int, split_of: Callable[[int], str], split: str | None
) -> StoredStudies:
    """Studies of a split, or all of them.

    Raises:
        DatasetError: no such split.
    """
    if split is not None:
        check_split(split)
    numbers = [number for number in range(count) if split in (None, split_of(number))]
    return StoredStudies([patient_file(folder, number) for number in numbers])


def missing_studies(
    folder: Path, count: int, split_of: Callable[[int], str], splits: Collection[str]
) -> list[int]:
    """Numbers below `count`, of the splits, that have no file yet.

    Raises:
        DatasetError: no such split.
    """
    for split in splits:
        check_split(split)
    return [
        number
        for number in range(count)
        if split_of(number) in splits and not patient_file(folder, number).exists()
    ]


def claim(folder: Path, made_from: dict[str, Any], *, expected: str) -> None:
    """Write what determines a cohort into its folder, or compare it with what is there.

    Args:
        folder: made if missing.
        made_from: JSON values.
        expected: what has to be the same, for the error.
    Raises:
        DatasetError: the folder holds another cohort.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = json.dumps(made_from, indent=2)
    path = folder / "cohort.json"
    if not path.exists():
        draft = path.with_suffix(".tmp")
        draft.write_text(wanted, encoding="utf-8")
        draft.replace(path)
    elif path.read_text(encoding="utf-8") != wanted:
        raise DatasetError(
            f"{folder} holds another cohort",
            expected=expected,
            remedy="choose another folder, or delete this one",
        )


def fingerprint(study: PreparedStudy, start: bytes = b"") -> str:
    """SHA-256 of a study as this version makes it: no cohort mixes versions."""
    digest = hashlib.sha256(start)
    for array in (study.image, study.mask, study.slice_markers):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def be_nice() -> None:
    """Low priority and one thread of OpenCV, for a process that builds."""
    os.nice(10)
    cv2.setNumThreads(1)

"""Studies with nothing wrong: every warning of theirs is a false one."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import hemx_core as hemx
from benchmarks.world.ask import answered, of_triage, triage
from benchmarks.world.bases import MATRIX
from benchmarks.world.expect import Found
from hemx_core.data import phe_sich
from hemx_core.phantoms.dicom import write_dicom_series
from hemx_core.pipeline import TriageModels
from hemx_core.records import Json

SITES = 12
HEALTHY_EVERY = 5


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """What came of a study with nothing wrong.

    Args:
        name: of the study.
        error: code and sentence; empty where it was read.
        warnings: codes.
        volume_ml: measured.
        truth_ml: drawn; None where not known.
        told_ml: measured where it is told that values were clipped, and to what.
        masks_agree: Dice of the masks with and without being told that values were clipped.
    """

    name: str
    error: str
    warnings: tuple[str, ...]
    volume_ml: float | None
    truth_ml: float | None = None
    told_ml: float | None = None
    masks_agree: float | None = None
    seconds: float = 0.0

    def to_json(self) -> Json:
        """Plain values."""
        return asdict(self) | {"warnings": list(self.warnings)}


def _quiet(name: str, found: Found, **more: float | None) -> Quiet:
    return Quiet(
        name=name,
        error=found.error,
        warnings=tuple(note.code for note in found.warnings()),
        volume_ml=found.volume_ml,
        seconds=round(found.seconds, 2),
        **more,
    )


def drawn(index: int, models: TriageModels) -> Quiet:
    """Draw, write, read and triage the study of an index; every fifth has no blood."""
    site, lesion = index % SITES + 1, index % HEALTHY_EVERY != HEALTHY_EVERY - 1
    phantom = hemx.phantom(seed=50_000 + index, site=site, matrix=MATRIX, lesion=lesion)
    with tempfile.TemporaryDirectory() as folder:
        write_dicom_series(phantom.volume, Path(folder))
        found = answered(lambda: triage(Path(folder), models))
    name = f"drawn {index}, site {site}" + ("" if lesion else ", no blood")
    return _quiet(name, found, truth_ml=round(phantom.haematoma_volume_ml, 2))


def real_patients(folder: Path) -> dict[str, list[phe_sich.SliceRow]]:
    """Rows of phe_sich by patient."""
    return phe_sich.read_rows(folder)


def real(folder: Path, patient: str, rows: list[phe_sich.SliceRow], models: TriageModels) -> Quiet:
    """A patient of phe_sich, as a user would hand it in, and once more with the window told."""
    told = phe_sich.read_volume(folder, rows)
    untold = hemx.Volume(told.hu, geometry=told.geometry, identity=told.identity)
    masks: list[np.ndarray] = []

    def ask(volume: hemx.Volume) -> Found:
        result = hemx.triage(volume, models=models)
        masks.append(result.mask)
        return of_triage(result)

    found = answered(lambda: ask(untold))
    with_it = answered(lambda: ask(told))
    agree = None
    if len(masks) == 2:
        size = sum(int(mask.sum()) for mask in masks)
        agree = 2 * int((masks[0] & masks[1]).sum()) / size if size else 1.0
    return _quiet(f"patient {patient}", found, told_ml=with_it.volume_ml, masks_agree=agree)


def series_folders(folder: Path) -> Iterator[Path]:
    """The folders below a folder that hold files themselves."""
    for place in (folder, *sorted(folder.rglob("*"))):
        if place.is_dir() and any(path.is_file() for path in place.iterdir()):
            yield place


def summary(found: Iterable[Quiet]) -> Json:
    """Counts of studies with nothing wrong, and those that were refused or warned of."""
    rows = list(found)
    agree = [row.masks_agree for row in rows if row.masks_agree is not None]
    return {
        "studies": len(rows),
        "refused": [f"{row.name}: {row.error}" for row in rows if row.error],
        "warned": sum(bool(row.warnings) for row in rows),
        "warnings": dict(Counter(code for row in rows for code in row.warnings).most_common()),
        "warned_studies": [
            f"{row.name}: {', '.join(row.warnings)}" for row in rows if row.warnings
        ],
        "smallest_dice_with_window_told": min(agree) if agree else None,
        "seconds": round(sum(row.seconds for row in rows), 1),
    }

"""Phantom studies as DICOM, each with its own seed and so with its own patient, files and UIDs."""

from __future__ import annotations

from pathlib import Path

SLICES = 30
SEED = 7
SMALLEST_ML, LARGEST_ML = 12.0, 48.0


def write_studies(folder: Path, count: int, *, slices: int = SLICES, seed: int = SEED) -> list[str]:
    """Write studies of 512 x 512 with a haematoma each, from small to large.

    Args:
        folder: where to; a folder below it for each study.
        count: how many.
        slices: of each.
        seed: of the first one; the others follow.
    Returns:
        Their folders.
    """
    from hemx_core.phantom import (
        LesionSpec,
        PhantomSpec,
        SiteSpec,
        make_phantom,
        write_dicom_series,
    )

    found = []
    for place in range(count):
        volume_ml = SMALLEST_ML + (LARGEST_ML - SMALLEST_ML) * place / max(1, count - 1)
        spec = PhantomSpec(
            seed=seed + place,
            noise_seed=seed + place,
            lesion=LesionSpec(volume_ml=volume_ml, lobes=4),
            site=SiteSpec(slices=slices),
        )
        study = folder / f"study-{place + 1:02d}"
        write_dicom_series(make_phantom(spec).volume, study)
        found.append(str(study))
    return found

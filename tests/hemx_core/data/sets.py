"""A small sound data set that tests then break."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hemx_core.imaging.nifti import write_array
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.phantoms import LesionSpec, Phantom, PhantomSpec, SiteSpec, make_phantom

GRID = PreprocessingSpec(size=64, pixel_mm=3.6)
SITE = SiteSpec(matrix=96, slices=9, slice_spacing_mm=10.0, slice_thickness_mm=10.0, tilt_deg=12.0)
MARKERS = "hypodensity,irregular,blend,fluid_level"


@cache
def phantom(number: int = 0) -> Phantom:
    """A small tilted head with a clot; another number is another patient."""
    lesion = LesionSpec(volume_ml=25.0, side=("left", "right")[number % 2])
    return make_phantom(PhantomSpec(seed=number, noise_seed=number, site=SITE, lesion=lesion))


def write_nifti_study(folder: Path, name: str, source: Phantom) -> None:
    """`NAME.nii.gz` and `NAME_mask.nii.gz`."""
    write_array(folder / f"{name}.nii.gz", source.volume.hu, source.volume.geometry)
    write_array(folder / f"{name}_mask.nii.gz", source.mask, source.volume.geometry)


def write_table(folder: Path, name: str, *lines: str) -> None:
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_set(folder: Path, **info: Any) -> Path:
    """Three patients, one a split, at two sites, with markers."""
    folder.mkdir(parents=True, exist_ok=True)
    stated = {"format": "hemx-dataset/1", "name": "small", "licence": "none", "version": "1"}
    text = json.dumps({**stated, "attribution": "tests", **info})
    (folder / "dataset.json").write_text(text, encoding="utf-8")
    for number, name in enumerate("abc"):
        write_nifti_study(folder, name, phantom(number))
    write_table(
        folder, "patients",
        "patient,split,site,location,expanded",
        "A,train,east,putamen,1",
        "B,validation,west,unknown,0",
        "C,test,,thalamus,unknown",
    )  # fmt: skip
    write_table(
        folder, "studies",
        "study,patient,ct,mask,window_lower,window_upper",
        "a,A,a.nii.gz,a_mask.nii.gz,0,80",
        "b,B,b.nii.gz,b_mask.nii.gz,10,90",
        "c,C,c.nii.gz,c_mask.nii.gz,,",
    )  # fmt: skip
    bloody = int(np.flatnonzero(phantom(0).mask.any((1, 2)))[0])
    write_table(
        folder, "slice_markers", f"study,slice,{MARKERS}", f"a,{bloody},1,0,unknown,0"
    )  # fmt: skip
    write_table(folder, "patient_markers", f"patient,{MARKERS}", "A,1,0,,0", "B,0,0,0,0")
    return folder

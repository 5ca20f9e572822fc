"""Synthetic head CT with exact truth, written as DICOM; haematomas resynthesised from real ones."""

from hemx_core.phantoms.dicom import write_dicom_series
from hemx_core.phantoms.draw import grow, random_site, random_spec
from hemx_core.phantoms.make import Phantom, describe, make_phantom, write_phantom
from hemx_core.phantoms.spec import (
    LOCATIONS,
    SIDES,
    Blend,
    FluidLevel,
    HeadSpec,
    Hypodensity,
    LesionSpec,
    PhantomSpec,
    SiteSpec,
)

__all__ = [
    "LOCATIONS",
    "SIDES",
    "Blend",
    "FluidLevel",
    "HeadSpec",
    "Hypodensity",
    "LesionSpec",
    "Phantom",
    "PhantomSpec",
    "SiteSpec",
    "describe",
    "grow",
    "make_phantom",
    "random_site",
    "random_spec",
    "write_dicom_series",
    "write_phantom",
]

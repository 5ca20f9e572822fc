"""Synthetic head CT with exact truth: anatomy, haematoma, markers, scanner, growth, DICOM."""

from hemx_core.phantom.dicom import write_dicom_series
from hemx_core.phantom.draw import grow, random_site, random_spec
from hemx_core.phantom.make import Phantom, make_phantom
from hemx_core.phantom.spec import (
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
from hemx_core.phantom.write import describe, write_phantom

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

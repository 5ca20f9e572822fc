"""Drawn studies as DICOM slices, and the small changes that cases are made of."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

import hemx_core as hemx
from hemx_core.phantoms.make import MASK_FILE

Slices = list[Dataset]
"""Feet to head."""
Study = Slices | Mapping[str, Slices]
"""One folder, or folders by name."""

MATRIX = 256


class Bases:
    """Drawn studies, written once into a folder and read anew for every case that changes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str, time: str = "baseline") -> Path:
        """The folder of a study: `plain` (52 mL, no marker), `grown` (a pair) or `healthy`."""
        drawn = self.folder / name
        if not (drawn / "truth.json").exists():
            made: dict[str, dict[str, Any]] = {
                "plain": {"seed": 412, "volume_ml": 52.0, "markers": []},
                "grown": {"seed": 77, "volume_ml": 28.0, "markers": [], "growth": 1.5},
                "healthy": {"seed": 513, "lesion": False},
            }
            hemx.phantom(matrix=MATRIX, out=drawn, **made[name])
        return drawn / time

    def plain(self) -> Slices:
        """One study with a haematoma that is large enough for every rule."""
        return load(self.path("plain"))

    def most_blood(self) -> int:
        """The plain study's slice with the most blood, feet to head, as drawn."""
        with np.load(self.path("plain").parent / MASK_FILE) as masks:
            return int(masks["baseline"].sum(axis=(1, 2)).argmax())

    def pair(self) -> tuple[Slices, Slices]:
        """Two studies of one patient, the haematoma half as large again in the later one."""
        return load(self.path("grown")), load(self.path("grown", "follow_up"))


def load(folder: Path) -> Slices:
    """Read a series, feet to head."""
    read = [pydicom.dcmread(path) for path in folder.glob("*.dcm")]
    return sorted(read, key=lambda one: float(one.ImagePositionPatient[2]))


def save(folder: Path, study: Study) -> None:
    """Write slices under names without an extension, whatever pydicom thinks of their values."""
    for name, slices in study.items() if isinstance(study, Mapping) else {"": study}.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(slices):
            with warnings.catch_warnings(action="ignore"):
                one.save_as(folder / name / f"{number:05d}", enforce_file_format=True)


def put(slices: Slices, /, **elements: Any) -> Slices:
    """Set elements of all slices; None takes one out."""
    for one in slices:
        for keyword, value in elements.items():
            if value is not None:
                with warnings.catch_warnings(action="ignore"):
                    setattr(one, keyword, value)
            elif keyword in one:
                delattr(one, keyword)
    return slices


def put_text(slices: Slices, **elements: str) -> Slices:
    """Set decimal strings as they are, also what is none."""
    for one in slices:
        for keyword, text in elements.items():
            tag = Tag(keyword)
            one[tag] = RawDataElement(tag, "DS", len(text), text.encode(), 0, False, True)
    return slices


def changed_hu(
    slices: Slices, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> Slices:
    """Change the HU and store them anew: unsigned, 16 bits, 1024 above."""
    for one in slices:
        store(one, np.rint(change(hu_of(one)) + 1024), intercept=-1024)
    return slices


def hu_of(one: Dataset) -> NDArray[np.float64]:
    """HU of a slice."""
    hu: NDArray[np.float64] = one.pixel_array * float(one.RescaleSlope) + float(
        one.RescaleIntercept
    )
    return hu


def store(one: Dataset, values: NDArray[Any], *, intercept: float, bits: int = 16) -> None:
    """Put unsigned stored values into a slice, uncompressed."""
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.PixelData = values.astype(f"<u{bits // 8}").tobytes()
    one["PixelData"].VR = "OB" if bits == 8 else "OW"
    one.BitsAllocated = one.BitsStored = bits
    one.HighBit, one.PixelRepresentation = bits - 1, 0
    one.RescaleSlope, one.RescaleIntercept = 1, intercept
    put([one], PixelPaddingValue=None)


def as_new_series(slices: Slices, *, number: int, description: str, **elements: object) -> Slices:
    """The same study, with UIDs of a series of its own."""
    series = generate_uid()
    for one in slices:
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    return put(
        slices,
        SeriesInstanceUID=series,
        SeriesNumber=number,
        SeriesDescription=description,
        SpecificCharacterSet="ISO_IR 192",
        **elements,
    )


def as_new_study(slices: Slices) -> Slices:
    """The same pictures with new UIDs for everything."""
    put(as_new_series(slices, number=9, description="HEAD"), FrameOfReferenceUID=generate_uid())
    return put(slices, StudyInstanceUID=generate_uid())


def of_the_study_of(slices: Slices, first: Sequence[Dataset]) -> Slices:
    """Put slices into the study, and to the person and day, of others."""
    keywords = ("StudyInstanceUID", "PatientID", "PatientName", "FrameOfReferenceUID")
    days = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "StudyTime")
    return put(slices, **{key: getattr(first[0], key) for key in (*keywords, *days)})

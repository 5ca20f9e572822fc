"""What DICOM SEG and SR share: concepts, the algorithm's identity, the source images' attributes.

Concepts come from pydicom's dictionary (SNOMED CT, DCM, UCUM), or stand here where it lacks them; the
markers, the rule-based signs and the recommendation are codes of our own (scheme 99HEMX).
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from hemx_core import __version__
from hemx_core.errors import BackendError, InputError
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.corrected import CORRECTION
from hemx_core.result import TriageResult

SCHEME = "99HEMX"
MANUFACTURER = "HEMX"
MODEL_NAME = "HEMX (research software, not a medical device)"

CEREBRAL_HAEMORRHAGE = Code("274100004", "SCT", "Cerebral hemorrhage")
HEAD_CT = Code("30799-1", "LN", "CT Head WO contrast")
MILLILITRE = Code("mL", "UCUM", "milliliter")
MILLIMETRE = Code("mm", "UCUM", "millimeter")

_GEOMETRY = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Modality",
    "ImageType",
    "InstanceNumber",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
_NEEDED = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Modality",
)
_REQUIRED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PositionReferenceIndicator",
)
"""Type 2 of every IOD: present, but may be empty."""
_OF_THE_PATIENT = (
    *_REQUIRED,
    "SpecificCharacterSet",
    "IssuerOfPatientID",
    "PatientAge",
    "StudyDescription",
)


def own_code(code: str, meaning: str) -> Code:
    """A concept of our own scheme."""
    return Code(code, SCHEME, meaning)


def highdicom_module(name: str) -> Any:
    """A module of highdicom, imported where it is needed: it is an extra.

    Raises:
        BackendError: highdicom is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BackendError("no_highdicom", reason=str(error)) from error


def referable(
    sources: Sequence[Dataset], volume: HUVolume, *, identify: bool
) -> tuple[Dataset, ...]:
    """The source images' headers, reduced to what an object that refers to them takes over.

    What names the patient is empty unless asked for. The UIDs stay in any case: without them the object
    would not belong to its CT.

    Args:
        sources: as `read_source_images` gives them.
        volume: stands in for a slice thickness that the files lack.
        identify: take over patient and study attributes.
    Raises:
        InputError: a UID is missing: nothing can be placed in the patient or tied to the study.
    """
    kept = tuple(_reduced(source, identify=identify) for source in sources)
    missing = [key for key in _NEEDED if not all(image.get(key) for image in kept)]
    if missing:
        raise InputError("images_without", missing=tuple(missing))
    if len(kept) == len(volume.hu):
        for image, thickness in zip(kept, volume.geometry.slice_thickness_mm, strict=True):
            if "PerFrameFunctionalGroupsSequence" not in image and not image.get("SliceThickness"):
                image.SliceThickness = float(thickness)
    return kept


def _reduced(source: Dataset, *, identify: bool) -> Dataset:
    kept = Dataset()
    for keyword in (*_GEOMETRY, *(_OF_THE_PATIENT if identify else ())):
        if keyword in source:
            kept[keyword] = source[keyword]
    for keyword in _REQUIRED:
        if keyword not in kept:
            setattr(kept, keyword, "")
    return kept


def equipment() -> dict[str, Any]:
    """Who made the object, for highdicom's constructors."""
    return {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MODEL_NAME,
        "software_versions": __version__,
        "device_serial_number": __version__,
    }


def device_uid() -> str:
    """The same UID for every run of a version of HEMX."""
    return str(generate_uid(entropy_srcs=[MANUFACTURER, __version__]))


def mark_deidentified(written: Dataset) -> None:
    """Record in the object that the patient's identity was removed (PS3.3 C.7.1.1)."""
    written.PatientIdentityRemoved = "YES"
    written.DeidentificationMethod = "HEMX: patient and study attributes left out, UIDs kept"


def model_versions(result: TriageResult, program: str) -> dict[str, str]:
    """Recipe and hash of a program, and the mask's correction by hand if any, for algorithm parameters."""
    versions = result.versions
    told = {"recipe": versions.get("recipe", ""), "sha256": versions.get(f"{program}_sha256", "")}
    if program == "segmenter" and CORRECTION in versions:
        told[CORRECTION] = versions[CORRECTION]
    return told

"""What DICOM objects share: concepts, and who made them with which models.

Concepts come from pydicom's dictionary (SNOMED CT, DCM, UCUM), or stand here where it lacks them; the
markers, the rule-based signs and the recommendation are codes of our own (scheme 99HEMX).
"""

from __future__ import annotations

import importlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from hemx_core import __version__
from hemx_core.errors import BackendError, InputError
from hemx_core.measure.corrected import CORRECTION
from hemx_core.result import TriageResult

SCHEME = "99HEMX"
MANUFACTURER = "HEMX"
MODEL_NAME = "HEMX (research software, not a medical device)"

CEREBRAL_HAEMORRHAGE = Code("274100004", "SCT", "Cerebral hemorrhage")
HEAD_CT = Code("30799-1", "LN", "CT Head WO contrast")
MILLILITRE = Code("mL", "UCUM", "milliliter")
MILLIMETRE = Code("mm", "UCUM", "millimeter")


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


@contextmanager
def fit_images() -> Iterator[None]:
    """Turn what highdicom's own checks refuse of the images into HEMX's error; it warns nobody else.

    Raises:
        InputError: instead of a ValueError.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except ValueError as error:
        raise InputError("images_unfit", reason=str(error)) from error


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


def model_versions(result: TriageResult, program: str) -> dict[str, str]:
    """Recipe and hash of a program, and the mask's correction by hand if any, for algorithm parameters."""
    versions = result.versions
    told = {"recipe": versions.get("recipe", ""), "sha256": versions.get(f"{program}_sha256", "")}
    if program == "segmenter" and CORRECTION in versions:
        told[CORRECTION] = versions[CORRECTION]
    return told


def object_bytes(written: Any) -> bytes:
    """An object as a DICOM file."""
    buffer = io.BytesIO()
    written.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()

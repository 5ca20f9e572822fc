"""What of a patient's and a study's attributes DICOM allows to be written: its rules by value representation.

Scanners and archives hand on what somebody typed or what another program made. A value that the standard
does not allow is left out and told, never mended: to guess at a birth date is worse than to have none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime

from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

_DATE = re.compile(r"[0-9]{8}")
_TIME = re.compile(r"([01][0-9]|2[0-3])([0-5][0-9](([0-5][0-9]|60)(\.[0-9]{1,6})?)?)?", re.ASCII)
_AGE = re.compile(r"[0-9]{3}[DWMY]")
_SEXES = ("M", "F", "O")
_MOST_CHARACTERS = {"LO": 64, "SH": 16, "PN": 64}
_NAME_GROUPS, _NAME_COMPONENTS = 3, 5


def allowed_value(source: Dataset, keyword: str) -> tuple[str, bool]:
    """A value as DICOM allows it to be written (PS3.5 6.2), and whether that is all of it.

    Of a name those of its groups are kept that are allowed; anything else is kept whole or not at all.

    Args:
        source: a data set with or without the attribute.
        keyword: of a date, time, age, sex, name, identifier or description.
    Returns:
        The value, empty where there is none; False where something was left out.
    """
    try:
        value = source.get(keyword)
        text = "" if value is None else str(value).strip(" \0")
    except Exception:  # what pydicom cannot decode is no value that could be written
        return "", False
    if isinstance(value, MultiValue) and len(value) > 1:
        return "", False  # where one is allowed, none of several is more right than the others
    if not text:
        return "", True
    vr = dictionary_VR(keyword)
    if vr == "PN":
        kept = _allowed_name(text)
    else:
        kept = text if _RULES[vr if keyword != "PatientSex" else keyword](text) else ""
    return kept, kept == text


def _allowed_name(text: str) -> str:
    groups = text.split("=")
    if len(groups) > _NAME_GROUPS:
        return ""
    kept = [
        group if group.count("^") < _NAME_COMPONENTS and _is_text(group, "PN") else ""
        for group in groups
    ]
    return "=".join(kept).rstrip("=")


def _is_text(text: str, vr: str) -> bool:
    """Short enough, and of characters that are text: neither control characters nor undecodable bytes."""
    if len(text) > _MOST_CHARACTERS[vr] or "\\" in text or "\ufffd" in text:
        return False
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.strptime(text, "%Y%m%d")
    except ValueError:
        return False
    return True


_RULES: dict[str, Callable[[str], bool]] = {
    "DA": _is_date,
    "TM": lambda text: _TIME.fullmatch(text) is not None,
    "AS": lambda text: _AGE.fullmatch(text) is not None,
    "PatientSex": lambda text: text in _SEXES,
    "LO": lambda text: _is_text(text, "LO"),
    "SH": lambda text: _is_text(text, "SH"),
}

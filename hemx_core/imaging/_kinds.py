"""What an image is, from the words of its header: localizer, derived, contrast, head, kernel."""

from __future__ import annotations

import re

from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
)

from hemx_core.imaging._headers import SliceHeader

CT_CLASSES = frozenset(
    map(str, (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage))
)
_PROJECTIONS = {"MIP", "MINIP", "MIN_IP", "MAX_IP", "VRT", "SSD", "PROJECTION IMAGE"}
_REFORMATS = {"MPR", "CSA MPR", "CPR", "CURVED", "REFORMATTED", "RESAMPLED"}
_SCREENS = {"SCREEN SAVE", "SCREENSHOT", "SCREEN_CAPTURE", "DOSE", "DOSE_INFO", "REPORT"}
_LOCALIZERS = {"LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW", "SCANOGRAM"}
_HU_TYPES = {"", "HU", "HU_MOD", "US"}
_NO_AGENT = {"", "NONE", "NO", "N", "0", "NIL", "N/A", "-", "(NONE)", "OFF"}

_WITHOUT = re.compile(
    r"without (any |the |use of |oral |iv |i\.v\. )*contrast"
    r"|\bw/?o\b( (iv|i\.v\.))?( contrast)?"
    r"|\b(non|no|un|pre)[\s-]*(iv )?(contrast[\s-]*enhanced|contrast|enhanced?|ce)\b"
    r"|\bcontrast([\s-]*free|: ?(none|no))\b|\bnc[ce]?ct\b|\bnect\b|\bc-(?=\W|$)"
    r"|\bohne km\b|\bsans injection\b|非造影|造影(なし|無し)"
)
_WITH = re.compile(
    r"contrast|\benhanced\b|\bcect\b|\bce\b|\bw/? ?c\b|(?<!\w)\+ ?c\b|\bc\+|\bcta\b|\bctv\b"
    r"|angio|venogra|\b(arterial|venous|delayed) phase\b|perfusion|\bctp\b|\bkm\b"
    r"|iohexol|omnipaque|iopam|ultravist|injection|造影|增强"
)
_BOTH = re.compile(
    r"\bw(ith)?[ /&+,]*(and )?(w/?o|without)\b|\b(w/?o|without)[ /&+,]*(and )?w(ith)?\b"
)
_HEAD = re.compile(
    r"head|brain|skull|crani|cereb|neuro|stroke|kopf|sch(ae|ä)del|t(e|ê)te|crane|encephal"
    r"|頭|脳|头|脑|颅"
)
_OTHER = re.compile(
    r"chest|thora|abdom|pelvi|neck|spine|cervic|lumbar|sinus|orbit|temporal bone|\biac\b|facial"
    r"|\bface\b|lung|card|heart|coron(ary|aries)|extremit|\bknee|\bhip\b|hals|胸|腹|頸|頚|颈"
)
_SHARP = re.compile(r"bone|sharp|edge|detail|lung|\bos\b|knochen|骨|\bultra[- ]?high")


def set_aside(header: SliceHeader) -> str:
    """Why a slice is no axial CT image to measure on; empty where nothing speaks against it.

    Returns:
        "not_ct", "secondary", "localizer", "not_hu", "projection", "derived" or "".
    """
    facts, types = header.facts, set(header.image_type)
    if facts.modality not in ("CT", "") or (
        not facts.modality and facts.sop_class not in CT_CLASSES
    ):
        return "not_ct"
    if (
        (facts.sop_class and facts.sop_class not in CT_CLASSES)
        or facts.pixels.samples != 1
        or facts.pixels.photometric not in ("", "MONOCHROME1", "MONOCHROME2")
        or types & _SCREENS
    ):
        return "secondary"
    if types & _LOCALIZERS:
        return "localizer"
    if header.rescale_type not in _HU_TYPES:
        return "not_hu"
    if types & _PROJECTIONS:
        return "projection"
    if types & _REFORMATS or {"DERIVED", "SECONDARY"} & set(header.image_type[:2]):
        return "derived"
    return ""


def contrast_reason(header: SliceHeader) -> str:
    """What says that contrast medium was given; empty where nothing does.

    ContrastBolusAgent or the series' description. Study and protocol descriptions are left out:
    they stand over plain and enhanced series alike.
    """
    facts = header.facts
    agent = facts.contrast_agent
    if agent.upper() not in _NO_AGENT and not _WITHOUT.search(_fold(agent)):
        return f"ContrastBolusAgent is {agent!r}"
    if says_contrast(facts.series_description):
        return f"the series is described as {facts.series_description!r}"
    return ""


def says_contrast(words: str) -> bool:
    """Whether a description says "with contrast".

    "Without contrast", "non-contrast", "NCCT" and the like do not; "without and with contrast"
    does.
    """
    folded = _fold(words)
    return bool(_BOTH.search(folded) or _WITH.search(_WITHOUT.sub(" ", folded)))


def head_score(header: SliceHeader) -> int:
    """2 where the header names the head, 0 where it names another part only, 1 otherwise."""
    facts = header.facts
    for words in (facts.body_part, facts.series_description):
        if (score := _score(words)) != 1:
            return score
    return _score(f"{facts.protocol} {facts.study_description}")


def _score(words: str) -> int:
    head, other = bool(_HEAD.search(_fold(words))), bool(_OTHER.search(_fold(words)))
    return 1 + int(head) - int(other)


def is_sharp(header: SliceHeader) -> bool:
    """Whether a bone or lung kernel was used: noise and edges that hide and mimic blood.

    By the words of description and kernel; Siemens kernels from 60 up (H60s, Hr64), and Canon's
    FC30 to FC59 and FC80 to FC89.
    """
    kernel = header.facts.kernel.lower()
    if _SHARP.search(f"{header.facts.series_description.lower()} {kernel}"):
        return True
    if canon := re.match(r"fc(\d+)", kernel):
        return 30 <= int(canon[1]) <= 59 or 80 <= int(canon[1]) <= 89
    siemens = re.match(r"[a-z]{1,2}(\d\d)", kernel)
    return siemens is not None and int(siemens[1]) >= 60


def _fold(words: str) -> str:
    return " ".join(words.lower().replace("_", " ").split())

"""A part of a series, and what the header says of its images: localizer, derived, contrast, head, kernel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from statistics import median

import numpy as np
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
)

from hemx_core.imaging.contrast_tags import Verdict, judge
from hemx_core.imaging.geometry import Slot, directions, plane, stack
from hemx_core.imaging.headers import SliceHeader
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.notes import Phrase

CT_CLASSES = frozenset(
    map(str, (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage))
)
_PROJECTIONS = {"MIP", "MINIP", "MIN_IP", "MAX_IP", "VRT", "SSD", "PROJECTION IMAGE"}
_REFORMATS = {"MPR", "CSA MPR", "CPR", "CURVED", "REFORMATTED", "RESAMPLED"}
_SCREENS = {"SCREEN SAVE", "SCREENSHOT", "SCREEN_CAPTURE", "DOSE", "DOSE_INFO", "REPORT"}
_LOCALIZERS = {"LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW", "SCANOGRAM"}
_HU_TYPES = {"", "HU", "HU_MOD", "US"}
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
        "not_ct", "secondary", "localizer", "not_hu", "projection", "derived" or "". GE's
        ORIGINAL, SECONDARY images are original: reconstructed once more from the same raw data.
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
    if types & _REFORMATS or ("DERIVED" in header.image_type[:1] and not _compressed(header)):
        return "derived"
    return ""


def _compressed(header: SliceHeader) -> bool:
    """Whether an image is called derived for its lossy compression alone (PS3.3 C.7.6.1.1.5)."""
    return header.facts.pixels.lossy and header.image_type[1:3] == ("PRIMARY", "AXIAL")


def contrast(header: SliceHeader) -> Verdict:
    """Whether contrast medium was given, by the tags and the series' description."""
    return judge(header.facts.series_description, header.facts.contrast)


def head_score(header: SliceHeader) -> int:
    """2 where the header names the head, 0 where it names another part only, 1 otherwise."""
    facts = header.facts
    for words in (facts.body_part, facts.series_description):
        if (score := _score(words)) != 1:
            return score
    return _score(f"{facts.protocol} {facts.study_description}")


def names_other_part(header: SliceHeader) -> bool:
    """Whether the series' description names another part of the body than the head.

    Scanners write one body part over all series of a trauma study.
    """
    return _score(header.facts.series_description) == 0


def _score(words: str) -> int:
    head, other = bool(_HEAD.search(_fold(words))), bool(_OTHER.search(_fold(words)))
    return 1 + int(head) - int(other)


def is_sharp(header: SliceHeader) -> bool:
    """Whether a bone or lung kernel was used: noise and edges that hide and mimic blood.

    By the words of description and kernel; Siemens kernels from 60 up (H60s, Hr64), and Canon's
    FC30 to FC59 and FC80 to FC89.
    """
    kernel = header.kernel.lower()
    if _SHARP.search(f"{header.facts.series_description.lower()} {kernel}"):
        return True
    if canon := re.match(r"fc(\d+)", kernel):
        return 30 <= int(canon[1]) <= 59 or 80 <= int(canon[1]) <= 89
    siemens = re.match(r"[a-z]{1,2}(\d\d)", kernel)
    return siemens is not None and int(siemens[1]) >= 60


def _fold(words: str) -> str:
    return " ".join(words.lower().replace("_", " ").split())


@dataclass(frozen=True, kw_only=True)
class SeriesPart:
    """Slices of one scan that fit into one stack, and are of one kind.

    Args:
        key: the series UID, followed by '#' and a number where the series was split.
        headers: not empty; the first one has the patient, study and frame of reference of most.
        kind: why these images are set aside (see `set_aside`), or "".
        differ: in what the slices differ although they are one scan; see `grouping.DIFFERENCES`.
    """

    key: str
    headers: tuple[SliceHeader, ...]
    kind: str
    differ: tuple[str, ...] = ()

    @cached_property
    def series_uids(self) -> frozenset[str]:
        """Of all its slices; several where a scan is spread over them."""
        return frozenset(header.facts.series_uid for header in self.headers)

    @property
    def first(self) -> SliceHeader:
        """A slice to represent all where they agree."""
        return self.headers[0]

    @cached_property
    def plane(self) -> str:
        """'axial', 'coronal', 'sagittal' or ''."""
        return plane(self.first.orientation)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Slices in order along the normal; each on its own where the geometry is missing."""
        return (
            stack(self.headers)
            if has_geometry(self.first)
            else tuple((header,) for header in self.headers)
        )

    @cached_property
    def thickness_mm(self) -> float | None:
        """Median slice thickness; None where no slice has it."""
        known = [header.thickness_mm for header in self.headers if header.thickness_mm is not None]
        return median(known) if known else None

    @cached_property
    def coverage_mm(self) -> float:
        """Distance of the first and last slice."""
        if not has_geometry(self.first):
            return 0.0
        ends = (self.slots[0][0].position_mm or (), self.slots[-1][0].position_mm or ())
        return float(np.linalg.norm(np.subtract(*ends)))

    @cached_property
    def acquired_at(self) -> datetime | None:
        """The earliest time of its slices."""
        return min(
            (header.acquired_at for header in self.headers if header.acquired_at), default=None
        )

    @property
    def patient(self) -> tuple[str, str]:
        """ID and name."""
        return self.first.facts.patient_id, self.first.facts.patient_name

    @cached_property
    def person(self) -> SeriesIdentity:
        """Whose it is, and where it was made; nothing of the series."""
        facts = self.first.facts
        return SeriesIdentity(
            patient_id=facts.patient_id,
            patient_name=facts.patient_name,
            birth_date=facts.birth_date,
            sex=facts.sex,
            age=facts.age,
            issuer=facts.issuer,
            other_ids=facts.other_ids,
            site=facts.site,
        )

    @property
    def label(self) -> Phrase:
        """Number, description and size, for messages."""
        return self.labelled()

    def labelled(self, *, patient: str | None = None) -> Phrase:
        """The label, with the patient where it is not the one that the message is about."""
        facts = self.first.facts
        known = sorted({header.thickness_mm for header in self.headers if header.thickness_mm})
        return Phrase(
            "series",
            number=facts.series_number,
            description=facts.series_description or None,
            part=self.key.rpartition("#")[2] if "#" in self.key else None,
            patient=patient,
            count=len(self.slots),
            thickness_mm=tuple(known[:: len(known) - 1 or 1]),
        )


def has_geometry(header: SliceHeader) -> bool:
    """Whether a slice has its size, pixel spacing, position and a possible orientation."""
    return (
        header.facts.rows > 0
        and header.facts.columns > 0
        and header.spacing_mm is not None
        and header.position_mm is not None
        and directions(header.orientation) is not None
    )

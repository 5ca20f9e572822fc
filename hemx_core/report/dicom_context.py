"""Whose study a DICOM object belongs to: the patient's, as the images say, or a pseudonym's with new UIDs.

An archive files an object by its patient and its study. Without names it therefore gets a patient and a
study of its own: an object with an empty patient in the study of a named one is refused, or files the
study anew. UIDs are made of the images' own, so that all objects and runs of one study agree and whoever
has the images can join them (PS3.15 E.1, action U; PS3.5 B.2, UIDs made of UUIDs).
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

from hemx_core.errors import InputError
from hemx_core.imaging.volume import HUVolume
from hemx_core.notes import Note, Severity
from hemx_core.report.demographics import allowed_value
from hemx_core.report.json_report import short_hash

_UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
_GEOMETRY = (
    "SOPClassUID",
    *_UIDS,
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
)
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_OF_A_GROUP = ("PixelMeasuresSequence", "PlaneOrientationSequence", "PlanePositionSequence")
NEEDED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality")
"""What every object needs to refer to an image; a segmentation needs the frame of reference too."""
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
)
"""Type 2 of every IOD: present, but may be empty."""
_OF_THE_PATIENT = (
    *_REQUIRED,
    "PositionReferenceIndicator",
    "IssuerOfPatientID",
    "PatientAge",
    "StudyDescription",
)

_NAMESPACE = uuid.UUID("6b1f6f0c-6d2b-4c53-9a9e-5f0d1f6f2a77")
"""Of HEMX's UIDs; another one would give every study new ones."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyContext:
    """The images that an object refers to, reduced to what it takes over of them.

    Args:
        images: their headers, in the order of the files.
        identify: whether they carry what names the patient.
        keep_uids: whether their UIDs are the images' own.
        left_out: attributes whose value DICOM does not allow.
    """

    images: tuple[Dataset, ...]
    identify: bool
    keep_uids: bool
    left_out: tuple[str, ...]

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is to be told of what could not be taken over."""
        if not self.left_out:
            return ()
        note = Note("demographics_left_out", Severity.CAUTION, attributes=self.left_out)
        return (note,)

    def require(self, *keywords: str) -> None:
        """Refuse images that lack what an object needs.

        Raises:
            InputError: one has no value.
        """
        missing = [key for key in keywords if not all(image.get(key) for image in self.images)]
        if missing:
            raise InputError("images_without", missing=tuple(missing))

    def mark(self, written: Dataset) -> None:
        """Record in an object that the patient's identity was removed (PS3.3 C.7.1.1, C.12.1)."""
        if self.identify:
            return
        kept = "UIDs kept" if self.keep_uids else "new UIDs"
        written.PatientIdentityRemoved = "YES"
        written.DeidentificationMethod = f"HEMX: pseudonym; study attributes left out, {kept}"
        written.LongitudinalTemporalInformationModified = "REMOVED"


def study_context(
    sources: Sequence[Dataset], volume: HUVolume, *, identify: bool, keep_uids: bool = False
) -> StudyContext:
    """Reduce the source images' headers to what an object that refers to them takes over.

    Args:
        sources: as `read_source_images` gives them.
        volume: stands in for a slice thickness that the files lack.
        identify: take over patient and study attributes; the UIDs stay then too.
        keep_uids: leave the images' UIDs although the patient is not named.
    Raises:
        InputError: a UID is missing: nothing can be tied to the study.
    """
    kept_uids = identify or keep_uids
    left_out: dict[str, None] = {}
    images = []
    # pydicom warns of every odd value; what could not be taken over comes back as a note.
    with warnings.catch_warnings(action="ignore"):
        for source in sources:
            image = _reduced(source)
            if identify:
                left_out |= dict.fromkeys(_take_over(source, image))
            else:
                _give_pseudonym(source, image)
            if not kept_uids:
                _give_new_uids(image)
            images.append(image)
    _share_a_frame_of_reference(images)
    context = StudyContext(
        images=tuple(images), identify=identify, keep_uids=kept_uids, left_out=tuple(left_out)
    )
    context.require(*NEEDED)
    if len(images) == len(volume.hu):
        for image, thickness in zip(images, volume.geometry.slice_thickness_mm, strict=True):
            if _GROUPS[1] not in image and not image.get("SliceThickness"):
                image.SliceThickness = float(thickness)
    return context


def _share_a_frame_of_reference(images: Sequence[Dataset]) -> None:
    """Slices that were read as one scan, by their places, lie in one frame of reference: the first's."""
    first = images[0].get("FrameOfReferenceUID") if images else None
    if first and all(image.get("FrameOfReferenceUID") for image in images):
        for image in images:
            image.FrameOfReferenceUID = first


def new_uid(uid: str) -> str:
    """The UID that stands for another one in objects without names: always the same."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, uid).int}"


def _reduced(source: Dataset) -> Dataset:
    kept = Dataset()
    # Names are decoded already; all objects are written in Unicode.
    kept.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _GEOMETRY:
        if keyword in source:
            kept[keyword] = copy(source[keyword])
    for keyword in _GROUPS:
        if keyword in source:
            setattr(kept, keyword, DicomSequence([_group(item) for item in source[keyword].value]))
    for keyword in _REQUIRED:
        setattr(kept, keyword, "")
    # Type 2 of the frame of reference; a mark on the patient, in somebody's own words.
    kept.PositionReferenceIndicator = ""
    return kept


def _group(item: Dataset) -> Dataset:
    """A frame's place and size; what else a group says may name the patient."""
    kept = Dataset()
    for keyword in _OF_A_GROUP:
        if keyword in item:
            kept[keyword] = item[keyword]
    return kept


def _take_over(source: Dataset, image: Dataset) -> list[str]:
    """Copy what names the patient; answers what DICOM does not allow to be written."""
    left_out = []
    for keyword in _OF_THE_PATIENT:
        value, whole = allowed_value(source, keyword)
        if value or keyword in _REQUIRED:
            setattr(image, keyword, value)
        if not whole:
            left_out.append(keyword)
    return left_out


def _give_pseudonym(source: Dataset, image: Dataset) -> None:
    """The study's code, as result.json and the referral show it; nothing of the patient's ID is in it."""
    code = short_hash(str(source.get("StudyInstanceUID", ""))) or "unknown"
    image.PatientName, image.PatientID, image.StudyID = f"HEMX^{code}", f"HEMX-{code}", code


def _give_new_uids(image: Dataset) -> None:
    for keyword in _UIDS:
        if image.get(keyword):
            setattr(image, keyword, new_uid(str(image.get(keyword))))

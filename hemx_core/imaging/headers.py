"""What the header of a CT file says about each slice in it, without its pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit

from hemx_core.imaging import contrast_tags, limits
from hemx_core.imaging.contrast_tags import ContrastTags
from hemx_core.imaging.limits import Work
from hemx_core.imaging.parse import (
    damaged,
    has_comma,
    items,
    moment,
    numbers,
    parse,
    text,
    texts,
    utc_offset_minutes,
    whole,
)
from hemx_core.imaging.source import Source
from hemx_core.imaging.volume import THICKNESS_MM
from hemx_core.notes import Phrase

MAX_MATRIX = 4096
"""Rows or columns; CT goes to 2048."""
_FAR_MM = 1e5

_DECIMALS = ("RescaleIntercept", "RescaleSlope", "PixelSpacing", "ImagePositionPatient")
_DATES = ("Acquisition", "Content", "Series", "Study")
# fmt: off
_TAGS = (
    "SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "Modality",
    "Manufacturer", "ManufacturerModelName", "InstitutionName", "SeriesDescription",
    "StudyDescription", "ProtocolName", "PatientID", "PatientName", "PatientBirthDate",
    "PatientSex", "BodyPartExamined", "AcquisitionNumber", "TemporalPositionIdentifier", "KVP",
    "PatientAge", "IssuerOfPatientID", "OtherPatientIDs", "OtherPatientIDsSequence",
    "BurnedInAnnotation", "TimezoneOffsetFromUTC", "ConvolutionKernel", "SliceThickness",
    "SliceLocation",
    "PatientPosition", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber",
    "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID",
    "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns",
    "PixelSpacing", "ImagerPixelSpacing", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleIntercept",
    "RescaleSlope", "RescaleType", "LossyImageCompression", "AcquisitionDateTime",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    *contrast_tags.TAGS,
    *(f"{name}{part}" for name in _DATES for part in ("Date", "Time")),
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """How stored values are packed."""

    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    padding: int | None
    padding_limit: int | None
    transfer_syntax: str
    lossy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What holds for every slice of one file.

    Args:
        frames: how many pictures it describes.
    """

    source: Source
    modality: str
    sop_class: str
    sop_uid: str
    patient_id: str
    patient_name: str
    birth_date: str
    sex: str
    age: str
    issuer: str
    other_ids: tuple[str, ...]
    burned_in: bool
    study_uid: str
    series_uid: str
    frame_of_reference: str
    series_number: int | None
    instance_number: int
    series_description: str
    study_description: str
    protocol: str
    body_part: str
    contrast: ContrastTags
    scanner: str
    site: str
    patient_position: str
    rows: int
    columns: int
    imager_spacing: bool
    decimal_comma: bool
    pixels: PixelFormat
    frames: int = 1

    @property
    def frame_bytes(self) -> int:
        """Of one picture, uncompressed."""
        pixels = self.pixels
        return self.rows * self.columns * pixels.samples * pixels.bits_allocated // 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceHeader:
    """One slice: a file, or one frame of a multi-frame file. None where the header says nothing.

    Args:
        frame: index of the frame from 0, None for a file with one image.
        orientation: ImageOrientationPatient: row direction, column direction.
        position_mm: ImagePositionPatient.
        spacing_mm: PixelSpacing: (between rows, between columns).
        thickness_mm: SliceThickness, where a CT slice can have it.
        location_mm: SliceLocation.
        kernel: ConvolutionKernel; empty where unknown.
        acquisition: AcquisitionNumber. Scanners count rotations, ranges or passes with it.
        phase: TemporalPositionIdentifier or TemporalPositionIndex.
        kvp: tube voltage.
        acquired_at: the scanner's local time; midnight where only the day is known.
        time_known: whether the header gives a time of day.
        utc_offset_minutes: of the local time; None where the header does not say.
    """

    facts: FileFacts
    frame: int | None
    image_type: tuple[str, ...]
    orientation: tuple[float, ...] | None
    position_mm: tuple[float, ...] | None
    spacing_mm: tuple[float, ...] | None
    thickness_mm: float | None
    location_mm: float | None = None
    slope: float | None
    intercept: float | None
    rescale_type: str
    kernel: str
    acquisition: int | None
    phase: int | None
    kvp: float | None
    acquired_at: datetime | None
    time_known: bool
    utc_offset_minutes: int | None = None

    @property
    def name(self) -> str:
        """The file, and the frame counted from 1, for messages."""
        name = self.facts.source.name
        return name if self.frame is None else f"{name} frame {self.frame + 1}"


def read_headers(source: Source, work: Work | None = None) -> tuple[SliceHeader, ...]:
    """Headers of all slices in a file; one for a file that holds no image.

    Args:
        source: the file.
        work: what the input has taken so far; the file's share is added.
    Raises:
        UnreadablePixelsError: not readable as DICOM, or too many frames.
        UnsafeInputError: inflates beyond bounds, or all files together take too much.
        OSError: the file cannot be opened.
    """
    with source.open() as stream:
        dataset = parse(stream, source.name, tags=_TAGS, work=work)
    facts = _facts(dataset, source)
    base = _slice_header(facts, dataset, (dataset,))
    frames = items(dataset, "PerFrameFunctionalGroupsSequence")
    if not frames:
        return (base,)
    if len(frames) > limits.MAX_FRAMES:
        raise damaged(source.name, Phrase("dicom.too_much"))
    shared = list(items(dataset, "SharedFunctionalGroupsSequence"))[:1]
    return tuple(
        replace(_slice_header(facts, dataset, (*_groups(frame, shared), dataset)), frame=index)
        for index, frame in enumerate(frames)
    )


def _groups(frame: Dataset, shared: Sequence[Dataset]) -> Iterator[Dataset]:
    """The functional group items for a frame: its own before the shared ones."""
    for keyword in (
        "PlanePositionSequence",
        "PlaneOrientationSequence",
        "PixelMeasuresSequence",
        "PixelValueTransformationSequence",
        "CTImageFrameTypeSequence",
        "FrameContentSequence",
        "CTReconstructionSequence",
        "CTXRayDetailsSequence",
    ):
        for groups in (frame, *shared):
            yield from list(items(groups, keyword))[:1]


def _facts(dataset: Dataset, source: Source) -> FileFacts:
    meta = getattr(dataset, "file_meta", Dataset())
    groups = [
        *items(dataset, "SharedFunctionalGroupsSequence"),
        *items(dataset, "PerFrameFunctionalGroupsSequence"),
    ]
    maker, model = text(dataset, "Manufacturer"), text(dataset, "ManufacturerModelName")
    return FileFacts(
        source=source,
        modality=text(dataset, "Modality").upper(),
        sop_class=text(dataset, "SOPClassUID") or text(meta, "MediaStorageSOPClassUID"),
        sop_uid=text(dataset, "SOPInstanceUID"),
        patient_id=text(dataset, "PatientID"),
        patient_name=text(dataset, "PatientName"),
        birth_date=text(dataset, "PatientBirthDate"),
        sex=text(dataset, "PatientSex").upper(),
        age=text(dataset, "PatientAge"),
        issuer=text(dataset, "IssuerOfPatientID"),
        other_ids=_other_ids(dataset),
        burned_in=text(dataset, "BurnedInAnnotation").upper() == "YES",
        study_uid=text(dataset, "StudyInstanceUID"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        frame_of_reference=text(dataset, "FrameOfReferenceUID"),
        series_number=whole(dataset, "SeriesNumber"),
        instance_number=whole(dataset, "InstanceNumber") or 0,
        series_description=text(dataset, "SeriesDescription"),
        study_description=text(dataset, "StudyDescription"),
        protocol=text(dataset, "ProtocolName"),
        body_part=text(dataset, "BodyPartExamined"),
        contrast=contrast_tags.read_tags(dataset, groups),
        scanner=model if model.lower().startswith(maker.lower()) else f"{maker} {model}".strip(),
        site=text(dataset, "InstitutionName"),
        patient_position=text(dataset, "PatientPosition").upper(),
        rows=_matrix(dataset, "Rows"),
        columns=_matrix(dataset, "Columns"),
        imager_spacing=numbers(dataset, "ImagerPixelSpacing", 2) is not None,
        decimal_comma=_has_commas(dataset, groups),
        pixels=_pixel_format(dataset, text(meta, "TransferSyntaxUID")),
        frames=max(1, len(items(dataset, "PerFrameFunctionalGroupsSequence"))),
    )


def _has_commas(dataset: Dataset, groups: Sequence[Dataset]) -> bool:
    holders = (dataset, *(one for group in groups for one in _groups(group, ())))
    return any(has_comma(holder, keyword) for holder in holders for keyword in _DECIMALS)


def _other_ids(dataset: Dataset) -> tuple[str, ...]:
    told = texts(dataset, "OtherPatientIDs")
    listed = (text(one, "PatientID") for one in items(dataset, "OtherPatientIDsSequence"))
    return tuple(dict.fromkeys(filter(None, (*told, *listed))))


def _pixel_format(dataset: Dataset, transfer_syntax: str) -> PixelFormat:
    allocated = whole(dataset, "BitsAllocated") or 0
    stored = whole(dataset, "BitsStored") or allocated
    return PixelFormat(
        samples=whole(dataset, "SamplesPerPixel") or 1,
        photometric=text(dataset, "PhotometricInterpretation").upper(),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=_or(whole(dataset, "HighBit"), stored - 1),
        signed=whole(dataset, "PixelRepresentation") == 1,
        padding=whole(dataset, "PixelPaddingValue"),
        padding_limit=whole(dataset, "PixelPaddingRangeLimit"),
        transfer_syntax=transfer_syntax,
        lossy=text(dataset, "LossyImageCompression") == "01"
        or transfer_syntax in (JPEGBaseline8Bit, JPEGExtended12Bit),
    )


def _slice_header(facts: FileFacts, dataset: Dataset, holders: tuple[Dataset, ...]) -> SliceHeader:
    """The header of a slice with geometry and rescale from the first holder that has them."""
    acquired_at, time_known, offset = _acquired_at(dataset, holders)
    thickness = _first(holders, "SliceThickness", 1)
    location = _near(_first(holders, "SliceLocation", 1))
    slope = _first(holders, "RescaleSlope", 1)
    intercept = _first(holders, "RescaleIntercept", 1)
    kvp = _first(holders, "KVP", 1)
    return SliceHeader(
        facts=facts,
        frame=None,
        image_type=_types(holders),
        orientation=_first(holders, "ImageOrientationPatient", 6),
        position_mm=_near(_first(holders, "ImagePositionPatient", 3)),
        spacing_mm=_positive(_first(holders, "PixelSpacing", 2)),
        thickness_mm=thickness[0] if thickness and _possible(thickness[0]) else None,
        location_mm=location[0] if location else None,
        slope=slope[0] if slope else None,
        intercept=intercept[0] if intercept else None,
        rescale_type=_word(holders, "RescaleType").upper(),
        kernel=_word(holders, "ConvolutionKernel"),
        acquisition=_number(holders, "FrameAcquisitionNumber", "AcquisitionNumber"),
        phase=_number(holders, "TemporalPositionIndex", "TemporalPositionIdentifier"),
        kvp=kvp[0] if kvp else None,
        acquired_at=acquired_at,
        time_known=time_known,
        utc_offset_minutes=offset,
    )


def _types(holders: tuple[Dataset, ...]) -> tuple[str, ...]:
    found = (texts(holder, key) for holder in holders for key in ("FrameType", "ImageType"))
    return tuple(value.upper() for value in next(filter(None, found), ()))


def _first(holders: tuple[Dataset, ...], keyword: str, count: int) -> tuple[float, ...] | None:
    return next(filter(None, (numbers(holder, keyword, count) for holder in holders)), None)


def _word(holders: tuple[Dataset, ...], keyword: str) -> str:
    return next(filter(None, (text(holder, keyword) for holder in holders)), "")


def _number(holders: tuple[Dataset, ...], *keywords: str) -> int | None:
    found = (whole(holder, keyword) for keyword in keywords for holder in holders)
    return next((number for number in found if number is not None), None)


def _positive(values: tuple[float, ...] | None) -> tuple[float, ...] | None:
    return values if values and min(values) > 0 else None


def _possible(thickness_mm: float) -> bool:
    return THICKNESS_MM[0] <= thickness_mm <= THICKNESS_MM[1]


def _near(values: tuple[float, ...] | None) -> tuple[float, ...] | None:
    return values if values and max(map(abs, values)) < _FAR_MM else None


def _acquired_at(
    dataset: Dataset, holders: tuple[Dataset, ...]
) -> tuple[datetime | None, bool, int | None]:
    """Date and time of acquisition, whether the time of day is known, and its offset from UTC, minutes.

    In the order AcquisitionDateTime (of the frame first), then acquisition, content, series and
    study date with time; at last the first date alone. The offset is the one behind the value, else
    TimezoneOffsetFromUTC (PS3.3 C.12.1.1.5).
    """
    offset = utc_offset_minutes(text(dataset, "TimezoneOffsetFromUTC"))
    for keyword in ("FrameAcquisitionDateTime", "AcquisitionDateTime"):
        for holder in holders:
            value = text(holder, keyword)
            if (exact := moment(value)) is not None:
                own = utc_offset_minutes(value)
                return exact, True, offset if own is None else own
    days = [text(dataset, f"{name}Date") for name in _DATES]
    for name, day in zip(_DATES, days, strict=True):
        time = text(dataset, f"{name}Time")
        if time and (exact := moment(day, time)) is not None:
            return exact, True, offset
    midnight = next(filter(None, (moment(day, "00") for day in days)), None)
    return midnight, False, offset


def _matrix(dataset: Dataset, keyword: str) -> int:
    size = whole(dataset, keyword) or 0
    return size if 0 < size <= MAX_MATRIX else 0


def _or(value: int | None, default: int) -> int:
    return default if value is None else value

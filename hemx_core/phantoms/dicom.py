"""A volume as a DICOM CT series: CT Image Storage, explicit VR little endian, one file a slice.

Required attributes after DICOM PS3.3 A.3 (CT Image IOD); type 2 ones are empty where unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import DSfloat

from hemx_core.errors import OutputError, VolumeError
from hemx_core.files import write_whole
from hemx_core.imaging.volume import AIR_HU, HUVolume, SeriesIdentity

UNKNOWN_TIME = datetime(2024, 1, 1)
"""Acquisition time of a volume that has none: dates are required where a series is compared."""


def make_uids(slices: int, *entropy: str) -> SeriesIdentity:
    """UIDs of a study, its series, frame of reference and slices; the same for the same entropy."""

    def uid(*parts: str) -> str:
        return str(generate_uid(entropy_srcs=["hemx", *entropy, *parts]))

    return SeriesIdentity(
        study_uid=uid("study"),
        series_uid=uid("series"),
        frame_of_reference_uid=uid("frame"),
        sop_instance_uids=tuple(uid("slice", str(index)) for index in range(slices)),
    )


def write_dicom_series(
    volume: HUVolume,
    folder: Path,
    *,
    window_hu: tuple[float, float] = (0.0, 80.0),
    attributes: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write a volume as a DICOM series, each file under another name first and then renamed.

    UIDs come from `volume.identity`; where they are missing, from what the volume shows, so writing
    the same volume twice gives the same files.

    Args:
        volume: HU of -1024 and more.
        folder: made if missing; must hold no other DICOM files.
        window_hu: display window (lower, upper).
        attributes: keywords and values that replace those of a phantom's scanner.
    Returns:
        The files, feet to head.
    Raises:
        VolumeError: HU below -1024, which the stored values cannot hold.
        OutputError: the folder holds another series, or a file cannot be written.
    """
    if int(volume.hu.min()) < AIR_HU:
        raise VolumeError(
            f"{int(volume.hu.min())} HU",
            expected=f"HU of {AIR_HU} and more",
            remedy=f"set padding to {AIR_HU} HU first",
        )
    names = [f"CT_{index + 1:04d}.dcm" for index in range(len(volume.hu))]
    common = _common(volume, window_hu)
    for keyword, value in (attributes or {}).items():
        setattr(common, keyword, value)
    identity = _with_uids(volume)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted({path.name for path in folder.glob("*.dcm")} - set(names))
        if others:
            raise OutputError(
                f"{folder} already holds {others[0]}",
                expected="an empty folder, or the same series written before",
                remedy="choose another folder, or empty this one",
            )
        for index, name in enumerate(names):
            _write_slice(volume, identity, common, index, folder / name)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror or error})",
            expected="a folder with enough free space that may be written",
            remedy="choose another folder",
        ) from error
    return [folder / name for name in names]


def _with_uids(volume: HUVolume) -> SeriesIdentity:
    """UIDs of the volume's identity, made from its content where any is missing."""
    own = volume.identity
    digest = hashlib.sha256(np.ascontiguousarray(volume.hu).tobytes()).hexdigest()
    made = make_uids(len(volume.hu), own.patient_id, str(own.acquired_at), digest)
    return SeriesIdentity(
        study_uid=own.study_uid or made.study_uid,
        series_uid=own.series_uid or made.series_uid,
        frame_of_reference_uid=own.frame_of_reference_uid or made.frame_of_reference_uid,
        sop_instance_uids=own.sop_instance_uids or made.sop_instance_uids,
    )


def _common(volume: HUVolume, window_hu: tuple[float, float]) -> Dataset:
    """Attributes that all slices share, except identifiers."""
    own, geometry = volume.identity, volume.geometry
    at = own.acquired_at or UNKNOWN_TIME
    thickness = float(np.median(geometry.slice_thickness_mm))
    common = Dataset()
    common.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    common.SOPClassUID = CTImageStorage
    for moment in ("Study", "Series", "Acquisition", "Content"):
        setattr(common, f"{moment}Date", at.strftime("%Y%m%d"))
        setattr(common, f"{moment}Time", at.strftime("%H%M%S"))
    common.AccessionNumber = ""
    common.Modality = "CT"
    common.Manufacturer = "HEMX"
    common.ManufacturerModelName = own.scanner or "HEMX phantom"
    common.InstitutionName = own.site
    common.ReferringPhysicianName = ""
    common.StudyDescription = "HEAD CT"
    common.SeriesDescription = own.series_description or f"HEAD {thickness:.1f} H30s"
    if not f"{own.patient_name}{own.patient_id}{own.series_description}".isascii():
        common.SpecificCharacterSet = "ISO_IR 192"
    common.PatientName = own.patient_name or "HEMX^PHANTOM"
    common.PatientID = own.patient_id
    common.PatientBirthDate = ""
    common.PatientSex = ""
    common.BodyPartExamined = "HEAD"
    common.KVP = "120"
    common.GantryDetectorTilt = _decimal(geometry.tilt_deg)
    common.ConvolutionKernel = "H30s"
    common.PatientPosition = "HFS"
    common.StudyID = "1"
    common.SeriesNumber = 2
    common.AcquisitionNumber = 1
    common.PositionReferenceIndicator = ""
    _add_pixel_module(common, volume)
    common.WindowCenter = _decimal(sum(window_hu) / 2)
    common.WindowWidth = _decimal(window_hu[1] - window_hu[0])
    return common


def _add_pixel_module(common: Dataset, volume: HUVolume) -> None:
    geometry = volume.geometry
    directions = (*geometry.row_direction, *geometry.column_direction)
    common.ImageOrientationPatient = [_decimal(value) for value in directions]
    common.PixelSpacing = [_decimal(value) for value in geometry.pixel_spacing_mm]
    if len(volume.hu) > 1:
        common.SpacingBetweenSlices = _decimal(geometry.spacing_mm[0])
    common.SamplesPerPixel = 1
    common.PhotometricInterpretation = "MONOCHROME2"
    _, common.Rows, common.Columns = volume.shape
    common.BitsAllocated = 16
    common.BitsStored = 16
    common.HighBit = 15
    common.PixelRepresentation = 0
    common.RescaleIntercept = str(AIR_HU)
    common.RescaleSlope = "1"
    common.RescaleType = "HU"


def _write_slice(
    volume: HUVolume, identity: SeriesIdentity, common: Dataset, index: int, path: Path
) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(identity.sop_instance_uids[index])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    written = FileDataset(str(path), common, file_meta=meta, preamble=b"\0" * 128)
    written.SOPInstanceUID = identity.sop_instance_uids[index]
    written.StudyInstanceUID = identity.study_uid
    written.SeriesInstanceUID = identity.series_uid
    written.FrameOfReferenceUID = identity.frame_of_reference_uid
    written.InstanceNumber = index + 1
    geometry = volume.geometry
    written.ImagePositionPatient = [_decimal(value) for value in geometry.positions_mm[index]]
    written.SliceLocation = _decimal(geometry.slice_offsets_mm[index])
    written.SliceThickness = _decimal(geometry.slice_thickness_mm[index])
    written.PixelData = _stored(volume.hu[index]).tobytes()
    write_whole(path, lambda stream: written.save_as(stream, enforce_file_format=True))


def _stored(hu: NDArray[np.int16]) -> NDArray[np.uint16]:
    """Stored values of one slice, little endian."""
    return (hu.astype(np.int32) - AIR_HU).astype("<u2")


def _decimal(value: float) -> DSfloat:
    """A decimal string of at most 16 characters."""
    return DSfloat(float(value), auto_format=True)

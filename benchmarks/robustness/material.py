"""Small sound inputs of each kind, always the same: what is damaged afterwards."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet
from pydicom.uid import (
    UID,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)

from benchmarks.robustness.encoders import ENCODERS

SLICES, MATRIX, STEP_MM = 6, 32, 5.0
AIR, INTERCEPT = -1000, -1024
PATIENT = "Muster^Anna"


def stored_values() -> NDArray[np.uint16]:
    """Stored values of 12 bits, shape (slices, rows, columns): no two slices alike, corners air."""
    index, row, column = np.ogrid[:SLICES, :MATRIX, :MATRIX]
    values = 20 * index + 7 * (row * column % 11) + 3 * row + column - INTERCEPT
    values[:, [0, 0, -1, -1], [0, -1, 0, -1]] = AIR - INTERCEPT
    return np.asarray(values, np.uint16)


def datasets(*entropy: str) -> list[Dataset]:
    """A CT series, feet to head, with pixels that are not compressed."""
    return [_slice(index, values, entropy) for index, values in enumerate(stored_values())]


def _slice(index: int, values: NDArray[np.uint16], entropy: Sequence[str]) -> Dataset:
    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    uids = [generate_uid(entropy_srcs=[*entropy, kind]) for kind in ("study", "series", "frame")]
    one.SOPClassUID = CTImageStorage
    one.SOPInstanceUID = generate_uid(entropy_srcs=[*entropy, str(index)])
    one.StudyInstanceUID, one.SeriesInstanceUID, one.FrameOfReferenceUID = uids
    one.PatientID, one.PatientName, one.PatientBirthDate, one.PatientSex = "P1", PATIENT, "", "F"
    one.StudyID, one.AccessionNumber, one.ReferringPhysicianName = "1", "", ""
    one.Modality, one.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    one.SeriesNumber, one.SeriesDescription, one.InstanceNumber = 1, "Head 5 mm", index + 1
    one.StudyDate, one.StudyTime = "20260102", "030405"
    one.Manufacturer, one.ManufacturerModelName, one.InstitutionName = "ACME", "One", "Site A"
    one.PatientPosition, one.KVP, one.ConvolutionKernel = "HFS", "120", "H31"
    one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    one.ImagePositionPatient = [-100, -120, index * STEP_MM]
    one.PixelSpacing, one.SliceThickness = [0.5, 0.4], STEP_MM
    one.RescaleIntercept, one.RescaleSlope, one.RescaleType = INTERCEPT, 1, "HU"
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.Rows, one.Columns = values.shape
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 12, 11, 0
    one.PixelData = values.tobytes()
    return one


def save(one: Dataset, path: Path) -> None:
    """Write a data set in the transfer syntax that its meta information names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    syntax = one.file_meta.TransferSyntaxUID
    one.save_as(
        path,
        enforce_file_format=True,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
    )


def write_series(folder: Path, *syntaxes: str) -> None:
    """A series of plain files, whose slices take turns with the transfer syntaxes."""
    plain = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
    for index, one in enumerate(datasets("plain")):
        one.file_meta.TransferSyntaxUID = UID((syntaxes or plain)[index % len(syntaxes or plain)])
        if one.file_meta.TransferSyntaxUID == ExplicitVRBigEndian:
            one.PixelData = stored_values()[index].astype(">u2").tobytes()
        save(one, folder / f"{index:03d}")


def write_compressed(folder: Path, name: str) -> None:
    """A series in one of the encoders' transfer syntaxes."""
    syntax, bits, encode = ENCODERS[name]
    for index, one in enumerate(datasets(name)):
        one.file_meta.TransferSyntaxUID = UID(syntax)
        one.BitsAllocated = bits
        one.PixelData = encapsulate([encode(stored_values()[index])])
        one["PixelData"].VR = "OB"
        save(one, folder / f"{index:03d}")


def write_enhanced(folder: Path) -> None:
    """One Enhanced CT file."""
    values = stored_values()
    one = datasets("enhanced")[0]
    for keyword in (
        "PixelSpacing", "SliceThickness", "ImagePositionPatient", "ImageOrientationPatient",
        "RescaleSlope", "RescaleIntercept", "RescaleType",
    ):  # fmt: skip
        delattr(one, keyword)
    one.SOPClassUID = EnhancedCTImageStorage
    one.NumberOfFrames, one.PixelData = SLICES, values.tobytes()
    shared = Dataset()
    shared.PixelMeasuresSequence = _item(PixelSpacing=[0.5, 0.4], SliceThickness=STEP_MM)
    shared.PlaneOrientationSequence = _item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    shared.CTImageFrameTypeSequence = _item(FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])
    one.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for index in range(SLICES):
        frame = Dataset()
        frame.PlanePositionSequence = _item(ImagePositionPatient=[-100, -120, index * STEP_MM])
        frame.PixelValueTransformationSequence = _item(
            RescaleSlope=1, RescaleIntercept=INTERCEPT, RescaleType="HU"
        )
        frame.FrameContentSequence = _item(FrameAcquisitionDateTime=f"2026010203040{index}")
        frames.append(frame)
    one.PerFrameFunctionalGroupsSequence = frames
    save(one, folder / "000")


def _item(**elements: Any) -> list[Dataset]:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return [item]


def write_dicomdir(folder: Path) -> None:
    """A file set with its DICOMDIR."""
    files = FileSet()
    for one in datasets("dicomdir"):
        one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        files.add(one)
    files.write(folder)


def write_zip(folder: Path) -> None:
    """A zip with a folder in it: files stored and packed, one of them deflated once more by itself."""
    inside = folder.with_name(folder.name + " inside")
    syntaxes = [ExplicitVRLittleEndian] * (SLICES - 1) + [DeflatedExplicitVRLittleEndian]
    write_series(inside, *syntaxes)
    folder.mkdir(parents=True)
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    with zipfile.ZipFile(folder / "study.zip", "w") as archive:
        for index, path in enumerate(sorted(inside.iterdir())):
            member = zipfile.ZipInfo(f"study/series/{path.name}", (2026, 1, 2, 3, 4, 6))
            archive.writestr(member, path.read_bytes(), methods[index % len(methods)])

"""Headers, streams and DICOMDIRs that mean harm: they would take minutes, gigabytes or the stack."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from benchmarks.robustness import material
from benchmarks.robustness.encoders import ENCODERS

Build = Callable[[Path], Path]
SERIES = "series"
EXPLICIT, DEFLATED = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99"
ITEM, END = b"\xfe\xff\x00\xe0" + bytes(4), b"\xfe\xff\xdd\xe0" + bytes(4)
FRAMES, PRIVATE = 0x52009230, 0x00091010
UNDEFINED = 2**32 - 1
MEBI = 2**20


def element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """One element, explicit and little endian; the length that it tells may be another one."""
    long = vr in (b"OB", b"SQ", b"UN")
    told = len(value) if length is None else length
    numbers = (0, told) if long else (told,)
    form = "<HH2sHL" if long else "<HH2sH"
    return struct.pack(form, tag >> 16, tag & 0xFFFF, vr, *numbers) + value


def ct_file(*elements: bytes, syntax: bytes = EXPLICIT) -> bytes:
    """A CT file without a picture."""
    meta = element(0x00020010, b"UI", syntax)
    meta = element(0x00020000, b"UL", struct.pack("<L", len(meta))) + meta
    body = element(0x00080060, b"CS", b"CT") + b"".join(elements)
    if syntax == DEFLATED:
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        body = packer.compress(body) + packer.flush()
    return bytes(128) + b"DICM" + meta + body


def _beside(folder: Path, *elements: bytes, syntax: bytes = EXPLICIT, files: int = 1) -> Path:
    """A sound series with such files beside it."""
    place = folder / SERIES
    (place / "z0").write_bytes(ct_file(*elements, syntax=syntax))
    for number in range(1, files):
        os.link(place / "z0", place / f"z{number}")
    return place


def _changed(folder: Path, count: int, **elements: Any) -> Path:
    """The series with other values in its first slices."""
    for path in sorted((folder / SERIES).iterdir())[:count]:
        one = pydicom.dcmread(path)
        for keyword, value in elements.items():
            setattr(one, keyword, value)
        one.save_as(path)
    return folder / SERIES


def _raw(folder: Path, keyword: str, old: bytes, new: bytes) -> Path:
    """The series with the bytes of a value exchanged for others as long, in all slices."""
    assert len(old) == len(new), keyword
    for path in (folder / SERIES).iterdir():
        path.write_bytes(path.read_bytes().replace(old, new))
    return folder / SERIES


def _many(folder: Path, count: int, change: Callable[[int, Dataset], None]) -> Path:
    """So many files of one pixel each."""
    place = folder / "many"
    place.mkdir()
    one = material.datasets("many")[0]
    one.Rows = one.Columns = 1
    one.PixelData = b"\0\4"
    for number in range(count):
        one.SOPInstanceUID, one.InstanceNumber = UID(f"1.2.3.{number}"), number
        change(number, one)
        one.save_as(place / f"{number}", enforce_file_format=True)
    return place


def _series(number: int, one: Dataset) -> None:
    one.SeriesInstanceUID = f"1.2.4.{number}"


def _person(number: int, one: Dataset) -> None:
    one.PatientID, one.PatientName = f"{number}", f"{number * 7919}"


def _grid(number: int, one: Dataset) -> None:
    one.PixelSpacing = [0.5 + number / 1e4] * 2


def _kernel(number: int, one: Dataset) -> None:
    one.ConvolutionKernel = f"H{number}"


def _place(number: int, one: Dataset) -> None:
    one.ImagePositionPatient = [0, 0, round(number / 10, 1)]


def _stream(folder: Path, name: str, marker: bytes, skip: int, value: bytes) -> Path:
    """A series whose streams say that they hold 60,000 x 60,000 pixels."""
    syntax, bits, encode = ENCODERS[name]
    for index, one in enumerate(material.datasets("plain")):
        stream = bytearray(encode(material.stored_values()[index]))
        at = stream.index(marker) + skip
        stream[at : at + len(value)] = value
        one.file_meta.TransferSyntaxUID, one.BitsAllocated = UID(syntax), bits
        one.PixelData = encapsulate([bytes(stream)])
        one["PixelData"].VR = "OB"
        material.save(one, folder / SERIES / f"{index:03d}")
    return folder / SERIES


def _dicomdir(folder: Path, names: list[list[str]], files: int = 0) -> Path:
    place = folder / "medium"
    place.mkdir()
    for number in range(files):
        (place / f"F{number}").touch()
    records = []
    for parts in names:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        record.add_new("ReferencedFileID", "CS", parts)
        records.append(record)
    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    one.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.DirectoryRecordSequence = records
    one.save_as(place / "DICOMDIR", enforce_file_format=True)
    return place / "DICOMDIR"


def attacks() -> Mapping[str, Build]:
    """By name."""
    size = struct.pack(">HH", 60_000, 60_000)
    nested = ITEM[:4] + struct.pack("<L", UNDEFINED)
    empty = element(PRIVATE, b"LO", b"")
    return {
        "header: 3,000,000 items": lambda f: _beside(f, element(FRAMES, b"SQ", ITEM * 3_000_000)),
        "header: 3,000,000 items to the end": lambda f: _beside(
            f, element(FRAMES, b"SQ", ITEM * 3_000_000 + END, UNDEFINED)
        ),
        "header: items, deflated": lambda f: _beside(
            f, element(FRAMES, b"SQ", ITEM * 3_000_000), syntax=DEFLATED
        ),
        "header: 1,500,000 private elements": lambda f: _beside(f, empty * 1_500_000),
        "header: private elements in 20 files": lambda f: _beside(f, empty * 400_000, files=20),
        "header: 100,000 sequences in each other": lambda f: _beside(
            f, element(FRAMES, b"SQ", nested, UNDEFINED) * 100_000
        ),
        "header: a blob without an end": lambda f: _beside(
            f, element(PRIVATE, b"OB", bytes(100 * MEBI), UNDEFINED)
        ),
        "header: deflates to 1 GiB": lambda f: _beside(
            f, element(PRIVATE, b"OB", bytes(1000 * MEBI)), syntax=DEFLATED
        ),
        "header: 30 deflated files": lambda f: _beside(
            f, element(PRIVATE, b"OB", bytes(90 * MEBI)), syntax=DEFLATED, files=30
        ),
        "values: a name of 1 MiB": partial(_changed, count=6, StudyDescription="n" * MEBI),
        "values: SliceThickness of 1e308": partial(_changed, count=6, SliceThickness="1e308"),
        "values: PixelSpacing of 1e308": partial(
            _changed, count=6, PixelSpacing=["1e308", "1e308"]
        ),
        "values: PixelSpacing of 1e-300": partial(
            _changed, count=6, PixelSpacing=["1e-300", "1e-300"]
        ),
        "values: RescaleSlope of 1e300": partial(_changed, count=6, RescaleSlope="1e300"),
        "values: positions of 1e300": partial(
            _changed, count=6, ImagePositionPatient=["1e300", "0", "1e300"]
        ),
        "values: 2,147,483,647 frames": partial(_changed, count=6, NumberOfFrames="2147483647"),
        "values: 65,535 rows and columns": partial(_changed, count=6, Rows=65535, Columns=65535),
        "values: 4,096 rows and columns": partial(_changed, count=6, Rows=4096, Columns=4096),
        "values: 65,535 samples": partial(_changed, count=6, SamplesPerPixel=65535),
        "values: 65,528 bits": partial(_changed, count=6, BitsAllocated=65528),
        "values: no digit": partial(_changed, count=1, RescaleIntercept=None),
        "values: 100,000 image types": partial(_changed, count=6, ImageType=["A"] * 30_000),
        "values: escapes": partial(_changed, count=6, SeriesDescription="\x1b]0;x\x07\x1b[31m"),
        "values: a UID of letters": partial(
            _raw, keyword="SOPClassUID", old=b"1.2.840.10008.5.1.4.1.1.2", new=b"x" * 25
        ),
        "stream: RLE of 2^32 bytes": lambda f: _stream(
            f, "RLE", b"", 0, struct.pack("<LL", 2**31, 2**32 - 1)
        ),
        "stream: JPEG 2000 of 60,000 x 60,000": lambda f: _stream(
            f, "JPEG 2000", b"\xff\x51", 6, struct.pack(">LL", 60_000, 60_000)
        ),
        "stream: JPEG-LS of 60,000 x 60,000": lambda f: _stream(f, "JPEG-LS", b"\xff\xf7", 5, size),
        "stream: JPEG lossless of 60,000 x 60,000": lambda f: _stream(
            f, "lossless", b"\xff\xc3", 5, size
        ),
        "stream: JPEG of 60,000 x 60,000": lambda f: _stream(f, "baseline", b"\xff\xc0", 5, size),
        "images: 10,500": lambda f: _many(f, 10_500, lambda *_: None),
        "images: 4,000 series": lambda f: _many(f, 4000, _series),
        "images: 4,000 people": lambda f: _many(f, 4000, _person),
        "images: 4,000 grids": lambda f: _many(f, 4000, _grid),
        "images: 4,000 kernels": lambda f: _many(f, 4000, _kernel),
        "images: 3,000 at one place": lambda f: _many(f, 3000, lambda *_: None),
        "images: 3,000 places": lambda f: _many(f, 3000, _place),
        "DICOMDIR: 4,000 missing of 4,000": lambda f: _dicomdir(
            f, [[f"X{number}"] for number in range(4000)], files=4000
        ),
        "DICOMDIR: 21,000 records": lambda f: _dicomdir(f, [["X"]] * 21_000),
        "DICOMDIR: leaves": lambda f: _dicomdir(f, [["..", "..", "etc", "passwd"]]),
        "DICOMDIR: absolute": lambda f: _dicomdir(f, [["/etc/passwd"]]),
        "DICOMDIR: 1,000 components": lambda f: _dicomdir(f, [["A"] * 1000]),
        "DICOMDIR: long component": lambda f: _dicomdir(f, [["A" * 5000]]),
    }

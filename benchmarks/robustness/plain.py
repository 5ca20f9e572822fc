"""Another reading of a CT study: what pydicom alone makes of the bytes, slice by slice.

It shares the decoders with HEMX, but neither the parsing of headers into slices, nor the conversion to HU,
nor what is thought of damage.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from hemx_core.imaging.volume import AIR_HU, HUVolume

_NEAR_MM, _NEAR = 1e-3, 1e-4
_PADDING_BELOW_HU = -1000
_PLAIN: dict[tuple[bool | None, bool | None], UID] = {
    (True, True): ImplicitVRLittleEndian,
    (False, True): ExplicitVRLittleEndian,
    (False, False): ExplicitVRBigEndian,
}
"""Transfer syntaxes by whether kinds are implied and whether low bytes come first."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PlainSlice:
    """A slice as its file describes it.

    Args:
        owner: what the file says it belongs to: slices of one scan agree in it.
    """

    uid: str
    owner: tuple[str, ...]
    hu: NDArray[np.float64]
    position_mm: NDArray[np.float64]
    orientation: NDArray[np.float64]
    spacing_mm: tuple[float, float]


def read_plain(path: Path) -> list[PlainSlice]:
    """The slices of all files under a path that pydicom can read; the others are passed over."""
    found: list[PlainSlice] = []
    with warnings.catch_warnings(action="ignore"):
        for content in _contents(path):
            try:
                found += _slices(_read(content))
            except Exception:  # the other reader may refuse what it likes
                continue
    return found


def _contents(path: Path) -> Iterator[bytes]:
    if path.suffix == ".zip":
        try:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield archive.read(name)
        except Exception:  # as above
            return
    else:
        folder = path if path.is_dir() else path.parent
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.name != "DICOMDIR":
                yield file.read_bytes()


def _read(content: bytes) -> FileDataset:
    """A file; where it does not say its transfer syntax, it is the one in which pydicom has read it."""
    one = pydicom.dcmread(io.BytesIO(content), force=True)
    if not _get(one.file_meta, "TransferSyntaxUID"):
        one.file_meta.TransferSyntaxUID = _PLAIN[one.original_encoding]
    return one


def _slices(one: Dataset) -> Iterator[PlainSlice]:
    pixels = one.pixel_array
    pixels = pixels if pixels.ndim == 3 else pixels[None]
    frames = one.get("PerFrameFunctionalGroupsSequence") or [Dataset()]
    shared = (one.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    owner = tuple(
        str(_get(one, keyword))
        for keyword in (
            "SeriesInstanceUID", "StudyInstanceUID", "Modality", "PatientID", "Rows", "Columns",
            "ImageType", "SOPClassUID", "PixelSpacing", "ImageOrientationPatient", "RescaleType",
            "FrameOfReferenceUID", "PatientName", "ConvolutionKernel", "KVP", "SamplesPerPixel",
            "PhotometricInterpretation",
        )
    )  # fmt: skip
    for stored, frame in zip(pixels, frames, strict=True):

        def value(keyword: str, group: str, frame: Dataset = frame) -> Any:
            for holder in (*frame.get(group, ()), *shared.get(group, ()), one):
                if _get(holder, keyword) is not None:
                    return _get(holder, keyword)
            raise AttributeError(keyword)

        rescale = "PixelValueTransformationSequence"
        slope, intercept = (
            float(value(f"Rescale{name}", rescale)) for name in ("Slope", "Intercept")
        )
        spacing = [float(mm) for mm in value("PixelSpacing", "PixelMeasuresSequence")]
        yield PlainSlice(
            uid=str(one.get("SOPInstanceUID", "")),
            owner=owner,
            hu=stored.astype(np.float64) * slope + intercept,
            position_mm=np.array(value("ImagePositionPatient", "PlanePositionSequence"), float),
            orientation=np.array(
                value("ImageOrientationPatient", "PlaneOrientationSequence"), float
            ),
            spacing_mm=(spacing[0], spacing[1]),
        )


def _get(dataset: Dataset, keyword: str) -> Any:
    """A value; None where it is absent or cannot be read."""
    try:
        return dataset.get(keyword)
    except Exception:
        return None


def differences(volume: HUVolume, *readings: Iterable[PlainSlice]) -> str:
    """What of a volume is in none of the readings, or in a reading and not in the volume; empty: nothing.

    Args:
        volume: as HEMX read it.
        *readings: of the undamaged study, and of the damaged one as it is now.
    """
    known = [one for reading in readings for one in reading]
    named: dict[str, list[PlainSlice]] = {}
    for slice_ in known:
        named.setdefault(slice_.uid, []).append(slice_)
    uids = volume.identity.sop_instance_uids or ("",) * len(volume.hu)
    used = []
    for index, uid in enumerate(uids):
        # First those of its name: among thousands it takes long to look at all.
        likely = chain(named.get(uid, ()), known)
        one = next((one for one in likely if _is_same(volume, index, one)), None)
        if one is None:
            return f"slice {index} is as nothing says it is"
        used.append(one)
    owner = Counter(one.owner for one in used).most_common(1)[0][0]
    places = {tuple(np.round(one.position_mm, 2)) for one in used}
    lost = [
        one
        for one in readings[-1]
        if one.owner == owner and tuple(np.round(one.position_mm, 2)) not in places
    ]
    return f"{len(lost)} slices are lost" if lost else ""


def _is_same(volume: HUVolume, index: int, one: PlainSlice) -> bool:
    geometry, grid = volume.geometry, volume.stored_grid
    if grid.to_stored(volume.hu[index]).shape != one.hu.shape:
        return False
    rows, columns = (np.array(part) for part in (one.orientation[:3], one.orientation[3:]))
    # The first stored pixel's place, whichever way the volume was turned.
    steps = {"rows": geometry.column_direction * geometry.pixel_spacing_mm[0]}
    steps["columns"] = geometry.row_direction * geometry.pixel_spacing_mm[1]
    shape = volume.hu[index].shape
    corner = np.array(geometry.positions_mm[index], float)
    corner = corner + grid.flip_rows * (shape[0] - 1) * steps["rows"]
    corner = corner + grid.flip_columns * (shape[1] - 1) * steps["columns"]
    down = steps["rows"] * (-1 if grid.flip_rows else 1)
    across = steps["columns"] * (-1 if grid.flip_columns else 1)
    if grid.transpose:
        down, across = across, down
    lengths = float(np.linalg.norm(rows)), float(np.linalg.norm(columns))
    if not all(0.9 < length < 1.1 for length in lengths):
        return False
    spaced = (rows / lengths[0] * one.spacing_mm[1], columns / lengths[1] * one.spacing_mm[0])
    # Spacing and direction may be another slice's within the tolerances of a stack.
    near = 2e-2 * max(one.spacing_mm)
    if max(np.abs(across - spaced[0]).max(), np.abs(down - spaced[1]).max()) > near:
        return False
    if np.abs(corner - one.position_mm).max() > 0.02 + _NEAR_MM:
        return False
    bound = np.iinfo(np.int16)
    expected = np.clip(np.rint(one.hu), bound.min, bound.max)
    found = grid.to_stored(volume.hu[index])
    padded = (found == AIR_HU) & (expected <= _PADDING_BELOW_HU)
    return bool(np.all((np.abs(found - expected) <= 0.5) | padded))

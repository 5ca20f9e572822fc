"""A DICOM segmentation on the voxels of its CT, frame by frame.

A frame belongs to the slice that it names as its source (ReferencedSOPInstanceUID); where it names none,
to the slice at its position. DICOM PS3.3 A.51 (Segmentation IOD), C.7.6.16 (functional groups).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID, SegmentationStorage

from hemx_core.errors import DatasetError
from hemx_core.imaging.volume import HUVolume

POSITION_TOLERANCE_MM = 0.5
LABELMAP = UID("1.2.840.10008.5.1.4.1.1.66.7")
"""Label Map Segmentation Storage (DICOM 2024d): one frame holds the numbers of all segments."""


def read_seg(path: Path, volume: HUVolume, *, segment: str = "") -> NDArray[np.bool_]:
    """The segment of a DICOM SEG file on the voxels of a CT.

    Args:
        path: the file.
        volume: the CT that it was drawn on.
        segment: number or label of the segment; may be empty where there is only one.
    Returns:
        Shape (slices, rows, columns) as the volume.
    Raises:
        DatasetError: not a segmentation, several segments and none named, or frames that lie on no
            slice of the CT; damaged.
    """
    try:
        return _drawn(path, volume, segment)
    except DatasetError:
        raise
    except (
        Exception
    ) as error:  # pydicom reads an element when it is asked for: a damaged one fails there
        raise _misfit(
            path, f"is damaged ({type(error).__name__})", "a complete DICOM SEG file"
        ) from error


def _drawn(path: Path, volume: HUVolume, segment: str) -> NDArray[np.bool_]:
    seg = _read(path)
    number = _segment_number(path, seg, segment)
    pixels = _pixels(path, seg)
    rows, columns = volume.stored_grid.to_stored(volume.hu[:1]).shape[1:]
    if pixels.shape[1:] != (rows, columns):
        raise _misfit(
            path, f"has frames of {pixels.shape[1:]} pixels", f"those of its CT, {(rows, columns)}"
        )
    labelmap = seg.SOPClassUID == LABELMAP
    places = _Places(volume)
    mask = np.zeros(volume.shape, np.bool_)
    shared = (seg.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    for index, frame in enumerate(seg.PerFrameFunctionalGroupsSequence):
        if not labelmap and _frame_segment(shared, frame) != number:
            continue
        covered = pixels[index] == number if labelmap else pixels[index]
        if not covered.any():
            continue  # an empty frame may lie outside the CT
        place = places.slice_of(frame)
        if not (places.fits(shared) and places.fits(frame)):
            raise _misfit(
                path, f"frame {index + 1} is turned against its CT", "the CT's orientation"
            )
        if place is None:
            raise _misfit(
                path, f"frame {index + 1} lies on no slice of its CT", "the CT that it was drawn on"
            )
        mask[place] |= volume.stored_grid.to_volume(covered)
    return mask


class _Places:
    """Finds the slice of a volume that a frame lies on."""

    def __init__(self, volume: HUVolume) -> None:
        identity, geometry = volume.identity, volume.geometry
        single = len(set(identity.frame_numbers)) <= 1
        uids = identity.sop_instance_uids if single else ()
        self._by_uid = {uid: index for index, uid in enumerate(uids)}
        dy, dx = geometry.pixel_spacing_mm
        _, rows, columns = volume.shape
        corner = np.zeros(3)
        if volume.stored_grid.flip_rows:
            corner = corner + geometry.column_direction * dy * (rows - 1)
        if volume.stored_grid.flip_columns:
            corner = corner + geometry.row_direction * dx * (columns - 1)
        self._origins = geometry.positions_mm + corner
        across = geometry.row_direction * (-1 if volume.stored_grid.flip_columns else 1)
        down = geometry.column_direction * (-1 if volume.stored_grid.flip_rows else 1)
        turned = (down, across) if volume.stored_grid.transpose else (across, down)
        self._orientation = np.concatenate(turned)

    def fits(self, groups: Dataset) -> bool:
        """Whether a frame's pixels run as the CT's stored ones; True where it does not say."""
        try:
            found = groups.PlaneOrientationSequence[0].ImageOrientationPatient
        except (AttributeError, IndexError):
            return True
        return bool(np.abs(self._orientation - np.array(found, np.float64)).max() < 0.01)

    def slice_of(self, frame: Dataset) -> int | None:
        """Number of the slice, None where the frame lies on none."""
        uid = _source_uid(frame)
        if uid in self._by_uid:
            return self._by_uid[uid]
        try:
            position = frame.PlanePositionSequence[0].ImagePositionPatient
        except (AttributeError, IndexError):
            return None
        away = np.linalg.norm(self._origins - np.array(position, np.float64), axis=1)
        nearest = int(away.argmin())
        return nearest if away[nearest] <= POSITION_TOLERANCE_MM else None


def _read(path: Path) -> Dataset:
    try:
        seg = dcmread(path)
    except Exception as error:  # a damaged file makes pydicom raise nearly anything
        raise _misfit(
            path, f"cannot be read ({error})", "NIfTI, DICOM SEG or a PNG folder"
        ) from error
    kind = seg.get("SOPClassUID", "")
    if kind not in (SegmentationStorage, LABELMAP):
        raise _misfit(path, "is DICOM but not a segmentation", "a DICOM SEG file")
    if not seg.get("PerFrameFunctionalGroupsSequence") or not seg.get("SegmentSequence"):
        raise _misfit(path, "names no frames or no segments", "a complete DICOM SEG file")
    return seg


def _segment_number(path: Path, seg: Dataset, wanted: str) -> int:
    names = {
        int(segment.SegmentNumber): str(segment.get("SegmentLabel", ""))
        for segment in seg.SegmentSequence
    }
    if seg.SOPClassUID == LABELMAP:
        names.pop(0, None)  # the background of a label map is a segment by name
    if not wanted and len(names) == 1:
        return next(iter(names))
    chosen = [number for number, name in names.items() if wanted in (str(number), name)]
    if len(chosen) != 1 or not wanted:
        told = ", ".join(f"{number} {name!r}" for number, name in names.items())
        raise _misfit(path, f"holds the segments {told}", "one of them named in mask_segment")
    return chosen[0]


def _pixels(path: Path, seg: Dataset) -> NDArray[Any]:
    """Frames, shape (frames, rows, columns): labels of a label map, else bool."""
    try:
        pixels = seg.pixel_array
    except Exception as error:  # as above
        raise _misfit(
            path, f"has pixels that cannot be read ({error})", "readable frames"
        ) from error
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    if len(pixels) != len(seg.PerFrameFunctionalGroupsSequence):
        raise _misfit(path, f"has {len(pixels)} frames", "a description of each frame")
    if seg.SOPClassUID == LABELMAP:
        return np.asarray(pixels)
    if seg.get("SegmentationType") == "FRACTIONAL":
        return np.asarray(pixels >= 0.5 * int(seg.get("MaximumFractionalValue", 255)))
    return np.asarray(pixels > 0)


def _frame_segment(shared: Dataset, frame: Dataset) -> int:
    for groups in (frame, shared):
        if groups.get("SegmentIdentificationSequence"):
            return int(groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
    return -1


def _source_uid(frame: Dataset) -> str:
    for derivation in frame.get("DerivationImageSequence") or ():
        for source in derivation.get("SourceImageSequence") or ():
            return str(source.get("ReferencedSOPInstanceUID", ""))
    return ""


def _misfit(path: Path, found: str, expected: str) -> DatasetError:
    return DatasetError(
        f"{path.name} {found}", expected=expected, remedy="export the segmentation of this CT again"
    )

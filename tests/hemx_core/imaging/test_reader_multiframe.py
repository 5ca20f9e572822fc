"""Enhanced (multi-frame) CT: functional groups, frame order, rescale of each frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedCTImageStorage

from hemx_core.errors import NotCTError, TooFewSlicesError
from hemx_core.imaging.reader import list_series, read_series
from hemx_core.words import tell
from tests.factories import ct_pixels, write_ct_series


def group(**elements: object) -> Sequence:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return Sequence([item])


def write_enhanced(
    path: Path, *, hu: NDArray[np.int16], offsets: list[float], frame_type: str = "ORIGINAL"
) -> Path:
    """One Enhanced CT file; frame f has the slope f + 1, spacing stands in the shared groups."""
    single = write_ct_series(path.parent / "tmp", hu=hu[:1])[0]
    dataset = pydicom.dcmread(single)
    single.unlink()
    single.parent.rmdir()
    for keyword in ("PixelSpacing", "SliceThickness", "ImagePositionPatient", "RescaleSlope"):
        delattr(dataset, keyword)
    del dataset.ImageOrientationPatient, dataset.RescaleIntercept
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    dataset.NumberOfFrames = len(hu)
    shared = Dataset()
    shared.PixelMeasuresSequence = group(PixelSpacing=[0.5, 0.4], SliceThickness=5)
    shared.PlaneOrientationSequence = group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    shared.CTImageFrameTypeSequence = group(FrameType=[frame_type, "PRIMARY", "VOLUME", "NONE"])
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    frames, pixels = [], []
    for index, (frame_hu, offset) in enumerate(zip(hu, offsets, strict=True)):
        frame = Dataset()
        frame.PlanePositionSequence = group(ImagePositionPatient=[-100, -120, offset])
        frame.PixelValueTransformationSequence = group(
            RescaleSlope=index + 1, RescaleIntercept=-1024, RescaleType="HU"
        )
        when = f"2026010301020{index % 10}"
        frame.FrameContentSequence = group(FrameAcquisitionDateTime=when)
        frames.append(frame)
        pixels.append(np.rint((frame_hu + 1024.0) / (index + 1)).astype(np.uint16))
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    dataset.PixelData = np.stack(pixels).tobytes()
    dataset.save_as(path)
    return path


@pytest.fixture
def multiples() -> NDArray[np.int16]:
    """HU + 1024 divisible by every frame's slope."""
    return (np.arange(6 * 16 * 16).reshape(6, 16, 16) % 40 * 60 - 1024).astype(np.int16)


def test_frames_are_ordered_by_position_and_rescaled_each(
    tmp_path: Path, multiples: NDArray[np.int16]
) -> None:
    offsets = [25.0, 0, 10, 5, 20, 15]
    path = write_enhanced(tmp_path / "file", hu=multiples, offsets=offsets)
    volume = read_series(path)
    order = np.argsort(offsets)
    np.testing.assert_array_equal(volume.hu, multiples[order])
    np.testing.assert_allclose(volume.geometry.slice_offsets_mm, np.sort(offsets))
    assert volume.geometry.pixel_spacing_mm == (0.5, 0.4)
    assert volume.identity.frame_numbers == tuple(order + 1)
    assert len(set(volume.identity.sop_instance_uids)) == 1
    assert volume.identity.acquired_at is not None
    assert volume.identity.acquired_at.second == 0


def test_phases_in_one_file_are_told_apart(tmp_path: Path, multiples: NDArray[np.int16]) -> None:
    hu = np.concatenate([multiples[:5], multiples[:5]])
    path = write_enhanced(tmp_path / "file", hu=hu, offsets=[0.0, 5, 10, 15, 20] * 2)
    assert [part.slices for part in list_series(path)] == [5, 5]
    assert read_series(path).identity.frame_numbers == (1, 2, 3, 4, 5)
    assert read_series(path, series="1#2").identity.frame_numbers == (6, 7, 8, 9, 10)


def test_derived_frames_are_set_aside(tmp_path: Path, multiples: NDArray[np.int16]) -> None:
    write_enhanced(
        tmp_path / "file", hu=multiples, offsets=[5.0 * i for i in range(6)], frame_type="DERIVED"
    )
    refusal = list_series(tmp_path)[0].refusal
    assert refusal is not None
    assert refusal.code == "derived"


def test_frames_beyond_the_pixel_data_are_unreadable(
    tmp_path: Path, multiples: NDArray[np.int16]
) -> None:
    path = write_enhanced(tmp_path / "f", hu=multiples, offsets=[5.0 * i for i in range(6)])
    data = path.read_bytes()
    path.write_bytes(data[: -16 * 16 * 2])
    volume = read_series(path)
    np.testing.assert_array_equal(volume.hu, multiples[:5])
    assert "f frame 6" in next(tell(n) for n in volume.notes if n.code == "unreadable_slices")
    path.write_bytes(data[: -16 * 16 * 4])
    with pytest.raises(TooFewSlicesError):
        read_series(path)


def test_a_multi_frame_file_without_functional_groups_has_no_geometry(tmp_path: Path) -> None:
    path = write_ct_series(tmp_path, hu=ct_pixels(1))[0]
    dataset = pydicom.dcmread(path)
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"
    dataset.NumberOfFrames = 6
    dataset.PixelData = dataset.PixelData * 6
    dataset.save_as(path)
    with pytest.raises(NotCTError):
        read_series(path)


def test_pydicoms_enhanced_ct_is_understood() -> None:
    path = get_testdata_file("eCT_Supplemental.dcm", download=False)
    if path is None:
        pytest.skip("pydicom-data has no eCT_Supplemental.dcm here")
    series = list_series(Path(str(path)))[0]
    assert (series.slices, series.plane, series.thickness_mm) == (2, "axial", 10.0)
    with pytest.raises(TooFewSlicesError):
        read_series(Path(str(path)))

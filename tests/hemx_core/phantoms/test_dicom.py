import dataclasses
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from hemx_core.errors import OutputError, VolumeError
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume
from hemx_core.phantoms import Phantom, PhantomSpec, SiteSpec, make_phantom, write_dicom_series

REQUIRED = (  # type 1 and 2 attributes of the CT Image IOD, PS3.3 A.3
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
    "SeriesNumber",
    "PositionReferenceIndicator",
    "Manufacturer",
    "KVP",
    "InstanceNumber",
    "AcquisitionNumber",
    "SliceThickness",
    "PixelSpacing",
    "FrameOfReferenceUID",
    "PatientPosition",
)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    site = SiteSpec(matrix=96, slices=7, slice_spacing_mm=7.0, tilt_deg=13.0, name="site-07")
    return make_phantom(PhantomSpec(site=site, patient_id="PHANTOM-000042"))


def test_the_reader_gets_back_what_was_written(phantom: Phantom, tmp_path: Path) -> None:
    files = write_dicom_series(phantom.volume, tmp_path / "study")
    assert len(files) == 7
    volume = read_series(tmp_path / "study")
    assert np.array_equal(volume.hu, phantom.volume.hu)
    assert volume.geometry.tilt_deg == pytest.approx(13.0, abs=1e-6)
    assert volume.geometry.positions_mm == pytest.approx(phantom.volume.geometry.positions_mm)
    assert volume.geometry.pixel_spacing_mm == pytest.approx(
        phantom.volume.geometry.pixel_spacing_mm
    )
    written, read = phantom.volume.identity, volume.identity
    for name in ("patient_id", "study_uid", "series_uid", "frame_of_reference_uid", "site"):
        assert getattr(read, name) == getattr(written, name), name
    assert read.sop_instance_uids == written.sop_instance_uids
    assert read.acquired_at == written.acquired_at


def test_files_are_valid_ct_images(phantom: Phantom, tmp_path: Path) -> None:
    first = write_dicom_series(phantom.volume, tmp_path)[0]
    one = pydicom.dcmread(first)
    assert one.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert one.SOPClassUID == CTImageStorage
    assert one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID
    assert list(one.ImageType) == ["ORIGINAL", "PRIMARY", "AXIAL"]
    assert (one.BitsAllocated, one.HighBit, one.PixelRepresentation) == (16, 15, 0)
    assert (one.RescaleIntercept, one.RescaleSlope) == (-1024, 1)
    assert one.PatientName == "HEMX^PHANTOM"
    assert one.SeriesDescription == "HEAD 5.0 H30s"
    assert one.BodyPartExamined == "HEAD"
    assert "ContrastBolusAgent" not in one
    for name in REQUIRED:
        assert name in one, name
    assert not list(tmp_path.glob(".*.tmp"))


def test_writing_twice_gives_the_same_bytes(phantom: Phantom, tmp_path: Path) -> None:
    before = [path.read_bytes() for path in write_dicom_series(phantom.volume, tmp_path)]
    after = [path.read_bytes() for path in write_dicom_series(phantom.volume, tmp_path)]
    assert before == after


def test_a_volume_without_identity_gets_uids_of_its_content(tmp_path: Path) -> None:
    hu = np.zeros((2, 8, 8), np.int16)
    volume = HUVolume(hu, spacing_mm=(5.0, 0.5, 0.5))
    other = HUVolume(hu + 1, spacing_mm=(5.0, 0.5, 0.5))
    headers = [
        pydicom.dcmread(write_dicom_series(one, tmp_path / name)[1])
        for name, one in (("a", volume), ("b", volume), ("c", other))
    ]
    series = [header.SeriesInstanceUID for header in headers]
    assert series[0] == series[1] != series[2]
    assert all(uid.is_valid for uid in series)


def test_a_folder_with_another_series_is_left_alone(phantom: Phantom, tmp_path: Path) -> None:
    (tmp_path / "other.dcm").write_bytes(b"")
    with pytest.raises(OutputError, match=r"other\.dcm"):
        write_dicom_series(phantom.volume, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_a_file_is_an_output_error(phantom: Phantom, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        write_dicom_series(phantom.volume, blocked)


def test_hu_below_the_stored_range_is_refused(phantom: Phantom, tmp_path: Path) -> None:
    hu = phantom.volume.hu.copy()
    hu[0, 0, 0] = -2000
    low = dataclasses.replace(phantom.volume, hu=hu)
    with pytest.raises(VolumeError, match="-2000"):
        write_dicom_series(low, tmp_path)

"""The way from files to a volume: order, identity, geometry, in-plane orientation."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from hemx_core.errors import (
    MissingGeometryError,
    NoSeriesError,
    NotCTError,
    TooFewSlicesError,
    VolumeError,
)
from hemx_core.imaging.reader import list_series, read_series
from hemx_core.imaging.volume import HUVolume, StoredGrid
from hemx_core.words import tell
from tests.factories import ct_pixels, write_ct_series


def codes(volume: HUVolume) -> set[str]:
    return {note.code for note in volume.notes}


def message(volume: HUVolume, code: str) -> str:
    return next(tell(note) for note in volume.notes if note.code == code)


def test_slices_come_feet_to_head_whatever_names_and_numbers_say(tmp_path: Path) -> None:
    paths = write_ct_series(tmp_path / "a" / "b", shuffled=True)
    paths[2].rename(tmp_path / "zz.txt")
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels())
    assert volume.hu.dtype == np.int16
    np.testing.assert_allclose(volume.geometry.slice_offsets_mm, np.arange(6) * 5.0)
    assert volume.geometry.spacing_mm == (5.0, 0.5, 0.4)
    assert volume.stored_grid.is_identity
    assert codes(volume) == {"series_choice"}


def test_identity_is_that_of_the_file(tmp_path: Path) -> None:
    write_ct_series(tmp_path)
    identity = read_series(str(tmp_path)).identity
    assert (identity.patient_id, identity.patient_name) == ("P1", "Test^Case")
    assert identity.acquired_at == datetime(2026, 1, 2, 3, 4, 5)
    assert (identity.site, identity.scanner) == ("Site A", "ACME One")
    assert identity.source == str(tmp_path)
    assert identity.frame_numbers == ()
    only = list_series(tmp_path)[0]
    assert only.series_uid == identity.series_uid
    assert only.usable
    assert len(set(identity.sop_instance_uids)) == 6


def test_what_tells_people_apart_is_read(tmp_path: Path) -> None:
    def second_id(_index: int, dataset: Dataset) -> None:
        one = Dataset()
        one.PatientID = "X2"
        dataset.OtherPatientIDsSequence = [one]

    told = {"PatientBirthDate": "19500131", "PatientSex": "f", "PatientAge": "075Y"}
    others = {"IssuerOfPatientID": "A", "OtherPatientIDs": ["X1", "X2"]}
    write_ct_series(tmp_path, **told, **others, change=second_id)
    identity = read_series(tmp_path).identity
    assert (identity.birth_date, identity.sex, identity.age) == ("19500131", "F", "075Y")
    assert (identity.issuer, identity.other_ids) == ("A", ("X1", "X2"))


def test_nothing_of_a_person_is_guessed(tmp_path: Path) -> None:
    write_ct_series(tmp_path)
    identity = read_series(tmp_path).identity
    known = (identity.birth_date, identity.sex, identity.age, identity.issuer, identity.other_ids)
    assert known == ("", "", "", "", ())
    assert identity.utc_offset_minutes is None


def test_text_in_the_pixels_is_told(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "a", BurnedInAnnotation="YES")
    assert "patient's name" in message(read_series(tmp_path / "a"), "burned_in")
    write_ct_series(tmp_path / "b", BurnedInAnnotation="NO")
    assert "burned_in" not in codes(read_series(tmp_path / "b"))


def test_sop_instance_uids_follow_the_slice_order(tmp_path: Path) -> None:
    def name_by_index(index: int, dataset: Dataset) -> None:
        dataset.SOPInstanceUID = f"1.2.{index}"

    write_ct_series(tmp_path, change=name_by_index)
    assert read_series(tmp_path).identity.sop_instance_uids == tuple(f"1.2.{i}" for i in range(6))


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        (
            {"AcquisitionDateTime": "20260103111213.5+0900"},
            datetime(2026, 1, 3, 11, 12, 13, 500000),
        ),
        ({"AcquisitionDate": "20260104", "AcquisitionTime": "0102"}, datetime(2026, 1, 4, 1, 2)),
        ({"AcquisitionDate": "20260104"}, datetime(2026, 1, 2, 3, 4, 5)),
        ({"ContentDate": "2026.01.05", "ContentTime": "01:02:03"}, datetime(2026, 1, 5, 1, 2, 3)),
        ({"SeriesDate": "20260106", "SeriesTime": "010203"}, datetime(2026, 1, 6, 1, 2, 3)),
        ({"AcquisitionDateTime": "20261399999999"}, datetime(2026, 1, 2, 3, 4, 5)),
    ],
)
def test_time_of_acquisition(
    tmp_path: Path, elements: dict[str, object], expected: datetime
) -> None:
    write_ct_series(tmp_path, **elements)
    assert read_series(tmp_path).identity.acquired_at == expected


@pytest.mark.parametrize(
    ("elements", "minutes"),
    [
        ({"AcquisitionDateTime": "20260103111213.5+0900"}, 540),
        ({"AcquisitionDateTime": "20260103111213-0330"}, -210),
        ({"AcquisitionDateTime": "20260103111213", "TimezoneOffsetFromUTC": "+0100"}, 60),
        ({"AcquisitionDateTime": "20260103111213+0900", "TimezoneOffsetFromUTC": "+0100"}, 540),
        ({"TimezoneOffsetFromUTC": "-0500"}, -300),
        ({"TimezoneOffsetFromUTC": "+9900"}, None),
        ({}, None),
    ],
)
def test_the_offset_of_the_scanner_s_clock_is_kept(
    tmp_path: Path, elements: dict[str, object], minutes: int | None
) -> None:
    write_ct_series(tmp_path, **elements)
    identity = read_series(tmp_path).identity
    assert identity.utc_offset_minutes == minutes
    assert identity.acquired_at is not None
    assert identity.acquired_at.tzinfo is None, "people go by the clock at the scanner"


def test_a_day_without_a_time_is_told(tmp_path: Path) -> None:
    write_ct_series(tmp_path, StudyTime=None)
    volume = read_series(tmp_path)
    assert volume.identity.acquired_at == datetime(2026, 1, 2)
    assert "no time of day" in message(volume, "time_unknown")


def test_progress_is_told_for_headers_and_pixels(tmp_path: Path) -> None:
    write_ct_series(tmp_path)
    calls: list[tuple[str, int, int]] = []
    read_series(tmp_path, progress=lambda *call: calls.append(call))
    assert calls == [(stage, n, 6) for stage in ("headers", "pixels") for n in range(1, 7)]


ORIENTATIONS = [
    (orientation, StoredGrid(transpose=transpose, flip_rows=rows, flip_columns=columns))
    for orientation, transpose, rows, columns in [
        ([1, 0, 0, 0, 1, 0], False, False, False),
        ([-1, 0, 0, 0, -1, 0], False, True, True),
        ([-1, 0, 0, 0, 1, 0], False, False, True),
        ([1, 0, 0, 0, -1, 0], False, True, False),
        ([0, 1, 0, 1, 0, 0], True, False, False),
        ([0, -1, 0, 1, 0, 0], True, True, False),
        ([0, 1, 0, -1, 0, 0], True, False, True),
        ([0, -1, 0, -1, 0, 0], True, True, True),
    ]
]


@pytest.mark.parametrize(("orientation", "grid"), ORIENTATIONS)
def test_pixels_are_turned_nose_up_and_every_pixel_keeps_its_place(
    tmp_path: Path, orientation: list[float], grid: StoredGrid
) -> None:
    stored = ct_pixels()[:, :14, :]
    write_ct_series(tmp_path, hu=stored, ImageOrientationPatient=orientation)
    volume = read_series(tmp_path)
    assert volume.stored_grid == grid
    assert ("reoriented" in codes(volume)) != grid.is_identity
    geometry = volume.geometry
    np.testing.assert_allclose(geometry.row_direction, [1, 0, 0])
    np.testing.assert_allclose(geometry.column_direction, [0, 1, 0])
    np.testing.assert_array_equal(volume.stored_grid.to_stored(volume.hu), stored)
    # The stored pixel (3, 5) of slice 2 lies where DICOM says, and so does it in the volume.
    place = np.array([-100.0, -120.0, 10.0])
    place = place + 5 * 0.4 * np.array(orientation[:3]) + 3 * 0.5 * np.array(orientation[3:])
    marked = np.zeros(stored.shape, dtype=bool)
    marked[2, 3, 5] = True
    index, row, column = np.argwhere(grid.to_volume(marked))[0]
    dy, dx = geometry.pixel_spacing_mm
    found = geometry.positions_mm[index] + [column * dx, row * dy, 0]
    np.testing.assert_allclose(found, place)
    assert volume.hu[index, row, column] == stored[2, 3, 5]


def test_a_patient_lying_prone_is_told(tmp_path: Path) -> None:
    write_ct_series(tmp_path, PatientPosition="HFP", ImageOrientationPatient=[-1, 0, 0, 0, -1, 0])
    assert "HFP" in message(read_series(tmp_path), "patient_position")


@pytest.mark.parametrize(
    ("elements", "error", "words"),
    [
        ({"Modality": "MR"}, NotCTError, "MR"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, NotCTError, "screenshot"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, NotCTError, "screenshot"),
        ({"RescaleType": "MGML"}, NotCTError, "MGML"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, NoSeriesError, "localizer"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, NoSeriesError, "derived"),
        ({"ImageType": ["DERIVED", "SECONDARY", "AXIAL", "MIP"]}, NoSeriesError, "projection"),
        ({"PixelSpacing": None}, MissingGeometryError, "PixelSpacing"),
        ({"PixelSpacing": [0, 0.5]}, MissingGeometryError, "PixelSpacing"),
        ({"ImagePositionPatient": None}, MissingGeometryError, "ImagePositionPatient"),
        ({"ImageOrientationPatient": None}, MissingGeometryError, "ImageOrientationPatient"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, MissingGeometryError, "Orientation"),
        ({"ImageOrientationPatient": [2, 0, 0, 0, 2, 0]}, MissingGeometryError, "Orientation"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, NoSeriesError, "coronal"),
        ({"PixelSpacing": [50, 50]}, VolumeError, "pixel spacing"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_remedy(
    tmp_path: Path, elements: dict[str, object], error: type[Exception], words: str
) -> None:
    write_ct_series(tmp_path, **elements)
    with pytest.raises(error, match=words) as caught:
        read_series(tmp_path)
    assert type(caught.value) is error
    assert "What to do" in str(caught.value)


def test_imager_pixel_spacing_does_not_stand_in(tmp_path: Path) -> None:
    write_ct_series(tmp_path, PixelSpacing=None, ImagerPixelSpacing=[0.5, 0.5])
    with pytest.raises(MissingGeometryError, match="ImagerPixelSpacing holds in the detector"):
        read_series(tmp_path)


def test_four_slices_are_no_volume_and_five_are(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "four", hu=ct_pixels(4))
    write_ct_series(tmp_path / "five", hu=ct_pixels(5))
    with pytest.raises(TooFewSlicesError, match="4 axial positions"):
        read_series(tmp_path / "four")
    assert read_series(tmp_path / "five").shape == (5, 16, 16)


def test_a_single_slice_file_asks_for_its_folder(tmp_path: Path) -> None:
    paths = write_ct_series(tmp_path)
    with pytest.raises(TooFewSlicesError, match="folder with the whole series"):
        read_series(paths[0])


def test_slices_without_a_position_are_set_aside_and_told(tmp_path: Path) -> None:
    def lose_position(index: int, dataset: Dataset) -> None:
        if index == 5:
            del dataset.ImagePositionPatient

    write_ct_series(tmp_path, hu=ct_pixels(7), change=lose_position)
    volume = read_series(tmp_path)
    assert volume.shape[0] == 6
    assert "ImagePositionPatient missing" in message(volume, "series_choice")
    assert "missing_slices" in codes(volume)

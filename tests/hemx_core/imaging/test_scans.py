"""One scan is one scan: trivial differences do not split it, two acquisitions in a series are two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from hemx_core.errors import NoSeriesError
from hemx_core.imaging.reader import list_series, read_series
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.doubts import Doubt, in_doubt
from hemx_core.notes import Note, Severity
from tests.factories import ct_pixels, write_ct_series

Change = Callable[[Dataset], None]
COUNT = 12


def sets(**elements: object) -> Change:
    """A change that sets elements; None takes one out."""

    def change(dataset: Dataset) -> None:
        for keyword, value in elements.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)

    return change


def tips(degrees: float) -> Change:
    """A change that turns a slice about the patient's left-right axis, about its centre."""

    def change(dataset: Dataset) -> None:
        angle = np.deg2rad(degrees)
        column = np.array([0.0, np.cos(angle), np.sin(angle)])
        half = 0.5 * (dataset.Rows - 1) / 2
        corner = np.array([float(v) for v in dataset.ImagePositionPatient])
        corner = corner + half * (np.array([0.0, 1.0, 0.0]) - column)
        dataset.ImagePositionPatient = [float(v) for v in corner]
        dataset.ImageOrientationPatient = [1, 0, 0, *map(float, column)]

    return change


def moves(x: float, z: float = 0.0) -> Change:
    """A change that moves a slice."""

    def change(dataset: Dataset) -> None:
        at = [float(value) for value in dataset.ImagePositionPatient]
        dataset.ImagePositionPatient = [at[0] + x, at[1], at[2] + z]

    return change


def where(which: Callable[[int], bool], *changes: Change) -> Callable[[int, Dataset], None]:
    """Changes of some slices."""

    def change(index: int, dataset: Dataset) -> None:
        if which(index):
            for one in changes:
                one(dataset)

    return change


UPPER, ODD, ONE = (lambda i: i >= COUNT // 2), (lambda i: i % 2 == 1), (lambda i: i == 4)


def write_pass(
    folder: Path, number: int, *changes: Change, count: int = COUNT, first: int = 0
) -> None:
    """One acquisition of the series; its pixels are those of the first one, 100 HU denser each time."""

    def change(index: int, dataset: Dataset) -> None:
        dataset.SOPInstanceUID = f"1.2.{number}.{index}"
        dataset.SeriesInstanceUID = "1.2.3.4"
        dataset.InstanceNumber = 100 * number + index
        dataset.AcquisitionTime = f"0304{number:02d}"
        dataset.AcquisitionDate = "20260102"
        for one in changes:
            one(dataset)

    hu = ct_pixels(COUNT)[first : first + count] + 100 * number
    at = [(-100.0, -120.0, 5.0 * (first + index)) for index in range(count)]
    write_ct_series(folder / str(number), hu=hu, positions_mm=at, change=change)


def note(volume: HUVolume, code: str) -> Note | None:
    return next((one for one in volume.notes if one.code == code), None)


def warnings(volume: HUVolume) -> list[str]:
    return [one.code for one in volume.notes if one.severity is Severity.WARNING]


def sizes(folder: Path) -> list[int]:
    return [one.slices for one in list_series(folder)]


@pytest.mark.parametrize("which", [UPPER, ODD, ONE])
@pytest.mark.parametrize(
    ("change", "severity"),
    [
        (sets(PixelSpacing=[0.50002, 0.40002]), Severity.INFO),
        (sets(ImageType=["ORIGINAL", "SECONDARY", "AXIAL"]), Severity.INFO),
        (sets(FrameOfReferenceUID="1.2.3.4.5"), Severity.CAUTION),
        (sets(FrameOfReferenceUID=None), Severity.CAUTION),
        (sets(PatientID="P1234A"), Severity.CAUTION),
        (sets(PatientID=" p1234"), Severity.CAUTION),
        (sets(PatientID="0P1234"), Severity.CAUTION),
        (sets(PatientID=""), Severity.CAUTION),
        (sets(PatientName="Test^Case=試験"), Severity.CAUTION),
        (sets(StudyInstanceUID="1.2.3.4.5"), Severity.CAUTION),
        (tips(0.8), Severity.INFO),
        (sets(ConvolutionKernel=None), None),
        (sets(SliceThickness=None), None),
        (sets(InstanceNumber=None), None),
        (sets(AcquisitionTime="120000", AcquisitionDate="20260102"), None),
    ],
)
def test_a_triviality_does_not_split_a_scan(
    tmp_path: Path, which: Callable[[int], bool], change: Change, severity: Severity | None
) -> None:
    write_ct_series(
        tmp_path,
        hu=ct_pixels(COUNT),
        PatientID="P1234",
        SpecificCharacterSet="ISO_IR 192",
        ConvolutionKernel="H30s",
        change=where(which, change),
    )
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels(COUNT))
    np.testing.assert_allclose(np.diff(volume.geometry.slice_offsets_mm), 5.0, atol=1e-3)
    assert volume.geometry.pixel_spacing_mm == pytest.approx((0.5, 0.4), rel=1e-4)
    found = note(volume, "headers_differ")
    assert (found and found.severity) is severity
    assert not warnings(volume)
    if which is ONE:
        assert volume.identity.patient_id == "P1234"


def test_every_slice_may_have_a_frame_of_reference_of_its_own(tmp_path: Path) -> None:
    def change(index: int, dataset: Dataset) -> None:
        dataset.FrameOfReferenceUID = f"1.2.{index}"

    write_ct_series(tmp_path, hu=ct_pixels(COUNT), change=change)
    assert read_series(tmp_path).shape[0] == COUNT


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([sets(PixelSpacing=[0.52, 0.41])], "differ.spacing"),
        ([tips(5)], "differ.orientation"),
        ([sets(Rows=15, PixelData=bytes(15 * 16 * 2))], "differ.matrix"),
        ([sets(ImageType=["DERIVED", "SECONDARY", "AXIAL"])], "differ.types"),
        ([sets(RescaleType="OD")], "differ.rescale"),
        ([sets(ImagePositionPatient=None)], "differ.place"),
        ([sets(FrameOfReferenceUID="1.2"), moves(30)], "differ.frame"),
        ([sets(FrameOfReferenceUID="1.2"), moves(0, 400)], "differ.frame"),
        ([sets(PatientName="Other^Person")], "differ.patient"),
        ([sets(PatientID="Q77")], "differ.patient"),
        ([sets(StudyInstanceUID="1.2", StudyDate="20250101")], "differ.study"),
    ],
)
def test_what_cannot_be_joined_is_told_and_the_answer_is_incomplete(
    tmp_path: Path, changes: list[Change], why: str
) -> None:
    change = where(lambda index: index >= 7, *changes)
    write_ct_series(tmp_path, hu=ct_pixels(COUNT), change=change)
    volume = read_series(tmp_path)
    assert volume.shape[0] == 7
    told = note(volume, "scan_continues")
    assert told is not None
    assert told.severity is Severity.WARNING
    assert told.values["count"] == 5
    assert why in repr(told)
    assert in_doubt(volume.notes) & (Doubt.PICTURE | Doubt.LOWER_BOUND) == (
        Doubt.PICTURE | Doubt.LOWER_BOUND
    )


def test_two_people_with_one_birth_date_and_other_ids_are_not_fused(tmp_path: Path) -> None:
    write_ct_series(
        tmp_path,
        hu=ct_pixels(COUNT),
        change=where(UPPER, sets(PatientID="Q77", PatientSex="F", PatientName="Test^Case")),
        PatientSex="M",
        PatientBirthDate="19500101",
    )
    volume = read_series(tmp_path)
    assert volume.shape[0] == COUNT // 2
    assert {"several_patients", "scan_continues"} <= set(warnings(volume))
    with pytest.raises(NoSeriesError, match="2 series called"):
        read_series(tmp_path, series="1")


def downwards(dataset: Dataset) -> None:
    """Number a slice from the head down."""
    dataset.InstanceNumber = 500 - dataset.InstanceNumber
    dataset.AcquisitionTime = "030402"


TWO: dict[str, tuple[list[Change], list[Change]]] = {
    "acquisition number": ([sets(AcquisitionNumber=1)], [sets(AcquisitionNumber=2)]),
    "time": ([], []),
    "order alone": ([sets(AcquisitionTime="030401")], [sets(AcquisitionTime="030401")]),
    "phase": ([sets(TemporalPositionIdentifier=1)], [sets(TemporalPositionIdentifier=2)]),
    "voltage": ([sets(KVP=80)], [sets(KVP=140)]),
    "a table that is a bit off": ([], [moves(0, 0.3)]),
    "a table that is half a slice off": ([], [moves(0, 2.3)]),
    "the way of the table": ([], [downwards]),
    "frame of reference": ([], [sets(FrameOfReferenceUID="1.2")]),
}


@pytest.mark.parametrize("kind", TWO)
def test_two_acquisitions_of_a_series_are_told_apart(tmp_path: Path, kind: str) -> None:
    for number, changes in enumerate(TWO[kind], 1):
        write_pass(tmp_path, number, *changes)
    volume = read_series(tmp_path)
    assert sizes(tmp_path) == [COUNT, COUNT]
    assert warnings(volume) == ["another_scan"]
    np.testing.assert_array_equal(volume.hu, ct_pixels(COUNT) + 100, "the earlier one is read")
    parts = {
        int(number): read_series(tmp_path, series=f"1#{number}").hu - ct_pixels(COUNT)
        for number in "12"
    }
    # Nothing is mixed: each part is one pass, and both can be chosen.
    assert {int(np.unique(hu[:, 5, 5]).item()) for hu in parts.values()} == {100, 200}
    assert warnings(read_series(tmp_path, series="1#2")) == ["another_scan"]


def test_two_acquisitions_that_are_numbered_by_place_are_told_apart(tmp_path: Path) -> None:
    def renumber(number: int) -> Change:
        def change(dataset: Dataset) -> None:
            index = int(float(dataset.ImagePositionPatient[2]) / 5)
            dataset.InstanceNumber = 2 * index + number
            dataset.AcquisitionTime = "030400"

        return change

    for number in (1, 2):
        write_pass(tmp_path, number, renumber(number))
    hu = read_series(tmp_path).hu - ct_pixels(COUNT)
    assert len(np.unique(hu[:, 5, 5])) == 1
    assert sizes(tmp_path) == [COUNT, COUNT]


def test_rotations_that_are_counted_make_no_scans_of_their_own(tmp_path: Path) -> None:
    """GE numbers rotations: one slice or two each, on through the ranges and through a repeat."""

    def count(base: int) -> Change:
        def change(dataset: Dataset) -> None:
            index = int(float(dataset.ImagePositionPatient[2]) / 5)
            dataset.AcquisitionNumber = base + index // 2
            dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", *["ADD"] * (index < 4)]
            dataset.SliceThickness = 4.9 if index < 4 else 5

        return change

    write_pass(tmp_path, 1, count(1))
    alone = read_series(tmp_path)
    assert alone.shape[0] == COUNT
    assert {one.code for one in alone.notes} == {"series_choice", "unequal_spacing"}
    write_pass(tmp_path, 2, count(50))
    assert sizes(tmp_path) == [COUNT, COUNT]


def test_of_a_whole_scan_and_a_repeat_after_motion_the_whole_one_is_read(tmp_path: Path) -> None:
    write_pass(tmp_path, 1)
    write_pass(tmp_path, 2, count=5, first=4)
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels(COUNT) + 100)
    assert warnings(volume) == ["another_scan"]
    assert sizes(tmp_path) == [COUNT, 5]


def test_of_a_broken_scan_and_its_repeat_the_whole_one_is_read(tmp_path: Path) -> None:
    """A scan of 90 mm covers the head by the header alone; its repeat shows that it does not."""

    def stretch(dataset: Dataset) -> None:
        x, y, z = (float(value) for value in dataset.ImagePositionPatient)
        dataset.ImagePositionPatient, dataset.SliceThickness = [x, y, 2 * z], 10.0

    write_pass(tmp_path, 1, stretch, count=10)
    write_pass(tmp_path, 2, stretch)
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels(COUNT) + 200)
    assert warnings(volume) == ["another_scan"]


def test_reconstructions_in_one_series_are_told_apart_without_a_warning(tmp_path: Path) -> None:
    write_pass(tmp_path, 1, sets(ConvolutionKernel="H70h", AcquisitionTime="0304"))
    write_pass(tmp_path, 2, sets(ConvolutionKernel="H31s", AcquisitionTime="0304"))
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels(COUNT) + 200)
    assert not warnings(volume)
    assert sizes(tmp_path) == [COUNT, COUNT]


@pytest.mark.parametrize("thickness", [5.0, None])
def test_ranges_that_interleave_are_one_scan(tmp_path: Path, thickness: float | None) -> None:
    change = where(ODD, sets(AcquisitionNumber=2, AcquisitionTime="031500"))
    write_ct_series(tmp_path, hu=ct_pixels(COUNT), change=change, SliceThickness=thickness)
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels(COUNT))
    assert not warnings(volume)


def test_overlapping_slices_with_a_stray_frame_of_reference_are_one_scan(tmp_path: Path) -> None:
    """Each half of them shows the whole head, but they were numbered and acquired in one go."""
    change = where(ODD, sets(FrameOfReferenceUID="1.2"))
    write_ct_series(tmp_path, hu=ct_pixels(COUNT), step_mm=2.5, change=change)
    np.testing.assert_array_equal(read_series(tmp_path).hu, ct_pixels(COUNT))


def test_overlapping_slices_of_one_acquisition_are_one_scan(tmp_path: Path) -> None:
    write_ct_series(tmp_path, hu=ct_pixels(COUNT), step_mm=1.0, AcquisitionNumber=1)
    assert read_series(tmp_path).shape[0] == COUNT
    assert sizes(tmp_path) == [COUNT]


def test_ranges_that_share_a_slice_are_one_scan(tmp_path: Path) -> None:
    write_pass(tmp_path, 1, sets(AcquisitionNumber=1), count=6)
    write_pass(tmp_path, 2, sets(AcquisitionNumber=2), count=7, first=5)
    volume = read_series(tmp_path)
    assert volume.shape[0] == COUNT
    assert sizes(tmp_path) == [COUNT]
    assert note(volume, "duplicate_slices_differ") is not None
    assert not warnings(volume)


def test_a_folder_twice_is_read_once(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_pass(tmp_path / folder, 1)
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels(COUNT) + 100)
    assert not warnings(volume)
    assert note(volume, "duplicate_slices") is not None


def own_series(*, numbered: bool) -> Callable[[int, Dataset], None]:
    """Every slice a series of its own, as some converters write them."""

    def change(index: int, dataset: Dataset) -> None:
        dataset.SeriesInstanceUID = f"1.2.{index}"
        if numbered:
            dataset.SeriesNumber, dataset.SeriesDescription = index, f"IM{index:03d}"
            dataset.FrameOfReferenceUID = f"1.3.{index}"

    return change


@pytest.mark.parametrize("numbered", [True, False])
def test_a_scan_that_is_spread_over_series_is_put_together(tmp_path: Path, numbered: bool) -> None:
    write_ct_series(tmp_path, hu=ct_pixels(COUNT), change=own_series(numbered=numbered))
    volume = read_series(tmp_path)
    np.testing.assert_array_equal(volume.hu, ct_pixels(COUNT))
    found = note(volume, "headers_differ")
    assert found is not None
    assert "differ.series" in repr(found)


def test_two_halves_of_a_scan_under_two_series_uids_are_put_together(tmp_path: Path) -> None:
    change = where(UPPER, sets(SeriesInstanceUID="1.2.3"))
    write_ct_series(tmp_path, hu=ct_pixels(COUNT), change=change)
    np.testing.assert_array_equal(read_series(tmp_path).hu, ct_pixels(COUNT))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (sets(SeriesDescription="Head base", SliceThickness=2.5), True),
        (sets(SeriesDescription="C-Spine"), False),
        (sets(SeriesDescription="C-Spine", BodyPartExamined="HEAD"), False),
        (sets(SeriesDescription="Head", ContrastBolusAgent="Iohexol"), False),
        (sets(SeriesDescription="Head", StudyInstanceUID="1.2.3"), False),
    ],
)
def test_another_series_that_goes_on_where_the_head_ends_is_told(
    tmp_path: Path, change: Change, told: bool
) -> None:
    other = sets(SeriesInstanceUID="1.2.3", SeriesNumber=9)
    write_ct_series(
        tmp_path, hu=ct_pixels(COUNT), change=where(lambda index: index >= 7, other, change)
    )
    volume = read_series(tmp_path)
    assert volume.shape[0] == 7
    assert ("scan_continues" in warnings(volume)) is told


def test_other_reconstructions_of_a_head_are_no_rest_of_it(tmp_path: Path) -> None:
    """A thin one that reaches a few millimetres further, as their ranges do."""
    write_ct_series(tmp_path / "a", hu=ct_pixels(COUNT), series="2")
    thin = {"hu": ct_pixels(62), "step_mm": 1.0, "SliceThickness": 1.0}
    write_ct_series(tmp_path / "b", series="3", **thin)  # type: ignore[arg-type]
    volume = read_series(tmp_path)
    assert volume.shape[0] == COUNT
    assert not warnings(volume)


@pytest.mark.parametrize(
    ("elements", "usable"),
    [
        ({"ImageType": ["ORIGINAL", "SECONDARY", "AXIAL"]}, True),
        ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL"], "LossyImageCompression": "01"}, True),
        ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}, False),
        ({"ImageType": ["DERIVED", "SECONDARY", "AXIAL"], "LossyImageCompression": "01"}, False),
        ({"ImageType": ["ORIGINAL", "SECONDARY", "REFORMATTED"]}, False),
    ],
)
def test_image_types_that_are_original(
    tmp_path: Path, elements: dict[str, object], usable: bool
) -> None:
    write_ct_series(tmp_path, **elements)  # type: ignore[arg-type]
    assert list_series(tmp_path)[0].usable is usable

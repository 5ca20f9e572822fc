"""Which of several series is read, why, and what is refused unless named."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from hemx_core.errors import ContrastSeriesError, NoSeriesError
from hemx_core.imaging.headers import read_headers
from hemx_core.imaging.reader import list_series, read_series
from hemx_core.imaging.series import head_score, is_sharp
from hemx_core.imaging.source import Source
from hemx_core.imaging.volume import HUVolume
from hemx_core.report.nameless import nameless_note
from hemx_core.words import tell, tell_labelled
from tests.factories import ct_pixels, write_ct_series


def note(volume: HUVolume, code: str) -> str:
    """The message of a note, empty where there is none."""
    return next((tell_labelled(one) for one in volume.notes if one.code == code), "")


def long_head(folder: Path, series: str, **elements: object) -> None:
    """A series of 6 slices over 85 mm."""
    write_ct_series(folder, **{"step_mm": 17.0, "series": series, **elements})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"SeriesDescription": "Chest", "BodyPartExamined": "CHEST"}, "names the head"),
        ({"SeriesDescription": "Head bone"}, "soft-tissue kernel"),
        ({"ConvolutionKernel": "H70h"}, "soft-tissue kernel"),
        ({"ConvolutionKernel": "FC81"}, "soft-tissue kernel"),
        ({"SliceThickness": 0.625}, "nearest to 5 mm"),
        ({"StudyDate": "20250101", "study": "0"}, "newest study"),
        ({"step_mm": 1.0}, "covers the head"),
        ({}, "number is lowest"),
    ],
)
def test_the_better_series_is_read_and_the_reason_told(
    tmp_path: Path, other: dict[str, object], reason: str
) -> None:
    long_head(tmp_path, "2")
    long_head(tmp_path, "7", **other)
    volume = read_series(tmp_path)
    told = note(volume, "series_choice")
    assert told.startswith("Note: Read series 2 'Head 5 mm' (6 slices, 5 mm) because ")
    assert reason in told
    assert "Usable too: series 7" in told
    assert volume.identity.series_uid == list_series(tmp_path)[0].series_uid


def test_localizer_dose_report_and_reformats_are_set_aside(tmp_path: Path) -> None:
    write_ct_series(tmp_path, series="2")
    write_ct_series(
        tmp_path, hu=ct_pixels(1), series="1", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]
    )
    write_ct_series(tmp_path, series="3", ImageType=["DERIVED", "SECONDARY", "REFORMATTED"])
    write_ct_series(tmp_path, series="999", hu=ct_pixels(1), Modality="SR")
    write_ct_series(tmp_path, series="4", ImageType=["DERIVED", "SECONDARY", "MIP"])
    told = note(read_series(tmp_path), "series_choice")
    for word in ("series 1 ", "localizer", "series 3 ", "derived", "not CT but SR", "projection"):
        assert word in told


def test_a_localizer_inside_the_series_is_set_aside(tmp_path: Path) -> None:
    write_ct_series(
        tmp_path,
        hu=ct_pixels(7),
        change=lambda index, dataset: (
            index or setattr(dataset, "ImageType", ["O", "P", "LOCALIZER"])
        ),
    )
    volume = read_series(tmp_path)
    assert volume.shape[0] == 6
    assert "localizer" in note(volume, "series_choice")


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("number", "7"),
        ("description", "thin BONE"),
        ("part of it", "bone"),
        ("end", ""),
        ("start", ""),
    ],
)
def test_a_series_can_be_named(tmp_path: Path, name: str, series: str) -> None:
    write_ct_series(tmp_path, series="2")
    write_ct_series(
        tmp_path, series="7", SeriesDescription="Thin bone", SeriesInstanceUID="9.8.7.6"
    )
    series = {"end": ".7.6", "start": "9.8"}.get(name, series)
    volume = read_series(tmp_path, series=series)
    assert volume.identity.series_uid == "9.8.7.6"
    assert "asked for" in note(volume, "series_choice")


@pytest.mark.parametrize("number", ["1", "5", "6"])
def test_a_number_that_no_series_bears_is_no_part_of_a_uid_or_a_description(
    tmp_path: Path, number: str
) -> None:
    write_ct_series(
        tmp_path, series="2", SeriesDescription="Head 5 mm", SeriesInstanceUID="1.2.8.6"
    )
    with pytest.raises(NoSeriesError) as caught:
        read_series(tmp_path, series=number)
    assert caught.value.code == "series_unknown"


@pytest.mark.parametrize("series", ["5", "", "nothing like it", "Head"])
def test_an_unknown_or_ambiguous_name_lists_what_there_is(tmp_path: Path, series: str) -> None:
    write_ct_series(tmp_path, series="2")
    write_ct_series(tmp_path, series="3")
    with pytest.raises(NoSeriesError, match=r"series 2 .*series 3 "):
        read_series(tmp_path, series=series)


@pytest.mark.parametrize(
    "elements",
    [
        {"ContrastBolusAgent": "OMNIPAQUE 300"},
        {"SeriesDescription": "Head with contrast"},
        {"SeriesDescription": "HEAD C+"},
        {"SeriesDescription": "頭部造影", "SpecificCharacterSet": "ISO_IR 192"},
    ],
)
def test_a_contrast_series_is_refused_unless_named(
    tmp_path: Path, elements: dict[str, object]
) -> None:
    write_ct_series(tmp_path, series="4", **elements)  # type: ignore[arg-type]
    with pytest.raises(ContrastSeriesError, match="--series"):
        read_series(tmp_path)
    volume = read_series(tmp_path, series="4")
    assert note(volume, "contrast").startswith("WARNING")


def test_the_plain_series_is_read_beside_the_contrast_one(tmp_path: Path) -> None:
    write_ct_series(tmp_path, series="9", SeriesDescription="Head without contrast")
    long_head(tmp_path, "2", ContrastBolusAgent="Iohexol")
    volume = read_series(tmp_path)
    assert volume.identity.series_description == "Head without contrast"
    assert "contrast medium was given" in note(volume, "series_choice")


def test_plain_and_contrast_in_italian(tmp_path: Path) -> None:
    long_head(tmp_path, "2", SeriesDescription="CRANIO SENZA CONTRASTO")
    long_head(tmp_path, "3", SeriesDescription="CRANIO CON MDC", StudyTime="040405")
    volume = read_series(tmp_path)
    assert volume.identity.series_description == "CRANIO SENZA CONTRASTO"
    assert "'CRANIO CON MDC' (6 slices, 5 mm): contrast medium" in note(volume, "series_choice")
    assert note(volume, "acquired_after") == ""


def test_derived_images_are_read_only_when_named(tmp_path: Path) -> None:
    write_ct_series(tmp_path, ImageType=["DERIVED", "PRIMARY", "AXIAL"])
    with pytest.raises(NoSeriesError, match="derived"):
        read_series(tmp_path)
    assert note(read_series(tmp_path, series="1"), "derived_images").startswith("WARNING")


def test_naming_a_coronal_series_does_not_make_it_axial(tmp_path: Path) -> None:
    write_ct_series(tmp_path, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    with pytest.raises(NoSeriesError, match="coronal"):
        read_series(tmp_path, series="1")


def test_two_patients_with_the_same_uids_are_told_apart(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "a")
    write_ct_series(tmp_path / "b", hu=ct_pixels() + 100, SeriesInstanceUID="1.2")
    write_ct_series(tmp_path / "c", PatientID="P2", SeriesInstanceUID="1.2")
    volume = read_series(tmp_path)
    assert volume.shape[0] == 6
    assert "2 patients" in note(volume, "several_patients")
    assert [one.slices for one in list_series(tmp_path)] == [6, 6, 6]
    with pytest.raises(NoSeriesError, match="2 series called"):
        read_series(tmp_path, series="1.2")


@pytest.mark.parametrize(
    ("changes", "people"),
    [
        ({"PatientName": "Other^Person"}, 2),
        ({"PatientName": "Demo^Hanako", "PatientBirthDate": "19720505"}, 2),
        ({"PatientName": "Demo^Hanako", "PatientSex": "M"}, 2),
        ({"PatientName": "Demo^Hanako", "PatientID": "777"}, 2),
        ({"PatientName": "DEMO HANAKO", "PatientID": "00123"}, 1),
        ({"PatientName": "", "PatientBirthDate": "", "PatientSex": ""}, 1),
    ],
)
def test_people_are_told_apart_by_more_than_the_id(
    tmp_path: Path, changes: dict[str, str], people: int
) -> None:
    own = {"PatientName": "Demo^Hanako", "PatientID": "123", "PatientBirthDate": "19500131"}
    long_head(tmp_path / "a", "1", PatientSex="F", **own)
    write_ct_series(tmp_path / "b", series="2", study="2", **({"PatientID": "123"} | changes))
    codes = {one.code: one.values for one in read_series(tmp_path).notes}
    assert ("several_patients" in codes) is (people > 1)
    assert people == 1 or codes["several_patients"]["patients"] == people


def test_series_of_another_patient_are_named_as_such_and_left_out_where_names_are(
    tmp_path: Path,
) -> None:
    """Their descriptions may hold a name that the result's own patient does not know."""
    long_head(tmp_path / "a", "1")
    write_ct_series(tmp_path / "b", series="2", patient="P2", SeriesDescription="Smith")
    write_ct_series(
        tmp_path / "c", series="3", patient="P3", SeriesDescription="Jones", ContrastBolusAgent="KM"
    )
    write_ct_series(tmp_path / "d", series="4", Modality="MR")
    volume = read_series(tmp_path)
    assert "Usable too: series 2 'Smith' of patient 'P2'" in note(volume, "series_choice")
    (choice,) = (one for one in volume.notes if one.code == "series_choice")
    told = tell(nameless_note(choice, volume.identity))
    assert not any(name in told for name in ("Smith", "Jones", "P2", "P3"))
    assert told.endswith("not CT but MR.")


def test_of_two_studies_the_newest_is_read(tmp_path: Path) -> None:
    write_ct_series(tmp_path, study="1", series="1", StudyDate="20260102")
    write_ct_series(tmp_path, study="2", series="2", StudyDate="20260103")
    volume = read_series(tmp_path)
    assert volume.identity.acquired_at is not None
    assert volume.identity.acquired_at.day == 3
    assert "2026-01-03" in note(volume, "several_studies")


@pytest.mark.parametrize(
    "agent", ["keine", "SIN CONTRASTE", "NON", "0 ML", "なし", "NOT GIVEN", "UNKNOWN", "", "NONE"]
)
def test_an_agent_that_is_none_is_no_contrast(tmp_path: Path, agent: str) -> None:
    write_ct_series(tmp_path, ContrastBolusAgent=agent, SpecificCharacterSet="ISO_IR 192")
    volume = read_series(tmp_path)
    assert volume.shape[0] == 6
    assert not any("contrast" in one.code for one in volume.notes)


@pytest.mark.parametrize(
    "elements",
    [
        {"ContrastBolusVolume": "80"},
        {"ContrastBolusTotalDose": "60"},
        {"ContrastFlowRate": "3.5"},
        {"ContrastFlowDuration": "20"},
        {"ContrastBolusRoute": "IV"},
        {"ContrastBolusStartTime": "101500"},
        {"ContrastBolusIngredient": "IODINE"},
        {"ContrastBolusIngredientConcentration": "300"},
    ],
    ids=lambda elements: next(iter(elements)),
)
def test_any_tag_of_contrast_is_read(tmp_path: Path, elements: dict[str, object]) -> None:
    write_ct_series(tmp_path, **elements)  # type: ignore[arg-type]
    with pytest.raises(ContrastSeriesError, match=next(iter(elements))):
        read_series(tmp_path)


@pytest.mark.parametrize(
    ("elements", "contradiction"),
    [
        ({"ContrastBolusAgent": "Iomeron 300", "ContrastBolusVolume": "0"}, "ContrastBolusVolume"),
        ({"ContrastBolusAgent": "NONE", "ContrastBolusVolume": "80"}, "'NONE'"),
        (
            {"ContrastBolusAgent": "Iomeron", "SeriesDescription": "CRANIO SENZA CONTRASTO"},
            "'CRANIO SENZA CONTRASTO'",
        ),
    ],
)
def test_a_header_that_contradicts_itself_is_read_with_a_warning(
    tmp_path: Path, elements: dict[str, object], contradiction: str
) -> None:
    write_ct_series(tmp_path, **elements)  # type: ignore[arg-type]
    told = note(read_series(tmp_path), "contrast_contradicted")
    assert told.startswith("WARNING")
    assert contradiction in told


def test_a_series_without_contradiction_is_preferred(tmp_path: Path) -> None:
    write_ct_series(tmp_path, series="2", ContrastBolusAgent="KM", ContrastBolusVolume="0")
    write_ct_series(tmp_path, series="3")
    volume = read_series(tmp_path)
    assert volume.identity.series_description == "Head 5 mm"
    assert "series 3 " in note(volume, "series_choice")
    assert "nothing in its header speaks of contrast" in note(volume, "series_choice")
    assert note(volume, "contrast_contradicted") == ""


def test_a_word_that_may_mean_contrast_is_told(tmp_path: Path) -> None:
    write_ct_series(tmp_path, SeriesDescription="HEAD IV")
    assert note(read_series(tmp_path), "contrast_unsure").startswith("Caution")


def later(minutes: float) -> str:
    """AcquisitionTime so long after 03:20."""
    seconds = round(minutes * 60)
    return f"03{20 + seconds // 60:02d}{seconds % 60:02d}"


def test_of_two_alike_series_of_one_study_the_earlier_is_read(tmp_path: Path) -> None:
    write_ct_series(tmp_path, series="3", AcquisitionDate="20260102", AcquisitionTime=later(0))
    write_ct_series(tmp_path, series="2", AcquisitionDate="20260102", AcquisitionTime=later(15))
    volume = read_series(tmp_path)
    assert "series 3 " in note(volume, "series_choice")
    assert "acquired first" in note(volume, "series_choice")
    told = note(volume, "acquired_after")
    assert told.startswith("WARNING")
    assert "series 2 'Head 5 mm'" in told
    assert note(read_series(tmp_path, series="2"), "acquired_after") == ""


def test_a_later_series_that_is_only_called_post_is_told(tmp_path: Path) -> None:
    """Perhaps it was after contrast medium, perhaps it is a second plain scan."""
    day = "20260102"
    write_ct_series(tmp_path, series="2", AcquisitionDate=day, AcquisitionTime=later(0))
    write_ct_series(
        tmp_path,
        series="3",
        SeriesDescription="HEAD POST 5.0",
        AcquisitionDate=day,
        AcquisitionTime=later(15),
    )
    volume = read_series(tmp_path)
    assert volume.identity.series_description == "Head 5 mm"
    assert "'HEAD POST 5.0'" in note(volume, "acquired_after")


@pytest.mark.parametrize(
    "other",
    [
        {"AcquisitionTime": later(0)},
        {"AcquisitionTime": later(0.2)},
        {"AcquisitionTime": later(9), "SeriesDescription": "Head C+"},
        {"AcquisitionTime": later(9), "SeriesDescription": "C-spine", "BodyPartExamined": "SPINE"},
        {"AcquisitionTime": later(9), "SliceThickness": 0.6},
        {"AcquisitionTime": later(9), "ImageType": ["DERIVED", "SECONDARY", "REFORMATTED"]},
    ],
)
def test_what_is_no_second_scan_of_the_head_is_no_warning(
    tmp_path: Path, other: dict[str, object]
) -> None:
    time = {"AcquisitionDate": "20260102", "AcquisitionTime": later(0)}
    write_ct_series(tmp_path, series="2", **time)  # type: ignore[arg-type]
    write_ct_series(tmp_path, series="3", **{**time, **other})  # type: ignore[arg-type]
    volume = read_series(tmp_path)
    assert note(volume, "acquired_after") == note(volume, "acquired_before") == ""


def test_beside_a_series_without_contrast_the_one_with_is_what_it_says(tmp_path: Path) -> None:
    day = "20260102"
    for series, words, minutes in (("2", "HEAD W/O", 0), ("3", "HEAD W", 15)):
        write_ct_series(
            tmp_path,
            series=series,
            SeriesDescription=words,
            AcquisitionDate=day,
            AcquisitionTime=later(minutes),
        )
    volume = read_series(tmp_path)
    assert volume.identity.series_description == "HEAD W/O"
    assert note(volume, "acquired_after") == ""


def test_slices_taken_one_after_another_are_one_acquisition(tmp_path: Path) -> None:
    """A bone and a soft series of a slow scan overlap in time, though one begins later."""

    def tick(index: int, dataset: Dataset) -> None:
        dataset.AcquisitionDate, dataset.AcquisitionTime = "20260102", f"0320{9 * index:02d}"

    def tock(index: int, dataset: Dataset) -> None:
        dataset.AcquisitionDate, dataset.AcquisitionTime = "20260102", f"0320{9 * index + 14:02d}"

    write_ct_series(tmp_path, series="2", change=tick)
    write_ct_series(tmp_path, hu=ct_pixels(5), series="3", change=tock)
    assert note(read_series(tmp_path), "acquired_after") == ""


def test_an_earlier_head_that_is_not_read_is_told(tmp_path: Path) -> None:
    day = "20260102"
    write_ct_series(
        tmp_path,
        series="2",
        ConvolutionKernel="H70h",
        AcquisitionDate=day,
        AcquisitionTime=later(0),
    )
    write_ct_series(tmp_path, series="3", AcquisitionDate=day, AcquisitionTime=later(9))
    told = note(read_series(tmp_path), "acquired_before")
    assert told.startswith("WARNING")
    assert "series 2 " in told


@pytest.mark.parametrize(
    ("elements", "head", "sharp"),
    [
        ({"BodyPartExamined": "HEAD", "SeriesDescription": ""}, 2, False),
        ({"SpecificCharacterSet": "ISO_IR 192", "SeriesDescription": "脳 単純"}, 2, False),
        ({"BodyPartExamined": "CHEST", "SeriesDescription": "Brain"}, 0, False),
        (
            {"BodyPartExamined": "", "SeriesDescription": "", "StudyDescription": "CT Brain"},
            2,
            False,
        ),
        ({"SeriesDescription": "5mm", "ConvolutionKernel": "BONEPLUS"}, 1, True),
        ({"SeriesDescription": "Head", "ConvolutionKernel": "H31s"}, 2, False),
        ({"SeriesDescription": "Head", "ConvolutionKernel": "Hr64h"}, 2, True),
        ({"SeriesDescription": "Head", "ConvolutionKernel": "FC26"}, 2, False),
        ({"SeriesDescription": "Head", "ConvolutionKernel": "FC30"}, 2, True),
        ({"SeriesDescription": "Head", "ConvolutionKernel": "UB"}, 2, False),
    ],
)
def test_words_for_head_and_kernel(
    tmp_path: Path, elements: dict[str, object], head: int, sharp: bool
) -> None:
    path = write_ct_series(tmp_path, hu=ct_pixels(1), **elements)[0]  # type: ignore[arg-type]
    header = read_headers(Source(path.name, lambda: path.open("rb")))[0]
    assert (head_score(header), is_sharp(header)) == (head, sharp)

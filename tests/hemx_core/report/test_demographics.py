"""What of odd demographics DICOM allows to be written."""

from typing import Any

import pytest
from pydicom import DataElement, Dataset, config
from pydicom.datadict import dictionary_VR

from hemx_core.report.demographics import allowed_value


def source(keyword: str, value: Any) -> Dataset:
    dataset = Dataset()
    dataset[keyword] = DataElement(
        keyword, dictionary_VR(keyword), value, validation_mode=config.IGNORE
    )
    return dataset


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientBirthDate", "19400229"),
        ("StudyTime", "03"),
        ("StudyTime", "0320"),
        ("StudyTime", "032000.123456"),
        ("PatientSex", "O"),
        ("PatientAge", "086Y"),
        ("PatientID", "ID 4711/β"),
        ("PatientID", "x" * 64),
        ("AccessionNumber", "x" * 16),
        ("PatientName", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("PatientName", "=山田^太郎"),
        ("PatientName", "A^B^C^D^E"),
        ("StudyDescription", ""),
        ("PatientID", None),
    ],
)
def test_what_is_allowed_is_kept(keyword: str, value: str | None) -> None:
    assert allowed_value(source(keyword, value), keyword) == (value or "", True)


@pytest.mark.parametrize(
    ("keyword", "value", "kept"),
    [
        ("PatientBirthDate", "1940", ""),
        ("PatientBirthDate", "19410229", ""),
        ("PatientBirthDate", "1940.01.02", ""),
        ("PatientBirthDate", "١٩٤٠٠١٠٢", ""),
        ("StudyTime", "03:20:00", ""),
        ("StudyTime", "2500", ""),
        ("PatientSex", "U", ""),
        ("PatientSex", "m", ""),
        ("PatientAge", "86Y", ""),
        ("PatientID", "x" * 65, ""),
        ("PatientID", "one\\two", ""),
        ("PatientID", "a\x1b[2Jb", ""),
        ("PatientID", "\ufffd\ufffd", ""),
        ("StudyID", ["1", "2"], ""),
        ("PatientName", "a=b=c=d", ""),
        ("PatientName", "A^B^C^D^E^F=試験^花子", "=試験^花子"),
        ("PatientName", "Demo^Hanako=試\x00験^花子", "Demo^Hanako"),
        ("PatientName", "x" * 65, ""),
    ],
)
def test_what_is_not_allowed_is_left_out_and_never_mended(
    keyword: str, value: Any, kept: str
) -> None:
    assert allowed_value(source(keyword, value), keyword) == (kept, False)


def test_an_attribute_that_is_not_there_is_empty() -> None:
    assert allowed_value(Dataset(), "PatientID") == ("", True)

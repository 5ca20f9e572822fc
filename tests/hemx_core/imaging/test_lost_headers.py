"""A slice whose header is damaged is missed: it is told, whatever is left of its header."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from hemx_core.imaging.reader import read_series
from hemx_core.notes import Severity
from tests.factories import write_ct_series

IDENTITY = ("SeriesInstanceUID", "StudyInstanceUID", "PatientID", "FrameOfReferenceUID")
GEOMETRY = ("Rows", "Columns", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient")


def warnings_of(folder: Path) -> set[str]:
    volume = read_series(folder)
    assert volume.shape[0] == 5
    return {note.code for note in volume.notes if note.severity is Severity.WARNING}


@pytest.mark.parametrize("gone", [GEOMETRY, (*GEOMETRY, *IDENTITY)])
def test_a_slice_without_place_and_size_is_missed(tmp_path: Path, gone: tuple[str, ...]) -> None:
    def cut(index: int, dataset: Dataset) -> None:
        if index == 0:
            for keyword in gone:
                delattr(dataset, keyword)

    write_ct_series(tmp_path, change=cut)
    assert "scan_continues" in warnings_of(tmp_path)


def test_a_file_of_no_known_kind_is_unreadable(tmp_path: Path) -> None:
    def cut(index: int, dataset: Dataset) -> None:
        if index == 5:
            dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1"
            del dataset.Modality

    write_ct_series(tmp_path, change=cut)
    assert "unreadable_files" in warnings_of(tmp_path)

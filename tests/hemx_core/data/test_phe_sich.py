import os
from pathlib import Path

import numpy as np
import pytest

from hemx_core.data import phe_sich
from hemx_core.errors import DatasetError
from hemx_core.imaging.spec import PreprocessingSpec
from tests.factories import write_phe_sich


@pytest.fixture
def folder(tmp_path):
    return write_phe_sich(tmp_path, patients=40)


def test_split_is_by_patient_balanced_in_volume_and_fixed(folder):
    rows = phe_sich.read_rows(folder)
    splits = phe_sich.split_patients(rows)
    assert splits == phe_sich.split_patients(rows)
    assert len(splits["validation"]) == phe_sich.VALIDATION_PATIENTS
    assert len(splits["test"]) == phe_sich.TEST_PATIENTS
    assert sorted(p for split in splits.values() for p in split) == sorted(rows)
    assert "0000" in splits["train"], "a patient without a reference cannot be scored"
    for name in ("validation", "test"):
        volumes = sorted(int(patient) for patient in splits[name])
        assert volumes[0] <= 4
        assert volumes[-1] >= 37


def test_folds_hold_every_patient_out_once_and_are_alike_in_volume(folder):
    rows = phe_sich.read_rows(folder)
    folds = [phe_sich.split_by_fold(rows, phe_sich.Fold(k, 5)) for k in range(5)]
    assert sorted(p for fold in folds for p in fold["test"]) == sorted(rows)
    for fold in folds:
        assert fold["test"] == fold["validation"]
        assert sorted(fold["train"] + fold["test"]) == sorted(rows)
        assert abs(np.mean([int(patient) for patient in fold["test"]]) - 19.5) < 3
    everyone = phe_sich.split_by_fold(rows, phe_sich.Fold(None))
    assert everyone == {"train": sorted(rows), "validation": [], "test": []}


@pytest.mark.parametrize("fold", [(5, 5), (0, 1), (-1, 5), (0, 41)])
def test_a_fold_that_does_not_exist_is_refused(folder, fold):
    with pytest.raises(DatasetError, match="fold"):
        phe_sich.split_by_fold(phe_sich.read_rows(folder), phe_sich.Fold(*fold))


@pytest.mark.parametrize("text", ["5/5", "a/5", "1", "1/", "-1/5", "0/1"])
def test_a_fold_is_read_from_its_text_or_refused(text):
    with pytest.raises(DatasetError, match="fold"):
        phe_sich.read_fold(text)
    assert phe_sich.read_fold("") is None
    assert phe_sich.read_fold("all") == phe_sich.Fold(None)
    assert phe_sich.read_fold("2/5") == phe_sich.Fold(2, 5)


def test_slices_are_in_order_and_grey_gives_hu(folder):
    rows = phe_sich.read_rows(folder)["0007"]
    assert [row.index for row in rows] == [0, 1, 2]
    volume = phe_sich.read_volume(folder, rows)
    assert volume.clipped_to_hu == (-20, 100)
    assert volume.hu[1, 256, 256] == round(-20 + 117 * 120 / 255)
    assert volume.hu[1, 220, 220] == round(-20 + 180 * 120 / 255)


def test_prepared_masks_lie_on_the_clot(folder):
    rows = phe_sich.read_rows(folder)["0007"]
    patient = phe_sich.prepare_patient(folder, rows, PreprocessingSpec())
    assert patient.with_blood.tolist() == [False, True, False]
    assert patient.image[1][patient.mask[1]].mean() > 0.7
    assert patient.known.all()


def test_missing_data_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.delenv("HEMX_DATA", raising=False)
    with pytest.raises(DatasetError, match="set HEMX_DATA"):
        phe_sich.data_folder()
    monkeypatch.setenv("HEMX_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match=r"slices\.csv"):
        phe_sich.data_folder()


def test_a_missing_picture_is_named(folder):
    (folder / "images" / "0007_01.png").unlink()
    with pytest.raises(DatasetError, match="0007_01"):
        phe_sich.read_volume(folder, phe_sich.read_rows(folder)["0007"])


@pytest.mark.skipif(not os.environ.get("HEMX_DATA"), reason="HEMX_DATA is not set")
def test_the_real_data_splits_into_47_16_and_16():
    folder = Path(os.environ["HEMX_DATA"]) / "phe_sich"
    splits = phe_sich.split_patients(phe_sich.read_rows(folder))
    assert [len(patients) for patients in splits.values()] == [47, 16, 16]

from dataclasses import replace

import numpy as np
import pytest

from hemx_core.errors import DatasetError
from hemx_core.imaging.crop import crop_around
from hemx_core.markers import MARKER_CODES
from hemx_core.training.gan_crops import (
    GanCrops,
    class_names,
    collect_crops,
    marker_classes,
    marker_labels,
)
from tests.factories import make_study


def test_crops_are_cut_as_triage_cuts_them_and_unknown_slices_stay_out() -> None:
    study = make_study(slices=4, markers=[[1, 0, 0, 0], [-1, 1, 0, 0], [0, 1, -1, 0], [1, 1, 1, 1]])
    mask = study.mask.copy()
    mask[3] = False  # no blood: not a crop, whatever its label
    study = replace(study, mask=mask)
    found = collect_crops([make_study(patient_id="P0"), study], size=16)
    assert found.names == ("none", "hypodensity")
    assert found.classes.tolist() == [0, 0, 1, 0]
    assert found.patient.tolist() == [0, 0, 1, 1]
    assert found.counts.tolist() == [3, 1]
    expected, _ = crop_around(study.image[2].astype(np.float32), study.mask[2], 16)
    assert np.array_equal(found.crops[3], expected.astype(np.float16))


def test_several_markers_make_a_class_of_every_combination() -> None:
    markers = ("hypodensity", "blend")
    assert class_names(markers) == ("none", "hypodensity", "blend", "hypodensity+blend")
    labels = np.array([[0, 1, 0, 0], [1, 0, 0, 1], [0, -1, 1, 0], [1, 0, 1, 0], [1, 0, -1, 0]])
    classes = marker_classes(labels.astype(np.int8), markers)
    assert classes.tolist() == [0, 1, 2, 3, -1]
    back = marker_labels(classes[:4], markers)
    assert (back[:, [1, 3]] == -1).all()
    assert np.array_equal(back[:, [0, 2]], labels[:4, [0, 2]])


def test_all_four_markers_are_a_condition() -> None:
    assert len(class_names(MARKER_CODES)) == 16
    every = np.arange(16)
    assert np.array_equal(marker_classes(marker_labels(every, MARKER_CODES), MARKER_CODES), every)


@pytest.mark.parametrize("markers", [(), ("swirl",), ("blend", "blend")])
def test_wrong_markers_are_named(markers: tuple[str, ...]) -> None:
    with pytest.raises(DatasetError, match="markers"):
        class_names(markers)


def test_contradictory_crops_are_refused() -> None:
    crops, classes = np.zeros((3, 8, 8), np.float16), np.zeros(3, np.int64)
    wrong = [
        (crops[:2], classes),
        (crops[:, :4], classes),
        (crops[:0], classes[:0]),
        (crops + np.float16(2), classes),
        (crops * np.float16(np.nan), classes),
        (crops, classes + 2),
        (crops, classes - 1),
    ]
    assert len(GanCrops(crops=crops, classes=classes, names=("a", "b"))) == 3
    for some, kinds in wrong:
        with pytest.raises(DatasetError):
            GanCrops(crops=some, classes=kinds, names=("a", "b"))


def test_patients_without_blood_are_named() -> None:
    study = make_study()
    with pytest.raises(DatasetError, match="no slice with blood"):
        collect_crops([replace(study, mask=np.zeros_like(study.mask))])

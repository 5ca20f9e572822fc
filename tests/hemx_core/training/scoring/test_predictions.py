import numpy as np

from hemx_core.training.scoring.predictions import (
    NOT_CLASSIFIED,
    Predictions,
    co_occurrence,
    label_counts,
)


def test_patients_take_their_largest_logit_and_keep_a_floor_without_slices() -> None:
    found = Predictions(
        np.array([[1.0, -3, 0, 0], [2.0, -5, 0, 0], [-1.0, 4, 0, 0]]),
        np.zeros((3, 4), np.int8),
        np.array([0, 0, 2]),
        np.zeros((3, 4), np.int8),
    )
    assert found.patient_logits[:, :2].tolist() == [
        [2, -3], [NOT_CLASSIFIED, NOT_CLASSIFIED], [-1, 4],
    ]  # fmt: skip


def test_counts_and_the_sixteen_combinations() -> None:
    labels = np.array([[1, 0, 0, 1], [1, -1, 0, 1], [0, 0, -1, 0], [1, 1, 1, 1]], np.int8)
    assert label_counts(labels[:, 1]) == {"present": 1, "absent": 2, "undecided": 1}
    everything = "hypodensity+irregular+blend+fluid_level"
    assert co_occurrence(labels) == {"none": 1, "hypodensity+fluid_level": 2, everything: 1}
    table = co_occurrence(labels, every=True)
    assert len(table) == 16
    assert sum(table.values()) == 4
    assert list(table)[:3] == ["none", "hypodensity", "irregular"]
    assert list(table)[-1] == everything

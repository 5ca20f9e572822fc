from dataclasses import replace

import numpy as np
import pytest

from hemx_core.errors import TrainingError
from hemx_core.markers import Aggregation
from hemx_core.measure.slices import aggregate
from hemx_core.training.scoring.aggregation import (
    MAX,
    AggregationChoice,
    _within_error,
    choose_aggregation,
    patient_logits,
)
from hemx_core.training.scoring.predictions import NOT_CLASSIFIED, Predictions

WAYS = (MAX, Aggregation.LARGEST, Aggregation.AREA_WEIGHTED)
FOUR_MAX = (MAX,) * 4


def _some_patients() -> Predictions:
    """Three patients: five slices out of order, none, and one."""
    rng = np.random.default_rng(3)
    return Predictions(
        rng.normal(0, 3, (6, 4)),
        np.zeros((6, 4), np.int8),
        np.array([0, 2, 0, 0, 0, 0]),
        np.zeros((3, 4), np.int8),
        area=np.array([40.0, 9, 100, 90, 12, 60]),
        index=np.array([7, 3, 8, 5, 4, 6]),
    )


@pytest.mark.parametrize("way", list(Aggregation))
def test_training_scores_what_the_device_says(way: Aggregation) -> None:
    found = _some_patients()
    assert found.area is not None
    assert found.index is not None
    logits = patient_logits(found, (way,) * 4)
    rows = np.array([4, 3, 5, 0, 2])
    for i in range(4):
        device = aggregate(found.logits[rows, i], found.area[rows], found.index[rows], way)
        assert logits[0, i] == device.logit
    np.testing.assert_array_equal(logits[1], NOT_CLASSIFIED)
    np.testing.assert_array_equal(logits[2], found.logits[1])


def test_each_marker_has_its_own_way_and_a_patient_has_a_floor() -> None:
    found = _some_patients()
    ways = (MAX, Aggregation.LARGEST, Aggregation.ADJACENT, Aggregation.AREA_WEIGHTED)
    mixed = patient_logits(found, ways)
    for i, way in enumerate(ways):
        np.testing.assert_array_equal(mixed[:, i], patient_logits(found, (way,) * 4)[:, i])
    np.testing.assert_array_equal(patient_logits(found, FOUR_MAX), found.patient_logits)
    silent = replace(found, logits=found.logits * 0 - 900)
    assert (patient_logits(silent, FOUR_MAX) == NOT_CLASSIFIED).all()


def test_ways_that_need_areas_are_refused_without_them() -> None:
    bare = replace(_some_patients(), area=None, index=None)
    np.testing.assert_array_equal(patient_logits(bare, FOUR_MAX), bare.patient_logits)
    with pytest.raises(TrainingError, match="areas of their slices, for largest"):
        patient_logits(bare, (Aggregation.LARGEST,) * 4)


def _cohort(*, seed: int = 5, patients: int = 120) -> Predictions:
    """Markers that show in different ways; of each patient eight slices, of which one is large.

    The first shows on any one slice, the second on the large one alone (the small ones are noise), the
    third on all of them, faintly; the fourth is never there.
    """
    rng = np.random.default_rng(seed)
    labels = (rng.random((patients, 4)) < 0.5).astype(np.int8)
    labels[:, 3] = 0
    patient = np.repeat(np.arange(patients), 8)
    index = np.tile(np.arange(8), patients)
    area = np.where(index == 3, 100.0, rng.uniform(5, 45, len(index)))
    logits = rng.normal(0, [0.6, 0.6, 2.5, 1.0], (len(index), 4))
    own = labels[patient]
    any_one = index == np.repeat(rng.choice([0, 1, 2, 4, 5, 6, 7], patients), 8)
    logits[:, 0] += 4.0 * (own[:, 0] & any_one)
    logits[:, 1] += np.where(index == 3, 4.0 * own[:, 1] - 2, rng.normal(2, 3, len(index)))
    logits[:, 2] += 2.5 * own[:, 2]
    return Predictions(logits, own, patient, labels, area=area, index=index)


@pytest.fixture(scope="module")
def choice() -> AggregationChoice:
    return choose_aggregation(_cohort(), candidates=WAYS)


def test_each_marker_gets_the_way_that_fits_it(choice: AggregationChoice) -> None:
    chosen = dict(choice.chosen)
    assert chosen["hypodensity"] is MAX
    assert chosen["irregular"] is Aggregation.LARGEST
    assert chosen["blend"] is Aggregation.AREA_WEIGHTED
    assert chosen["fluid_level"] is MAX
    assert choice.ways == tuple(chosen.values())
    document = choice.to_json()
    assert document["chosen"]["blend"] == "area_weighted"
    assert set(document["validation_log_loss"]["blend"]) == {str(way) for way in WAYS}
    assert set(document["validation_log_loss"]["fluid_level"].values()) == {None}


def test_of_ways_that_cannot_be_told_apart_the_first_is_chosen() -> None:
    found = _cohort()
    one_slice = np.flatnonzero(found.index == 3)
    single = replace(
        found,
        logits=found.logits[one_slice],
        labels=found.labels[one_slice],
        patient=found.patient[one_slice],
        area=found.area[one_slice] if found.area is not None else None,
        index=found.index[one_slice] if found.index is not None else None,
    )
    two = (Aggregation.LARGEST, MAX)
    assert set(choose_aggregation(single, candidates=two).ways) == {Aggregation.LARGEST}


def test_patients_of_one_cluster_are_not_so_many_witnesses() -> None:
    excess = np.repeat([0.1, -0.02], 20)
    ones = np.ones(40)
    assert not _within_error(excess, ones, np.arange(40))
    assert _within_error(excess, ones, np.repeat([0, 1], 20))
    # Where those that gain weigh little, the mean is another.
    assert _within_error(excess, np.repeat([0.1, 1.0], 20), np.arange(40))


def test_a_target_without_a_published_prevalence_is_taken_as_it_is() -> None:
    found = _cohort()
    one = replace(found, logits=found.logits[:, 2:3], patient_labels=found.patient_labels[:, 2:3])
    two = (MAX, Aggregation.AREA_WEIGHTED)
    choice = choose_aggregation(one, codes=("expansion",), candidates=two)
    assert choice.chosen == {"expansion": Aggregation.AREA_WEIGHTED}

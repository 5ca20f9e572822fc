import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemx_core.markers import Aggregation
from hemx_core.measure.slices import Aggregated, aggregate

LOGITS = np.array([3.0, -1.0, 1.0, 2.0, -4.0])
AREAS = np.array([10.0, 60.0, 100.0, 50.0, 100.0])
INDEX = np.array([4, 5, 6, 8, 9])


@pytest.mark.parametrize(
    ("way", "logit", "place"),
    [
        (Aggregation.MAX, 3.0, 0),
        # The small slice 0 is out; 60, 50 and both of 100 mm² are large.
        (Aggregation.LARGE, 2.0, 3),
        # Slices 6 and 8 are no neighbours: 4 and 5 have 1.0, 5 and 6 have 0.0, 8 and 9 have -1.0.
        (Aggregation.ADJACENT, 1.0, 0),
        (Aggregation.LARGEST, 1.0, 2),
        (Aggregation.AREA_WEIGHTED, (30 - 60 + 100 + 100 - 400) / 320, 0),
    ],
)
def test_known_values(way: Aggregation, logit: float, place: int) -> None:
    found = aggregate(LOGITS, AREAS, INDEX, way)
    assert found.logit == pytest.approx(logit)
    assert found.place == place


@pytest.mark.parametrize("way", list(Aggregation))
def test_a_single_slice_is_the_patient(way: Aggregation) -> None:
    one = aggregate(np.array([-2.5]), np.array([7.0]), np.array([11]), way)
    assert one == Aggregated(-2.5, 0)


def test_slices_without_neighbours_are_taken_one_by_one() -> None:
    apart = aggregate(LOGITS[:3], AREAS[:3], np.array([1, 3, 5]), Aggregation.ADJACENT)
    assert apart == Aggregated(3.0, 0)
    # A loud slice of its own is passed over where two lie side by side.
    one_aside = aggregate(LOGITS[:3], AREAS[:3], np.array([1, 4, 5]), Aggregation.ADJACENT)
    assert one_aside == Aggregated(0.0, 2)


@pytest.mark.parametrize("way", list(Aggregation))
def test_of_equal_slices_the_first_is_shown(way: Aggregation) -> None:
    same = aggregate(np.zeros(4), np.full(4, 9.0), np.arange(4), way)
    assert same == Aggregated(0.0, 0)


@settings(deadline=None, max_examples=60)
@given(st.data(), st.sampled_from(list(Aggregation)))
def test_every_way_lies_within_the_logits_and_keeps_shift_and_scale(
    data: st.DataObject, way: Aggregation
) -> None:
    rows = data.draw(
        st.lists(st.tuples(st.floats(-50, 50), st.floats(0.1, 900)), min_size=1, max_size=8)
    )
    logits, areas = (np.array(column) for column in zip(*rows, strict=True))
    index = np.sort(
        data.draw(
            st.lists(st.integers(0, 12), min_size=len(rows), max_size=len(rows), unique=True).map(
                np.array
            )
        )
    )
    found = aggregate(logits, areas, index, way)
    assert logits.min() - 1e-9 <= found.logit <= logits.max() + 1e-9
    assert found.logit <= aggregate(logits, areas, index, Aggregation.MAX).logit + 1e-9
    scaled = aggregate(2 * logits - 3, areas, index, way)
    assert scaled.logit == pytest.approx(2 * found.logit - 3, abs=1e-9)

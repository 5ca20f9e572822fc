from __future__ import annotations

from collections.abc import Iterator

import pytest

from hemx_core.pairing import PairDoubt
from mobile_app.compare.comparing import (
    candidates,
    default_pair,
    doubt,
    ordered,
    times_known,
)
from mobile_app.store import Store
from tests.mobile_app.stored import store_study


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("pairing")
    with Store(folder / "store") as store:
        for patient, hours in (("P1", 0), ("P1", 5), ("P1", 30), ("P2", 4), ("", 6), ("P3", None)):
            store_study(store, folder, patient=patient, hours=hours)
        store_study(store, folder, patient="P1", hours=40, triage=False)
        yield store


def test_only_studies_with_a_result_can_be_compared(store: Store) -> None:
    assert [one.id for one in candidates(store)] == [3, 5, 2, 4, 1, 6]


@pytest.mark.parametrize(
    ("open_id", "pair"),
    [(3, (2, 3)), (2, (1, 2)), (1, (1, 2)), (None, (2, 3)), (4, None), (5, None), (7, None)],
)
def test_the_pair_that_is_offered(
    store: Store, open_id: int | None, pair: tuple[int, int] | None
) -> None:
    found = default_pair(candidates(store), open_id)
    assert (found and (found[0].id, found[1].id)) == pair


def test_time_decides_which_is_earlier_and_the_user_where_it_is_missing(store: Store) -> None:
    one, three, unknown = (store.studies.get(number) for number in (1, 3, 6))
    assert ordered(three, one) == ordered(one, three) == (one, three)
    assert times_known(one, three)
    assert ordered(unknown, one) == (unknown, one)
    assert ordered(one, unknown) == (one, unknown)
    assert not times_known(one, unknown)


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ((1, 2), None),
        ((1, 4), PairDoubt.DIFFERENT_PATIENTS),
        ((1, 5), PairDoubt.PATIENT_UNKNOWN),
        ((1, 1), PairDoubt.SAME_SERIES),
    ],
)
def test_what_stands_against_a_pair(
    store: Store, pair: tuple[int, int], expected: PairDoubt | None
) -> None:
    assert doubt(*(store.studies.get(number) for number in pair)) is expected

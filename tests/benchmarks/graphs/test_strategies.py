"""Every way to segment a study gives what triage gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.graphs import strategies
from benchmarks.graphs.threads import all_strategies
from benchmarks.harness.material import grouped
from benchmarks.peers.roster import FOLDED, ROSTER, SHIPPED
from hemx_core.bundle.load import default_bundle
from hemx_core.costs import StageClock, Watch
from hemx_core.imaging.prepare import PreparedVolume, prepare
from hemx_core.manifest import ModelManifest
from hemx_core.pipeline import Segmentation, segment
from tests.factories import ThresholdModels, simple_head


def models(slices_a_call: int) -> ThresholdModels:
    """Models of so many slices a call."""
    made = ThresholdModels()
    made.slices_a_call = slices_a_call
    return made


def watch() -> Watch:
    """One that watches nothing."""
    return Watch(StageClock())


WAYS: dict[str, Callable[[PreparedVolume], Segmentation]] = {
    "four a call": lambda prepared: segment(prepared, models(4), watch()),
    "ahead": lambda prepared: strategies.ahead(prepared, models(1)),
    "ahead, three a call": lambda prepared: strategies.ahead(prepared, models(3)),
    "two": lambda prepared: strategies.two_instances(prepared, (models(2), models(2))),
}


@pytest.mark.parametrize("way", WAYS)
def test_masks_and_features_are_those_of_a_slice_a_call(way: str) -> None:
    head = simple_head(slices=7, clot_mm=15, clot_slices=(2, 3, 5))
    prepared = prepare(head, models(1).manifest.preprocessing)
    expected = segment(prepared, models(1), watch())
    found = WAYS[way](prepared)
    assert expected.mask.any()
    np.testing.assert_array_equal(found.mask, expected.mask)
    assert found.features.keys() == expected.features.keys()
    for index, vector in expected.features.items():
        np.testing.assert_allclose(found.features[index], vector)


def test_what_ships_is_among_the_strategies_once_for_each_number_of_threads() -> None:
    ways = all_strategies(4, (1, 2))
    assert len({one.name for one in ways}) == len(ways)
    assert [(one.batch, one.threads) for one in ways if one.kind == "plain"] == [
        (batch, threads) for batch in (1, 2, 4) for threads in (1, 2)
    ]


def test_peers_take_as_many_slices_as_the_shipped_program() -> None:
    several = {peer.slices for peer in ROSTER if peer.graph in (FOLDED, SHIPPED)}
    assert several == {1, ModelManifest.load(default_bundle()).slices_a_call}


def test_inputs_are_put_together_and_the_last_call_is_filled_up() -> None:
    inputs = [(np.full((1, 2), i, np.float32),) for i in range(3)]
    calls = grouped(inputs, 2)
    assert [one[0][:, 0].tolist() for one in calls] == [[0, 1], [2, 0]]
    assert [one[0].shape for one in grouped(inputs, 1)] == [(1, 2)] * 3

"""Every way to segment a study gives what triage gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks import strategies
from hemx_core.costs import StageClock, Watch
from hemx_core.imaging.prepare import prepare
from hemx_core.triage import segment
from tests.factories import ThresholdModels, simple_head


def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`ThresholdModels` for a batch."""
    models = ThresholdModels()
    answers = [models.segment(one[0]) for one in images]
    return np.stack([one[0] for one in answers])[:, None], np.stack([one[1] for one in answers])


class Counted:
    """Counts calls and the sizes of their batches."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.sizes.append(len(images))
        return run(images)


WAYS: dict[str, Callable[..., object]] = {
    "one": lambda prepared: strategies.in_batches(prepared, run, 1, 0.5),
    "four": lambda prepared: strategies.in_batches(prepared, run, 4, 0.5),
    "ahead": lambda prepared: strategies.ahead(prepared, run, 0.5),
    "two": lambda prepared: strategies.two_instances(prepared, (run, run), 0.5),
}


@pytest.mark.parametrize("way", WAYS)
def test_masks_and_features_are_triages_own(way: str) -> None:
    models = ThresholdModels()
    prepared = prepare(
        simple_head(slices=7, clot_mm=15, clot_slices=(2, 3, 5)), models.manifest.preprocessing
    )
    expected = segment(prepared, models, Watch(StageClock()))
    found = WAYS[way](prepared)
    assert expected.mask.any()
    np.testing.assert_array_equal(found.mask, expected.mask)  # type: ignore[attr-defined]
    assert found.features.keys() == expected.features.keys()  # type: ignore[attr-defined]
    for index, vector in expected.features.items():
        np.testing.assert_allclose(found.features[index], vector)  # type: ignore[attr-defined]


def test_the_last_batch_is_filled_up() -> None:
    models, counted = ThresholdModels(), Counted()
    prepared = prepare(simple_head(slices=6), models.manifest.preprocessing)
    strategies.in_batches(prepared, counted, 4, 0.5)
    assert counted.sizes == [4, 4]

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from export.recipes import RECIPES
from export.verify import (
    Outcome,
    check_parity,
    compare,
    measure_parity,
    pixel_area_mm2,
    torch_functions,
)
from hemx_core.bundle.load import load_models
from hemx_core.errors import ParityError
from hemx_core.imaging.prepare import GridTransform
from tests.export.networks import random_samples, tiny_networks


def outcome(mask: list[int], markers: list[float], probability: float = 0.5) -> Outcome:
    return Outcome(
        np.full((2, 2), probability, np.float32),
        np.array(mask, bool).reshape(2, 2),
        np.array(markers, np.float32),
    )


def test_compares_masks_probabilities_and_markers() -> None:
    found = compare(
        outcome([1, 1, 1, 0], [0.2, 0.9], 0.5), outcome([0, 1, 1, 1], [0.25, 0.7], 0.75), 10.0
    )
    assert found.dice == pytest.approx(4 / 6)
    assert found.probability_max == found.probability_mean == 0.25
    assert found.markers == pytest.approx((0.05, 0.2), abs=1e-6)
    assert found.has_blood


def test_specks_do_not_count_as_blood() -> None:
    one, other = outcome([1, 1, 0, 0], [0.1]), outcome([1, 0, 0, 0], [0.9])
    assert not compare(one, other, 19.0).has_blood
    assert compare(one, other, 20.0).has_blood
    assert compare(outcome([0] * 4, [0.1]), outcome([0] * 4, [0.1]), 1.0).dice == 1.0


def test_area_of_a_native_pixel() -> None:
    transform = GridTransform((512, 512), (256, 128), 0, 64, 256)
    assert pixel_area_mm2(transform, 0.9) == pytest.approx(0.45 * 0.225)


def test_exported_float32_agrees_with_the_trained_networks(exported_bundle: Path) -> None:
    with load_models(exported_bundle) as models:
        parity = measure_parity(tiny_networks(), models, random_samples(3))
    assert parity.slices == parity.slices_with_blood == 3
    check_parity(parity, RECIPES["desk-fp32"])
    assert parity.marker_max < 1e-4
    assert parity.probability_max < 1e-4


def test_a_program_that_errs_is_caught() -> None:
    networks = tiny_networks()
    segment, classify = torch_functions(networks)
    swapped = SimpleNamespace(
        segment=segment, classify=lambda crop, features: (-classify(crop, features)[0] + 1, None)
    )
    parity = measure_parity(networks, swapped, random_samples(2))  # type: ignore[arg-type]
    assert parity.mask_dice == 1.0
    with pytest.raises(ParityError, match="marker probability"):
        check_parity(parity, RECIPES["tablet-int8"])

    blind = SimpleNamespace(
        segment=lambda image: (segment(image)[0] * 0.98, segment(image)[1]), classify=classify
    )
    with pytest.raises(ParityError, match="mask Dice"):
        check_parity(
            measure_parity(networks, blind, random_samples(2)),  # type: ignore[arg-type]
            RECIPES["desk-fp32"],
        )


def test_without_blood_nothing_is_verified() -> None:
    networks = tiny_networks()
    with torch.no_grad():
        networks.segmenter.head.bias.fill_(-1e4)
    segment, classify = torch_functions(networks)
    same = SimpleNamespace(segment=segment, classify=classify)
    with pytest.raises(ParityError, match="no slice of 2"):
        measure_parity(networks, same, random_samples(2))  # type: ignore[arg-type]


def test_a_number_that_is_not_finite_misses_its_gate() -> None:
    networks = tiny_networks()
    segment, classify = torch_functions(networks)
    same = SimpleNamespace(segment=segment, classify=classify)
    parity = measure_parity(networks, same, random_samples(1))  # type: ignore[arg-type]
    check_parity(parity, RECIPES["desk-fp32"])
    for name in ("mask_dice", "marker_max", "marker_p95"):
        with pytest.raises(ParityError):
            check_parity(replace(parity, **{name: float("nan")}), RECIPES["desk-fp32"])

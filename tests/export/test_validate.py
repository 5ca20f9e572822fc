from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from export.gates import accuracy_gates, check_gates
from export.recipes import RECIPES
from export.validate import Way, validate_markers, validate_masks
from hemx_core.data import phe_sich
from hemx_core.errors import DatasetError, ParityError
from hemx_core.imaging.spec import PreprocessingSpec
from tests.export.networks import tiny_networks
from tests.factories import make_study, write_phe_sich

RECIPE = RECIPES["tablet-int8"]
DECISION = replace(tiny_networks().decision, preprocessing=PreprocessingSpec(size=64, pixel_mm=3.6))


def check_accuracy(masks: object, markers: object, recipe: object) -> None:
    check_gates(accuracy_gates(masks, markers, recipe), recipe)  # type: ignore[arg-type]


def way(*, bright: float, noise: float = 0.0) -> Way:
    """Calls blood what is brighter than `bright`; a marker's logit is the crop's mean grey."""
    rng = np.random.default_rng(0)

    def classify(crop: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logit = crop.mean() * 10 + noise * rng.standard_normal()
        return np.full(4, logit, np.float32), np.zeros((4, 2, 2), np.float32)

    return Way(lambda image: ((image > bright).astype(np.float32), np.zeros(3)), classify)


def study(number: int) -> object:
    """Patients with an odd number show every marker, and are brighter."""
    one = make_study(
        patient_id=str(number), slices=2, size=64, markers=[[number % 2] * 4] * 2, seed=number
    )
    grey = one.image.astype(np.float32) * (1.0 if number % 2 else 0.9)
    return replace(one, image=grey.astype(np.float16))


def test_equal_ways_lose_nothing_and_a_noisy_one_does() -> None:
    studies = [study(number) for number in range(12)]
    same = {"trained": way(bright=0.5), "exported": way(bright=0.5)}
    found = validate_markers(same, DECISION, studies)
    row = found["markers"]["blend"]
    assert row["trained"] == row["exported"] == 1.0
    assert (row["drop"], row["drop_95"]) == (0.0, [0.0, 0.0])
    assert (row["present"], row["absent"]) == (6, 6)
    check_accuracy(None, found, RECIPE)
    noisy = {"trained": way(bright=0.5), "exported": way(bright=0.5, noise=50.0)}
    found = validate_markers(noisy, DECISION, studies)
    assert found["markers"]["blend"]["drop"] > 0.1
    with pytest.raises(ParityError, match="AUC of blend falls"):
        check_accuracy(None, found, RECIPE)


def test_a_marker_of_one_class_is_not_estimable() -> None:
    same = {"trained": way(bright=0.5), "exported": way(bright=0.5)}
    found = validate_markers(same, DECISION, [study(1), study(3)])
    assert found["markers"]["blend"]["drop"] is None
    check_accuracy(None, found, RECIPE)
    with pytest.raises(DatasetError, match="no held-out studies"):
        validate_markers(same, DECISION, [])


def test_a_lost_mask_is_a_drop_of_dice(tmp_path) -> None:
    folder = write_phe_sich(tmp_path, patients=40)
    patients = phe_sich.split_patients(phe_sich.read_rows(folder))["test"][:2]
    ways = {"trained": way(bright=0.6), "exported": way(bright=0.6)}
    found = validate_masks(ways, DECISION, folder, patients)
    assert found["trained"]["dice_mean"] == found["exported"]["dice_mean"] > 0.5
    assert found["dice_drop"] == found["volume_difference_ml_worst"] == 0.0
    blind = validate_masks(ways | {"exported": way(bright=2.0)}, DECISION, folder, patients)
    assert blind["dice_drop"] == pytest.approx(found["trained"]["dice_mean"], abs=1e-3)
    with pytest.raises(ParityError, match="Dice falls"):
        check_accuracy(blind, {"markers": {}}, RECIPE)

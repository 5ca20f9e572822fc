import json

import numpy as np
import pytest

from benchmarks.accuracy.lesion_discriminators import (
    FEATURES,
    Contest,
    Sample,
    by_features,
    by_network,
    feature_table,
    features,
    outline,
    rated,
)
from benchmarks.accuracy.lesion_realism import sheet, write_sheets
from tests.hemx_core.phantoms.clots import disc


def _samples(name: str, count: int, *, sd: float = 3.0, radius: float = 12.0) -> list[Sample]:
    rng = np.random.default_rng(len(name) + count)
    found = []
    for number in range(count):
        mask = disc(radius + rng.normal(0, 1), side=128)
        hu = np.where(mask, 62.0, 30.0) + rng.normal(0, sd, mask.shape)
        found.append(Sample(patient=f"{name}{number // 2}", hu=hu.astype(np.float32), mask=mask))
    return found


def test_outlines_of_both_kinds_are_found_by_density_and_not_taken_over():
    mask = disc(12, side=128)
    hu = np.where(mask, 60, 30).astype(np.float32)
    found = outline(hu, disc(10, side=128))
    assert np.count_nonzero(found ^ mask) < 0.1 * mask.sum()
    np.testing.assert_array_equal(found, outline(hu, disc(11, side=128)))


def test_features_measure_what_they_are_called():
    samples = [_samples("a", 1, sd=sd)[0] for sd in (5, 2)]
    loud, quiet = (dict(zip(FEATURES, features(one), strict=True)) for one in samples)
    assert loud["mean"] == pytest.approx(62, abs=1)
    assert loud["sd"] == pytest.approx(5, rel=0.15)
    assert loud["residual_sd"] / quiet["residual_sd"] == pytest.approx(2.5, rel=0.2)
    assert loud["brain_noise"] > 1.8 * quiet["brain_noise"]
    assert quiet["solidity"] > 0.93
    assert abs(quiet["slope"]) < 0.1
    assert abs(quiet["ring"]) < 1


def test_alike_is_one_half_and_another_texture_is_found():
    same = Contest(
        learn=(_samples("a", 20), _samples("b", 21)), score=(_samples("c", 24), _samples("d", 25))
    )
    other = Contest(
        learn=(_samples("a", 20), _samples("b", 21, sd=5)),
        score=(_samples("c", 24), _samples("d", 25, sd=5)),
    )
    assert 0.25 < rated([by_features(same, seed=1)["logistic"]], seed=1)["auc"] < 0.75
    for scored in (*by_features(other, seed=1).values(), by_network(other, seed=1, steps=12)):
        found = rated([scored, scored], seed=1, draws=50)
        assert found["auc"] > 0.9
        assert found["interval"][0] <= found["auc"] <= found["interval"][1]
    table = feature_table(*other.score)
    assert table["residual_sd"]["auc"] > 0.95
    assert 0.2 < table["area"]["auc"] < 0.8


def test_intervals_go_by_patient():
    contest = Contest(
        learn=([], []), score=(_samples("a", 4), _samples("b", 6))
    )  # two slices a patient
    scored = contest.scored(np.arange(10.0))
    assert scored.truth.tolist() == [0] * 4 + [1] * 6
    assert scored.group.max() + 1 == 5


def test_the_blind_sheet_and_its_key(tmp_path):
    contest = Contest(learn=([], []), score=(_samples("a", 6), _samples("b", 8, sd=5)))
    write_sheets(tmp_path, contest, seed=1, each=5)
    key = json.loads((tmp_path / "blind_key.json").read_text())["drawn"]
    assert len(key) == 5
    assert all(0 <= place < 10 for place in key)
    assert {"real.png", "drawn.png", "blind.png"} <= {path.name for path in tmp_path.iterdir()}
    assert sheet(contest.score[0]).shape == (288, 8 * 288)

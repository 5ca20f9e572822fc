from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.accuracy.growth import (
    SEED,
    Scan,
    before_and_after,
    clean_run,
    gather,
    growth_rows,
    held_out,
    intervals_of_others,
    scans_with_growth,
    score,
    weights_reader,
)
from hemx_core.data import phe_sich
from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.intervals import GrowthInterval, Width
from hemx_core.nn.config import UNetConfig
from hemx_core.nn.unet import UNet
from hemx_core.nn.weights import save_weights, segmenter_config
from tests.factories import simple_head

NARROW = GrowthInterval(
    coverage=0.9,
    ratio=Width(width=0.05, errors=40),
    ratio_floor_ml=0.0,
    ml=Width(width=0.02, errors=40),
    ml_floor_ml=0.0,
)


def _study(volume: float, true: float, patient: str = "0001") -> dict[str, Any]:
    return {"volume_ml": volume, "true_ml": true, "patient": patient, "components": 1}


def _score(sets: list[list[dict[str, Any]]]) -> dict[str, Any]:
    return score(sets, [NARROW] * len(sets))


def test_scores_count_right_wrong_and_open_answers_of_clear_pairs_only() -> None:
    pairs = [
        [_study(20, 20), _study(40, 40)],  # clear growth, found
        [_study(20, 20), _study(20, 20)],  # none, found
        [_study(20, 20), _study(40, 20)],  # wrong
        [_study(20, 20), _study(26.2, 26.2)],  # within 5 points of 30 %
        [_study(20, 20), _study(26, 30)],  # 50 % in truth, 30 % measured: open
    ]
    he_30 = _score(pairs)["definitions"]["he_30"]
    assert he_30["clear_pairs"] == 4
    assert he_30["expanded"] == 2
    assert he_30["right"] == 0.5
    assert he_30["indeterminate"] == 0.25
    assert he_30["right_among_decided"] == pytest.approx(2 / 3, abs=1e-4)
    assert he_30["right_by_point_estimate"] == 0.75


def test_coverage_asks_whether_intervals_hold_the_truth() -> None:
    pairs = [
        [_study(20, 20), _study(30, 30)],
        [_study(20, 20, "0002"), _study(40, 20, "0002")],
        [_study(0, 20, "0003"), _study(40, 40, "0003")],
    ]
    coverage = _score(pairs)["coverage"]
    assert coverage["growth_percent"]["value"] == 0.5
    assert coverage["growth_percent"]["rows"] == 2, "from nothing there are no per cent"
    assert coverage["growth_ml"]["value"] == pytest.approx(1 / 3, abs=1e-4)
    assert score(pairs, [None] * 3)["coverage"] == {"growth_ml": None, "growth_percent": None}


def test_each_patient_is_judged_by_the_others() -> None:
    """The one whose growth is misread widens the interval of all but himself."""
    sets = [[_study(10, 10, f"{i:04}"), _study(20, 20 + 0.1 * i, f"{i:04}")] for i in range(12)]
    sets.append([_study(10, 10, "far"), _study(20, 80, "far")])
    rows = growth_rows(sets, fold=2)
    assert (rows[0].patient, rows[0].fold, rows[-1].true_later_ml) == ("0000", 2, 80)
    found = intervals_of_others(rows)
    assert found[-1] is not None
    assert found[0] is not None
    assert found[-1].ml.width < found[0].ml.width
    assert intervals_of_others(rows[:5]) == [None] * 5


def test_a_file_goes_on_only_with_what_is_made_of_the_same(tmp_path: Path) -> None:
    volume = simple_head(clot_mm=15.0, identity=SeriesIdentity(patient_id="0007"))
    truth = volume.hu > 50
    asked: list[int] = []

    def scans(index: int) -> list[Scan]:
        asked.append(index)
        return [Scan(volume, truth, 12.0)]

    out = tmp_path / "sets.json"
    made_of = {"segmenter": "a", "fold": 0}
    sets = gather(out, 2, scans, lambda _volume: truth, made_of)
    assert sets[0][0]["patient"] == "0007"
    assert sets[0][0]["dice"] == 1
    assert gather(out, 3, scans, lambda _volume: truth, made_of)[:2] == sets
    assert asked == [0, 1, 2]
    gather(out, 1, scans, lambda _volume: truth, {"segmenter": "a", "fold": 1})
    assert asked == [0, 1, 2, 0], "another fold starts anew"


def test_weights_read_as_triage_does(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = UNet(UNetConfig(width=0.1, depth=0.2)).eval()
    save_weights(
        tmp_path / "segmenter.safetensors", network, config=segmenter_config(network), training={}
    )
    rules = {
        "preprocessing": PreprocessingSpec(size=64).to_json(),
        "mask_threshold": 0.0,
        "min_component_ml": 0.1,
    }
    (tmp_path / "decision.json").write_text(json.dumps(rules))
    read = weights_reader(tmp_path / "segmenter.safetensors", tmp_path / "decision.json")
    volume = simple_head(slices=2, clot_slices=())
    mask = read(volume)
    assert mask.shape == volume.hu.shape
    assert mask.any(), "everything is above a threshold of 0"


def test_follow_ups_hold_growth_none_and_shrinkage_and_other_sites() -> None:
    pairs = [before_and_after(index) for index in range(40)]
    factors = [after.lesion.volume_ml / before.lesion.volume_ml for before, after in pairs]
    assert sum(abs(one - 1) < 1e-9 for one in factors) in range(4, 17)
    assert min(factors) < 1 < 1.6 < max(factors) <= 2
    assert 0 < sum(before.site != after.site for before, after in pairs) < 40


SOURCE = Path(os.environ.get("HEMX_DATA", "")) / "phe_sich"


@pytest.mark.skipif(not os.environ.get("HEMX_DATA"), reason="HEMX_DATA is not set")
def test_folds_hold_every_patient_with_a_reference_once() -> None:
    parts = [held_out(SOURCE, f"{number}/5") for number in range(5)]
    assert [number for number, _ in parts] == list(range(5))
    names = [name for _, part in parts for name in part]
    assert len(names) == len(set(names)) >= 78
    assert held_out(SOURCE, "")[0] is None


@pytest.mark.skipif(not os.environ.get("HEMX_DATA"), reason="HEMX_DATA is not set")
def test_a_pair_is_one_test_patient_grown_by_the_drawn_factor() -> None:
    test = phe_sich.split_patients(phe_sich.read_rows(SOURCE))["test"]
    for index in range(2):
        rng = np.random.default_rng([SEED, index])
        factor = 1.0 if rng.random() < 0.25 else float(rng.uniform(0.8, 2.0))
        first, later = scans_with_growth(index, SOURCE, test)
        assert first.volume.identity.patient_id == later.volume.identity.patient_id
        assert first.volume.identity.patient_id in test
        # Partial volume at 5 mm slices, and a border that the skull may cut.
        assert later.true_ml / first.true_ml == pytest.approx(factor, rel=0.15)
        assert (first.volume.hu != later.volume.hu).mean() > 0.2, (
            "a scan of its own, with own noise"
        )
        assert first.volume.hu[first.mask].mean() > first.volume.hu[~first.mask].mean()


def test_the_run_of_lesion_free_slices_round_the_clot_is_kept() -> None:
    usable = np.ones(12, bool)
    usable[[2, 9]] = False
    mask = np.zeros((12, 4, 4), bool)
    mask[5:7, 1, 1] = True
    assert clean_run(usable, mask) == slice(3, 9)
    mask[9, 1, 1] = True
    assert clean_run(usable, mask) is None
    mask[9] = False
    usable[[3, 7]] = False
    assert clean_run(usable, mask) is None, "three slices are no scan"

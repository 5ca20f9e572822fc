from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.growth import (
    SEED,
    before_and_after,
    boundary_constants,
    clean_run,
    scans_with_growth,
    score,
    three_scans,
)
from hemx_core.data import phe_sich
from hemx_core.measure.volume import Z_90


def _study(volume: float, true: float, surface: float = 3000.0) -> dict[str, float]:
    return {"volume_ml": volume, "true_ml": true, "surface_mm2": surface, "sampling_sd_ml": 0.05}


def test_boundary_constants_are_errors_per_surface() -> None:
    """Every study 3 mL too small, the third scan 0.6 mL less so, on 3000 mm2."""
    sets = [[_study(17, 20), _study(17, 20), _study(17.6, 20)] for _ in range(5)]
    found = boundary_constants(sets)
    assert found["accuracy_boundary_mm"] == pytest.approx(1.0 / Z_90, abs=1e-3)
    assert found["repeat_boundary_mm"] == pytest.approx(0.2 / np.sqrt(2) / Z_90, abs=1e-3)
    assert found["repeat_boundary_same_site_mm"] == 0
    assert (found["studies"], found["pairs"]) == (15, 5)


def test_scores_count_right_wrong_and_open_answers_of_clear_pairs_only() -> None:
    pairs = [
        [_study(20, 20), _study(40, 40)],  # clear growth, found
        [_study(20, 20), _study(20, 20)],  # none, found
        [_study(20, 20), _study(40, 20)],  # wrong
        [_study(20, 20), _study(26.2, 26.2)],  # within 5 points of 30 %
        [_study(20, 20), _study(26, 30)],  # 50 % in truth, 30 % measured: open
    ]
    he_30 = score(pairs)["definitions"]["he_30"]
    assert he_30["clear_pairs"] == 4
    assert he_30["expanded"] == 2
    assert he_30["right"] == 0.5
    assert he_30["indeterminate"] == 0.25
    assert he_30["right_among_decided"] == pytest.approx(2 / 3, abs=1e-4)
    assert he_30["right_by_point_estimate"] == 0.75


def test_coverage_asks_whether_intervals_hold_the_truth() -> None:
    coverage = score([[_study(20, 20), _study(30, 30)], [_study(20, 20), _study(40, 20)]])[
        "coverage"
    ]
    assert coverage["growth_percent"] == 0.5
    assert coverage["growth_ml"] == 0.5
    assert coverage["volume"] == 0.75


def test_scans_of_a_head_differ_in_noise_and_site_only() -> None:
    first, second, third = three_scans(0)
    assert first.lesion == second.lesion == third.lesion
    assert first.seed == second.seed == third.seed
    assert len({one.noise_seed for one in (first, second, third)}) == 3
    assert first.site == second.site != third.site


def test_follow_ups_hold_growth_none_and_shrinkage_and_other_sites() -> None:
    pairs = [before_and_after(index) for index in range(40)]
    factors = [after.lesion.volume_ml / before.lesion.volume_ml for before, after in pairs]
    assert sum(abs(one - 1) < 1e-9 for one in factors) in range(4, 17)
    assert min(factors) < 1 < 1.6 < max(factors) <= 2
    assert 0 < sum(before.site != after.site for before, after in pairs) < 40
    seeds = {pair[0].seed for pair in pairs} & {three_scans(index)[0].seed for index in range(40)}
    assert seeds == set(), "heads of the calibration are not in the evaluation"


SOURCE = Path(os.environ.get("HEMX_DATA", "")) / "phe_sich"


@pytest.mark.skipif(not os.environ.get("HEMX_DATA"), reason="HEMX_DATA is not set")
def test_a_pair_is_one_test_patient_grown_by_the_drawn_factor() -> None:
    test = phe_sich.split_patients(phe_sich.read_rows(SOURCE))["test"]
    for index in range(2):
        rng = np.random.default_rng([SEED, index])
        factor = 1.0 if rng.random() < 0.25 else float(rng.uniform(0.8, 2.0))
        first, later = scans_with_growth(index, SOURCE)
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

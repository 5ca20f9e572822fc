from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.growth_real import SEED, clean_run, scans_with_growth
from hemx_core.data import phe_sich

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

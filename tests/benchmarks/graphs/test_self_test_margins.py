from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.graphs import self_test_margins
from hemx_core.bundle.load import load_models
from tests.factories import FakeBackend, write_fake_bundle

RESULT = Path(__file__).parents[3] / "benchmarks" / "results" / "self_test_margins.json"


def test_noise_stays_within_its_steps_and_leaves_black_alone() -> None:
    image = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    image[0] = 0
    moved = self_test_margins.noise(np.random.default_rng(0), 1.0)(image)
    assert not moved[0].any()
    assert 0.5 / 255 < np.abs(moved - image).max() <= 1 / 255 + 1e-6


def test_every_run_is_measured_and_the_programs_stay_open(tmp_path: Path) -> None:
    write_fake_bundle(tmp_path)
    with load_models(tmp_path, FakeBackend()) as models:
        found = self_test_margins.measure(models, repeats=1, seed=0)
        models.segment(np.zeros((256, 256), np.float32))
    assert set(found["largest"]) == set(found["refused"])
    assert set(self_test_margins.FAULTS) < set(found["largest"])
    # The stored probabilities are half precision.
    assert max(found["same"].values()) < 5e-3
    assert found["refused"]["upside down"] == "1 of 1"


def test_the_published_margins_stand_on_the_right_sides() -> None:
    published = json.loads(RESULT.read_text("utf-8"))
    for name, refused in published["refused"].items():
        expected = "1 of 1" if name in self_test_margins.FAULTS else f"0 of {published['repeats']}"
        assert refused == expected, name

import numpy as np
import pytest
import torch

from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.training.source_scores import choose_and_score, count_pixels, summary
from tests.factories import make_study


class Bright(torch.nn.Module):
    """Probability 0.8 where the picture is brighter than 0.6 (the factory's blood), 0.62 else."""

    def forward(self, image):
        probability = torch.where(image.float() > 0.6, 0.8, 0.62)
        return torch.logit(probability), image.mean((2, 3))


class Source:
    preprocessing = PreprocessingSpec(size=32, pixel_mm=2.0)

    def __init__(self, studies):
        self.studies = studies

    def patients(self, split):
        return self.studies


def test_the_threshold_that_separates_is_chosen_and_scored():
    studies = [make_study(patient_id=f"P{i}", seed=i) for i in range(3)]
    threshold, scores = choose_and_score(Bright(), Source(studies))
    assert 0.6 < threshold <= 0.8
    assert scores["validation"]["dice_mean"] == scores["test"]["dice_mean"] == 1.0
    assert scores["test"]["volume_error_median"] == 0.0
    assert scores["test"]["patients"] == 3
    assert scores["validation_dice_by_threshold"]["0.50"] < 0.2


def test_studies_of_a_patient_count_together_and_false_blood_on_blood_free_slices_only():
    one, two = make_study(slices=3), make_study(slices=1)
    one.mask[2] = False
    counts = count_pixels(Bright(), Source([one, two]), "test", (0.5,))
    ((right, found, true, false),) = counts["P1"]
    assert (right, found, true, false) == (3 * 64, 4 * 32 * 32, 3 * 64, 32 * 32)
    table = summary(counts, 4.0)
    assert table["dice_mean"] == pytest.approx(2 * 192 / (4096 + 192), abs=1e-4)
    assert table["false_mm2_mean"] == 1024 * 4.0


def test_open_pixels_count_neither_way():
    study = make_study(slices=1)
    study.known[:] = False
    assert not np.any(count_pixels(Bright(), Source([study]), "test", (0.5,))["P1"])


def test_without_blood_nothing_is_chosen():
    study = make_study(slices=1)
    study.mask[:] = False
    assert choose_and_score(Bright(), Source([study])) is None

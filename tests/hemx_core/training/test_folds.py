import numpy as np
import pytest
import torch

from hemx_core.errors import TrainingError
from hemx_core.training.folds import out_of_fold_masks, patient_folds
from tests.factories import make_study


class Remembers(torch.nn.Module):
    """Finds blood nowhere but on the slices it was trained on."""

    def __init__(self, seen):
        super().__init__()
        self.seen = {image.tobytes() for study in seen for image in study.image.astype(np.float32)}

    def forward(self, image):
        known = [one.numpy().tobytes() in self.seen for one in image[:, 0].float()]
        logits = torch.tensor(known).float()[:, None, None, None] * 20 - 10
        return logits.expand_as(image), image.mean((2, 3))


def test_no_study_is_predicted_by_a_segmenter_that_saw_its_patient():
    studies = [make_study(patient_id=f"P{i % 5}", seed=i) for i in range(8)]
    groups = []

    def train(seen, fold):
        groups.append({study.patient_id for study in seen})
        return Remembers(seen)

    masks = out_of_fold_masks(train, studies, folds=3)
    assert [mask.shape for mask in masks] == [study.mask.shape for study in studies]
    assert not any(mask.any() for mask in masks)
    assert len(groups) == 3
    assert all(3 <= len(group) < 5 for group in groups)
    # The same segmenter trained on everybody would have found all.
    everyone = out_of_fold_masks(lambda _seen, _fold: Remembers(studies), studies, folds=3)
    assert all(mask.all() for mask in everyone)


def test_folds_are_even_and_refuse_too_few_patients():
    folds = patient_folds([f"P{i}" for i in range(10)], folds=5, seed=1)
    assert sorted(folds) == sorted([0, 1, 2, 3, 4] * 2)
    assert folds == patient_folds([f"P{i}" for i in range(10)], folds=5, seed=1)
    with pytest.raises(TrainingError, match="3 folds of 2 patients"):
        patient_folds(["a", "b", "a"], folds=3, seed=1)
    with pytest.raises(TrainingError):
        patient_folds(["a", "b"], folds=1, seed=1)

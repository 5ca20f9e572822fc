import numpy as np
import pytest
import torch

from hemx_core.data.study import Study, patient_truth
from hemx_core.errors import DatasetError, TrainingError
from hemx_core.training.config import ClassifierTraining
from hemx_core.training.marker_slices import (
    held_out_slices,
    out_of_fold_masks,
    patient_folds,
    training_slices,
)
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


SIZE = 64
CONFIG = ClassifierTraining(crop_size=32)


class LeftBrightness(torch.nn.Module):
    """Stands in for the U-Net: blood above 0.5; features are the brightness of either half."""

    def encode(self, image: torch.Tensor) -> list[torch.Tensor]:
        halves = image.float().unflatten(3, (2, SIZE // 2)).mean((2, 4), keepdim=True)
        return [image, halves[:, 0].transpose(1, 2)]

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return (image.float() - 0.5) * 20, self.encode(image)[-1].mean((2, 3))


def _patient(
    labels: list[list[int]], *, bright: float = 1.0, name: str = "p", expanded: int = -1
) -> Study:
    image = np.full((len(labels), SIZE, SIZE), 0.25, np.float16)
    mask = np.zeros(image.shape, bool)
    mask[:-1, 10:20, 12:16] = True  # the last slice shows no blood
    image[mask] = bright
    slice_markers = np.array(labels, np.int8)
    return Study(
        patient_id=name,
        site="site-01",
        location="",
        image=image,
        mask=mask,
        known=np.ones_like(mask),
        slice_markers=slice_markers,
        patient_markers=patient_truth(slice_markers),
        expanded=expanded,
        slice_index=np.arange(len(labels), dtype=np.int16),
        haematoma_volume_ml=5.0,
    )


LABELS = [[1, 0, -1, 0], [-1, -1, -1, -1], [0, 0, 0, 0]]


def test_training_takes_blood_with_a_known_label_and_features_of_both_mirror_images() -> None:
    found = training_slices(LeftBrightness(), [_patient(LABELS), _patient(LABELS, name="q")])
    assert len(found) == 2
    assert found.labels.tolist() == [LABELS[0]] * 2
    assert found.centre[0].tolist() == [14.5, 13.5]
    assert found.patient_labels.tolist() == [[1, 0, -1, 0]] * 2
    plain, mirrored = found.features[0]
    assert plain[0] > plain[1]
    np.testing.assert_allclose(plain, mirrored[::-1])


def test_held_out_crops_are_centred_on_the_true_and_on_the_predicted_mask() -> None:
    dark = _patient(LABELS, bright=0.3, name="q")
    found = held_out_slices(
        LeftBrightness(), [_patient(LABELS), dark], config=CONFIG, mask_threshold=0.5, min_area_px=4
    )
    true, predicted = found["true"], found["predicted"]
    assert true.patient.tolist() == [0, 0, 1, 1]
    assert predicted.patient.tolist() == [0, 0]
    assert true.labels.tolist() == LABELS[:2] * 2
    assert len(predicted.patient_labels) == 2
    for rows in (true, predicted):
        assert rows.index is not None
        assert rows.index.tolist() == [0, 1] * (len(rows.patient) // 2)
    assert true.area is not None
    assert true.area.tolist() == [np.count_nonzero(dark.mask[i]) for i in (0, 1)] * 2
    np.testing.assert_array_equal(true.crop[:2], predicted.crop)
    bright = np.argwhere(true.crop[0] == 1)
    np.testing.assert_allclose(bright.mean(0), [15.5, 15.5], atol=0.5)


def test_small_finds_of_the_segmenter_are_not_classified() -> None:
    with pytest.raises(DatasetError, match="predicted mask"):
        held_out_slices(
            LeftBrightness(), [_patient(LABELS)], config=CONFIG, mask_threshold=0.5, min_area_px=99
        )


def test_refuses_a_split_without_labelled_blood() -> None:
    with pytest.raises(DatasetError, match="no training slice"):
        training_slices(LeftBrightness(), [_patient([[0, 0, 0, 0]])])


def test_masking_blacks_out_the_picture_but_not_what_the_encoder_sees() -> None:
    config = ClassifierTraining(crop_size=32, masking="true")
    plain = training_slices(LeftBrightness(), [_patient(LABELS)])
    masked = training_slices(LeftBrightness(), [_patient(LABELS)], config=config)
    assert set(np.unique(masked.image)) == {0, 1}
    assert masked.image.sum() == 40
    np.testing.assert_array_equal(masked.features, plain.features)
    held_out = held_out_slices(
        LeftBrightness(), [_patient(LABELS)], config=config, mask_threshold=0.5, min_area_px=4
    )
    assert all(set(np.unique(rows.crop)) == {0, 1} for rows in held_out.values())


def test_out_of_fold_masks_move_the_crop_and_drop_slices_that_they_miss() -> None:
    study = _patient([[1, 0, 0, 0]] * 3)
    masks = np.zeros_like(study.mask)
    masks[0, 12:22, 12:16] = True
    config = ClassifierTraining(crop_size=32, masking="out_of_fold")
    found = training_slices(LeftBrightness(), [study], config=config, masks=[masks])
    assert len(found) == 1
    assert found.centre[0].tolist() == [16.5, 13.5]
    assert (found.image[0] == 1).sum() == 8 * 4
    with pytest.raises(TrainingError, match="without masks"):
        training_slices(LeftBrightness(), [study], config=config)


def test_the_view_of_a_slice_is_the_whole_one_by_area() -> None:
    config = ClassifierTraining(crop_size=32, view="slice")
    study = _patient(LABELS)
    found = training_slices(LeftBrightness(), [study], config=config)
    expected = study.image[0].astype(np.float32).reshape(32, 2, 32, 2).mean((1, 3))
    np.testing.assert_allclose(found.image[0], expected, atol=1e-3)
    assert found.centre.tolist() == [[15.5, 15.5]]
    held_out = held_out_slices(
        LeftBrightness(), [study], config=config, mask_threshold=0.5, min_area_px=4
    )
    np.testing.assert_allclose(held_out["predicted"].crop[0], expected, atol=1e-6)


def test_expansion_labels_every_slice_and_follow_ups_are_left_out() -> None:
    config = ClassifierTraining(crop_size=32, targets=("expansion",))
    studies = [
        _patient(LABELS, expanded=1),
        _patient(LABELS),  # the follow-up of the same patient: its growth is not known
        _patient(LABELS, expanded=0, name="q"),
    ]
    training = training_slices(LeftBrightness(), studies, config=config)
    assert training.labels.tolist() == [[1], [1], [0], [0]]
    assert training.patient_labels.tolist() == [[1], [0]]
    held_out = held_out_slices(
        LeftBrightness(), studies, config=config, mask_threshold=0.5, min_area_px=4
    )
    assert held_out["predicted"].patient.tolist() == [0, 0, 1, 1]


def test_each_study_is_called_by_itself_and_studies_of_a_patient_are_one_cluster() -> None:
    second = _patient([[0, 1, 0, 0]] * 2)
    found = held_out_slices(
        LeftBrightness(),
        [_patient(LABELS), second],
        config=CONFIG,
        mask_threshold=0.5,
        min_area_px=4,
    )
    assert found["true"].patient.tolist() == [0, 0, 1]
    assert found["true"].patient_labels.tolist() == [[1, 0, -1, 0], [0, 1, 0, 0]]
    assert found["true"].cluster.tolist() == [0, 0]


def test_what_the_network_will_not_see_is_not_encoded():
    config = ClassifierTraining(crop_size=32, encoder_features=False)
    plain = training_slices(LeftBrightness(), [_patient(LABELS)])
    found = training_slices(LeftBrightness(), [_patient(LABELS)], config=config)
    assert found.features.shape == plain.features.shape
    assert not found.features.any()
    assert plain.features.any()

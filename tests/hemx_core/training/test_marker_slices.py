import numpy as np
import pytest
import torch

from hemx_core.data.phantom_cohort import PhantomPatient
from hemx_core.errors import DatasetError
from hemx_core.training.marker_slices import held_out_slices, training_slices

SIZE = 64


class LeftBrightness(torch.nn.Module):
    """Stands in for the U-Net: blood above 0.5; features are the brightness of either half."""

    def encode(self, image: torch.Tensor) -> list[torch.Tensor]:
        halves = image.float().unflatten(3, (2, SIZE // 2)).mean((2, 4), keepdim=True)
        return [image, halves[:, 0].transpose(1, 2)]

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return (image.float() - 0.5) * 20, self.encode(image)[-1].mean((2, 3))


def _patient(labels: list[list[int]], *, bright: float = 1.0) -> PhantomPatient:
    image = np.full((len(labels), SIZE, SIZE), 0.25, np.float16)
    mask = np.zeros(image.shape, bool)
    mask[:-1, 10:20, 12:16] = True  # the last slice shows no blood
    image[mask] = bright
    return PhantomPatient(
        "p", "site-01", image, mask, np.array(labels, np.int8),
        np.arange(len(labels), dtype=np.int16), 5.0,
    )  # fmt: skip


LABELS = [[1, 0, -1, 0], [-1, -1, -1, -1], [0, 0, 0, 0]]


def test_training_takes_blood_with_a_known_label_and_features_of_both_mirror_images() -> None:
    found = training_slices(LeftBrightness(), [_patient(LABELS)] * 2)
    assert len(found) == 2
    assert found.labels.tolist() == [LABELS[0]] * 2
    assert found.centre[0].tolist() == [14.5, 13.5]
    assert found.patient_labels.tolist() == [[1, 0, -1, 0]] * 2
    plain, mirrored = found.features[0]
    assert plain[0] > plain[1]
    np.testing.assert_allclose(plain, mirrored[::-1])


def test_held_out_crops_are_centred_on_the_true_and_on_the_predicted_mask() -> None:
    dark = _patient(LABELS, bright=0.3)
    found = held_out_slices(
        LeftBrightness(), [_patient(LABELS), dark], crop_size=32, mask_threshold=0.5, min_area_px=4
    )
    true, predicted = found["true"], found["predicted"]
    assert true.patient.tolist() == [0, 0, 1, 1]
    assert predicted.patient.tolist() == [0, 0]
    assert true.labels.tolist() == LABELS[:2] * 2
    assert len(predicted.patient_labels) == 2
    np.testing.assert_array_equal(true.crop[:2], predicted.crop)
    bright = np.argwhere(true.crop[0] == 1)
    np.testing.assert_allclose(bright.mean(0), [15.5, 15.5], atol=0.5)


def test_small_finds_of_the_segmenter_are_not_classified() -> None:
    with pytest.raises(DatasetError, match="predicted mask"):
        held_out_slices(
            LeftBrightness(), [_patient(LABELS)], crop_size=32, mask_threshold=0.5, min_area_px=99
        )


def test_refuses_a_split_without_labelled_blood() -> None:
    with pytest.raises(DatasetError, match="no training slice"):
        training_slices(LeftBrightness(), [_patient([[0, 0, 0, 0]])])

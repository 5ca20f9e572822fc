import numpy as np

from export.calibration import ordinary_slices
from tests.export.networks import random_images, tiny_networks


def test_slices_that_drive_the_encoder_far_out_are_left_out() -> None:
    network = tiny_networks().segmenter
    slices = list(random_images(6))
    far_out = iter([False, True, False, False, True, False])
    network.encoder.stages[-1].register_forward_hook(
        lambda module, inputs, output: output * (50 if next(far_out) else 1)
    )
    kept = ordinary_slices(network, slices)
    assert len(kept) == 4
    for index, image in zip([0, 2, 3, 5], kept, strict=True):
        np.testing.assert_array_equal(image, slices[index])


def test_nothing_to_choose_from_is_nothing() -> None:
    assert ordinary_slices(tiny_networks().segmenter, []) == []

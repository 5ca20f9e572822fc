import numpy as np
import pytest

from hemx_core.errors import VolumeError
from hemx_core.imaging.crop import centroid, crop_around


def _image(size: int = 16) -> np.ndarray:
    return np.arange(1, size * size + 1, dtype=np.float32).reshape(size, size)


def test_centroid_is_in_pixel_indices_and_weighted() -> None:
    mask = np.zeros((6, 8), bool)
    mask[2:4, 5:8] = True
    assert centroid(mask) == (2.5, 6.0)
    weights = np.zeros((6, 8), np.float32)
    weights[0, 0], weights[0, 4] = 1, 3
    assert centroid(weights) == (0.0, 3.0)


def test_an_empty_mask_crops_the_middle() -> None:
    image = _image()
    crop, corner = crop_around(image, np.zeros((16, 16), bool), 8)
    assert corner == (4, 4)
    np.testing.assert_array_equal(crop, image[4:12, 4:12])


@pytest.mark.parametrize("pixel", [(0, 0), (15, 15), (3, 9), (0, 15)])
@pytest.mark.parametrize("size", [5, 8, 24])
def test_a_lesion_stays_in_the_centre_and_the_rest_is_zero(
    pixel: tuple[int, int], size: int
) -> None:
    image, mask = _image(), np.zeros((16, 16), bool)
    mask[pixel] = True
    crop, (row, column) = crop_around(image, mask, size)
    assert crop.shape == (size, size)
    assert crop.dtype == np.float32
    inside = pixel[0] - row, pixel[1] - column
    assert crop[inside] == image[pixel]
    assert all(abs(place - (size - 1) / 2) <= 0.5 for place in inside)
    padded = np.pad(image, 32)
    np.testing.assert_array_equal(crop, padded[row + 32 :, column + 32 :][:size, :size])


def test_the_crop_is_a_copy() -> None:
    image = _image()
    crop, _ = crop_around(image, np.ones((16, 16), bool), 16)
    crop[:] = 0
    assert image.min() == 1


def test_a_crop_of_the_picture_s_own_size_is_the_picture_wherever_the_lesion_is() -> None:
    mask = np.zeros((16, 16), bool)
    mask[1, 14] = True
    crop, corner = crop_around(_image(), mask, 16)
    assert corner == (0, 0)
    np.testing.assert_array_equal(crop, _image())


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(VolumeError, match="one shape"):
        crop_around(_image(), np.zeros((8, 8), bool), 4)

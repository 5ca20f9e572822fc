import numpy as np

from hemx_core.training.augment import grey_values, random_affine, warp
from hemx_core.training.config import Augmentation


def test_neutral_settings_change_nothing():
    neutral = Augmentation(
        rotation_deg=0, scale=1, shift_px=0, flip=0, gain=0, offset=0, noise_sd=0, blur_px=0.2
    )
    rng = np.random.default_rng(0)
    image = rng.random((32, 32), dtype=np.float32)
    matrix = random_affine(rng, 32, neutral)
    np.testing.assert_allclose(warp(image, matrix), image, atol=1e-6)
    np.testing.assert_allclose(grey_values(rng, image, neutral), image, atol=1e-3)


def test_flip_is_left_right_only():
    flip = Augmentation(rotation_deg=0, scale=1, shift_px=0, flip=1)
    image = np.arange(64, dtype=np.float32).reshape(8, 8)
    matrix = random_affine(np.random.default_rng(0), 8, flip)
    np.testing.assert_allclose(warp(image, matrix), image[:, ::-1], atol=1e-5)


def test_grey_values_stay_in_range_and_leave_air_black():
    rng = np.random.default_rng(1)
    image = np.zeros((32, 32), np.float32)
    image[8:24, 8:24] = 0.9
    for _ in range(20):
        changed = grey_values(rng, image, Augmentation())
        assert changed.min() >= 0
        assert changed.max() <= 1
        assert changed[:8].max() == 0
        assert not np.array_equal(changed, image)

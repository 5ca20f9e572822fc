from dataclasses import replace

import numpy as np
import pytest

from hemx_core.data.virtual_site import VirtualSite, draw_sites, image_at
from hemx_core.phantom.background import grain

NEUTRAL = VirtualSite(name="a", noise_sd_hu=0, sharpness=0, offset_hu=0, window_hu=(-20.0, 100.0))


@pytest.fixture
def hu():
    picture = np.full((64, 64), 30, np.int16)
    picture[:, :8], picture[:, 8:16], picture[:, 40:] = -20, 100, 55
    return picture


def _image(hu, **changes):
    noise = grain(np.random.default_rng(0), hu.shape, 0.45)
    return image_at(
        hu, replace(NEUTRAL, **changes), pixel_mm=0.45, window_hu=(-20, 100), noise=noise
    )


def test_a_neutral_site_changes_nothing(hu):
    changed, window = _image(hu)
    np.testing.assert_array_equal(changed, hu)
    assert window == (-20, 100)


def test_noise_and_offset_spare_bone_and_air(hu):
    changed, _ = _image(hu, noise_sd_hu=3.0, offset_hu=2.0)
    np.testing.assert_array_equal(changed[:, :16], hu[:, :16])
    assert changed[:, 20:36].mean() == pytest.approx(32, abs=0.8)
    assert changed[:, 20:36].std() == pytest.approx(3, rel=0.25)


def test_kernels_soften_and_sharpen_edges(hu):
    def steepest(sharpness):
        return np.abs(np.diff(_image(hu, sharpness=sharpness)[0][:, 30:50].astype(int))).max()

    assert steepest(-0.8) < 25 < steepest(0.5)


def test_the_window_is_what_site_and_source_share(hu):
    changed, window = _image(hu, window_hu=(0.0, 120.0))
    assert window == (0, 100)
    assert changed.min() == 0


def test_twelve_sites_that_differ_and_stay():
    sites = draw_sites(3)
    assert sites == draw_sites(3)
    assert len({site.name for site in sites}) == len({site.noise_sd_hu for site in sites}) == 12

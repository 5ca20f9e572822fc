import numpy as np
import pytest

from hemx_core.phantoms.grain import PATCH_PX, cut_patches, quilt, residual, skewed
from tests.hemx_core.phantoms.clots import disc, noisy_grain


def _neighbours(field):
    return float((field[:, :-1] * field[:, 1:]).mean() / field.var())


@pytest.mark.parametrize("side", [40, 67, 96])
def test_a_quilt_has_the_deviation_and_the_grain_of_its_patches(side):
    grain = noisy_grain(sd=4.0)
    rng = np.random.default_rng(side)
    fields = np.stack([quilt(rng, grain.patches, side) for _ in range(12)])
    assert fields.shape == (12, side, side)
    assert fields.std() == pytest.approx(grain.sd_hu, rel=0.08)
    true = np.mean([_neighbours(patch) for patch in grain.patches])
    assert np.mean([_neighbours(field) for field in fields]) == pytest.approx(true, abs=0.1)
    # No trace of the lattice: every place is as loud as every other.
    assert fields.std(0).std() < 1.3


def test_a_quilt_follows_its_seed():
    patches = noisy_grain().patches
    first, again, other = (quilt(np.random.default_rng(s), patches, 48) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_residuals_have_no_gradient_and_patches_stay_in_the_core():
    inside = disc(16)
    slope = np.tile(np.arange(80, dtype=np.float32), (80, 1))
    noise = np.random.default_rng(0).normal(0, 3, (80, 80)).astype(np.float32)
    left, core = residual(60 + slope / 2 + noise, inside)
    assert (left[~core] == 0).all()
    assert not core[~disc(14)].any()
    columns = np.argwhere(core)[:, 1]
    assert abs(np.polyfit(columns, left[core], 1)[0]) < 0.1, "of a slope of 0.5"
    assert left[core].std() == pytest.approx(3, rel=0.15)
    patches = cut_patches(left, core)
    assert patches.shape[1:] == (PATCH_PX, PATCH_PX)
    assert (patches != 0).all()
    assert len(cut_patches(left, np.zeros_like(core))) == 0


def test_a_skewed_texture_keeps_mean_and_deviation_and_has_dark_outliers():
    rng = np.random.default_rng(0)
    field = rng.normal(0, 4, (200, 200)).astype(np.float32)
    bent = skewed(rng, field)
    assert bent.mean() == pytest.approx(field.mean(), abs=0.02)
    assert bent.std() == pytest.approx(4, rel=0.03)
    assert -0.6 < (bent**3).mean() / bent.std() ** 3 < -0.1

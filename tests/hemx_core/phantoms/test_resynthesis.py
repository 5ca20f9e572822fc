from dataclasses import replace

import numpy as np
import pytest

from hemx_core.phantoms.overlay import compose, flood, split_noise, surroundings
from hemx_core.phantoms.picture_truth import judge_section
from hemx_core.phantoms.resynthesis import Haematoma, Rates
from tests.hemx_core.phantoms.clots import NOTHING, ball_donor, disc, noisy_grain, section


def _lesion(rates: Rates = NOTHING, *, seed: int = 0, in_place: bool = True) -> Haematoma:
    donors = [ball_donor(), ball_donor("0003", radius=11)]
    return Haematoma(
        np.random.default_rng(seed),
        donors[0],
        donors,
        noisy_grain(),
        mirror=False,
        in_place=in_place,
        rates=rates,
    )


def _middle(lesion: Haematoma):
    z = min(lesion.heights(), key=lambda at: abs(at - lesion.body.middle))
    return lesion.section(z, np.ones((lesion.side, lesion.side), np.float32))


def test_the_same_seed_gives_the_same_haematoma():
    first, again, other = (_middle(_lesion(Rates(), seed=seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.hu, again.hu)
    assert first.cover.shape != other.cover.shape or (first.cover != other.cover).any()


def test_volume_is_the_donors_and_partial_volume_lies_at_caps_and_rim():
    lesion = _lesion()
    every = np.ones((lesion.side, lesion.side), np.float32)
    covers = [lesion.section(z, every).cover for z in lesion.heights()]
    donor = np.clip(0.5 + ball_donor().distance, 0, 1)
    assert np.sum(covers) == pytest.approx(donor.sum(), rel=0.3)
    middle = max(covers, key=np.sum)
    assert middle.max() == pytest.approx(1, abs=0.01)
    partial = (middle > 0.1) & (middle < 0.9)
    assert 0.05 < partial.sum() / (middle > 0.5).sum() < 0.5


def test_density_is_the_grains_and_falls_towards_the_border():
    found = [_middle(_lesion(seed=seed)) for seed in range(8)]
    core = np.mean([one.hu[one.distance > 4].mean() for one in found])
    rim = np.mean([one.hu[(one.distance > 0) & (one.distance < 2)].mean() for one in found])
    assert core == pytest.approx(64, abs=3)
    assert 2 < core - rim < 9


@pytest.mark.parametrize(
    ("name", "index", "least"), [("blend", 2, 5), ("fluid", 3, 9), ("holes", 0, 2)]
)
def test_what_is_drawn_often_enough_shows(name, index, least):
    rates = replace(NOTHING, **{name: 1.0})
    shown = 0
    for seed in range(16):
        lesion = _lesion(rates, seed=seed)
        every = np.ones((lesion.side, lesion.side), np.float32)
        marks = [judge_section(lesion.section(z, every), pixel_mm=0.9) for z in lesion.heights()]
        shown += any(mark[index] == 1 for mark in marks)
    assert shown >= least


def test_without_parts_no_blend_level_or_hole_is_ever_true():
    for seed in range(10):
        found = judge_section(_middle(_lesion(seed=seed)), pixel_mm=0.9)
        assert (found[[0, 2, 3]] <= 0).all()


def test_faint_parts_and_clefts_are_never_a_blend_sign():
    rates = replace(NOTHING, faint=1.0, clefts=1.0, gradient=1.0)
    for seed in range(12):
        assert judge_section(_middle(_lesion(rates, seed=seed)), pixel_mm=0.9)[2] != 1


def test_where_nothing_is_allowed_no_blood_is():
    lesion = _lesion()
    allowed = np.ones((lesion.side, lesion.side), np.float32)
    allowed[:, : lesion.side // 2] = 0
    cover = lesion.section(float(lesion.body.middle), allowed).cover
    assert cover[:, : lesion.side // 2 - 3].max() < 0.01
    assert cover[:, lesion.side // 2 + 3 :].max() > 0.9


def test_noise_is_split_off_whole_and_kept_everywhere():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 3, (80, 80)).astype(np.float32)
    depth = np.full((80, 80), 20, np.float32)
    smooth, fine = split_noise(30 + noise, depth)
    np.testing.assert_allclose(smooth + fine, 30 + noise, atol=1e-4)
    assert smooth.std() < 0.45 * fine.std()
    half = replace(section(disc(14), hu=30.0), cover=np.full((80, 80), 0.5, np.float32))
    texture = rng.normal(0, fine.std(), (80, 80)).astype(np.float32)
    mixed = compose(half, np.full((80, 80), 30, np.float32), fine, texture, depth)
    assert mixed.std() == pytest.approx(fine.std(), rel=0.1), "a seam is as loud as its sides"


def test_outside_of_the_brain_nothing_changes():
    depth = np.where(disc(20), np.float32(9), np.float32(0))
    smooth = np.full((80, 80), 30, np.float32)
    quiet = np.zeros((80, 80), np.float32)
    painted = compose(section(disc(30)), smooth, quiet, quiet, depth)
    assert (painted[~disc(20)] == 30).all()
    assert (painted[disc(20)] == 62).all()


def test_a_transplant_brings_its_surroundings_matched_in_level():
    lesion = _lesion(in_place=False, seed=2)
    side = lesion.side
    z = float(lesion.body.middle)
    drawn = lesion.section(z, np.ones((side, side), np.float32))
    bright = np.full((side, side), 36, np.float32)
    depth = np.full((side, side), 40, np.float32)
    quiet = np.zeros((side, side), np.float32)
    laid, noise = surroundings(lesion, drawn, z, bright, quiet, depth)
    np.testing.assert_allclose(laid, 36, atol=0.5)
    assert np.abs(noise).max() < 0.1
    here = surroundings(_lesion(), drawn, z, bright, quiet, depth)
    assert here[0] is bright, "in place all is real already"


def test_a_kernel_darkens_the_rim_and_nothing_far_from_it():
    smooth, quiet = np.full((80, 80), 30, np.float32), np.zeros((80, 80), np.float32)
    depth = np.full((80, 80), 30, np.float32)
    plain, sharp = (
        compose(section(disc(14)), smooth, quiet, quiet, depth, kernel=k) for k in (0, 0.5)
    )
    ring = disc(16) & ~disc(14.5)
    assert sharp[ring].mean() < plain[ring].mean() - 1
    np.testing.assert_allclose(sharp[~disc(22)], plain[~disc(22)], atol=0.01)
    np.testing.assert_allclose(sharp[disc(6)], plain[disc(6)], atol=0.01)


def test_blood_settles_in_ventricles_at_the_back():
    smooth = np.full((80, 80), 30, np.float32)
    ventricle = disc(8, column=20)
    smooth[ventricle] = 8
    depth = np.full((80, 80), 40, np.float32)
    covered = flood(0.4, smooth, depth, disc(5))
    assert 0.3 < covered.sum() / ventricle.sum() < 0.5
    assert covered[~disc(11, column=20)].max() < 0.05
    assert covered[:38].max() < 0.05, "nearer to the nose is cerebrospinal fluid"
    assert not flood(0.4, smooth, depth * 0 + 5, disc(5)).any(), "sulci stay free"
    assert not flood(0.4, smooth, depth, disc(30, column=20)).any()

import numpy as np
import pytest

from hemx_core.phantoms.outlines import (
    Body,
    blob,
    draw_bend,
    draw_warp,
    fill_holes,
    put,
    side_for,
    signed_distance,
    tube,
    window,
)
from tests.hemx_core.phantoms.clots import SIDE, ball_donor, disc


def _body(*, in_place: bool = True, seed: int = 0) -> Body:
    rng = np.random.default_rng(seed)
    warp = draw_bend(rng) if in_place else draw_warp(rng, mirror=True, scale=1.2)
    return Body(rng, ball_donor(), warp, side=SIDE)


def test_distance_is_positive_inside_and_zero_on_the_border_between_pixels():
    distance = signed_distance(disc(10))
    assert distance[SIDE // 2, SIDE // 2] == pytest.approx(10, abs=0.8)
    row = distance[SIDE // 2]
    edge = np.flatnonzero(row > 0)[-1]
    assert row[edge] == pytest.approx(0.5, abs=0.1)
    assert row[edge + 1] == pytest.approx(-0.5, abs=0.1)
    assert (signed_distance(np.zeros((8, 8), bool)) < -20).all()


def test_holes_are_filled_and_bays_are_not():
    ring = disc(12) & ~disc(5)
    assert fill_holes(ring)[SIDE // 2, SIDE // 2]
    bay = disc(12) & ~disc(6, column=12)
    assert not fill_holes(bay)[SIDE // 2, SIDE // 2 + 10]


def test_between_two_planes_the_area_lies_between_theirs_and_caps_close_the_ends():
    body = _body()
    areas = [np.count_nonzero(body.at(z) > 0) for z in (2.0, 2.5, 3.0)]
    assert areas[0] < areas[1] < areas[2]
    assert np.count_nonzero(body.at(0.2) > 0) < areas[0]
    assert body.from_end(2.0) == 0 > body.from_end(1.5)
    assert body.middle == 4


def test_a_body_that_is_moved_keeps_its_area():
    body = _body(in_place=False)
    moved = body.moved((6.0, -4.0))
    here, there = (np.argwhere(one.at(one.middle) > 0) for one in (body, moved))
    assert len(there) == pytest.approx(len(here), rel=0.02)
    assert there.mean(0) - here.mean(0) == pytest.approx((6, -4), abs=0.1)


def test_scale_and_mirror():
    body = _body(in_place=False)
    plain = np.count_nonzero(ball_donor().distance[2] > 0)
    assert np.count_nonzero(body.at(body.middle) > 0) == pytest.approx(1.44 * plain, rel=0.12)


def test_in_place_the_rim_stays_and_body_and_picture_bend_alike():
    body = _body(seed=3)
    picture = ball_donor().distance[2]
    bent = body.bent(picture)
    np.testing.assert_allclose(bent[:2], picture[:2], atol=0.05)
    np.testing.assert_allclose(bent[:, -2:], picture[:, -2:], atol=0.05)
    assert np.abs(bent - picture).max() > 0.3
    np.testing.assert_allclose(bent[20:60, 20:60], body.at(4)[20:60, 20:60], atol=0.3)


def test_surroundings_end_with_the_donors_slices():
    body = _body()
    found = body.around(2.2)
    assert found is not None
    assert found[0][SIDE // 2, SIDE // 2] == 30
    assert body.around(0.4) is None
    assert body.around(body.height - 1.2) is None


def test_the_square_has_room_for_the_largest_section():
    donor = ball_donor()
    for scale in (0.8, 1.2):
        side = side_for(donor, scale)
        assert side % 8 == 0
        assert side >= 2 * 14 * scale + 20


def test_window_and_put_are_inverse_and_zero_outside():
    picture = np.arange(100, dtype=np.float32).reshape(10, 10) + 1
    cut = window(picture, -2, 7, 6)
    assert (cut[:2] == 0).all()
    assert (cut[2:, 3:] == 0).all()
    np.testing.assert_array_equal(cut[2:, :3], picture[:4, 7:])
    np.testing.assert_array_equal(put(np.zeros_like(picture), cut, -2, 7)[:4, 7:], picture[:4, 7:])
    assert (window(picture, 30, 30, 4) == 0).all()


def test_a_tube_starts_where_it_is_told_and_a_blob_has_its_radius():
    rng = np.random.default_rng(0)
    distance = tube(rng, SIDE, (30.0, 20.0), length=12, angle=0.0, bend=0.0)
    assert distance[30, 20] < 1.5
    assert distance[30, 32] < 1.5
    assert distance[30, 38] > 4
    area = np.count_nonzero(blob(rng, SIDE, (40.0, 40.0), 6.0) > 0)
    assert area == pytest.approx(np.pi * 36, rel=0.4)

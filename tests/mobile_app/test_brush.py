from __future__ import annotations

import numpy as np
import pytest

from hemx_core.imaging.volume import VolumeGeometry
from mobile_app.brush import replay, sweep
from mobile_app.store import BrushStroke

GEOMETRY = VolumeGeometry.axial(2, spacing_mm=(5.0, 0.5, 1.0))


def covered(begin: tuple[float, float], end: tuple[float, float], radius: float) -> np.ndarray:
    mask = np.zeros((40, 30), bool)
    sweep(mask, begin, end, radius, GEOMETRY, blood=True)
    return mask


def test_a_dot_is_round_in_millimetres() -> None:
    rows, columns = np.nonzero(covered((20, 15), (20, 15), radius=8))  # 4 mm
    assert (rows.min(), rows.max()) == (12, 28)
    assert (columns.min(), columns.max()) == (11, 19)
    assert np.hypot((rows - 20) * 0.5, (columns - 15) * 1.0).max() <= 4


def test_a_sweep_covers_what_lies_within_the_radius_of_its_way() -> None:
    begin, end, radius = np.array([8.0, 5.0]), np.array([30.0, 24.0]), 6
    spacing = np.array([0.5, 1.0])
    expected = np.zeros((40, 30), bool)
    steps = np.linspace(begin, end, 2000) * spacing
    for place in np.argwhere(~expected):
        expected[tuple(place)] = np.hypot(*(steps - place * spacing).T).min() <= radius * 0.5
    drawn = covered(tuple(begin), tuple(end), radius)
    # The sampled way is a little shorter than the exact one.
    assert (drawn ^ expected).sum() <= 1
    assert drawn.sum() > 200


def test_the_smallest_brush_reaches_the_pixel_under_it() -> None:
    for corner in ((10.5, 10.5), (10.0, 10.0), (9.5, 10.49)):
        assert covered(corner, corner, radius=0.1).any()


@pytest.mark.parametrize("place", [(-40.0, 15.0), (20.0, 90.0), (80.0, -9.0)])
def test_outside_the_slice_nothing_happens(place: tuple[float, float]) -> None:
    assert not covered(place, place, radius=6).any()


def test_half_outside_the_rest_is_drawn() -> None:
    mask = covered((0, 0), (0, 0), radius=4)
    assert mask[0, 0]
    assert mask[4, 0]
    assert not mask[5:].any()


def test_an_eraser_takes_away_and_strokes_replay_in_order() -> None:
    network = np.zeros((2, 40, 30), bool)
    network[1, 10:20, 10:20] = True
    strokes = (
        BrushStroke(slice_index=1, radius=4, erases=True, points=((15, 10), (15, 20))),
        BrushStroke(slice_index=1, radius=2, erases=False, points=((15, 15),)),
    )
    drawn = replay(network, strokes, GEOMETRY)
    assert not drawn[0].any()
    assert drawn[1, 15, 15]
    assert not drawn[1, 15, 11]
    assert drawn[1, 10, 12]
    assert network[1].sum() == 100

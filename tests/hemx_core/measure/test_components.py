import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemx_core.imaging.volume import VolumeGeometry
from hemx_core.measure.components import drop_small, find_components, keep_largest


def _geometry(slices: int) -> VolumeGeometry:
    return VolumeGeometry.axial(slices, spacing_mm=(10.0, 1.0, 1.0))  # a pixel is 0.01 mL


def test_a_u_shape_is_one_component_joined_on_another_slice() -> None:
    mask = np.zeros((3, 10, 10), bool)
    mask[0, 2, 2] = mask[0, 2, 7] = True
    mask[1, 2, 2] = mask[1, 2, 7] = True
    assert len(find_components(mask, _geometry(3)).volumes_ml) == 2
    mask[2, 2, 2:8] = True
    assert find_components(mask, _geometry(3)).volumes_ml == pytest.approx([0.1])


def test_diagonals_connect_on_a_slice_but_not_across_slices() -> None:
    mask = np.zeros((2, 4, 4), bool)
    mask[0, 0, 0] = mask[0, 1, 1] = mask[1, 2, 2] = True
    assert find_components(mask, _geometry(2)).volumes_ml == pytest.approx([0.02, 0.01])


def test_an_empty_slice_separates() -> None:
    mask = np.zeros((3, 4, 4), bool)
    mask[0, 1, 1] = mask[2, 1, 1] = True
    assert len(find_components(mask, _geometry(3)).volumes_ml) == 2


def test_small_components_go_and_those_at_the_limit_stay() -> None:
    mask = np.zeros((2, 16, 16), bool)
    mask[:, 2:4, 2:4] = True  # 8 pixels
    mask[0, 10, 10:14] = True  # 4 pixels
    mask[1, 14, 14] = True  # 1 pixel
    kept, components = drop_small(mask, _geometry(2), 0.04)
    expected = mask.copy()
    expected[1, 14, 14] = False
    np.testing.assert_array_equal(kept, expected)
    assert components.volumes_ml == pytest.approx([0.08, 0.04])
    assert mask[1, 14, 14], "the input stays as it was"


def test_dropping_everything_leaves_an_empty_mask() -> None:
    mask = np.zeros((1, 4, 4), bool)
    mask[0, 1, 1] = True
    kept, components = drop_small(mask, _geometry(1), 1.0)
    assert not kept.any()
    assert components.volumes_ml == ()


def test_the_largest_is_largest_by_volume_not_by_pixels_on_a_slice() -> None:
    mask = np.zeros((4, 16, 16), bool)
    mask[:, 2:4, 2:4] = True  # 16 pixels on four slices
    mask[0, 8:11, 8:13] = True  # 15 pixels on one
    largest = keep_largest(mask, find_components(mask, _geometry(4)), 1)
    assert largest.sum() == 16
    assert largest[:, 2, 2].all()


def _flood_count(mask: np.ndarray) -> int:
    """Slow reference: flood fill over the same neighbourhood."""
    left = {tuple(place) for place in np.argwhere(mask).tolist()}
    steps = [(0, dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)] + [(1, 0, 0), (-1, 0, 0)]
    count = 0
    while left:
        stack, count = [left.pop()], count + 1
        while stack:
            place = stack.pop()
            for step in steps:
                near = tuple(a + b for a, b in zip(place, step, strict=True))
                if near in left:
                    left.remove(near)
                    stack.append(near)
    return count


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 0.6))
def test_random_masks_agree_with_a_flood_fill(seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((4, 9, 9)) < share
    components = find_components(mask, _geometry(4))
    assert len(components.volumes_ml) == _flood_count(mask)
    assert sum(components.volumes_ml) == pytest.approx(mask.sum() * 0.01)
    assert list(components.volumes_ml) == sorted(components.volumes_ml, reverse=True)


@pytest.mark.parametrize("limit_ml", [0.0, 0.04, 1.0])
def test_in_place_drops_the_same_from_the_mask_itself(limit_ml: float) -> None:
    mask = np.random.default_rng(0).random((4, 16, 16)) < 0.2
    expected, components = drop_small(mask.copy(), _geometry(4), limit_ml)
    kept, found = drop_small(mask, _geometry(4), limit_ml, in_place=True)
    assert kept is mask
    np.testing.assert_array_equal(mask, expected)
    assert found.volumes_ml == components.volumes_ml

import numpy as np
import pytest

from hemx_core.errors import DatasetError, TrainingError
from hemx_core.training.config import SegmentationTraining
from hemx_core.training.slice_pools import (
    BatchMaker,
    SlicePool,
    join,
    pool_of,
    source_pools,
    split_by_slice,
)
from tests.factories import make_study


def numbered(start, count):
    image = np.zeros((count, 2, 2), np.float16)
    image += np.arange(start, start + count, dtype=np.float16)[:, None, None]
    return SlicePool(image, image > 3, image >= 0)


def test_a_split_by_slice_deals_every_slice_once_and_mixes_the_pools():
    pools = [numbered(0, 12), numbered(12, 6), numbered(18, 2)]
    dealt = split_by_slice(pools, seed=1)
    assert [len(pool) for pool in dealt] == [12, 6, 2]
    assert np.sort(join(dealt).image[:, 0, 0]).tolist() == list(range(20))
    assert set(dealt[0].image[:, 0, 0]) != set(range(12))
    assert all((pool.mask == (pool.image > 3)).all() for pool in dealt)
    again = split_by_slice(pools, seed=1)
    assert all((a.image == b.image).all() for a, b in zip(dealt, again, strict=True))
    assert (split_by_slice(pools, seed=2)[0].image != dealt[0].image).any()
    assert split_by_slice([], seed=1) == []


class Source:
    def patients(self, split):
        return [
            make_study(patient_id="A", location="putamen"),
            make_study(patient_id="B", location="thalamus"),
            make_study(patient_id="A", location="putamen", slices=3),
        ]


def test_a_pool_for_each_patient_of_a_location():
    assert [len(pool) for pool in source_pools(Source(), "train")] == [5, 2]
    assert [len(pool) for pool in source_pools(Source(), "train", location="putamen")] == [5]
    assert source_pools(Source(), "train", location="pons") == []
    with pytest.raises(DatasetError, match="no study"):
        pool_of([])


def test_a_patch_is_a_window_of_the_slice_and_holds_blood_where_there_is_some():
    rng = np.random.default_rng(1)
    image = rng.random((4, 256, 256)).astype(np.float16)
    mask = np.zeros(image.shape, bool)
    mask[:2, 30:34, 220:226] = True
    pool = SlicePool(image, mask, np.ones_like(mask))
    batches = BatchMaker(SegmentationTraining(patch=64), real=pool, phantom=None)
    for step in range(8):
        batch = batches(step)
        assert batch["image"].shape == (8, 1, 64, 64)
        bleeds = batch["mask"].sum((1, 2, 3)) > 0
        # Four real and one phantom slice with blood; turned out of the slice it may be lost.
        assert bleeds.sum() >= 4
        assert not bleeds[4:6].any()


def test_a_patch_that_no_network_takes_is_refused():
    for patch in (-32, 100, 288):
        with pytest.raises(TrainingError, match="patch"):
            SegmentationTraining(patch=patch)

import numpy as np
import pytest

from hemx_core.markers import EXPANSION, MARKER_CODES
from hemx_core.training.scoring.prevalence import (
    PUBLISHED,
    prevalence_weights,
    published_share,
)


def test_every_marker_has_a_share_and_a_source() -> None:
    assert tuple(PUBLISHED) == MARKER_CODES
    assert all(0 < one.share < 1 and one.source for one in PUBLISHED.values())
    assert published_share(EXPANSION) is None


def test_weights_bring_known_rows_to_the_share_and_keep_their_number() -> None:
    labels = np.array([1, 1, 1, 0, -1, 0], np.int8)
    weights = prevalence_weights(labels, 0.1)
    known = labels >= 0
    assert weights[known].sum() == pytest.approx(5)
    assert weights[labels == 1].sum() / weights[known].sum() == pytest.approx(0.1)
    assert weights[4] == 1


@pytest.mark.parametrize(("labels", "share"), [([1, 1, -1], 0.3), ([1, 0, 0], None), ([], 0.3)])
def test_without_both_classes_or_a_share_all_rows_weigh_the_same(
    labels: list[int], share: float | None
) -> None:
    assert (prevalence_weights(np.array(labels, np.int8), share) == 1).all()

"""Whether one study's pictures show the region of another's haematoma."""

from __future__ import annotations

import numpy as np
import pytest

from hemx_core.imaging.volume import Coverage
from hemx_core.measure.covered import MARGIN_MM, _shows, shows_clot
from hemx_core.pipeline import triage_volume
from tests.factories import ThresholdModels, simple_head

WHOLE = Coverage(
    first_mm=0.0, last_mm=130.0, first_missing=False, last_missing=False, upside_down=False
)


def _part(first: float, last: float, *, upside_down: bool = False) -> Coverage:
    """A study that shows the brain between two heights above its base, in coordinates of its own."""
    ends = (first > 0, last < 130)
    return Coverage(
        first_mm=500 + first,
        last_mm=500 + last,
        first_missing=ends[upside_down],
        last_missing=ends[not upside_down],
        upside_down=upside_down,
    )


@pytest.mark.parametrize("upside_down", [False, True])
@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (0, 130, True),
        (0, 80 + MARGIN_MM, True),
        (0, 80 + MARGIN_MM - 1, False),
        (50 - MARGIN_MM, 130, True),
        (50 - MARGIN_MM + 1, 130, False),
        (5, 125, False),
    ],
)
def test_a_clot_from_50_to_80_mm_needs_the_scan_to_reach_beyond(
    first: float, last: float, shown: bool, upside_down: bool
) -> None:
    assert _shows(_part(first, last, upside_down=upside_down), WHOLE, 50, 80) is shown


def test_two_studies_without_a_common_end_cannot_be_told() -> None:
    assert not _shows(_part(0, 100), _part(20, 130), 550, 560)
    assert not _shows(_part(20, 130), _part(0, 100), 550, 560)
    assert _shows(_part(0, 100), _part(0, 110), 550, 560)


def test_of_an_upside_down_clot_the_heights_are_turned() -> None:
    turned = Coverage(
        first_mm=0.0, last_mm=130.0, first_missing=False, last_missing=False, upside_down=True
    )
    assert _shows(_part(0, 60), turned, 100, 120)
    assert not _shows(_part(0, 60), turned, 10, 30)


def test_nothing_is_said_of_results_of_before_or_without_a_clot() -> None:
    from dataclasses import replace

    volume = simple_head(slices=12, clot_mm=14.0, clot_slices=(8, 9))
    result = triage_volume(volume, ThresholdModels())
    assert result.coverage is not None
    part = replace(result, coverage=_part(0, 20))
    assert not shows_clot(part, result)
    assert shows_clot(part, replace(result, coverage=None))
    assert shows_clot(replace(result, coverage=None), part)
    none = replace(result.haematoma, mask=np.zeros_like(result.mask))
    assert shows_clot(part, replace(result, haematoma=none))

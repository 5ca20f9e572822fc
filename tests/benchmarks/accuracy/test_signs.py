from pathlib import Path

import numpy as np

from benchmarks.accuracy.signs import MATRIX, _true_mask, judge, made, rates, truths
from hemx_core.markers import MARKER_CODES
from hemx_core.measure.signs import SIGNS
from hemx_core.phantoms import LesionSpec, PhantomSpec, SiteSpec, make_phantom

SMALL = SiteSpec(matrix=128, slices=5, slice_spacing_mm=7.0, slice_thickness_mm=7.0)


def _row(**answers: tuple[int | None, bool | None]) -> dict:
    rest = {code: {"truth": None, "answer": False, "value": 0.0} for code in SIGNS}
    given = {code: {"truth": t, "answer": a, "value": 1.0} for code, (t, a) in answers.items()}
    return rest | given


def test_an_undecided_answer_is_a_miss_in_both_rates() -> None:
    rows = [
        _row(blend=(1, True)),
        _row(blend=(1, None)),
        _row(blend=(0, False)),
        _row(blend=(0, None)),
        _row(blend=(0, True)),
        _row(blend=(-1, True)),
    ]
    found = rates(rows)["blend"]
    assert (found["positives"], found["negatives"], found["not_judged"]) == (2, 3, 1)
    assert found["sensitivity"] == 0.5
    assert found["specificity"] == 0.3333
    assert found["undecided"] == 2


def test_a_sign_without_a_truth_is_only_counted() -> None:
    assert rates([_row(), _row(island=(None, True))])["island"] == {"present": 1}


def test_truth_is_that_of_the_slices_that_can_be_judged() -> None:
    phantom = make_phantom(PhantomSpec(lesion=LesionSpec(volume_ml=20.0), site=SMALL))
    marks = np.full_like(phantom.slice_markers, -1)
    marks[2] = [0, 1, -1, 0]
    marks[3] = 0
    object.__setattr__(phantom, "slice_markers", marks)
    found = truths(phantom)
    assert [found[code] for code in MARKER_CODES] == [0, 1, -1, 0]
    assert found["black_hole"] == found["heterogeneous"] == 0


def test_a_cached_phantom_is_the_made_one(tmp_path: Path) -> None:
    spec = PhantomSpec(lesion=LesionSpec(volume_ml=20.0), site=SMALL)
    first, second = made(spec, tmp_path), made(spec, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    np.testing.assert_array_equal(first.volume.hu, second.volume.hu)
    assert second.spec == spec


def test_the_rules_agree_with_the_truth_of_a_few_phantoms() -> None:
    """The gate itself is the command's; here that truths and answers meet in the right columns."""
    rows = judge(101, 2, _true_mask)
    assert MATRIX == 256
    for row in rows:
        for code in ("hypodensity", "fluid_level"):
            assert row[code]["answer"] is bool(row[code]["truth"])

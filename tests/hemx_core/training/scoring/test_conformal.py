from math import ceil, exp, inf, log

import numpy as np
import pytest

from hemx_core.errors import DatasetError
from hemx_core.training.scoring.conformal import (
    Errors,
    choose_floor,
    coverage_by_patient,
    coverage_of,
    errors_of_growths,
    errors_of_ratios,
    errors_of_volumes,
    fit_growth_interval,
    fit_volume_interval,
    leave_out,
    quantile,
    widths,
)
from hemx_core.training.scoring.volume_errors import GrowthRow, VolumeRow


def _row(patient: int, predicted: float, reference: float, components: int = 1) -> VolumeRow:
    return VolumeRow(
        patient=f"{patient:04}",
        fold=None,
        predicted_ml=predicted,
        reference_ml=reference,
        components=components,
        false_ml=0.0,
    )


def _pair(patient: int, measured: tuple[float, float], true: tuple[float, float]) -> GrowthRow:
    return GrowthRow(
        patient=f"{patient:04}",
        fold=None,
        earlier_ml=measured[0],
        later_ml=measured[1],
        true_earlier_ml=true[0],
        true_later_ml=true[1],
    )


def _made_up(count: int, seed: int, floor_ml: float = 0.0, sd: float = 0.1) -> list[VolumeRow]:
    rng = np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(log(0.3), log(60), count))
    errors = rng.normal(0, sd, count) * (1 + floor_ml / sizes)
    return [
        _row(i, float(v), float(v * exp(e)))
        for i, (v, e) in enumerate(zip(sizes, errors, strict=True))
    ]


def test_the_quantile_is_the_finite_sample_one() -> None:
    scores = np.arange(1.0, 30.0)  # 29
    assert quantile(scores, 0.9) == 27, "ceil(30 x 0.9), and not 28 by rounding"
    assert quantile(scores[:9], 0.9) == 9
    assert quantile(scores[:8], 0.9) == inf, "eight errors give no 90 %"


def test_errors_of_volumes_are_logarithms_of_ratios() -> None:
    rows = [_row(1, 10, 12), _row(2, 10, 5, components=3), _row(3, 0, 2), _row(4, 1, 0)]
    errors = errors_of_volumes(rows)
    assert errors.relative == pytest.approx([log(1.2), log(2), inf])
    assert errors.group.tolist() == [0, 1, 0]
    assert errors.patient.tolist() == ["0001", "0002", "0004"], "nothing found has no interval"
    assert errors.scores(10.0) == pytest.approx([log(1.2) / 2, log(2) / 2, inf])


def test_errors_of_growth_are_those_of_the_pair() -> None:
    """Both volumes 20 % short: the ratio is right, the mL are 20 % short."""
    rows = [_pair(1, (8, 16), (10, 20)), _pair(2, (0, 4), (1, 4)), _pair(3, (0, 0), (1, 1))]
    assert errors_of_ratios(rows).relative == pytest.approx([0], abs=1e-12)
    assert errors_of_ratios(rows).size_ml.tolist() == [8]
    assert errors_of_growths(rows).relative == pytest.approx([2 / 12, 1 / 2])


def test_intervals_hold_what_they_should_on_new_patients() -> None:
    """On average over draws at least the nominal share, and not much more."""
    shares = []
    for seed in range(20):
        interval = fit_volume_interval(_made_up(60, seed), coverage=0.9)
        new = _made_up(200, 1000 + seed)
        held = [
            low <= row.reference_ml <= high
            for row in new
            for low, high in [interval.around(row.predicted_ml, row.components)]
        ]
        shares.append(np.mean(held))
    assert 0.88 < np.mean(shares) < 0.94


def test_the_floor_is_found_that_small_volumes_need() -> None:
    far = errors_of_volumes(_made_up(120, 3, floor_ml=2.0, sd=0.05))
    none = errors_of_volumes(_made_up(120, 3))
    assert choose_floor(far, 0.9) >= 1.0
    assert choose_floor(none, 0.9) <= 0.25


def test_a_group_too_small_for_a_width_has_that_of_all() -> None:
    rows = [_row(i, 10, 10 * exp(0.01 * i)) for i in range(1, 21)]
    rows += [_row(100 + i, 10, 20, components=2) for i in range(5)]
    errors = errors_of_volumes(rows)
    found = widths(errors, 0.0, 0.9)
    assert found[0] == pytest.approx(0.19), "the 19th of 20"
    assert found[1] == pytest.approx(log(2)), "the 24th of 25"
    interval = fit_volume_interval(rows)
    assert (interval.one.errors, interval.several.errors) == (20, 25)


def test_leaving_out_judges_each_patient_by_the_others() -> None:
    errors = Errors(
        np.arange(1.0, 21.0), np.full(20, 10.0), np.zeros(20, np.intp), np.arange(20).astype(str)
    )
    left_out = leave_out(errors, 0.9, floor_ml=0.0)
    assert left_out.hits.sum() == ceil(20 * 0.9)
    worst = left_out.half[left_out.errors.relative == 20]
    assert worst == pytest.approx([18]), "the 18th of the other 19"


def test_pairs_of_one_patient_are_left_out_together() -> None:
    """One patient's pairs are far off: those of the others say nothing of them."""
    rows = [_pair(i, (10, 20), (10, 20 * exp(0.01))) for i in range(20)]
    rows += [_pair(99, (10, 20), (10, 40)) for _ in range(5)]
    left_out = leave_out(errors_of_ratios(rows), 0.9, floor_ml=0.0)
    assert not left_out.hits[left_out.errors.patient == "0099"].any()
    assert left_out.hits[left_out.errors.patient != "0099"].all()


def test_growth_is_fitted_as_a_whole() -> None:
    """Volumes 30 % short in both studies, and a ratio that is right to 1 %."""
    rows = [_pair(i, (7, 14), (10, 20 * exp(0.001 * (i % 10)))) for i in range(20)]
    interval = fit_growth_interval(rows)
    assert interval.log_spread(7, 14) == pytest.approx(0.009, abs=2e-4)
    half = interval.half_width_ml(7, 14)
    assert half == pytest.approx(20 * exp(0.009) - 10 - 7, abs=0.02)


def test_too_few_or_endless_errors_are_refused() -> None:
    with pytest.raises(DatasetError, match="at least 9 patients"):
        fit_volume_interval(_made_up(8, 1))
    with pytest.raises(DatasetError, match="errors of 1 patients"):
        fit_volume_interval(_made_up(1, 1))
    with pytest.raises(DatasetError, match="no finite"):
        fit_volume_interval([_row(i, 1.0, 0.0) for i in range(20)])


def test_coverage_has_wilsons_interval() -> None:
    found = coverage_of(np.arange(100) < 90)
    assert found == {"rows": 100, "value": 0.9, "interval": [0.8256, 0.9448]}
    assert coverage_of(np.zeros(0, np.bool_))["value"] is None


def test_coverage_of_pairs_draws_patients() -> None:
    """Ten patients of ten pairs each, one of them outside: wider than a hundred pairs."""
    patient = np.repeat(np.arange(10), 10).astype(str)
    found = coverage_by_patient(patient != "3", patient)
    low, high = found["interval"]  # type: ignore[misc]
    assert (found["value"], found["patients"]) == (0.9, 10)
    assert low < 0.8
    assert high == 1

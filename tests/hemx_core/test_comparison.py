import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hemx_core import compare
from hemx_core.comparison import (
    ComparisonResult,
    compare_results,
    compare_volumes,
    urge,
)
from hemx_core.errors import InputError
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.measure.expansion import Answer
from hemx_core.notes import Severity
from hemx_core.pairing import interval_hours
from hemx_core.phantoms import (
    LesionSpec,
    PhantomSpec,
    SiteSpec,
    grow,
    make_phantom,
    write_dicom_series,
)
from hemx_core.result import Recommendation
from hemx_core.words import tell
from tests.factories import GROWTH_INTERVAL, ThresholdModels, simple_head

AT = datetime(2026, 3, 1, 22, 30)
FIRST = SeriesIdentity(patient_id="P1", series_uid="1.1", acquired_at=AT, site="A", scanner="S")
SECOND = replace(FIRST, series_uid="1.2", acquired_at=AT + timedelta(hours=18.5))


def _head(clot_mm: float, identity: SeriesIdentity) -> HUVolume:
    """A head with the noise of its own scan."""
    head = simple_head(clot_mm=clot_mm, identity=identity)
    noise = np.random.default_rng(zlib.crc32(identity.series_uid.encode())).integers(
        -1, 2, head.shape
    )
    return replace(head, hu=(head.hu + noise).astype(np.int16))


def _compare(
    earlier_mm: float = 14.0,
    later_mm: float = 18.0,
    first: SeriesIdentity = FIRST,
    second: SeriesIdentity = SECOND,
    *,
    force: bool = False,
) -> ComparisonResult:
    volumes = _head(earlier_mm, first), _head(later_mm, second)
    return compare_volumes(*volumes, ThresholdModels(), force=force)


def _codes(result: ComparisonResult) -> set[str]:
    """Without what every growth with an interval brings."""
    return {note.code for note in result.notes} - {"growth_interval"}


def test_what_the_intervals_rest_on_is_said_of_every_growth() -> None:
    codes = [note.code for note in _compare().notes]
    assert codes.count("growth_interval") == 1
    assert not {"growth_interval", "no_growth_interval"} & {
        note.code for note in _compare(0.0, 0.0).notes
    }, "nothing was found"


@pytest.mark.parametrize("studies", [("earlier",), ("later",), ("earlier", "later")])
def test_networks_that_were_not_measured_alike_give_no_answer(studies: tuple[str, ...]) -> None:
    known = _compare()
    results = {
        name: replace(
            getattr(known, name), growth_interval=None if name in studies else GROWTH_INTERVAL
        )
        for name in ("earlier", "later")
    }
    bare = compare_results(results["earlier"], results["later"])
    assert _codes(bare) == {"no_growth_interval"}
    assert bare.growth.ml == known.growth.ml
    assert bare.growth.ml_interval is bare.growth.percent_interval is None
    assert set(bare.growth.answers.values()) == {Answer.INDETERMINATE}


def test_known_growth_is_measured_and_judged() -> None:
    result = _compare()
    assert result.growth.percent == pytest.approx(100 * (18**2 / 14**2 - 1), abs=6)
    assert result.growth.answers["he_30"] is Answer.YES
    assert result.interval_hours == pytest.approx(18.5)
    assert result.earlier_volume.volume_ml == pytest.approx(result.earlier.haematoma_volume_ml)
    assert _codes(result) == set()


def test_without_growth_the_answer_is_no() -> None:
    growth = _compare(16.0, 16.0).growth
    assert set(growth.answers.values()) == {Answer.NO}
    assert growth.percent == pytest.approx(0, abs=2)


def test_expansion_urges_to_call_and_no_growth_changes_nothing() -> None:
    grown = _compare(14.0, 18.0)
    assert grown.later.recommendation is Recommendation.CALL_NOW
    reason = grown.later.reasons[-1]
    assert reason.code == "haematoma_expanded"
    assert reason.values["ml"] == grown.growth.ml
    assert "30 % or more" in tell(reason)
    same = compare_results(grown.earlier, grown.earlier)
    assert same.later is grown.earlier
    shrunk = compare_results(grown.later, grown.earlier)
    assert shrunk.later is grown.earlier


def test_two_patients_are_never_compared_silently() -> None:
    other = replace(SECOND, patient_id="P2")
    with pytest.raises(InputError, match="different patients") as error:
        _compare(second=other)
    assert "P2" not in str(error.value), "an error message is no place for identifiers"
    assert "different_patients" in _codes(_compare(second=other, force=True))


def test_the_same_series_twice_is_refused() -> None:
    with pytest.raises(InputError, match="same series"):
        _compare(second=replace(FIRST, acquired_at=None))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"patient_id": ""}, "patient_unknown"),
        ({"acquired_at": None}, "interval_unknown"),
        ({"acquired_at": AT - timedelta(hours=2)}, "later_before_earlier"),
        ({"acquired_at": AT + timedelta(days=9)}, "long_interval"),
        ({"scanner": "other"}, "different_scanner"),
        ({"site": "other"}, "different_scanner"),
    ],
)
def test_what_limits_a_comparison_is_said(change: dict[str, object], code: str) -> None:
    assert _codes(_compare(second=replace(SECOND, **change))) == {code}  # type: ignore[arg-type]


def test_different_slice_spacing_is_said() -> None:
    earlier, later = _head(14.0, FIRST), _head(14.0, SECOND)
    thick = HUVolume(later.hu, spacing_mm=(8, 1.5, 1.5), identity=SECOND)
    assert _codes(compare_volumes(earlier, thick, ThresholdModels())) == {"different_spacing"}


@pytest.mark.parametrize(("dz", "told"), [(5.9, False), (6.1, True), (4.2, False), (4.1, True)])
def test_spacings_may_differ_by_a_fifth(dz: float, told: bool) -> None:
    earlier, later = _head(14.0, FIRST), _head(14.0, SECOND)
    other = HUVolume(later.hu, spacing_mm=(dz, 1.5, 1.5), identity=SECOND)
    codes = _codes(compare_volumes(earlier, other, ThresholdModels()))
    assert ("different_spacing" in codes) is told


def test_spacings_are_told_from_the_narrow_to_the_wide() -> None:
    earlier, later = _head(14.0, FIRST), _head(14.0, SECOND)
    thick = HUVolume(later.hu, spacing_mm=(8, 1.5, 1.5), identity=SECOND)
    for pair in ((earlier, thick), (thick, earlier)):
        first, second = (
            HUVolume(one.hu, spacing_mm=one.geometry.spacing_mm, identity=identity)
            for one, identity in zip(pair, (FIRST, SECOND), strict=True)
        )
        notes = compare_volumes(first, second, ThresholdModels()).notes
        (note,) = (one for one in notes if one.code == "different_spacing")
        assert "5.0 and 8.0 mm" in tell(note)


def test_a_tiny_haematoma_is_one_and_each_study_has_its_own_volume() -> None:
    result = _compare(4.0, 5.5)
    assert 0 < result.earlier_volume.volume_ml < result.later_volume.volume_ml < 1
    assert result.later_volume.volume_ml == pytest.approx(result.later.haematoma_volume_ml)
    assert _codes(result) == set()
    sure = replace(result.growth, answers=dict.fromkeys(result.growth.answers, Answer.YES))
    assert urge(result.later, sure).recommendation is Recommendation.CALL_NOW
    none = _compare(5.5, 0.0).later
    assert urge(none, sure) is none


def test_two_patients_are_refused_without_being_asked() -> None:
    volumes = _head(14.0, FIRST), _head(18.0, replace(SECOND, patient_id="P2"))
    with pytest.raises(InputError, match="different patients"):
        compare_volumes(*volumes, ThresholdModels())


@pytest.mark.parametrize(
    ("hours", "codes"),
    [(0.0, set()), (-0.1, {"later_before_earlier"}), (72.0, set()), (72.1, {"long_interval"})],
)
def test_the_order_and_three_days_are_what_is_told(hours: float, codes: set[str]) -> None:
    second = replace(SECOND, acquired_at=AT + timedelta(hours=hours))
    assert _codes(_compare(second=second)) == codes


def test_a_zone_that_one_time_carries_is_left_out() -> None:
    zoned = replace(SECOND, acquired_at=(AT + timedelta(hours=2)).replace(tzinfo=UTC))
    assert interval_hours(FIRST, zoned) == pytest.approx(2.0)


def test_force_compares_one_series_with_itself_and_missing_ids_are_no_patients() -> None:
    assert _compare(second=FIRST, force=True).interval_hours == 0
    nobody = replace(SECOND, patient_id="")
    assert _codes(_compare(first=replace(FIRST, patient_id=""), second=nobody)) == {
        "patient_unknown"
    }
    with pytest.raises(InputError, match="different patients"):
        _compare(first=replace(FIRST, series_uid=""), second=replace(SECOND, patient_id="P2"))
    without_uid = _compare(
        first=replace(FIRST, series_uid=""), second=replace(SECOND, series_uid="")
    )
    assert _codes(without_uid) == set()


def test_progress_names_the_study() -> None:
    stages: list[str] = []
    volumes = _head(14.0, FIRST), _head(14.0, SECOND)
    compare_volumes(
        *volumes, ThresholdModels(), progress=lambda stage, _done, _all: stages.append(stage)
    )
    assert stages[0].startswith("earlier study: ")
    assert stages[-1].startswith("later study: ")


@pytest.mark.parametrize(
    ("earlier", "later", "code"),
    [
        (0, 14, "no_earlier_haematoma"),
        (14, 0, "no_later_haematoma"),
        (0, 0, "no_haematoma"),
    ],
)
def test_a_study_without_haematoma_is_a_result(earlier: float, later: float, code: str) -> None:
    result = _compare(earlier, later)
    assert _codes(result) == {code}
    assert (result.growth.percent is None) == (earlier == 0)


def _cut(volume: HUVolume, first: int, last: int, identity: SeriesIdentity) -> HUVolume:
    """Some slices of a head, in another scan of it: a little denser."""
    return HUVolume(volume.hu[first:last] + 1, spacing_mm=volume.spacing_mm, identity=identity)


@pytest.mark.parametrize(("first", "last"), [(0, 7), (0, 5), (8, 14), (9, 14), (4, 11)])
def test_a_scan_that_does_not_show_the_clot_leaves_growth_open(first: int, last: int) -> None:
    whole = simple_head(slices=14, clot_mm=16.0, clot_slices=(6, 7, 8), identity=FIRST)
    half = _cut(whole, first, last, SECOND)
    result = compare_volumes(whole, half, ThresholdModels())
    assert "later_not_covered" in _codes(result)
    assert set(result.growth.answers.values()) == {Answer.INDETERMINATE}
    swapped = compare_results(result.later, result.earlier)
    assert "earlier_not_covered" in _codes(swapped)
    assert set(swapped.growth.answers.values()) == {Answer.INDETERMINATE}


def test_a_scan_that_lacks_an_end_far_from_the_clot_is_compared() -> None:
    whole = simple_head(slices=14, clot_mm=16.0, clot_slices=(3, 4), identity=FIRST)
    result = compare_volumes(whole, _cut(whole, 0, 12, SECOND), ThresholdModels())
    assert [note.code for note in result.later.notes if note.severity is Severity.WARNING] == [
        "brain_missing_above"
    ]
    assert not _codes(result)
    assert set(result.growth.answers.values()) == {Answer.NO}


def test_growth_beyond_a_definition_stands_where_the_later_volume_is_a_lower_bound() -> None:
    earlier = simple_head(slices=14, clot_mm=12.0, clot_slices=(6, 7), identity=FIRST)
    later = simple_head(slices=14, clot_mm=25.0, clot_slices=(4, 5, 6, 7, 8), identity=SECOND)
    result = compare_volumes(earlier, _cut(later, 0, 7, SECOND), ThresholdModels())
    assert "later_not_covered" in _codes(result)
    assert result.growth.answers["he_12_5ml"] is Answer.YES
    assert result.later.recommendation is Recommendation.CALL_NOW


def test_hours_are_signed_and_need_both_times() -> None:
    assert interval_hours(SECOND, FIRST) == pytest.approx(-18.5)
    assert interval_hours(FIRST, replace(SECOND, acquired_at=None)) is None


def _phantom_pair(folder: Path, factor: float) -> tuple[Path, Path, float]:
    """Two DICOM studies of a phantom and the true growth in per cent."""
    spec = PhantomSpec(
        seed=3,
        patient_id="P1",
        lesion=LesionSpec(volume_ml=20.0, clot_hu=66.0),
        site=SiteSpec(matrix=256, slice_spacing_mm=7.0, slice_thickness_mm=7.0),
    )
    phantoms = [make_phantom(one) for one in (spec, grow(spec, factor, hours=6.0))]
    paths = [folder / name for name in ("earlier", "later")]
    for phantom, path in zip(phantoms, paths, strict=True):
        write_dicom_series(phantom.volume, path)
    first, second = (one.haematoma_volume_ml for one in phantoms)
    return paths[0], paths[1], 100 * (second / first - 1)


class _AboveTheBase(ThresholdModels):
    """Sees no blood on the lowest slices: between the bones of the base brain is brighter than 50 HU."""

    def __init__(self, slices: int, base: int) -> None:
        super().__init__()
        self.slices, self.base, self.calls = slices, base, 0

    def segment(
        self, image: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        place, self.calls = self.calls % self.slices, self.calls + 1
        probabilities, features = super().segment(image)
        return (probabilities if place >= self.base else np.zeros_like(probabilities)), features


def test_phantom_studies_through_dicom_with_known_growth(tmp_path: Path) -> None:
    earlier, later, truth = _phantom_pair(tmp_path, 1.6)
    with_head = len(list(earlier.glob("*.dcm"))) - 1  # the highest slice is air
    models = _AboveTheBase(with_head, base=6)
    result = compare(earlier, later, models=models)
    assert models.calls == 2 * models.slices
    assert result.interval_hours == pytest.approx(6.0)
    # The stand-in for a network takes what is brighter than 50 HU: near, but no segmenter.
    assert result.growth.percent == pytest.approx(truth, abs=15)
    low, high = result.growth.percent_interval or (0.0, 0.0)
    assert low < truth < high
    assert result.growth.answers["he_30"] is Answer.YES
    assert result.growth.answers["he_12_5ml"] is not Answer.YES


def test_the_shipped_bundle_judges_a_phantom_s_growth(tmp_path: Path) -> None:
    pytest.importorskip("executorch", reason="the extra `runtime` is not installed")
    from hemx_core.bundle.load import load_models

    earlier, later, truth = _phantom_pair(tmp_path, 1.6)
    with load_models() as models:
        growth = compare(earlier, later, models=models).growth
        measured = models.manifest.growth_interval
    assert growth.percent == pytest.approx(truth, abs=8)
    if measured is None:
        pytest.skip("the shipped bundle has no interval of growth: no answer is given")
    assert growth.answers["he_30"] is Answer.YES
    assert growth.answers["he_12_5ml"] is not Answer.YES

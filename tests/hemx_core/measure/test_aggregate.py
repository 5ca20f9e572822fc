from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hemx_core.errors import ModelError
from hemx_core.manifest import MarkerSpec
from hemx_core.markers import MARKER_CODES, Aggregation
from hemx_core.measure.aggregate import (
    LARGE_HAEMATOMA_ML,
    calibrated_probabilities,
    judge,
    patient_markers,
    positive_share,
    recommend,
)
from hemx_core.notes import Note, Reason, Severity
from hemx_core.result import Haematoma, MarkerResult, Recommendation
from hemx_core.words import tell
from tests.factories import SHOWN

SPECS = tuple(
    MarkerSpec(code, temperature, threshold)
    for code, temperature, threshold in zip(
        MARKER_CODES, (1.0, 2.0, 0.5, 1.0), (0.5, 0.6, 0.3, 0.9), strict=True
    )
)
AREAS = (0.0, 300.0, 0.0, 100.0, 120.0, 90.0)


def _markers(*present: str, not_validated: tuple[str, ...] = ()) -> dict[str, MarkerResult]:
    return {
        code: MarkerResult(
            code,
            0.8 if code in present else 0.1,
            0.5,
            code in present,
            3,
            validated=code not in not_validated,
        )
        for code in MARKER_CODES
    }


def _blood(volume_ml: float, **values: Any) -> Haematoma:
    return Haematoma(
        mask=np.zeros((1, 1, 1), np.bool_),
        volume_ml=volume_ml,
        abc2_volume_ml=volume_ml,
        component_volumes_ml=(volume_ml,),
        areas_mm2=(0.0,),
        max_diameter_mm=0.0,
        mean_hu=None,
        **values,
    )


def test_logits_are_divided_by_their_temperature() -> None:
    answer = calibrated_probabilities(np.full(4, 2.0, np.float32), SPECS)
    assert answer == pytest.approx([1 / (1 + np.exp(-x)) for x in (2, 1, 4, 2)])


def test_huge_logits_do_not_overflow() -> None:
    with np.errstate(all="raise"):
        answer = calibrated_probabilities(np.array([1e4, -1e4, 0, 0], np.float32), SPECS)
    assert answer == pytest.approx([1, 0, 0.5, 0.5])


@pytest.mark.parametrize("logits", [np.zeros(3, np.float32), np.array([0, np.nan, 0, 0])])
def test_wrong_logits_are_refused(logits: np.ndarray) -> None:
    with pytest.raises(ModelError, match="finite"):
        calibrated_probabilities(logits, SPECS)


def test_each_marker_takes_its_best_slice() -> None:
    markers = patient_markers({3: (-1, 1.2, -3, 0), 5: (0, 0.9, -1.5, 2)}, AREAS, SPECS)
    assert [markers[code].slice_index for code in MARKER_CODES] == [5, 3, 5, 5]
    expected = [0.5, 1 / (1 + np.exp(-0.6)), 1 / (1 + np.exp(3)), 1 / (1 + np.exp(-2))]
    assert [markers[code].probability for code in MARKER_CODES] == pytest.approx(expected)
    # At the threshold counts; each marker against its own.
    assert [markers[code].present for code in MARKER_CODES] == [True, True, False, False]
    assert not any(marker.validated for marker in markers.values())


def test_each_marker_goes_its_own_way_from_logits_before_temperature_and_threshold() -> None:
    logits = {1: (-2.0,) * 4, 3: (0.0,) * 4, 4: (4.0,) * 4, 5: (6.0,) * 4}
    ways = (
        Aggregation.LARGEST, Aggregation.ADJACENT, Aggregation.AREA_WEIGHTED, Aggregation.LARGE,
    )  # fmt: skip
    specs = [
        replace(spec, aggregation=way, validated=code == "blend", evidence=SHOWN)
        for spec, way, code in zip(SPECS, ways, MARKER_CODES, strict=True)
    ]
    markers = patient_markers(logits, AREAS, specs)
    mean = (-2 * 300 + 0 * 100 + 4 * 120 + 6 * 90) / 610
    patient = (-2.0, 5.0 / 2, mean / 0.5, -2.0)
    found = [markers[code] for code in MARKER_CODES]
    assert [one.probability for one in found] == pytest.approx(
        [1 / (1 + np.exp(-logit)) for logit in patient]
    )
    # The slice to show is the loudest that counted.
    assert [one.slice_index for one in found] == [1, 5, 5, 1]
    assert [one.present for one in found] == [False, True, True, False]
    assert [one.validated for one in found] == [False, False, True, False]


def test_no_slice_no_markers() -> None:
    assert patient_markers({}, AREAS, SPECS) == {}


def test_no_haematoma_does_not_rule_out_haemorrhage() -> None:
    code, reasons = recommend(_blood(0.0), {})
    assert code is Recommendation.NO_HAEMATOMA_FOUND
    assert len(reasons) == 2
    assert reasons == (Reason("none_found"), Reason("not_ruled_out"))


@pytest.mark.parametrize("marker", MARKER_CODES)
def test_any_marker_calls_now_and_is_named(marker: str) -> None:
    code, reasons = recommend(_blood(4.0), _markers(marker))
    assert code is Recommendation.CALL_NOW
    text = " ".join(map(tell, reasons))
    assert (
        Reason("marker_present", marker=marker, probability=0.8, threshold=0.5, slice=4) in reasons
    )
    assert "0.80" in text
    assert "slice 4" in text
    assert "30 mL" not in text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_marker_that_is_not_validated_changes_nothing_and_is_named(language: str) -> None:
    markers = _markers("blend", not_validated=("blend",))
    code, reasons = recommend(_blood(4.0), markers)
    assert code is Recommendation.DISCUSS
    assert [one.code for one in reasons] == [
        "haematoma_found", "marker_not_validated", "nothing_validated_urgent",
    ]  # fmt: skip
    told = tell(reasons[1], language)
    assert ("not validated" if language == "en" else "未検証") in told
    both = recommend(_blood(4.0), _markers("blend", "irregular", not_validated=("blend",)))
    assert both[0] is Recommendation.CALL_NOW
    codes = [one.code for one in both[1]]
    assert codes == ["haematoma_found", "marker_present", "marker_not_validated"]
    # One that is not present is no reason; what was judged without it is said.
    absent = recommend(_blood(4.0), _markers(not_validated=("blend",)))[1]
    assert [one.code for one in absent] == ["haematoma_found", "nothing_validated_urgent"]


def _names_the_limit(reasons: tuple[object, ...]) -> bool:
    return any("30" in str(reason) for reason in reasons)


def test_volume_calls_now_from_30_ml_up() -> None:
    """Literal figures: the limit is the ICH score's, not whatever the constant says."""
    assert LARGE_HAEMATOMA_ML == 30.0
    assert judge(30.0, any_marker=False) is Recommendation.CALL_NOW
    for volume_ml in (30.0, 31.0, 44.0, 52.5):
        code, reasons = recommend(_blood(volume_ml), _markers())
        assert code is Recommendation.CALL_NOW
        assert len(reasons) == 2
        assert _names_the_limit(reasons[1:]), "the volume's own reason"
    code, reasons = recommend(_blood(29.99), _markers())
    assert _names_the_limit(reasons[1:])
    assert code is Recommendation.DISCUSS
    assert [one.code for one in reasons] == ["haematoma_found", "nothing_urgent"]


def test_the_large_volume_is_a_reason() -> None:
    reasons = recommend(_blood(LARGE_HAEMATOMA_ML), _markers())[1]
    assert reasons == (
        Reason("haematoma_found", volume_ml=LARGE_HAEMATOMA_ML),
        Reason("large_haematoma", limit_ml=LARGE_HAEMATOMA_ML),
    )


def test_a_large_haematoma_with_a_marker_gives_both_reasons() -> None:
    code, reasons = recommend(_blood(50.0), _markers(MARKER_CODES[0]))
    assert code is Recommendation.CALL_NOW
    assert len(reasons) == 3
    assert _names_the_limit(reasons[1:2])


def test_a_haematoma_without_markers_is_discussed_however_small() -> None:
    assert recommend(_blood(0.01), {})[0] is Recommendation.DISCUSS
    assert judge(0.01, any_marker=False) is Recommendation.DISCUSS
    assert judge(0.0, any_marker=True) is Recommendation.NO_HAEMATOMA_FOUND


def test_of_equal_slices_the_lower_one_shows_the_marker() -> None:
    markers = patient_markers({5: (0.5,) * 4, 3: (0.5,) * 4}, AREAS, SPECS)
    assert {marker.slice_index for marker in markers.values()} == {3}


def test_a_map_without_support_stays_dark() -> None:
    cam = np.stack([np.full((2, 2), -1.0), np.array([[-1.0, 2.0], [1.0, 0.0]])]).astype(np.float32)
    shares = positive_share(cam)
    np.testing.assert_array_equal(shares[0], 0)
    np.testing.assert_allclose(shares[1], [[0, 1], [0.5, 0]])
    faint = positive_share(np.full((1, 2, 2), 0.25, np.float32))
    np.testing.assert_allclose(faint, 1)


HIDDEN = Note("unreadable_slices", Severity.WARNING, count=3, files=("a", "b"))
TOLD = Note("several_patients", Severity.WARNING, patients=2)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_none_found_is_not_said_of_pictures_that_may_hide_blood(language: str) -> None:
    code, reasons = recommend(_blood(0.0), {}, (TOLD, HIDDEN))
    assert code is Recommendation.CANNOT_TELL
    assert [reason.code for reason in reasons] == ["cannot_tell", "look_or_scan_again"]
    assert tell(HIDDEN, language) in tell(reasons[0], language)
    assert recommend(_blood(0.0), {}, (TOLD,))[0] is Recommendation.NO_HAEMATOMA_FOUND
    caution = Note("unreadable_slices", Severity.CAUTION)
    assert recommend(_blood(0.0), {}, (caution,))[0] is Recommendation.NO_HAEMATOMA_FOUND


def test_a_warning_never_lowers_the_advice() -> None:
    assert recommend(_blood(4.0), {}, (HIDDEN,))[0] is Recommendation.DISCUSS
    assert recommend(_blood(40.0), {}, (HIDDEN,))[0] is Recommendation.CALL_NOW


def test_of_two_figures_the_upper_one_decides() -> None:
    code, reasons = recommend(_blood(28.0, at_most_ml=31.0), _markers())
    assert code is Recommendation.CALL_NOW
    assert [reason.code for reason in reasons] == ["haematoma_between", "perhaps_large"]
    code, reasons = recommend(_blood(32.0, lower_bound=True), _markers())
    assert [reason.code for reason in reasons] == ["haematoma_at_least", "large_haematoma"]
    assert "at least 32.0 mL" in tell(reasons[0])

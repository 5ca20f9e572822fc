from __future__ import annotations

from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from hemx_core.errors import VolumeError
from hemx_core.imaging.volume import HUVolume
from hemx_core.measure.corrected import CORRECTION, correct_result, is_corrected
from hemx_core.notes import Note, Severity
from hemx_core.pipeline import triage_volume
from hemx_core.report.json_report import schema, to_document
from hemx_core.report.referral import draw_referral
from hemx_core.result import Recommendation, TriageResult
from mobile_app.widgets.picture import PRESETS
from tests.factories import ThresholdModels, simple_head

Case = tuple[HUVolume, TriageResult]


@pytest.fixture(scope="module")
def case() -> Case:
    volume = simple_head(clot_mm=14)
    return volume, triage_volume(volume, ThresholdModels())


def test_the_volume_is_of_the_mask_as_drawn(case: Case) -> None:
    volume, result = case
    mask = np.zeros_like(result.mask)
    mask[1, 80:90, 90:100] = True
    mask[1, 84, 94] = False  # a hole that triage would fill
    mask[4, 20, 20] = True  # a speck that triage would drop
    corrected = correct_result(result, mask, volume, version=2)
    assert corrected.haematoma.volume_ml == pytest.approx(100 * 1.5 * 1.5 * 5 / 1000)
    assert np.array_equal(corrected.mask, mask)
    assert [one.blood_area_mm2 > 0 for one in corrected.slices] == [
        False,
        True,
        False,
        False,
        True,
        False,
    ]
    assert result.haematoma.volume_ml > 3, "the result itself stays"


def test_it_is_marked_wherever_it_is_told(case: Case) -> None:
    volume, result = case
    corrected = correct_result(result, result.mask.copy(), volume, version=2)
    assert is_corrected(corrected)
    assert not is_corrected(result)
    document = to_document(corrected)
    jsonschema.validate(document, schema())
    assert document["versions"][CORRECTION] == "2"
    assert document["notes"][0]["code"] == "corrected_mask"
    page = draw_referral(corrected, volume, window=PRESETS["brain"])
    told = " ".join(run.text for run in page.runs)
    assert "outline corrected by hand" in told
    assert "CORRECTED BY HAND" in told
    plain = draw_referral(result, volume, window=PRESETS["brain"])
    assert "corrected" not in " ".join(run.text for run in plain.runs).lower()


def test_the_recommendation_follows_the_correction(case: Case) -> None:
    volume, result = case
    assert result.recommendation is Recommendation.DISCUSS
    large = result.mask.copy()
    large[1:5, 60:110, 60:100] = True
    grown = correct_result(result, large, volume, version=1)
    assert grown.haematoma.volume_ml > 30
    assert grown.recommendation is Recommendation.CALL_NOW
    none = correct_result(result, np.zeros_like(large), volume, version=1)
    assert none.recommendation is Recommendation.NO_HAEMATOMA_FOUND
    assert none.markers == {}
    assert none.signs == ()


def test_notes_on_the_mask_are_made_anew(case: Case) -> None:
    volume, result = case
    mask = result.mask.copy()
    mask[0, 80:90, 80:90] = True
    codes = [note.code for note in correct_result(result, mask, volume, version=1).notes]
    assert "blood_on_first_slice" in codes
    again = correct_result(
        correct_result(result, mask, volume, version=1), result.mask, volume, version=2
    )
    assert "blood_on_first_slice" not in [note.code for note in again.notes]


def test_a_lower_bound_follows_the_notes_of_the_corrected_mask(case: Case) -> None:
    volume, result = case
    note = Note("unreadable_slices", Severity.WARNING, count=1)
    doubtful = replace(result, notes=(*result.notes, note))
    assert correct_result(doubtful, result.mask, volume, version=1).haematoma.lower_bound
    nothing = np.zeros_like(result.mask)
    assert not correct_result(doubtful, nothing, volume, version=1).haematoma.lower_bound
    stale = replace(result, haematoma=replace(result.haematoma, lower_bound=True))
    assert not correct_result(stale, result.mask, volume, version=1).haematoma.lower_bound


def test_density_is_that_of_slices_shifted_back(case: Case) -> None:
    volume, result = case
    hu = volume.hu.copy()
    hu[2] += 1000
    note = Note("slices_shifted", Severity.WARNING, count=1, slices=(3,), hu=(1000,))
    shifted = replace(result, notes=(*result.notes, note))
    again = correct_result(shifted, result.mask, replace(volume, hu=hu), version=1)
    right = correct_result(result, result.mask, volume, version=1).haematoma.mean_hu
    assert again.haematoma.mean_hu == pytest.approx(right, abs=1)


def test_a_mask_of_another_study_is_refused(case: Case) -> None:
    volume, result = case
    with pytest.raises(VolumeError, match="corrected mask of shape"):
        correct_result(result, result.mask[:3], volume, version=1)


def test_the_smallest_correction_keeps_markers_and_signs(case: Case) -> None:
    volume, result = case
    mask = np.zeros_like(result.mask)
    mask[2, 80, 100] = True
    corrected = correct_result(result, mask, volume, version=1)
    assert corrected.markers == result.markers != {}
    assert corrected.signs == result.signs != ()


def test_diameter_and_abc2_are_the_largest_piece_s(case: Case) -> None:
    volume, result = case
    mask = np.zeros_like(result.mask)
    mask[2, 60:70, 60:70] = True
    alone = correct_result(result, mask, volume, version=1).haematoma
    mask[2, 100:104, 100:104] = True
    both = correct_result(result, mask, volume, version=1).haematoma
    assert both.max_diameter_mm == alone.max_diameter_mm == pytest.approx(np.hypot(15, 15))
    assert both.abc2_volume_ml == alone.abc2_volume_ml > 0
    assert both.volume_ml > alone.volume_ml


def test_a_volume_of_another_study_is_refused_too(case: Case) -> None:
    volume, result = case
    other = HUVolume(volume.hu[:3], spacing_mm=volume.geometry.spacing_mm)
    for mask in (result.mask, result.mask[:3]):
        with pytest.raises(VolumeError, match="corrected mask of shape"):
            correct_result(result, mask, other, version=1)

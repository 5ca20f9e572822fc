from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.robustness.stored import make_result
from hemx_core.manifest import ModelManifest
from hemx_core.result import MarkerResult, Recommendation, SignResult
from mobile_app.compare.comparing import compare_studies
from mobile_app.result.findings import (
    Facts,
    MarkerFinding,
    Opinion,
    bundle_manifest,
    model_facts,
    uncertain_half_width,
)
from mobile_app.store import Store
from tests.factories import make_manifest
from tests.mobile_app.stored import at_once, correct, facts_of, store_study

LICENCE = {"segmenter": {"licence": "research use"}, "classifier": {"licence": "research use"}}


def manifest(**parity: object) -> ModelManifest:
    return replace(make_manifest(), parity=parity, training=LICENCE)


def finding(
    probability: float, half_width: float | None, present: bool | None = True
) -> MarkerFinding:
    marker = MarkerResult("blend", probability, 0.4, probability >= 0.4, 3, validated=True)
    sign = SignResult(
        code="blend",
        present=present,
        value=20.0,
        unit="HU",
        threshold=18.0,
        at_least=True,
        slice_index=3,
    )
    return MarkerFinding(marker=marker, half_width=half_width, sign=sign)


@pytest.mark.parametrize(
    ("probability", "uncertain"),
    [(0.24, False), (0.26, True), (0.4, True), (0.54, True), (0.56, False)],
)
def test_near_the_threshold_an_answer_is_uncertain(probability: float, uncertain: bool) -> None:
    assert finding(probability, 0.15).uncertain is uncertain
    assert not finding(probability, None).uncertain


def test_the_band_stays_between_0_and_1() -> None:
    assert finding(0.4, 0.5).band == (0.0, 0.9)
    assert finding(0.4, None).band is None


@pytest.mark.parametrize(
    ("probability", "present", "opinion"),
    [
        (0.9, True, Opinion.AGREES),
        (0.9, False, Opinion.DISAGREES),
        (0.1, True, Opinion.DISAGREES),
        (0.1, False, Opinion.AGREES),
        (0.9, None, Opinion.UNDECIDED),
    ],
)
def test_the_second_opinion(probability: float, present: bool | None, opinion: Opinion) -> None:
    one = finding(probability, 0.1, present)
    assert one.opinion is opinion
    assert replace(one, sign=None).opinion is Opinion.NONE


@pytest.mark.parametrize("value", [None, "0.1", True, -0.1, 1.0])
def test_a_band_is_not_guessed(value: object) -> None:
    parity = {} if value is None else {"marker_max": value}
    assert uncertain_half_width(manifest(**parity)) is None


def test_the_shipped_bundle_brings_its_band() -> None:
    shipped = bundle_manifest()
    assert shipped is not None
    assert uncertain_half_width(shipped) == shipped.parity["marker_max"]


def test_another_model_says_nothing_of_a_result() -> None:
    known = replace(
        make_result(0), versions={"segmenter_sha256": "a" * 64, "classifier_sha256": "b" * 64}
    )
    facts = model_facts(known, manifest(marker_max=0.1))
    assert facts is not None
    assert (facts.half_width, facts.licence) == (0.1, "research use")
    other = replace(known, versions=known.versions | {"classifier_sha256": "c" * 64})
    assert model_facts(other, manifest(marker_max=0.1)) is None
    assert model_facts(known, None) is None


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as store:
        yield store


def gathered(store: Store, study_id: int) -> Facts:
    return facts_of(store, study_id, manifest(marker_max=0.12))


def test_facts_of_a_study_by_itself(store: Store, tmp_path: Path) -> None:
    facts = gathered(store, store_study(store, tmp_path))
    assert facts.shown is facts.automatic
    low, high = facts.interval_ml
    assert low < facts.shown.haematoma.volume_ml < high
    assert facts.expansions == ()
    assert [one.half_width for one in facts.markers] == [0.12] * 4
    assert [one.sign and one.sign.code for one in facts.markers] == list(facts.shown.markers)


def test_facts_follow_correction_and_comparison(store: Store, tmp_path: Path) -> None:
    earlier = store_study(store, tmp_path, clot_mm=12)
    later = store_study(store, tmp_path, clot_mm=20, hours=5)
    assert gathered(store, later).shown.recommendation is Recommendation.DISCUSS
    at_once(compare_studies(store, earlier, later))
    facts = gathered(store, later)
    assert facts.shown.recommendation is Recommendation.CALL_NOW
    assert facts.automatic.recommendation is Recommendation.DISCUSS
    assert [one.certain for one in facts.expansions] == [True]
    assert gathered(store, earlier).shown.recommendation is Recommendation.DISCUSS
    assert len(gathered(store, earlier).expansions) == 1, "the history is the patient's"
    correct(store, later, grow=30)
    corrected = gathered(store, later)
    assert corrected.shown.haematoma.volume_ml > facts.shown.haematoma.volume_ml + 5
    assert corrected.shown.recommendation is Recommendation.CALL_NOW
    assert corrected.expansions[0].outdated

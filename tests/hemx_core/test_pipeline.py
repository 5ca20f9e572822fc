import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hemx_core
from hemx_core.costs import START_UP, StageClock, start_up_seconds, study_seconds
from hemx_core.errors import ModelError, NotHeadError, VolumeError
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.markers import MARKER_CODES, Aggregation
from hemx_core.measure.aggregate import calibrated_probabilities
from hemx_core.notes import Note, Severity
from hemx_core.pipeline import TriageSettings, triage_volume
from hemx_core.result import Recommendation, SliceUpdate
from hemx_core.words import LANGUAGES
from tests.factories import ThresholdModels, make_manifest, simple_head

CLOT_MM = 14.0


def _truth(volume: HUVolume) -> np.ndarray:
    return np.asarray(volume.hu > 50) & (volume.hu < 90)


def test_a_clot_is_found_measured_and_classified() -> None:
    volume, models = simple_head(clot_mm=CLOT_MM), ThresholdModels(logits=(2.0, -3.0, -3.0, -3.0))
    result = triage_volume(volume, models)
    assert result.mask.shape == volume.shape
    assert result.mask.dtype == np.bool_
    assert result.haematoma_volume_ml == pytest.approx(np.pi * 1.4**2, rel=0.05)
    assert result.haematoma.mean_hu == pytest.approx(64, abs=2)
    assert result.recommendation is Recommendation.CALL_NOW
    assert list(result.markers) == list(MARKER_CODES)
    assert [marker.present for marker in result.markers.values()] == [True, False, False, False]
    assert result.markers["hypodensity"].slice_index == 2
    assert {"hemx", "fake", "recipe", "segmenter_sha256"} <= set(result.versions)


def test_the_mask_lies_on_the_clot_in_native_pixels() -> None:
    # A field of view off the head's centre and other pixels than the grid's: both must be undone.
    volume = simple_head(clot_mm=CLOT_MM, pixel_mm=1.3)
    shifted = HUVolume(np.roll(volume.hu, (-7, 11), (1, 2)), spacing_mm=(5, 1.3, 1.3))
    result = triage_volume(shifted, ThresholdModels())
    truth = np.roll(_truth(volume), (-7, 11), (1, 2))
    overlap = 2 * (result.mask & truth).sum() / (result.mask.sum() + truth.sum())
    assert overlap > 0.93


def test_only_slices_with_blood_are_classified_and_the_crop_is_centred_on_them() -> None:
    models = ThresholdModels()
    result = triage_volume(simple_head(clot_mm=CLOT_MM, clot_slices=(1, 4)), models)
    assert [bool(one.probabilities) for one in result.slices] == [0, 1, 0, 0, 1, 0]
    assert len(models.crops) == 2
    for crop in models.crops:
        assert crop.shape == (128, 128)
        weights = crop > 0.7
        assert np.argwhere(weights).mean(axis=0) == pytest.approx([63.5, 63.5], abs=1)


def test_the_cam_box_lies_round_the_clot_in_native_pixels() -> None:
    volume = simple_head(clot_mm=CLOT_MM)
    one = triage_volume(volume, ThresholdModels()).slices[2]
    assert one.cam is not None
    assert one.cam_box is not None
    row, column, height, width = one.cam_box
    assert height == width == pytest.approx(128 * 0.9 / 1.5, rel=0.01)
    middle = np.argwhere(_truth(volume)[2]).mean(axis=0) + 0.5
    assert (row + height / 2, column + width / 2) == pytest.approx(tuple(middle), abs=1)
    assert one.cam.shape == (4, 8, 8)
    assert one.cam.min() == 0
    assert one.cam.max() == 1


def test_no_blood_is_a_result() -> None:
    models = ThresholdModels()
    result = triage_volume(simple_head(), models)
    assert result.recommendation is Recommendation.NO_HAEMATOMA_FOUND
    assert result.markers == {}
    assert result.haematoma_volume_ml == result.haematoma.abc2_volume_ml == 0
    assert not result.mask.any()
    assert models.crops == []


def test_specks_are_dropped_and_never_classified() -> None:
    models = ThresholdModels(make_manifest(min_component_ml=10.0))
    result = triage_volume(simple_head(clot_mm=CLOT_MM), models)
    assert result.recommendation is Recommendation.NO_HAEMATOMA_FOUND
    assert models.crops == []


def test_temperature_and_threshold_of_the_manifest_decide() -> None:
    manifest = make_manifest(temperatures=(2.0, 1, 1, 1), thresholds=(0.75, 0.5, 0.5, 0.5))
    models = ThresholdModels(manifest, logits=(2.0, -3, -3, -3))
    result = triage_volume(simple_head(clot_mm=CLOT_MM), models)
    marker = result.markers["hypodensity"]
    assert marker.probability == calibrated_probabilities(models.logits, manifest.markers)[0]
    assert (marker.threshold, marker.present) == (0.75, False)
    assert result.recommendation is Recommendation.DISCUSS


def test_a_marker_that_is_not_validated_is_told_and_gives_no_advice() -> None:
    manifest = make_manifest(validated=(True, False, True, True))
    models = ThresholdModels(manifest, logits=(-3.0, 3.0, -3.0, -3.0))
    result = triage_volume(simple_head(clot_mm=CLOT_MM), models)
    irregular = result.markers["irregular"]
    assert irregular.present
    assert not irregular.validated
    assert result.recommendation is Recommendation.DISCUSS
    assert "marker_not_validated" in {reason.code for reason in result.reasons}
    assert result.slices[2].logits == (-3.0, 3.0, -3.0, -3.0)


class Fading(ThresholdModels):
    """Each slice's logits are 1 below those of the one before."""

    def classify(self, crop: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.logits = self.logits - 1
        return super().classify(crop, features)


def test_the_manifests_way_makes_the_patient_of_slices() -> None:
    manifest = make_manifest(aggregations=(Aggregation.MAX, Aggregation.AREA_WEIGHTED) * 2)
    result = triage_volume(simple_head(clot_mm=CLOT_MM), Fading(manifest, logits=(3.0,) * 4))
    areas = [slice_.blood_area_mm2 for slice_ in result.slices if slice_.logits]
    logits = [slice_.logits[0] for slice_ in result.slices if slice_.logits]
    assert logits == [2.0, 1.0]
    mean = float(np.average(logits, weights=areas))
    expected = [1 / (1 + np.exp(-logit)) for logit in (2.0, mean, 2.0, mean)]
    found = [marker.probability for marker in result.markers.values()]
    assert found == pytest.approx(expected)
    assert {marker.slice_index for marker in result.markers.values()} == {2}


def test_a_window_reaches_the_network_and_is_told() -> None:
    head = simple_head(clot_mm=CLOT_MM)
    other = TriageSettings(window=HUWindow(-10, 90))
    models = ThresholdModels()
    result = triage_volume(head, models, settings=other)
    assert "window_changed" in {note.code for note in result.notes}
    # Of a crop of 65 HU in brain of 32 HU.
    assert models.crops[0].max() == pytest.approx((65 + 10) / 100, abs=0.02)
    same = TriageSettings(window=HUWindow(0, 80))
    notes = triage_volume(head, ThresholdModels(), settings=same).notes
    assert "window_changed" not in {note.code for note in notes}


@pytest.mark.parametrize(
    ("window", "meant"),
    [((0, 3071), None), ((0, 200), None), ((0, 120), None), ((40, 80), (0, 80))],
)
def test_a_window_in_which_clots_are_missed_is_refused(
    window: tuple[float, float], meant: tuple[float, float] | None
) -> None:
    settings = TriageSettings(window=HUWindow(*window))
    with pytest.raises(VolumeError) as refused:
        triage_volume(simple_head(clot_mm=CLOT_MM), ThresholdModels(), settings=settings)
    assert refused.value.code == "window_far"
    values = refused.value.values
    assert (values.get("as_lower"), values.get("as_upper")) == (meant or (None, None))
    for language in LANGUAGES:
        assert ("0,80" in refused.value.told(language)[2]) == (meant is not None)


def test_notes_of_the_reader_and_of_preparing_come_first() -> None:
    head = simple_head()
    noted = replace(
        head,
        hu=np.clip(head.hu, 0, 80).astype(np.int16),
        clipped_to_hu=(0.0, 80.0),
        notes=(Note("missing_slices", Severity.CAUTION, count=1, places=()),),
    )
    codes = [note.code for note in triage_volume(noted, ThresholdModels()).notes]
    assert codes[:2] == ["missing_slices", "clipped_hu"]


def test_nan_of_a_segmenter_is_an_error_not_a_clean_bill() -> None:
    class Broken(ThresholdModels):
        def segment(self, image):  # type: ignore[no-untyped-def]
            probabilities, features = super().segment(image)
            probabilities[3, 3] = np.nan
            return probabilities, features

    with pytest.raises(ModelError, match="slice 1"):
        triage_volume(simple_head(), Broken())


def test_what_is_no_head_is_refused_before_a_network_runs() -> None:
    class Never(ThresholdModels):
        def segment(self, image):  # type: ignore[no-untyped-def]
            raise AssertionError("must not run")

    plastic = HUVolume(np.full((6, 96, 96), 40), spacing_mm=(5, 1.5, 1.5))
    with pytest.raises(NotHeadError):
        triage_volume(plastic, Never())


def test_progress_and_costs_cover_every_stage() -> None:
    told: list[tuple[str, int, int]] = []
    clock = StageClock()
    with clock.stage("read"):
        pass
    result = triage_volume(
        simple_head(clot_mm=CLOT_MM),
        ThresholdModels(),
        progress=lambda *step: told.append(step),
        clock=clock,
    )
    assert told == [(stage, n, 6) for stage in ("check", "segment") for n in range(1, 7)] + [
        ("classify", 1, 2),
        ("classify", 2, 2),
    ]
    names = [cost.name for cost in result.costs]
    assert names == ["read", "check", "prepare", "segment", "measure", "signs", "classify"]
    assert all(cost.peak_rss_mib > 10 for cost in result.costs)
    assert all(cost.seconds > 0 for cost in result.costs)


def test_slices_are_handed_over_as_segmented_and_again_as_classified() -> None:
    shown: list[SliceUpdate] = []
    result = triage_volume(
        simple_head(clot_mm=CLOT_MM, clot_slices=(1, 4)), ThresholdModels(), on_slice=shown.append
    )
    assert [one.index for one in shown] == [0, 1, 2, 3, 4, 5, 1, 4]
    assert [one.result for one in shown[:6]] == [None] * 6
    assert [one.result for one in shown[6:]] == [result.slices[1], result.slices[4]]
    for one in shown:
        np.testing.assert_array_equal(one.mask, result.mask[one.index])


class Counted(ThresholdModels):
    """Three slices a call; keeps how many came."""

    slices_a_call = 3

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

    def segment_slices(self, images):  # type: ignore[no-untyped-def]
        self.calls.append(len(images))
        return super().segment_slices(images)


def test_slices_share_calls_and_the_result_is_that_of_a_slice_a_call() -> None:
    head = simple_head(slices=8, clot_mm=CLOT_MM, clot_slices=(1, 4, 5))
    told: list[tuple[str, int]] = []
    shown: list[int] = []
    models = Counted()
    result = triage_volume(
        head,
        models,
        progress=lambda stage, done, _total: told.append((stage, done)),
        on_slice=lambda one: shown.append(one.index),
    )
    expected = triage_volume(head, ThresholdModels())
    assert models.calls == [3, 3, 2]
    assert shown == [*range(8), 1, 4, 5]
    # While a call's slices are prepared progress stands still, and a cancel is heard.
    assert [done for stage, done in told if stage == "segment"] == [
        *(0, 0, 1, 2, 3),
        *(3, 3, 4, 5, 6),
        *(6, 7, 8),
    ]
    np.testing.assert_array_equal(result.mask, expected.mask)
    assert result.haematoma_volume_ml == expected.haematoma_volume_ml
    assert [one.probabilities for one in result.slices] == [
        one.probabilities for one in expected.slices
    ]


def test_blank_slices_take_no_place_in_a_call() -> None:
    head = simple_head(slices=9, clot_mm=CLOT_MM, clot_slices=(4,))
    hu = np.array(head.hu)
    hu[[0, 1, 3, 8]] = -1000
    models = Counted()
    result = triage_volume(replace(head, hu=hu), models)
    assert models.calls == [3, 2]
    assert [one.index for one in result.slices if one.blood_area_mm2 > 0] == [4]


def test_what_progress_raises_ends_the_triage_within_a_slice() -> None:
    class Stop(BaseException):
        pass

    steps: list[int] = []

    def progress(_stage: str, done: int, _total: int) -> None:
        steps.append(done)
        if done == 2:
            raise Stop

    with pytest.raises(Stop):
        triage_volume(simple_head(clot_mm=CLOT_MM), ThresholdModels(), progress=progress)
    assert steps == [1, 2]


def test_a_clock_adds_up_and_keeps_the_start_up_apart() -> None:
    clock = StageClock()
    for name in ("a", START_UP, "a"):
        with clock.stage(name):
            pass
    first, start_up = clock.costs
    assert (first.name, start_up.name) == ("a", START_UP)
    assert study_seconds(clock.costs) == first.seconds
    assert start_up_seconds(clock.costs) == start_up.seconds


def test_peak_memory_grows_with_what_is_touched() -> None:
    # In a process of its own: the peak of this one may lie far above what a test should allocate.
    code = (
        "import numpy as np; from hemx_core.device.memory import peak_rss_mib as peak; before = peak(); "
        "held = np.ones(2**23); del held; print(peak() - before)"
    )
    root = Path(hemx_core.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert 40 < float(done.stdout) < 100  # 64 MiB were touched

"""From a volume to a triage result, on desk and tablet alike.

`triage_volume` reads top to bottom: check, prepare, segment, measure, classify, summarise. The
segmenter takes as many slices in a call as its program was exported for.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray

from hemx_core import __version__
from hemx_core.costs import OnSlice, Progress, StageClock, Watch
from hemx_core.errors import ModelError
from hemx_core.imaging.inspect import inspect
from hemx_core.imaging.prepare import PreparedSlice, PreparedVolume, crop_around, prepare
from hemx_core.imaging.spec import HUWindow, PreprocessingSpec, check_window
from hemx_core.imaging.volume import HUVolume
from hemx_core.manifest import ModelManifest
from hemx_core.measure.aggregate import (
    calibrated_probabilities,
    patient_markers,
    positive_share,
    recommend,
)
from hemx_core.measure.haematoma import haematoma_notes, measure_haematoma, with_bound
from hemx_core.measure.signs import find_signs
from hemx_core.notes import Note, Severity
from hemx_core.result import Haematoma, SignResult, SliceResult, SliceUpdate, TriageResult

Array = NDArray[np.float32]
Group = dict[int, PreparedSlice | None]
"""By index; None where a slice is blank: it is not segmented, and a thousand of them take no memory."""


class TriageModels(Protocol):
    """What triage needs of a loaded bundle; `Models` has it."""

    @property
    def manifest(self) -> ModelManifest:
        """The bundle's manifest."""

    @property
    def backend_name(self) -> str:
        """Which runtime runs the programs."""

    @property
    def backend_version(self) -> str:
        """Its version."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a result must say of the models' origin."""

    @property
    def slices_a_call(self) -> int:
        """How many slices `segment_slices` takes at most."""

    def segment_slices(self, images: Sequence[Array]) -> list[tuple[Array, Array]]:
        """Slices (S, S) in [0, 1] -> of each probability of blood (S, S), pooled features (channels,)."""

    def classify(self, crop: Array, features: Array) -> tuple[Array, Array]:
        """Crop (K, K) and features (channels,) -> logits (markers,), CAM (markers, k, k)."""


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """Blood as segmented, before small components are dropped.

    Args:
        mask: bool, shape (slices, rows, columns), native pixels.
        features: slice index to pooled encoder features, shape (channels,), of slices with blood.
    """

    mask: NDArray[np.bool_]
    features: dict[int, Array]


def segment(prepared: PreparedVolume, models: TriageModels, watch: Watch) -> Segmentation:
    """Segment every slice that is not blank, a call's worth at a time; masks come in native pixels."""
    threshold = models.manifest.mask_threshold
    mask = np.zeros(prepared.volume.shape, dtype=np.bool_)
    kept: dict[int, Array] = {}
    for group in _calls(prepared, models.slices_a_call, watch):
        shown = {index: slice_ for index, slice_ in group.items() if slice_ is not None}
        with watch.clock.stage("segment"):
            images = [slice_.image for slice_ in shown.values()]
            found = models.segment_slices(images) if images else []
            for (index, slice_), (probabilities, features) in zip(
                shown.items(), found, strict=True
            ):
                peak = float(probabilities.max())
                if not np.isfinite(peak):
                    raise _not_finite(index)
                # Bilinear values never exceed their sources: a slice without blood stays empty.
                if peak >= threshold:
                    mask[index] = slice_.transform.to_native(probabilities) >= threshold
                    if mask[index].any():
                        kept[index] = features
        for index in group:
            watch.show(SliceUpdate(index=index, mask=mask[index]))
            watch.tell("segment", index + 1, len(prepared))
    return Segmentation(mask, kept)


def _calls(prepared: PreparedVolume, most: int, watch: Watch) -> Iterator[Group]:
    """Prepared slices by index, in order: in each group as many that are not blank as a call takes."""
    group: Group = {}
    shown = 0
    for index in range(len(prepared)):
        with watch.clock.stage("prepare"):
            one = prepared[index]
        group[index] = one if one.image.any() else None
        shown += group[index] is not None
        if shown in (0, most) or index + 1 == len(prepared):
            yield group
            group, shown = {}, 0
        else:
            # Nothing new, but a cancel need not wait for the call as well.
            watch.tell("segment", min(group), len(prepared))


def _not_finite(index: int) -> ModelError:
    """A NaN is below every threshold: it would read as "no blood"."""
    return ModelError("segmenter_not_finite", slice=index + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageSettings:
    """What the user may choose.

    Args:
        window: the site's HU window; None takes the bundle's.
    """

    window: HUWindow | None = None


DEFAULT_SETTINGS = TriageSettings()

WINDOW_CHANGED = Note("window_changed", Severity.CAUTION)
VOLUME_INTERVAL = Note("volume_interval", Severity.CAUTION)
"""What the volume's interval rests on."""


def triage_volume(
    volume: HUVolume,
    models: TriageModels,
    *,
    settings: TriageSettings = DEFAULT_SETTINGS,
    progress: Progress | None = None,
    on_slice: OnSlice | None = None,
    clock: StageClock | None = None,
) -> TriageResult:
    """Triage a volume. No blood found is a result, not an error.

    Args:
        volume: HU, shape (slices, rows, columns), with its geometry.
        models: a loaded bundle.
        settings: the window.
        progress: told after every slice; what it raises ends the triage.
        on_slice: given every slice when it has been segmented, those with blood again when classified.
        clock: goes on with a clock that has timed earlier stages.
    Raises:
        NotHUError: the volume's values are not Hounsfield units.
        NotHeadError: it shows no head with a brain in it.
        VolumeError: the window is too far from the models' own.
        ModelError: a program failed.
    """
    watch = Watch(clock or StageClock(), progress, on_slice)
    spec = preprocessing(models.manifest, settings)
    volume = check(volume, watch)
    prepared = prepare(volume, spec)
    segmentation = segment(prepared, models, watch)
    haematoma = measure(segmentation.mask, volume, models.manifest, watch)
    signs = judge_signs(volume, haematoma, watch)
    slices = classify(prepared, haematoma, segmentation.features, models, watch)
    return summarise(prepared, haematoma, slices, signs, models, watch)


def preprocessing(manifest: ModelManifest, settings: TriageSettings) -> PreprocessingSpec:
    """The bundle's preprocessing, with the site's window if one is set.

    Raises:
        VolumeError: the window is too far from the bundle's.
    """
    if settings.window is None:
        return manifest.preprocessing
    check_window(settings.window, manifest.preprocessing.window)
    return replace(manifest.preprocessing, window=settings.window)


def check(volume: HUVolume, watch: Watch) -> HUVolume:
    """The volume with what its pictures tell; refuses what is no head. See `inspect`."""
    with watch.clock.stage("check"):
        return inspect(volume, lambda done, total: watch.tell("check", done, total))


def measure(
    mask: NDArray[np.bool_], volume: HUVolume, manifest: ModelManifest, watch: Watch
) -> Haematoma:
    """Drop specks from the mask, in place, and measure what stays."""
    with watch.clock.stage("measure"):
        # A second mask would be the only memory beside the volume that grows with its slices.
        return measure_haematoma(
            mask, volume, min_component_ml=manifest.min_component_ml, in_place=True
        )


def judge_signs(volume: HUVolume, haematoma: Haematoma, watch: Watch) -> tuple[SignResult, ...]:
    """The rule-based second opinion, on raw HU."""
    with watch.clock.stage("signs"):
        return find_signs(volume, haematoma.mask)


def classify(
    prepared: PreparedVolume,
    haematoma: Haematoma,
    features: Mapping[int, Array],
    models: TriageModels,
    watch: Watch,
) -> tuple[SliceResult, ...]:
    """Classify the slices that show blood; they are prepared again rather than kept in memory."""
    slices = [SliceResult(index, area) for index, area in enumerate(haematoma.areas_mm2)]
    bloody = [slice_.index for slice_ in slices if slice_.blood_area_mm2 > 0]
    for done, index in enumerate(bloody, start=1):
        with watch.clock.stage("classify"):
            slices[index] = classify_slice(prepared, haematoma, index, features[index], models)
        watch.show(SliceUpdate(index=index, mask=haematoma.mask[index], result=slices[index]))
        watch.tell("classify", done, len(bloody))
    return tuple(slices)


def classify_slice(
    prepared: PreparedVolume,
    haematoma: Haematoma,
    index: int,
    features: Array,
    models: TriageModels,
) -> SliceResult:
    """Marker probabilities of one slice, and where the classifier looked."""
    one = prepared[index]
    size = models.manifest.crop_size
    on_grid = one.transform.to_grid(haematoma.mask[index])
    crop, (row, column) = crop_around(one.image, on_grid, size)
    logits, cam = models.classify(crop, features)
    return SliceResult(
        index,
        haematoma.areas_mm2[index],
        calibrated_probabilities(logits, models.manifest.markers),
        positive_share(cam),
        one.transform.box_to_native(row, column, size, size),
        tuple(float(logit) for logit in logits),
    )


def summarise(
    prepared: PreparedVolume,
    haematoma: Haematoma,
    slices: tuple[SliceResult, ...],
    signs: tuple[SignResult, ...],
    models: TriageModels,
    watch: Watch,
) -> TriageResult:
    """The patient's markers, the recommendation, and every warning that belongs to them."""
    volume, manifest = prepared.volume, models.manifest
    markers = patient_markers(
        {slice_.index: slice_.logits for slice_ in slices if slice_.logits},
        haematoma.areas_mm2,
        manifest.markers,
    )
    changed = prepared.spec.window != manifest.preprocessing.window
    notes = (
        *volume.notes,
        *prepared.notes,
        *models.notes,
        *(WINDOW_CHANGED,) * changed,
        *haematoma_notes(haematoma, volume),
        *(VOLUME_INTERVAL,) * (manifest.volume_interval is not None and haematoma.volume_ml > 0),
    )
    haematoma = with_bound(haematoma, notes)
    recommendation, reasons = recommend(haematoma, markers, notes)
    return TriageResult(
        haematoma=haematoma,
        markers=markers,
        slices=slices,
        recommendation=recommendation,
        reasons=reasons,
        notes=notes,
        geometry=volume.geometry,
        identity=volume.identity,
        versions=_versions(models),
        costs=watch.clock.costs,
        signs=signs,
        clipped_to_hu=volume.clipped_to_hu,
        coverage=volume.coverage,
        volume_interval=manifest.volume_interval,
        growth_interval=manifest.growth_interval,
    )


def _versions(models: TriageModels) -> dict[str, str]:
    """Software and model versions, all strings."""
    manifest = models.manifest
    return {
        "hemx": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "pydicom": pydicom.__version__,
        models.backend_name: models.backend_version,
        "recipe": manifest.recipe,
        "segmenter_sha256": manifest.segmenter.sha256,
        "classifier_sha256": manifest.classifier.sha256,
    }

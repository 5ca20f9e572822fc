"""The segmenter over a prepared volume: as many slices in a call as its program takes.

    prepare, prepare, ... -> one call -> masks in native pixels, pooled features

Slices stream: of the prepared ones only a call's worth exists at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hemx_core.costs import Watch
from hemx_core.errors import ModelError
from hemx_core.imaging.prepare import PreparedSlice, PreparedVolume
from hemx_core.imaging.volume import Note
from hemx_core.manifest import ModelManifest
from hemx_core.result import SliceUpdate

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
        shown = {index: one for index, one in group.items() if one is not None}
        with watch.clock.stage("segment"):
            images = [one.image for one in shown.values()]
            found = models.segment_slices(images) if images else []
            for (index, one), (probabilities, features) in zip(shown.items(), found, strict=True):
                peak = float(probabilities.max())
                if not np.isfinite(peak):
                    raise _not_finite(index)
                # Bilinear values never exceed their sources: a slice without blood stays empty.
                if peak >= threshold:
                    mask[index] = one.transform.to_native(probabilities) >= threshold
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
    return ModelError(
        f"the segmenter answered NaN or infinity on slice {index + 1}",
        expected="probabilities from 0 to 1",
        remedy="verify the bundle, or export it again",
    )

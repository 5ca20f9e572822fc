"""The written programs against the trained networks, slice by slice, in the runtime that runs them.

Both ways go as triage goes: probabilities, native mask, crop, marker probabilities. Each uses its own
features; both crop round the trained network's mask, because a crop moves by whole pixels and the
classifier's answer to a shift by one pixel is no difference of the graphs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.networks import Decision, Networks
from export.recipes import Recipe
from export.samples import Samples
from hemx_core.bundle.load import Models
from hemx_core.errors import ParityError
from hemx_core.imaging.prepare import GridTransform, crop_around
from hemx_core.measure.aggregate import calibrated_probabilities
from hemx_core.nn.inference import classify_crop, segment_slice

Array = NDArray[np.float32]
TwoToTwo = Callable[[Array, Array], tuple[Array, Array]]
OneToTwo = Callable[[Array], tuple[Array, Array]]

MIN_BLOOD_MM2 = 20.0
"""0.1 mL on a slice of 5 mm: triage drops smaller specks, so their crops are not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """Measured differences, exported against trained; stands in the manifest.

    Args:
        source: what the slices are.
        slices: number of slices compared.
        slices_with_blood: of them, those where both ways find at least `MIN_BLOOD_MM2`.
        mask_dice: Dice of the native masks, all slices together.
        worst_slice_dice: smallest Dice of a slice with blood.
        probability_max: largest difference of a pixel's probability, on the grid.
        probability_mean: mean difference of a pixel's probability.
        marker_max: largest difference of a marker's calibrated probability on a slice with blood.
        marker_p95: 95th percentile of these differences.
        marker_mean: mean difference of the markers' calibrated probabilities.
    """

    source: str
    slices: int
    slices_with_blood: int
    mask_dice: float
    worst_slice_dice: float
    probability_max: float
    probability_mean: float
    marker_max: float
    marker_p95: float
    marker_mean: float

    def to_json(self) -> dict[str, Any]:
        """Plain values, rounded to six digits."""
        return {k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(self).items()}


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one way makes of a slice; the mask is native, the probabilities on the grid."""

    probabilities: Array
    mask: NDArray[np.bool_]
    markers: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two outcomes of one slice compared; pixel counts, and differences."""

    overlap: int
    pixels: int
    """Sum of both masks' pixels."""
    has_blood: bool
    probability_max: float
    probability_mean: float
    markers: tuple[float, ...]

    @property
    def dice(self) -> float:
        """Dice of the two masks; 1 where both are empty."""
        return 2 * self.overlap / self.pixels if self.pixels else 1.0


def measure_parity(networks: Networks, models: Models, samples: Samples) -> Parity:
    """Run both ways over prepared slices.

    Raises:
        ParityError: no slice on which both find blood, so there is nothing to compare.
    """
    segment, classify = torch_functions(networks)
    decision = networks.decision
    differences = []
    for image, transform in zip(samples.images, samples.transforms, strict=True):
        trained = run(image, transform, segment, classify, decision)
        exported = run(
            image, transform, models.segment, models.classify, decision, crop_mask=trained.mask
        )
        area = pixel_area_mm2(transform, decision.preprocessing.pixel_mm)
        differences.append(compare(trained, exported, area))
    bloody = [slice_ for slice_ in differences if slice_.has_blood]
    if not bloody:
        raise ParityError(
            f"no slice of {len(samples)} on which both the trained and the exported network find "
            f"{MIN_BLOOD_MM2:g} mm² of blood",
            expected="slices with blood to compare on",
            remedy="check the weights, or verify with slices that show blood",
        )
    markers = np.array([slice_.markers for slice_ in bloody])
    pixels = sum(slice_.pixels for slice_ in differences)
    return Parity(
        source=samples.source,
        slices=len(samples),
        slices_with_blood=len(bloody),
        mask_dice=2 * sum(slice_.overlap for slice_ in differences) / pixels,
        worst_slice_dice=min(slice_.dice for slice_ in bloody),
        probability_max=max(slice_.probability_max for slice_ in differences),
        probability_mean=float(np.mean([slice_.probability_mean for slice_ in differences])),
        marker_max=float(markers.max()),
        marker_p95=float(np.quantile(markers, 0.95)),
        marker_mean=float(markers.mean()),
    )


def check_parity(parity: Parity, recipe: Recipe) -> None:
    """Hold measured differences against the recipe's gates.

    Raises:
        ParityError: a gate fails, or a number is not finite.
    """
    failed = []
    if not parity.mask_dice >= recipe.min_mask_dice:
        failed.append(f"mask Dice {parity.mask_dice:.4f} (at least {recipe.min_mask_dice})")
    if not parity.marker_p95 <= recipe.max_marker_difference:
        failed.append(
            f"marker probability {parity.marker_p95:.4f} apart in the 95th percentile "
            f"(at most {recipe.max_marker_difference})"
        )
    if not parity.marker_max <= recipe.max_marker_peak:
        failed.append(
            f"marker probability {parity.marker_max:.4f} apart (at most {recipe.max_marker_peak})"
        )
    if failed:
        raise ParityError(
            f"recipe {recipe.name}, {parity.slices} slices of {parity.source}: {', '.join(failed)}",
            expected="the exported graphs to agree with the trained ones",
            remedy="calibrate on more slices or export in float32; no bundle was written",
        )


def run(
    image: Array,
    transform: GridTransform,
    segment: OneToTwo,
    classify: TwoToTwo,
    decision: Decision,
    *,
    crop_mask: NDArray[np.bool_] | None = None,
) -> Outcome:
    """One slice through one way, as `hemx_core.pipeline` does it.

    Args:
        image: prepared slice.
        transform: its place on the grid.
        segment: image to probabilities and features.
        classify: crop and features to logits and map.
        decision: thresholds and temperatures.
        crop_mask: the native mask to crop round instead of the way's own.
    """
    probabilities, features = segment(image)
    mask = transform.to_native(probabilities) >= decision.mask_threshold
    centre = mask if crop_mask is None else crop_mask
    crop, _ = crop_around(image, transform.to_grid(centre), decision.crop_size)
    logits, _ = classify(crop, features)
    markers = calibrated_probabilities(logits, decision.markers)
    return Outcome(probabilities, mask, np.array(markers, dtype=np.float32))


def compare(trained: Outcome, exported: Outcome, area_mm2: float) -> Difference:
    """Compare two outcomes of a slice whose native pixels have the given area."""
    apart = np.abs(trained.probabilities - exported.probabilities)
    sizes = [int(outcome.mask.sum()) for outcome in (trained, exported)]
    return Difference(
        overlap=int((trained.mask & exported.mask).sum()),
        pixels=sum(sizes),
        has_blood=min(sizes) * area_mm2 >= MIN_BLOOD_MM2,
        probability_max=float(apart.max()),
        probability_mean=float(apart.mean()),
        markers=tuple(float(d) for d in np.abs(trained.markers - exported.markers)),
    )


def pixel_area_mm2(transform: GridTransform, grid_pixel_mm: float) -> float:
    """Area of a native pixel of a slice whose grid pixels have the given size."""
    grid = float(np.prod(transform.resized_shape)) * grid_pixel_mm**2
    return grid / float(np.prod(transform.native_shape))


def torch_functions(networks: Networks) -> tuple[OneToTwo, TwoToTwo]:
    """The trained networks with the signatures of `Models.segment` and `Models.classify`."""
    return partial(segment_slice, networks.segmenter), partial(classify_crop, networks.classifier)

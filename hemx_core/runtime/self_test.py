"""Do the programs compute here what they computed where they were made?

The same int8 program may differ on another processor by rounding steps; a broken kernel differs grossly. The
tolerances stand between the two. With the bundle of recipe tablet-int8, noise of up to one input step (1/255)
on every pixel, which is more rounding than another processor's, stayed within all of them, and each of four
faults (a wrong scale, a wrong stride, columns in the wrong order, a picture upside down) was
beyond three limits or more (`python -m benchmarks.self_test_margins`, `benchmarks/results`).
The largest difference of a single probability is no measure: the same noise moves a pixel at an edge by 0.6.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import SelfTestError
from hemx_core.runtime.bundle import Models
from hemx_core.runtime.references import References, as_input, load_references

SEGMENT, CLASSIFY = "segment", "classify"
OnSlice = Callable[[int, int], None]
"""Called with the slices done and the slices to do; may raise to end the test."""

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """Largest differences that still count as rounding; see the module.

    Args:
        mask: 1 - Dice of the masks of all slices together, on the grid.
        probability: mean difference of a pixel's probability.
        features: norm of the difference over the reference's norm, of the worst slice.
        marker: largest difference of a marker's calibrated probability.
        logits: largest difference of a logit.
        cams: largest difference of a map over the largest value of its slice's reference.
    """

    mask: float = 0.015
    probability: float = 0.0004
    features: float = 0.35
    marker: float = 0.12
    logits: float = 0.75
    cams: float = 0.20


@dataclass(frozen=True, slots=True)
class Measure:
    """One difference and its tolerance; a difference that is not finite never passes."""

    name: str
    difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance."""
        return bool(self.difference <= self.tolerance)


@dataclass(frozen=True, slots=True)
class MethodTest:
    """What one program did.

    Args:
        method: `SEGMENT` or `CLASSIFY`.
        measures: its differences.
        milliseconds: for a slice, median of the calls.
    """

    method: str
    measures: tuple[Measure, ...]
    milliseconds: float

    @property
    def passed(self) -> bool:
        """Whether every difference is within its tolerance."""
        return all(one.passed for one in self.measures)

    @property
    def worst(self) -> Measure:
        """The measure nearest to its tolerance, or farthest beyond it."""
        return max(self.measures, key=_share)


@dataclass(frozen=True, slots=True)
class SelfTestReport:
    """The answer. With no methods nothing was tested: that is not passed.

    Args:
        methods: one entry for each program.
        slices: reference slices compared.
        untested: why nothing was tested; empty where it was.
    """

    methods: tuple[MethodTest, ...]
    slices: int
    untested: str = ""

    @property
    def tested(self) -> bool:
        """Whether anything was compared."""
        return bool(self.methods)

    @property
    def passed(self) -> bool:
        """Whether it was tested and every program is within its tolerances."""
        return self.tested and all(one.passed for one in self.methods)

    def require(self) -> None:
        """Refuse where the test failed or was not made.

        Raises:
            SelfTestError: it says what was found.
        """
        if self.passed:
            return
        if not self.tested:
            found, expected = self.untested or "no self-test", "a self-test that passed"
        else:
            failed = [(m.method, one) for m in self.methods for one in m.measures if not one.passed]
            found = "the models compute something else on this device: " + ", ".join(
                f"{method} {one.name} differs by {one.difference:.4g}" for method, one in failed
            )
            expected = ", ".join(f"{one.name} at most {one.tolerance:g}" for _, one in failed)
        raise SelfTestError(
            found,
            expected=expected,
            remedy="do not triage on this device; install the app again, and report the device's model",
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SelfTestReport:
        """What `to_json` gave.

        Raises:
            SelfTestError: it is something else.
        """
        try:
            methods = tuple(
                MethodTest(
                    one["method"],
                    tuple(Measure(**measure) for measure in one["measures"]),
                    float(one["milliseconds"]),
                )
                for one in values["methods"]
            )
            return cls(methods, int(values["slices"]), str(values["untested"]))
        except (KeyError, TypeError, ValueError) as error:
            raise SelfTestError(
                "a stored self-test that is not readable",
                expected="a report as the self-test writes it",
                remedy="run the self-test again",
            ) from error


def run_self_test(
    models: Models, *, tolerances: Tolerances | None = None, on_slice: OnSlice | None = None
) -> SelfTestReport:
    """Run both programs on the bundle's references and compare.

    Args:
        models: the loaded bundle.
        tolerances: see `Tolerances`.
        on_slice: told after each slice.
    Raises:
        SelfTestError: the bundle has no references, or they are unusable.
        IntegrityError: their file is missing or differs from the manifest.
        BackendError: a program failed.
    """
    references = load_references(models.folder, models.manifest)
    segmented: list[tuple[Array, Array]] = []
    classified: list[tuple[Array, Array]] = []
    seconds: dict[str, list[float]] = {SEGMENT: [], CLASSIFY: []}
    for first in range(0, len(references), models.slices_a_call):
        group = range(first, min(first + models.slices_a_call, len(references)))
        with _timed(seconds[SEGMENT]):
            segmented += models.segment_slices([as_input(references.images[i]) for i in group])
        for index in group:
            # The reference's features: each program is judged on its own.
            with _timed(seconds[CLASSIFY]):
                classified.append(
                    models.classify(as_input(references.crops[index]), references.features[index])
                )
            if on_slice is not None:
                on_slice(index + 1, len(references))
    limits = tolerances or Tolerances()
    measures = {
        SEGMENT: _segmenter(_stacked(segmented), references, models, limits),
        CLASSIFY: _classifier(_stacked(classified), references, models, limits),
    }
    slices = {SEGMENT: models.slices_a_call, CLASSIFY: 1}
    return SelfTestReport(
        tuple(
            MethodTest(method, measures[method], 1000 * float(np.median(times)) / slices[method])
            for method, times in seconds.items()
        ),
        len(references),
    )


@contextmanager
def _timed(seconds: list[float]) -> Iterator[None]:
    """Add what runs inside."""
    start = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - start)


def _stacked(rows: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    first, second = (np.stack(values) for values in zip(*rows, strict=True))
    return first, second


def _segmenter(
    found: tuple[Array, Array], references: References, models: Models, limits: Tolerances
) -> tuple[Measure, ...]:
    probabilities, features = found
    expected = references.probabilities.astype(np.float32)
    threshold = models.manifest.mask_threshold
    mask, reference = probabilities >= threshold, expected >= threshold
    pixels = int(mask.sum()) + int(reference.sum())
    dice = 2 * int((mask & reference).sum()) / pixels if pixels else 1.0
    norms = np.linalg.norm(references.features, axis=1)
    apart = np.linalg.norm(features - references.features, axis=1)
    return (
        Measure("mask", 1 - dice, limits.mask),
        Measure("probability", float(np.abs(probabilities - expected).mean()), limits.probability),
        Measure("features", float((apart / np.maximum(norms, 1e-12)).max()), limits.features),
    )


def _classifier(
    found: tuple[Array, Array], references: References, models: Models, limits: Tolerances
) -> tuple[Measure, ...]:
    logits, cams = found
    temperatures = np.array([one.temperature for one in models.manifest.markers])
    apart = np.abs(_sigmoid(logits / temperatures) - _sigmoid(references.logits / temperatures))
    peaks = np.abs(references.cams).max(axis=(1, 2, 3), keepdims=True)
    return (
        Measure("marker", float(apart.max()), limits.marker),
        Measure("logits", float(np.abs(logits - references.logits).max()), limits.logits),
        Measure(
            "cams",
            float((np.abs(cams - references.cams) / np.maximum(peaks, 1e-12)).max()),
            limits.cams,
        ),
    )


def _sigmoid(logits: Array) -> Array:
    # Written with tanh: no overflow at any logit.
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))


def _share(measure: Measure) -> float:
    share = measure.difference / measure.tolerance
    return share if np.isfinite(share) else float("inf")

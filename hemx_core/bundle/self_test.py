"""Self-test: do the programs compute here what they computed at export?

The references are prepared phantom slices with the programs' outputs at export.
"""

from __future__ import annotations

import io
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.bundle.load import Models
from hemx_core.errors import SelfTestError
from hemx_core.imaging.prepare import crop_around
from hemx_core.manifest import ModelManifest, open_verified
from hemx_core.notes import Phrase, Value

REFERENCE_NAME = "reference.npz"
LEVELS = 255
DTYPES = {
    "images": "uint8",
    "probabilities": "float16",
    "features": "float32",
    "crops": "uint8",
    "logits": "float32",
    "cams": "float32",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class References:
    """Inputs and outputs of both programs, one entry for each slice; see the module."""

    images: NDArray[np.uint8]
    probabilities: NDArray[np.float16]
    features: NDArray[np.float32]
    crops: NDArray[np.uint8]
    logits: NDArray[np.float32]
    cams: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.images)

    def to_bytes(self) -> bytes:
        """The file; the same content gives the same bytes."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{name: getattr(self, name) for name in DTYPES})
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> References:
        """Read a file's bytes.

        Raises:
            SelfTestError: not such a file, or arrays are missing, surplus or of another type.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise _unusable("references.unreadable", kind=type(error).__name__) from error
        if {name: str(array.dtype) for name, array in arrays.items()} != DTYPES:
            if not arrays:
                raise _unusable("references.no_arrays")
            raise _unusable("references.arrays", arrays=tuple(sorted(arrays)))
        return cls(**arrays)

    def check(self, manifest: ModelManifest) -> None:
        """Compare the shapes with the manifest's, and look for what is not finite.

        Raises:
            SelfTestError: an array has another shape, or there is no slice, or a value is not finite.
        """
        image, features = manifest.segmenter.inputs[0], manifest.segmenter.outputs[1]
        logits, cam = manifest.classifier.outputs
        expected = {
            "images": image.shape[2:],
            "probabilities": image.shape[2:],
            "features": features.shape[1:],
            "crops": manifest.classifier.inputs[0].shape[2:],
            "logits": logits.shape[1:],
            "cams": cam.shape[1:],
        }
        for name, shape in expected.items():
            array = getattr(self, name)
            if array.shape != (len(self), *shape) or len(self) == 0:
                raise _unusable("references.shape", name=name, shape=str(array.shape))
            if not np.isfinite(array).all():
                raise _unusable("references.not_finite", name=name)


def record_references(models: Models, images: Sequence[NDArray[np.float32]]) -> References:
    """Run both programs over prepared slices and keep what went in and came out.

    Args:
        models: the loaded programs.
        images: prepared phantom slices, each (size, size), [0, 1]; rounded to 1/255 first.
    """
    levels = np.stack([np.rint(np.asarray(image) * LEVELS) for image in images]).astype(np.uint8)
    rows: dict[str, list[NDArray[np.generic]]] = {name: [] for name in DTYPES}
    for level in levels:
        image = as_input(level)
        probabilities, features = models.segment(image)
        mask = probabilities >= models.manifest.mask_threshold
        crop, _ = crop_around(image, mask, models.manifest.crop_size)
        logits, cam = models.classify(crop, features)
        crop_level = np.rint(crop * LEVELS)
        for name, value in zip(
            DTYPES, (level, probabilities, features, crop_level, logits, cam), strict=True
        ):
            rows[name].append(value.astype(DTYPES[name]))
    references = References(**{name: np.stack(values) for name, values in rows.items()})
    references.check(models.manifest)
    return references


def load_references(folder: Path, manifest: ModelManifest) -> References:
    """Read and check a bundle's references.

    Raises:
        SelfTestError: the bundle has none, or they are unusable.
        IntegrityError: the file is missing or differs from the manifest.
    """
    if manifest.reference is None:
        raise SelfTestError("no_references")
    path = folder / manifest.reference.file
    sha256, size = manifest.reference.sha256, manifest.reference.bytes
    with open_verified(path, sha256=sha256, size=size) as stream:
        content = stream.read(size)
    references = References.from_bytes(content)
    references.check(manifest)
    return references


def as_input(levels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Stored levels as a program's input, [0, 1]."""
    return levels.astype(np.float32) / np.float32(LEVELS)


def _unusable(code: str, **values: Value) -> SelfTestError:
    return SelfTestError("references_unusable", what=Phrase(code, **values))


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
        return all(measure.passed for measure in self.measures)

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
        return self.tested and all(method.passed for method in self.methods)

    def require(self) -> None:
        """Refuse where the test failed or was not made.

        Raises:
            SelfTestError: it says what was found.
        """
        if self.passed:
            return
        if not self.tested:
            raise SelfTestError("not_tested")
        failed = [
            (m.method, measure)
            for m in self.methods
            for measure in m.measures
            if not measure.passed
        ]
        raise SelfTestError(
            "computes_otherwise",
            failed=tuple(
                Phrase(
                    "difference", method=method, name=measure.name, difference=measure.difference
                )
                for method, measure in failed
            ),
            limits=tuple(
                Phrase("at_most", name=measure.name, limit=measure.tolerance)
                for _, measure in failed
            ),
        )


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
    temperatures = np.array([marker.temperature for marker in models.manifest.markers])
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

"""Small stand-ins shared by the tests: heads, manifests, models. Nothing here imports torch."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.spec import PreprocessingSpec
from hemx_core.imaging.volume import HUVolume, SeriesIdentity
from hemx_core.manifest import MarkerSpec, ModelManifest, ProgramSpec
from hemx_core.markers import MARKER_CODES


def make_manifest(
    *,
    size: int = 256,
    crop_size: int = 128,
    thresholds: tuple[float, ...] = (0.5, 0.5, 0.5, 0.5),
    temperatures: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0),
    min_component_ml: float = 0.1,
    executorch: str = "0",
) -> ModelManifest:
    """A manifest of programs that do not exist."""

    def program(file: str, digit: str) -> ProgramSpec:
        return ProgramSpec(file, digit * 64, 0, (), ())

    return ModelManifest(
        recipe="fake",
        executorch=executorch,
        preprocessing=PreprocessingSpec(size=size),
        segmenter=program("segmenter.pte", "a"),
        classifier=program("classifier.pte", "b"),
        crop_size=crop_size,
        mask_threshold=0.5,
        min_component_ml=min_component_ml,
        markers=tuple(
            MarkerSpec(code, temperature, threshold)
            for code, temperature, threshold in zip(
                MARKER_CODES, temperatures, thresholds, strict=True
            )
        ),
    )


def simple_head(
    *,
    slices: int = 6,
    matrix: int = 160,
    pixel_mm: float = 1.5,
    clot_mm: float = 0.0,
    clot_slices: tuple[int, ...] = (2, 3),
    identity: SeriesIdentity | None = None,
) -> HUVolume:
    """Elliptic heads of noisy brain in bone, 5 mm apart; a round clot of 65 HU, left of the middle.

    The clot's centre lies 30 mm to the right in the picture, its radius is `clot_mm`.
    """
    rng = np.random.default_rng(7)
    row, column = np.mgrid[:matrix, :matrix] * pixel_mm - (matrix - 1) / 2 * pixel_mm
    reach = np.hypot(row / 90, column / 70)
    hu = np.full((slices, matrix, matrix), -1000.0)
    hu[:, reach <= 1.0] = 40
    hu[:, reach <= 0.96] = 1200
    hu[:, reach <= 0.88] = 32
    hu += rng.normal(0, 4, hu.shape)
    for index in clot_slices:
        hu[index][np.hypot(row, column - 30) <= clot_mm] = 65
    return HUVolume.from_array(hu, spacing_mm=(5.0, pixel_mm, pixel_mm), identity=identity)


class ThresholdModels:
    """Models for triage without a network: blood is what is brighter than 50 HU after smoothing.

    Logits are fixed; every map is the crop itself, coarse, so that it shines where the clot is.
    `crops` keeps what the classifier was given.
    """

    backend_name = "fake"
    backend_version = "1"

    def __init__(
        self,
        manifest: ModelManifest | None = None,
        logits: tuple[float, ...] = (-2.0, -2.0, -2.0, -2.0),
    ) -> None:
        self.manifest = manifest or make_manifest()
        self.logits = np.array(logits, dtype=np.float32)
        self.crops: list[NDArray[np.float32]] = []

    def segment(
        self, image: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probability of blood (S, S) and four features, the first one the mean of the image."""
        hu = cv2.GaussianBlur(image, (0, 0), 1.0) * 80
        probabilities = 1 / (1 + np.exp(-(hu - 50) / 2))
        return probabilities.astype(np.float32), np.full(4, image.mean(), dtype=np.float32)

    def classify(
        self, crop: NDArray[np.float32], features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The fixed logits and four maps (4, 8, 8)."""
        self.crops.append(crop)
        coarse = cv2.resize(crop, (8, 8), interpolation=cv2.INTER_AREA)
        return self.logits.copy(), np.stack([coarse - 0.5] * 4)

"""Load a model bundle: manifest, segmenter and classifier behind one object."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

import hemx_core
from hemx_core.errors import BackendError, ManifestError
from hemx_core.manifest import MANIFEST_NAME, ModelManifest
from hemx_core.runtime.program import Backend, Program

BUNDLE_VARIABLE = "HEMX_MODELS"
APP_MODELS = ("mobile_app", "assets", "models")


@dataclass(frozen=True, eq=False, kw_only=True)
class Models:
    """The two loaded programs and their manifest, to be closed or used in a `with` statement.

    Args:
        manifest: the verified manifest.
        segmenter: image -> (probabilities, features).
        classifier: (crop, features) -> (logits, cam).
        backend_name: which runtime runs them.
        backend_version: its version.
        folder: where the bundle lies.
    """

    manifest: ModelManifest
    segmenter: Program
    classifier: Program
    backend_name: str
    backend_version: str
    folder: Path

    def segment(
        self, image: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Segment one prepared slice.

        Args:
            image: shape (size, size), float32, [0, 1].
        Returns:
            Probability of blood, shape (size, size), and pooled features, shape (channels,).
        Raises:
            ModelInputError: the image does not fit the manifest or is not finite.
            BackendError: the runtime failed.
        """
        probabilities, features = self.segmenter([image[None, None]])
        return probabilities[0, 0], features[0]

    def classify(
        self, crop: NDArray[np.float32], features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Classify the haematoma on one slice.

        Args:
            crop: the region round the haematoma, shape (crop_size, crop_size), float32, [0, 1].
            features: the segmenter's features of the same slice, shape (channels,).
        Returns:
            Logits, shape (markers,), and class activation maps, shape (markers, k, k), both in the
            order of `MARKER_CODES`.
        Raises:
            ModelInputError: an input does not fit the manifest or is not finite.
            BackendError: the runtime failed.
        """
        logits, cam = self.classifier([crop[None, None], features[None]])
        return logits[0], cam[0]

    def close(self) -> None:
        """Free both programs; closing twice is harmless."""
        self.segmenter.close()
        self.classifier.close()

    def __enter__(self) -> Models:
        """The models themselves."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the models."""
        self.close()


def load_models(folder: Path | None = None, backend: Backend | None = None) -> Models:
    """Verify and load a bundle.

    Args:
        folder: the bundle; by default `HEMX_MODELS`, else the one in the installed tree.
        backend: the runtime; by default ExecuTorch's desktop runtime.
    Raises:
        ManifestError: no bundle, or a manifest that does not fit this version.
        IntegrityError: a file differs from the manifest.
        BackendError: the runtime is missing, of another version than wrote the bundle, or fails.
    """
    folder = Path(folder) if folder is not None else default_bundle()
    manifest = ModelManifest.load(folder)
    backend = backend if backend is not None else _desktop_backend()
    if backend.version != manifest.executorch:
        raise BackendError(
            f"{backend.name} {backend.version} and a bundle written by ExecuTorch "
            f"{manifest.executorch}",
            expected=f"version {manifest.executorch}",
            remedy=f"pip install executorch=={manifest.executorch}, or export the bundle again",
        )
    segmenter = backend.open(folder / manifest.segmenter.file, manifest.segmenter)
    try:
        classifier = backend.open(folder / manifest.classifier.file, manifest.classifier)
    except BaseException:
        segmenter.close()
        raise
    return Models(
        manifest=manifest,
        segmenter=segmenter,
        classifier=classifier,
        backend_name=backend.name,
        backend_version=backend.version,
        folder=folder,
    )


def default_bundle() -> Path:
    """Where the bundle lies unless told otherwise: `HEMX_MODELS`, else the app's assets.

    Raises:
        ManifestError: neither exists.
    """
    override = os.environ.get(BUNDLE_VARIABLE)
    if override:
        return Path(override)
    folder = app_models_folder()
    if not (folder / MANIFEST_NAME).is_file():
        raise ManifestError(
            "no model bundle in the installed tree",
            expected=f"{'/'.join(APP_MODELS)}/{MANIFEST_NAME}, or {BUNDLE_VARIABLE} set",
            remedy="name the bundle's folder, or write one with `hemx export`",
        )
    return folder


def app_models_folder() -> Path:
    """Where the app keeps its bundle: beside this package, in a checkout and installed alike."""
    return Path(hemx_core.__file__).resolve().parents[1].joinpath(*APP_MODELS)


def _desktop_backend() -> Backend:
    from hemx_core.runtime.pte_desktop import DesktopBackend

    return DesktopBackend()

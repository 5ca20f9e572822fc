"""Verify and load a model bundle: one object with the manifest, the segmenter and the classifier."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

import hemx_core
from hemx_core.bundle.signature import (
    SIGNATURE_NAME,
    TrustedKey,
    check_signature,
    read_signature,
    trusted_keys,
)
from hemx_core.device.machine import on_android
from hemx_core.errors import BackendError, ManifestError, ModelInputError, SignatureError
from hemx_core.manifest import MANIFEST_NAME, ModelManifest, read_manifest
from hemx_core.notes import Note, Severity
from hemx_core.runtime.program import Backend, OutsideBackend, Program

BUNDLE_VARIABLE = "HEMX_MODELS"
MODELS = Path(hemx_core.__file__).resolve().parent / "assets" / "models"

Array = NDArray[np.float32]

UNSIGNED = Note("models_unsigned", Severity.WARNING)
LOCAL_KEY = Note("models_local_key", Severity.CAUTION)


@dataclass(frozen=True, kw_only=True)
class VerifiedBundle:
    """A bundle whose signature, manifest and files have been checked; no program has been opened.

    Args:
        folder: where it lies.
        manifest: the verified manifest.
        signed_by: the trusted key that signed it; None if unsigned bundles were allowed.
    """

    folder: Path
    manifest: ModelManifest
    signed_by: TrustedKey | None

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a result must say of the models' origin; nothing where a release key signed them."""
        if self.signed_by is None:
            return (UNSIGNED,)
        return () if self.signed_by.release else (LOCAL_KEY,)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Models:
    """The two loaded programs and their manifest, to be closed or used in a `with` statement.

    Args:
        manifest: the verified manifest.
        segmenter: images -> (probabilities, features), `slices_a_call` of them.
        classifier: (crop, features) -> (logits, cam).
        backend_name: which runtime runs them.
        backend_version: its version.
        folder: where the bundle lies.
        notes: what a result must say of the models' origin.
        process_id: of the process that runs them, where it is not this one.
    """

    manifest: ModelManifest
    segmenter: Program
    classifier: Program
    backend_name: str
    backend_version: str
    folder: Path
    notes: tuple[Note, ...] = ()
    process_id: int | None = None

    @property
    def slices_a_call(self) -> int:
        """How many slices `segment_slices` takes at most; fewer take as long."""
        return self.manifest.slices_a_call

    def segment(self, image: Array) -> tuple[Array, Array]:
        """Segment one prepared slice; see `segment_slices`, which is faster for several."""
        return self.segment_slices([image])[0]

    def segment_slices(self, images: Sequence[Array]) -> list[tuple[Array, Array]]:
        """Segment prepared slices in one call of the program.

        Args:
            images: 1 to `slices_a_call`, each of shape (size, size), float32, [0, 1]. No slice depends on
                the others.
        Returns:
            For each its probability of blood, shape (size, size), and pooled features, shape (channels,).
        Raises:
            ModelInputError: too many images or none, or one does not fit the manifest or is not finite.
            BackendError: the runtime failed.
        """
        most = self.slices_a_call
        if not 1 <= len(images) <= most or len({image.shape for image in images}) != 1:
            raise ModelInputError(
                "call_size",
                slices=len(images),
                shapes=str(sorted({image.shape for image in images})),
                most=most,
            )
        given = np.stack(images)[:, None]
        if len(images) < most:
            # The program's shapes are fixed: what is missing is empty, and its answers are dropped.
            empty = np.zeros((most - len(images), *given.shape[1:]), given.dtype)
            given = np.concatenate([given, empty])
        probabilities, features = self.segmenter([given])
        return [(probabilities[place, 0], features[place]) for place in range(len(images))]

    def classify(self, crop: Array, features: Array) -> tuple[Array, Array]:
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

    def __repr__(self) -> str:
        """Recipe, runtime and folder."""
        runtime = f"{self.backend_name} {self.backend_version}"
        return f"<Models {self.manifest.recipe}, {runtime}, {self.folder}>"

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


def verify_bundle(
    folder: Path, *, keys: Iterable[TrustedKey] | None = None, allow_unsigned: bool = False
) -> VerifiedBundle:
    """Check a bundle's signature, then its manifest, then its files; opens no program.

    Args:
        folder: the bundle.
        keys: which keys are trusted; by default those of `trusted_keys`.
        allow_unsigned: accept a bundle without a signature; a wrong one is refused all the same.
    Raises:
        SignatureError: the signature is missing, malformed or wrong.
        UnknownKeyError: none of the keys signed it.
        ManifestError: no manifest, or one that does not fit this version.
        IntegrityError: a file differs from the manifest.
    """
    content, signature = read_manifest(folder), read_signature(folder)
    signed_by = None
    if signature is not None:
        signed_by = check_signature(
            content, signature, trusted_keys() if keys is None else tuple(keys)
        )
    elif not allow_unsigned:
        raise SignatureError("unsigned", file=SIGNATURE_NAME)
    manifest = ModelManifest.from_bytes(content)
    manifest.verify_files(folder)
    return VerifiedBundle(folder=folder, manifest=manifest, signed_by=signed_by)


def load_models(
    folder: Path | str | None = None,
    backend: Backend | None = None,
    *,
    threads: int | None = None,
    allow_unsigned: bool = False,
) -> Models:
    """Verify and load a bundle.

    Args:
        folder: the bundle; by default `HEMX_MODELS`, else the one in the installed tree.
        backend: the runtime; by default ExecuTorch's, the tablet's on Android, else the desktop's.
        threads: of the default runtime, and of OpenCV in the whole process; None leaves both.
        allow_unsigned: see `verify_bundle`.
    Raises:
        SignatureError: no signature by a trusted key.
        ManifestError: no bundle, or a manifest that does not fit this version.
        IntegrityError: a file differs from the manifest.
        BackendError: the runtime is missing, of another version than wrote the bundle, or fails.
    """
    folder = Path(folder) if folder is not None else default_bundle()
    verified = verify_bundle(folder, allow_unsigned=allow_unsigned)
    manifest = verified.manifest
    backend = backend if backend is not None else _default_backend(threads)
    if backend.version != manifest.executorch:
        raise BackendError(
            "runtime_version", name=backend.name, found=backend.version, needed=manifest.executorch
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
        notes=verified.notes,
        process_id=backend.process_id if isinstance(backend, OutsideBackend) else None,
    )


def default_bundle() -> Path:
    """The default bundle: `HEMX_MODELS`, else the shipped one.

    Raises:
        ManifestError: neither exists.
    """
    override = os.environ.get(BUNDLE_VARIABLE)
    if override:
        return Path(override)
    folder = app_models_folder()
    if not (folder / MANIFEST_NAME).is_file():
        raise ManifestError(
            "no_bundle", file=MANIFEST_NAME, folder=folder.name, variable=BUNDLE_VARIABLE
        )
    return folder


def app_models_folder() -> Path:
    """Where the shipped bundle lies: in this package, in a checkout, installed and on the device alike."""
    return MODELS


def _default_backend(threads: int | None) -> Backend:
    """The tablet's runtime on Android, else the desktop's."""
    if threads is not None:
        import cv2

        cv2.setNumThreads(threads)
    if on_android():
        from hemx_core.runtime.android import AndroidBackend

        return AndroidBackend(threads=threads)
    from hemx_core.runtime.desktop import DesktopBackend

    return DesktopBackend(threads=threads)

"""What the self-test compares with: prepared phantom slices and what the programs made of them at export.

    images          uint8    (slices, S, S)     level / 255 is the segmenter's input
    probabilities   float16  (slices, S, S)     the segmenter's first output
    features        float32  (slices, channels) its second, and the classifier's second input
    crops           uint8    (slices, K, K)     level / 255 is the classifier's first input
    logits          float32  (slices, markers)
    cams            float32  (slices, markers, k, k)

One compressed NumPy file in the bundle. The slices are phantoms: nothing of a patient is in a bundle.
Inputs are whole levels, so that they come back bit for bit.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import SelfTestError
from hemx_core.imaging.crop import crop_around
from hemx_core.manifest import ModelManifest, verify_file
from hemx_core.runtime.bundle import Models

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
            raise _unusable(f"not readable ({type(error).__name__})") from error
        if {name: str(array.dtype) for name, array in arrays.items()} != DTYPES:
            raise _unusable(f"of other arrays: {', '.join(sorted(arrays)) or 'none'}")
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
                raise _unusable(f"with {name} of shape {array.shape}")
            if not np.isfinite(array).all():
                raise _unusable(f"with {name} that are not finite")


def record_references(models: Models, images: Sequence[NDArray[np.float32]]) -> References:
    """Run both programs over prepared slices and keep what went in and came out.

    Args:
        models: the loaded programs.
        images: prepared phantom slices, each (size, size), [0, 1]; rounded to 1/255 first.
    """
    levels = np.stack([np.rint(np.asarray(one) * LEVELS) for one in images]).astype(np.uint8)
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
        raise SelfTestError(
            "a bundle without reference outputs",
            expected="reference inputs and outputs to test this device with",
            remedy="install a bundle that was exported with this version of HEMX",
        )
    path = folder / manifest.reference.file
    verify_file(path, sha256=manifest.reference.sha256, size=manifest.reference.bytes)
    references = References.from_bytes(path.read_bytes())
    references.check(manifest)
    return references


def as_input(levels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Stored levels as a program's input, [0, 1]."""
    return levels.astype(np.float32) / np.float32(LEVELS)


def _unusable(what: str) -> SelfTestError:
    return SelfTestError(
        f"a bundle whose reference file is {what}",
        expected="the inputs and outputs of both programs, as the manifest describes them",
        remedy="copy the bundle again or export it again",
    )

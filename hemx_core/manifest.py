"""The contract between the export and the device: a JSON manifest beside the `.pte` files.

Loading checks the schema, the version and every file's size and SHA-256 before any program is opened.
Who signed the manifest is checked before that, by `hemx_core.bundle.load.verify_bundle`.

Schema versions. What a manifest holds decides its version, so that one content has one form:
    1    programs only
    2    adds `reference`, the inputs and outputs of the device's self-test
    3    a segmenter that takes several slices a call; with or without `reference`
    4    adds `volume_interval` and `growth_interval`, each where it was measured, and of the markers how
         slices make the patient, whether each is validated, and the evidence, where one differs from what
         older ones mean: the largest logit, and no marker validated
A reader takes its own version and all older ones. It refuses a newer version, and any field that it does not
know: a field that an older program would pass over could be the one that matters.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from hemx_core.errors import IntegrityError, ManifestError, cause
from hemx_core.files import open_regular, read_whole, write_whole
from hemx_core.imaging.spec import MAX_SIZE, PreprocessingSpec
from hemx_core.intervals import GrowthInterval, VolumeInterval
from hemx_core.markers import MARKER_CODES, Aggregation, Evidence, ReadBy
from hemx_core.records import Json, RecordError, from_values, parse_json, to_values

SCHEMA_VERSION = 4
"""The newest; see above."""
FIRST_VERSION = 1
MANIFEST_NAME = "manifest.json"
MAX_MANIFEST_BYTES = 2**20
"""The shipped one has 10 KiB."""
_OPTIONAL = ("reference", "volume_interval", "growth_interval")
"""Fields that are left out where there is nothing."""
_OF_VERSION_4 = ("aggregation", "validated", "evidence")
"""Of a marker: left out where no marker has any of them."""
SHARE = (0.0, 1.0)
TEMPERATURES = (0.01, 100.0)
MAX_COMPONENT_ML = 50.0
MAX_VALUES = 2**28
"""Of a graph's input or output."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, shape, dtype and axis order of a graph's input or output."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    axes: str

    def __post_init__(self) -> None:
        check_range(f"shape of {self.name[:32]}", min(self.shape, default=0), 1, MAX_VALUES)
        check_range(f"size of {self.name[:32]}", math.prod(self.shape), 1, MAX_VALUES)


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file of the bundle that is no program."""

    file: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """One ExecuTorch program: its file and its `forward` method's inputs and outputs."""

    file: str
    sha256: str
    bytes: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True, slots=True)
class MarkerSpec:
    """How a marker's logits become a probability and a decision, and whether that gives advice.

    Args:
        code: one of `MARKER_CODES`.
        temperature: the patient's logit is divided by it.
        threshold: probability from which the marker is present.
        aggregation: how logits of slices make the patient's.
        validated: whether it is shown to hold on real patients; else it does not enter the recommendation.
        evidence: what was shown; None where nothing was measured.
    Raises:
        ManifestError: a number out of its range, or validated without evidence on real patients.
    """

    code: str
    temperature: float
    threshold: float
    aggregation: Aggregation = Aggregation.MAX
    validated: bool = False
    evidence: Evidence | None = None

    def __post_init__(self) -> None:
        name = self.code[:32]
        check_range(f"temperature of {name}", self.temperature, *TEMPERATURES)
        check_range(f"threshold of {name}", self.threshold, *SHARE)
        real = self.evidence is not None and self.evidence.read_by != ReadBy.SYNTHETIC
        if self.validated and not real:
            raise ManifestError("manifest_evidence", marker=name)
        if self.evidence is not None:
            for field_, value in _shares(self.evidence):
                check_range(f"{field_} of {name}", value, *SHARE)

    @property
    def plain(self) -> bool:
        """Whether it says no more than a manifest of before version 4 could."""
        older = MarkerSpec(self.code, self.temperature, self.threshold)
        return self == older


def _shares(evidence: Evidence) -> Iterator[tuple[str, float]]:
    for name in ("sensitivity", "specificity"):
        value, interval = getattr(evidence, name), getattr(evidence, f"{name}_95")
        yield from ((name, share) for share in (value, *(interval or ())) if share is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelManifest:
    """Everything the device must know of a bundle.

    Args:
        recipe: name of the export recipe.
        executorch: exact ExecuTorch version that wrote the programs.
        preprocessing: how slices are prepared for the segmenter.
        segmenter: inputs (image); outputs (probabilities, features); the first axis of each is the
            slices of a call.
        classifier: inputs (crop, features); outputs (logits, cam).
        crop_size: rows and columns of the classifier's crop, on the segmenter's grid.
        mask_threshold: probability from which a pixel counts as blood.
        min_component_ml: smaller connected components are dropped from the mask.
        markers: of each marker how it is decided, in the order of `MARKER_CODES`.
        training: data, licence and attribution of the weights.
        parity: measured differences between the exported and the trained graphs.
        accuracy: measured accuracy.
        hemx: version of HEMX that wrote the bundle.
        reference: inputs and outputs for the self-test; None where a bundle has none.
        volume_interval, growth_interval: how far a volume and a growth are off; None where nobody measured
            it with these networks: then none is told.
        schema_version: the lowest that has all that the manifest holds; follows by itself.
    """

    recipe: str
    executorch: str
    preprocessing: PreprocessingSpec
    segmenter: ProgramSpec
    classifier: ProgramSpec
    crop_size: int
    mask_threshold: float
    min_component_ml: float
    markers: tuple[MarkerSpec, ...]
    training: Json = field(default_factory=dict)
    parity: Json = field(default_factory=dict)
    accuracy: Json = field(default_factory=dict)
    hemx: str = ""
    reference: FileSpec | None = None
    volume_interval: VolumeInterval | None = None
    growth_interval: GrowthInterval | None = None
    schema_version: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "schema_version", self._least_version())
        codes = tuple(marker.code for marker in self.markers)
        if codes != MARKER_CODES:
            raise ManifestError("manifest_markers", found=codes, needed=MARKER_CODES)
        check_range("crop_size", self.crop_size, 8, MAX_SIZE)
        check_range("mask_threshold", self.mask_threshold, *SHARE)
        check_range("min_component_ml", self.min_component_ml, 0, MAX_COMPONENT_ML)

    def _least_version(self) -> int:
        intervals = (self.volume_interval, self.growth_interval)
        if any(each is not None for each in intervals) or not all(
            marker.plain for marker in self.markers
        ):
            return 4
        if self.slices_a_call > 1:
            return 3
        return FIRST_VERSION if self.reference is None else 2

    @property
    def slices_a_call(self) -> int:
        """Slices that the segmenter takes in every call.

        Raises:
            ManifestError: its inputs and outputs do not agree on it.
        """
        tensors = (*self.segmenter.inputs, *self.segmenter.outputs)
        counts = {tensor.shape[0] if tensor.shape else 0 for tensor in tensors} or {1}
        if len(counts) != 1 or min(counts) < 1:
            raise ManifestError("manifest_batch", counts=tuple(sorted(counts)))
        return counts.pop()

    def to_json(self) -> str:
        """The manifest's text, stable in order; a version has no fields of a later one."""
        values = to_values(self) | {"schema_version": self.schema_version}
        for name in _OPTIONAL:
            if values[name] is None:
                del values[name]
        if all(marker.plain for marker in self.markers):
            for marker in values["markers"]:
                for name in _OF_VERSION_4:
                    del marker[name]
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelManifest:
        """Read a manifest's text.

        Raises:
            ManifestError: not JSON, an unknown schema version, or fields missing or unknown.
        """
        try:
            values = parse_json(text)
            version = values.pop("schema_version")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ManifestError("manifest_unreadable", reason=cause(error)) from error
        if type(version) is not int or version not in range(FIRST_VERSION, SCHEMA_VERSION + 1):
            raise ManifestError(
                "manifest_version", found=str(version), first=FIRST_VERSION, last=SCHEMA_VERSION
            )
        try:
            manifest = from_values(cls, values)
            if manifest.schema_version != version:
                raise RecordError(f"what it holds belongs to version {manifest.schema_version}")
            _check_whole(values, json.loads(manifest.to_json()))
            for file in manifest.files:
                _check_name(file.file)
            return manifest
        except (RecordError, RecursionError) as error:
            raise ManifestError("manifest_fields", reason=str(error), version=version) from error

    def save(self, folder: Path) -> Path:
        """Write the manifest into a folder, whole or not at all."""
        return write_whole(folder / MANIFEST_NAME, self.to_json())

    @classmethod
    def load(cls, folder: Path) -> ModelManifest:
        """Read a bundle's manifest and verify every file it names.

        Raises:
            ManifestError: missing or wrong manifest.
            IntegrityError: a file is missing or differs in size or SHA-256.
        """
        manifest = cls.from_bytes(read_manifest(folder))
        manifest.verify_files(folder)
        return manifest

    @classmethod
    def from_bytes(cls, content: bytes) -> ModelManifest:
        """Read a manifest file's bytes; see `from_json`."""
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise ManifestError("manifest_not_text", reason=cause(error)) from error
        return cls.from_json(text)

    def verify_files(self, folder: Path) -> None:
        """Check size and SHA-256 of every file.

        Raises:
            IntegrityError: a file is missing or differs.
        """
        for file in self.files:
            verify_file(folder / file.file, sha256=file.sha256, size=file.bytes)

    @property
    def files(self) -> tuple[ProgramSpec | FileSpec, ...]:
        """Every file of the bundle beside manifest and signature."""
        programs = (self.segmenter, self.classifier)
        return programs if self.reference is None else (*programs, self.reference)


def read_manifest(folder: Path) -> bytes:
    """The bytes of a bundle's manifest.

    Raises:
        ManifestError: there is none, or it cannot be read.
    """
    try:
        return read_whole(folder / MANIFEST_NAME, MAX_MANIFEST_BYTES)
    except OSError as error:
        raise ManifestError(
            "no_manifest", folder=str(folder), reason=cause(error), file=MANIFEST_NAME
        ) from error


def check_range(name: str, value: float, least: float, most: float) -> None:
    """Refuse a number that no bundle has.

    Raises:
        ManifestError: it is out of the range, or no number.
    """
    if not least <= value <= most:
        raise ManifestError("manifest_range", field=name, found=value, least=least, most=most)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify_file(path: Path, *, sha256: str, size: int) -> None:
    """Check a file's size and hash.

    Raises:
        IntegrityError: the file is missing or differs.
    """
    with open_verified(path, sha256=sha256, size=size):
        pass


@contextmanager
def open_verified(path: Path, *, sha256: str, size: int) -> Iterator[BufferedReader]:
    """Open a file, check size and hash of what was opened, and give it, at its start.

    Raises:
        IntegrityError: the file is missing or differs.
    """
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(open_regular(path))
            found = os.fstat(stream.fileno()).st_size
            # The size first: hashing a large file takes long.
            digest = hashlib.file_digest(stream, "sha256").hexdigest() if found == size else ""
            stream.seek(0)
        except OSError as error:
            raise IntegrityError("file_missing", file=path.name) from error
        if found != size:
            raise IntegrityError("file_size", file=path.name, found=found, needed=size)
        if digest != sha256:
            raise IntegrityError("file_hash", file=path.name, found=digest, needed=sha256)
        yield stream


def _check_whole(read: Json, written: Json) -> None:
    """Refuse a manifest without a field that has a default: what it says would not be what was signed."""
    other = [name for name in read if _text(read[name]) != _text(written.get(name))]
    if other or read.keys() | {"schema_version"} != written.keys():
        raise RecordError(f"not every field is there (look at {', '.join(other) or 'the top'})")


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _check_name(name: str) -> None:
    if Path(name).name != name or not name or "\0" in name:
        raise RecordError(f"file name {name!r} leaves the bundle folder")

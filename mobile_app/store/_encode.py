"""Results, corrections and comparisons to rows and back, without loss.

Numbers travel as JSON, whose text of a float64 reads back to the same float64; masks as packed bits and
maps as float32, both deflated. Every record carries a SHA-256 of what was written.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hemx_core import records
from hemx_core.imaging.volume import Coverage, SeriesIdentity, VolumeGeometry
from hemx_core.intervals import GrowthInterval, VolumeInterval
from hemx_core.notes import Note, Reason
from hemx_core.records import Json
from hemx_core.result import (
    Haematoma,
    MarkerResult,
    Recommendation,
    SignResult,
    SliceResult,
    StageCost,
    TriageResult,
)
from mobile_app.errors import DamagedStoreError

if TYPE_CHECKING:
    from cattrs import Converter

    from hemx_core.comparison import ComparisonResult

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """An array on its way to a row: its shape as JSON and its bytes, deflated."""

    shape: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedSlice:
    """A row of the table `slices`."""

    document: str
    cam: Packed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedResult:
    """What a triage result is stored as."""

    document: str
    mask: Packed
    slices: tuple[EncodedSlice, ...]

    @property
    def sha256(self) -> str:
        """Hash of everything, the lengths included, so that no two results share one."""
        parts: list[str | bytes] = [self.document, self.mask.shape, self.mask.content]
        for slice_ in self.slices:
            parts += [
                slice_.document,
                *((slice_.cam.shape, slice_.cam.content) if slice_.cam else ("", "")),
            ]
        return digest(parts)


def _is_array(kind: Any) -> bool:
    return getattr(kind, "__origin__", kind) is np.ndarray


def digest(parts: Sequence[str | bytes]) -> str:
    """SHA-256 over parts, each preceded by its length."""
    total = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8") if isinstance(part, str) else part
        total.update(len(content).to_bytes(8, "little"))
        total.update(content)
    return total.hexdigest()


def to_json(value: object) -> str:
    """JSON text of records and plain values; NumPy numbers become Python's of the same value."""
    plain = _converter().unstructure(value)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), default=_plain)


def from_json(kind: type[T], values: object) -> T:
    """The record that JSON values were made of.

    Raises:
        DamagedStoreError: they do not fit.
    """
    try:
        return records.read_values(_converter(), kind, values)
    except records.RecordError as error:
        raise DamagedStoreError("record_misfit", reason=str(error)) from error


@cache
def _converter() -> Converter:
    """The records' converter, for arrays too: those that lie beside a document are left out of it."""
    from cattrs.gen import make_dict_unstructure_fn, override

    made = records.converter().copy()
    made.register_unstructure_hook_func(_is_array, lambda array: array.tolist())
    # An array that lay beside the document; or a list, which the geometry makes one of.
    made.register_structure_hook_func(_is_array, lambda values, _kind: values)
    beside = override(omit=True)
    made.register_unstructure_hook(
        Haematoma, make_dict_unstructure_fn(Haematoma, made, mask=beside)
    )
    made.register_unstructure_hook(
        SliceResult, make_dict_unstructure_fn(SliceResult, made, cam=beside)
    )
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """A triage result but for its slices; the mask of its haematoma lies beside it."""

    haematoma: Haematoma
    markers: tuple[MarkerResult, ...]
    recommendation: Recommendation
    reasons: tuple[Reason, ...]
    notes: tuple[Note, ...]
    geometry: VolumeGeometry
    identity: SeriesIdentity
    versions: dict[str, str]
    costs: tuple[StageCost, ...]
    signs: tuple[SignResult, ...]
    clipped_to_hu: tuple[float, float] | None = None
    coverage: Coverage | None = None
    volume_interval: VolumeInterval | None = None
    growth_interval: GrowthInterval | None = None


def record_changed(record: str, number: int) -> DamagedStoreError:
    """A record is not what was written."""
    return DamagedStoreError("record_changed", record=record, number=number)


@contextmanager
def decoding(record: str, number: int) -> Iterator[None]:
    """What cannot be decoded is a changed record, whatever is wrong with it.

    Raises:
        DamagedStoreError: instead of what Python raises.
    """
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise record_changed(record, number) from error


def encode_result(result: TriageResult) -> EncodedResult:
    """Make the rows of a result."""
    named = {field.name: getattr(result, field.name) for field in fields(_Document)}
    document = _Document(**named | {"markers": tuple(result.markers.values())})
    slices = tuple(
        EncodedSlice(
            document=to_json(slice_), cam=None if slice_.cam is None else pack_floats(slice_.cam)
        )
        for slice_ in result.slices
    )
    return EncodedResult(document=to_json(document), mask=pack_mask(result.mask), slices=slices)


def decode_result(encoded: EncodedResult) -> TriageResult:
    """The result that the rows were made of.

    Raises:
        DamagedStoreError: an array does not fit its shape, or a document is not a result's.
    """
    document: Json = json.loads(encoded.document)
    document["haematoma"]["mask"] = unpack_mask(encoded.mask)
    known = from_json(_Document, document)
    named = {field.name: getattr(known, field.name) for field in fields(known)}
    slices = tuple(_slice(slice_) for slice_ in encoded.slices)
    markers = {marker.code: marker for marker in known.markers}
    return TriageResult(**named | {"markers": markers, "slices": slices})


def encode_comparison(comparison: ComparisonResult) -> str:
    """JSON text of a comparison without its two results."""
    names = (*_comparison_parts(), "interval_hours", "notes")
    return to_json({name: getattr(comparison, name) for name in names})


def decode_comparison(text: str, earlier: TriageResult, later: TriageResult) -> ComparisonResult:
    """The comparison that the text was made of, with its results put back.

    Raises:
        DamagedStoreError: it is not a comparison's.
    """
    from hemx_core.comparison import ComparisonResult

    document: Json = json.loads(text)
    for study in ("earlier_volume", "later_volume"):
        for name in _OF_BEFORE:
            document[study].pop(name, None)
    parts = {name: from_json(kind, document[name]) for name, kind in _comparison_parts().items()}
    return ComparisonResult(
        earlier=earlier,
        later=later,
        interval_hours=document["interval_hours"],
        notes=tuple(from_json(Note, note) for note in document["notes"]),
        **parts,
    )


_OF_BEFORE = ("surface_mm2", "sampling_sd_ml")
"""What intervals were made of before; the growth that was told then stands as it is."""


def _comparison_parts() -> dict[str, type[Any]]:
    # Imported here: these bring OpenCV and pydicom, and the store opens before the app's first frame.
    from hemx_core.measure.estimate import VolumeEstimate
    from hemx_core.measure.expansion import Growth

    return {
        "earlier_volume": VolumeEstimate,
        "later_volume": VolumeEstimate,
        "growth": Growth,
    }


def pack_mask(mask: NDArray[np.bool_]) -> Packed:
    """Deflate a mask, eight pixels a byte."""
    bits = np.packbits(np.ascontiguousarray(mask, dtype=np.bool_), axis=None)
    return Packed(shape=to_json(mask.shape), content=zlib.compress(bits.tobytes(), 6))


def unpack_mask(packed: Packed) -> NDArray[np.bool_]:
    """The mask, bool, in its shape; see `pack_mask`."""
    shape = tuple(json.loads(packed.shape))
    count = int(np.prod(shape))
    bits = np.frombuffer(_inflate(packed.content, -(-count // 8)), dtype=np.uint8)
    return np.unpackbits(bits, count=count).view(np.bool_).reshape(shape)


def pack_floats(values: NDArray[np.float32]) -> Packed:
    """Deflate a float32 array."""
    content = np.ascontiguousarray(values, dtype="<f4").tobytes()
    return Packed(shape=to_json(values.shape), content=zlib.compress(content, 6))


def unpack_floats(packed: Packed) -> NDArray[np.float32]:
    """The array, float32, in its shape; see `pack_floats`."""
    shape = tuple(json.loads(packed.shape))
    content = _inflate(packed.content, 4 * int(np.prod(shape)))
    return np.frombuffer(content, dtype="<f4").astype(np.float32).reshape(shape)


def _inflate(content: bytes, size: int) -> bytes:
    """Inflate to exactly the size that the shape calls for, and never beyond it."""
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(content, size + 1)
    except zlib.error as error:
        raise DamagedStoreError("array_packed") from error
    if len(inflated) != size:
        raise DamagedStoreError("array_size", found=len(inflated), needed=size)
    return inflated


def _slice(encoded: EncodedSlice) -> SliceResult:
    cam = None if encoded.cam is None else unpack_floats(encoded.cam)
    return from_json(SliceResult, json.loads(encoded.document) | {"cam": cam})


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in a record")

"""Results, corrections and comparisons to rows and back, without loss.

Numbers travel as JSON, whose text of a float64 reads back to the same float64; masks as packed bits and
maps as float32, both deflated. Every record carries a SHA-256 of what was written.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.volume import SeriesIdentity, VolumeGeometry
from hemx_core.notes import Note, Reason
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
    from hemx_core.comparison import ComparisonResult

Json = dict[str, Any]


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
        for one in self.slices:
            parts += [one.document, *((one.cam.shape, one.cam.content) if one.cam else ("", ""))]
        return digest(parts)


def digest(parts: Sequence[str | bytes]) -> str:
    """SHA-256 over parts, each preceded by its length."""
    total = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8") if isinstance(part, str) else part
        total.update(len(content).to_bytes(8, "little"))
        total.update(content)
    return total.hexdigest()


def to_json(value: object) -> str:
    """JSON text; NumPy numbers become Python's of the same value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def encode_result(result: TriageResult) -> EncodedResult:
    """Make the rows of a result."""
    document = {
        "haematoma": _values(result.haematoma, "mask"),
        "markers": [_values(one) for one in result.markers.values()],
        "recommendation": result.recommendation.value,
        "reasons": [reason.to_json() for reason in result.reasons],
        "notes": [note.to_json() for note in result.notes],
        "geometry": {
            name: np.asarray(value).tolist() for name, value in _values(result.geometry).items()
        },
        "identity": identity_json(result.identity),
        "versions": result.versions,
        "costs": [_values(one) for one in result.costs],
        "signs": [_values(one) for one in result.signs],
    }
    slices = tuple(
        EncodedSlice(
            document=to_json(_values(one, "cam")),
            cam=None if one.cam is None else pack_floats(one.cam),
        )
        for one in result.slices
    )
    return EncodedResult(document=to_json(document), mask=pack_mask(result.mask), slices=slices)


def decode_result(encoded: EncodedResult) -> TriageResult:
    """The result that the rows were made of.

    Raises:
        DamagedStoreError: an array does not fit its shape.
    """
    document: Json = json.loads(encoded.document)
    markers = [MarkerResult(**one) for one in document["markers"]]
    mask = unpack_mask(encoded.mask)
    return TriageResult(
        haematoma=Haematoma(mask=mask, **_tuples(document["haematoma"])),
        markers={one.code: one for one in markers},
        slices=tuple(_slice(one) for one in encoded.slices),
        recommendation=Recommendation(document["recommendation"]),
        reasons=tuple(map(Reason.from_json, document["reasons"])),
        notes=tuple(map(Note.from_json, document["notes"])),
        geometry=_geometry(document["geometry"]),
        identity=identity_from_json(document["identity"]),
        versions=document["versions"],
        costs=tuple(StageCost(**one) for one in document["costs"]),
        signs=tuple(SignResult(**one) for one in document["signs"]),
    )


def encode_comparison(comparison: ComparisonResult) -> str:
    """JSON text of a comparison without its two results."""
    return to_json(
        {
            "earlier_volume": _values(comparison.earlier_volume),
            "later_volume": _values(comparison.later_volume),
            "growth": _values(comparison.growth),
            "interval_hours": comparison.interval_hours,
            "notes": [note.to_json() for note in comparison.notes],
        }
    )


def decode_comparison(text: str, earlier: TriageResult, later: TriageResult) -> ComparisonResult:
    """The comparison that the text was made of, with its results put back."""
    # Imported here: these bring OpenCV and pydicom, and the store opens before the app's first frame.
    from hemx_core.comparison import ComparisonResult
    from hemx_core.measure.expansion import Answer, Growth
    from hemx_core.measure.volume import VolumeEstimate

    document: Json = json.loads(text)
    growth = _tuples(document["growth"])
    growth["answers"] = {code: Answer(answer) for code, answer in growth["answers"].items()}
    return ComparisonResult(
        earlier=earlier,
        later=later,
        earlier_volume=VolumeEstimate(**document["earlier_volume"]),
        later_volume=VolumeEstimate(**document["later_volume"]),
        growth=Growth(**growth),
        interval_hours=document["interval_hours"],
        notes=tuple(map(Note.from_json, document["notes"])),
    )


def identity_json(identity: SeriesIdentity) -> Json:
    """An identity as JSON values."""
    acquired = identity.acquired_at
    return asdict(identity) | {"acquired_at": acquired.isoformat() if acquired else None}


def identity_from_json(values: Mapping[str, Any]) -> SeriesIdentity:
    """The identity that the values were made of."""
    known = _tuples(values)
    if known["acquired_at"] is not None:
        known["acquired_at"] = datetime.fromisoformat(known["acquired_at"])
    return SeriesIdentity(**known)


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
        raise damaged("an array cannot be unpacked") from error
    if len(inflated) != size:
        raise damaged(f"an array unpacks to {len(inflated)} bytes, not {size}")
    return inflated


def damaged(found: str) -> DamagedStoreError:
    """A record is not what was written."""
    return DamagedStoreError(
        found, expected="the record as the app wrote it", remedy="triage the study again"
    )


def _slice(encoded: EncodedSlice) -> SliceResult:
    cam = None if encoded.cam is None else unpack_floats(encoded.cam)
    return SliceResult(cam=cam, **_tuples(json.loads(encoded.document)))


def _geometry(values: Json) -> VolumeGeometry:
    return VolumeGeometry(**values | {"pixel_spacing_mm": tuple(values["pixel_spacing_mm"])})


def _values(instance: Any, *leave_out: str) -> Json:
    """A flat dataclass's fields; a field that is added to it later is stored without a change here."""
    names = (field.name for field in fields(instance))
    return {name: getattr(instance, name) for name in names if name not in leave_out}


def _tuples(values: Mapping[str, Any]) -> Json:
    """JSON has lists only; the dataclasses have tuples only."""
    return {name: tuple(one) if isinstance(one, list) else one for name, one in values.items()}


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in a record")

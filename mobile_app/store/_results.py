"""Triage results: rows in, rows out."""

from __future__ import annotations

import sqlite3

from hemx_core.result import TriageResult
from mobile_app.errors import StoreError
from mobile_app.store import _audit, _seal
from mobile_app.store._database import Context, insert
from mobile_app.store._encode import (
    EncodedResult,
    EncodedSlice,
    Packed,
    decode_result,
    decoding,
    encode_result,
    record_changed,
    to_json,
)
from mobile_app.store._studies import not_stored, write_state
from mobile_app.store.records import StudyState


class Results:
    """Triage results; a study may have several, the newest counts."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def save(self, study_id: int, result: TriageResult) -> int:
        """Store a result and call its study done, in one transaction; return the result's number.

        Raises:
            NotStoredError: the study was deleted meanwhile.
            StoreFullError: no room; nothing was written.
        """
        encoded = encode_result(result)
        sha256 = encoded.sha256  # before the transaction, which others wait for
        with self._context.database.writing() as connection:
            write_state(connection, self._context, study_id, StudyState.DONE)
            result_id = insert(
                connection,
                "results",
                study_id=study_id,
                created_at=self._context.now().isoformat(),
                recommendation=result.recommendation.value,
                volume_ml=result.haematoma_volume_ml,
                markers=to_json(
                    [marker.code for marker in result.markers.values() if marker.present]
                ),
                document=encoded.document,
                mask_shape=encoded.mask.shape,
                mask=encoded.mask.content,
                sha256=sha256,
            )
            connection.executemany(
                "INSERT INTO slices (result_id, position, document, cam_shape, cam) "
                "VALUES (?, ?, ?, ?, ?)",
                (
                    (result_id, position, *_columns(slice_))
                    for position, slice_ in enumerate(encoded.slices)
                ),
            )
            connection.execute(
                "UPDATE studies SET newest_result = ? WHERE id = ?", (result_id, study_id)
            )
            _seal.seal(connection, "studies", study_id)
            segmenter = result.versions.get("segmenter_sha256", "")
            facts = {"result": result_id, "sha256": sha256, "segmenter": segmenter}
            _audit.append(connection, self._context, "result.saved", study_id=study_id, **facts)
        return result_id

    def load(self, result_id: int) -> TriageResult:
        """A result as it was saved, bit for bit.

        Raises:
            NotStoredError: there is none with this number.
            DamagedStoreError: it is not what was written.
        """
        with self._context.database.reading() as connection:
            return load_result(connection, result_id)

    def of_study(self, study_id: int) -> tuple[int, ...]:
        """Numbers of a study's results, newest first.

        Raises:
            DamagedStoreError: the newest one is lost: an older one would pass for it.
        """
        with self._context.database.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM results WHERE study_id = ? ORDER BY id DESC", (study_id,)
            ).fetchall()
            known = connection.execute(
                "SELECT newest_result FROM studies WHERE id = ?", (study_id,)
            ).fetchone()
        numbers = tuple(row[0] for row in rows)
        if known is not None and known[0] != (numbers[0] if numbers else None):
            raise record_changed("result", known[0] or numbers[0])
        return numbers


def load_result(connection: sqlite3.Connection, result_id: int) -> TriageResult:
    """Load a result inside a transaction; see `Results.load`."""
    with decoding("result", result_id):
        encoded, sha256 = encoded_result(connection, result_id)
        (whole,) = connection.execute(
            f"SELECT {_seal.holds('results')} FROM results WHERE id = ?", (result_id,)
        ).fetchone()
        if encoded.sha256 != sha256 or not whole:
            raise record_changed("result", result_id)
        return decode_result(encoded)


def encoded_result(connection: sqlite3.Connection, result_id: int) -> tuple[EncodedResult, str]:
    """The rows of a result, and the hash that was stored with them."""
    row = connection.execute(
        "SELECT document, mask_shape, mask, sha256 FROM results WHERE id = ?", (result_id,)
    ).fetchone()
    if row is None:
        raise not_stored("result", result_id)
    slices = connection.execute(
        "SELECT document, cam_shape, cam FROM slices WHERE result_id = ? ORDER BY position",
        (result_id,),
    ).fetchall()
    encoded = EncodedResult(
        document=row[0],
        mask=Packed(shape=row[1], content=row[2]),
        slices=tuple(
            EncodedSlice(
                document=document,
                cam=None if shape is None else Packed(shape=shape, content=content),
            )
            for document, shape, content in slices
        ),
    )
    return encoded, row[3]


def _columns(slice_: EncodedSlice) -> tuple[str, str | None, bytes | None]:
    if slice_.cam is None:
        return slice_.document, None, None
    return slice_.document, slice_.cam.shape, slice_.cam.content


def study_of(connection: sqlite3.Connection, result_id: int, mask_shape: str | None = None) -> int:
    """The study of a result; refuses a mask of another shape than the result's."""
    row = connection.execute(
        "SELECT study_id, mask_shape FROM results WHERE id = ?", (result_id,)
    ).fetchone()
    if row is None:
        raise not_stored("result", result_id)
    if mask_shape not in (None, row[1]):
        raise StoreError("stored_correction_shape", shape=str(mask_shape), needed=str(row[1]))
    study_id: int = row[0]
    return study_id

"""Masks that people corrected."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from mobile_app.store import _audit, _seal
from mobile_app.store._database import Context, insert
from mobile_app.store._encode import (
    Packed,
    decoding,
    digest,
    from_json,
    pack_mask,
    record_changed,
    to_json,
    unpack_mask,
)
from mobile_app.store._results import study_of
from mobile_app.store._studies import check_whole, not_stored
from mobile_app.store.records import BrushStroke, Correction


class Corrections:
    """Masks that people corrected: versions 1, 2, ... of a result, which itself never changes."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def save(
        self,
        result_id: int,
        mask: NDArray[np.bool_],
        *,
        volume_ml: float,
        strokes: Sequence[BrushStroke] = (),
    ) -> int:
        """Store a corrected mask, by the present actor; return the correction's number.

        Args:
            mask: bool, shape (slices, rows, columns), as the result's.
            volume_ml: measured on it.
        Raises:
            NotStoredError: the result was deleted.
            StoreError: the mask has another shape than the result's.
        """
        packed, text = pack_mask(mask), to_json(list(strokes))
        with self._context.database.writing() as connection:
            study_id = study_of(connection, result_id, mask_shape=packed.shape)
            check_whole(connection, "results", result_id)
            version = _next_version(connection, result_id)
            sha256 = digest([packed.shape, packed.content, text])
            number = insert(
                connection,
                "corrections",
                result_id=result_id,
                version=version,
                made_at=self._context.now().isoformat(),
                made_by=self._context.actor,
                volume_ml=float(volume_ml),
                strokes=text,
                mask_shape=packed.shape,
                mask=packed.content,
                sha256=sha256,
            )
            connection.execute(
                "UPDATE results SET newest_correction = ? WHERE id = ?", (number, result_id)
            )
            _seal.seal(connection, "results", result_id)
            facts = {"result": result_id, "correction": number, "sha256": sha256}
            _audit.append(connection, self._context, "correction.saved", study_id=study_id, **facts)
        return number

    def load(self, correction_id: int) -> Correction:
        """A correction with its mask.

        Raises:
            NotStoredError: there is none with this number.
            DamagedStoreError: it is not what was written.
        """
        with self._context.database.reading() as connection:
            row = connection.execute(
                "SELECT result_id, version, made_at, made_by, volume_ml, strokes, mask_shape, mask, "
                f"sha256, {_seal.holds('corrections')} FROM corrections WHERE id = ?",
                (correction_id,),
            ).fetchone()
        if row is None:
            raise not_stored("correction", correction_id)
        result_id, version, made_at, made_by, volume_ml, strokes, shape, mask, sha256, whole = row
        with decoding("correction", correction_id):
            if not whole or digest([shape, mask, strokes]) != sha256:
                raise record_changed("correction", correction_id)
            return Correction(
                id=correction_id,
                result_id=result_id,
                version=version,
                made_at=datetime.fromisoformat(made_at),
                made_by=made_by,
                volume_ml=volume_ml,
                strokes=from_json(tuple[BrushStroke, ...], json.loads(strokes)),
                mask=unpack_mask(Packed(shape=shape, content=mask)),
            )

    def of_result(self, result_id: int) -> tuple[int, ...]:
        """Numbers of a result's corrections, newest version first.

        Raises:
            DamagedStoreError: the newest one is lost: an older outline would pass for it.
        """
        with self._context.database.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM corrections WHERE result_id = ? ORDER BY version DESC", (result_id,)
            ).fetchall()
            known = connection.execute(
                "SELECT newest_correction FROM results WHERE id = ?", (result_id,)
            ).fetchone()
        numbers = tuple(row[0] for row in rows)
        if known is not None and known[0] != (numbers[0] if numbers else None):
            raise record_changed("correction", known[0] or numbers[0])
        return numbers


def _next_version(connection: sqlite3.Connection, result_id: int) -> int:
    (newest,) = connection.execute(
        "SELECT coalesce(max(version), 0) FROM corrections WHERE result_id = ?", (result_id,)
    ).fetchone()
    return int(newest) + 1

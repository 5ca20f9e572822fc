"""What people answered to the markers of a study, beside what the network says of them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from hemx_core.labels.answers import Answer, Reading
from mobile_app.store import _audit, _seal
from mobile_app.store._database import Context, insert
from mobile_app.store._encode import decoding, record_changed, to_json
from mobile_app.store._studies import check_whole
from mobile_app.store.records import StoredReading

_COLUMNS = "id, study_id, version, result_id, correction_id, made_at, made_by, document"


class Readings:
    """Answers to the markers of studies: versions 1, 2, ... of a study; none is changed or deleted.

    A reader's answers are those of the reader's newest version; another reader's are apart.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def save(
        self, study_id: int, reading: Reading, *, result_id: int | None, correction_id: int | None
    ) -> StoredReading:
        """Store a reader's answers, by the present actor.

        Args:
            study_id: the study.
            reading: all answers of this reader, those given before included; `read_at` is not kept.
            result_id, correction_id: whose outline was shown.
        Raises:
            NotStoredError: the study was deleted.
        """
        now, actor = self._context.now(), self._context.actor
        text = to_json({"answers": dict(reading.answers), "slices": dict(reading.slices)})
        with self._context.database.writing() as connection:
            check_whole(connection, "studies", study_id)
            (version,) = connection.execute(
                "SELECT coalesce(max(version), 0) + 1 FROM readings WHERE study_id = ?", (study_id,)
            ).fetchone()
            number = insert(
                connection,
                "readings",
                study_id=study_id,
                version=version,
                result_id=result_id,
                correction_id=correction_id,
                made_at=now.isoformat(),
                made_by=actor,
                document=text,
            )
            facts = {"reading": number, "answered": len(reading.answers)}
            _audit.append(connection, self._context, "reading.saved", study_id=study_id, **facts)
        return StoredReading(
            id=number,
            study_id=study_id,
            version=int(version),
            result_id=result_id,
            correction_id=correction_id,
            made_at=now,
            made_by=actor,
            reading=reading,
        )

    def of_study(self, study_id: int) -> tuple[StoredReading, ...]:
        """Each reader's newest answers, newest first.

        Raises:
            DamagedStoreError: one is not what was written.
        """
        with self._context.database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS}, {_seal.holds('readings')} FROM readings "
                "WHERE study_id = ? ORDER BY version DESC",
                (study_id,),
            ).fetchall()
        found: dict[str, StoredReading] = {}
        for row in rows:
            found.setdefault(row[6], _stored(row))
        return tuple(found.values())

    def studies(self) -> tuple[int, ...]:
        """Numbers of studies that somebody has read."""
        with self._context.database.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT study_id FROM readings ORDER BY study_id"
            ).fetchall()
        return tuple(row[0] for row in rows)


def _stored(row: tuple[Any, ...]) -> StoredReading:
    number, study_id, version, result_id, correction_id, made_at, made_by, document, whole = row
    with decoding("reading", number):
        if not whole:
            raise record_changed("reading", number)
        plain = json.loads(document)
        return StoredReading(
            id=number,
            study_id=study_id,
            version=version,
            result_id=result_id,
            correction_id=correction_id,
            made_at=datetime.fromisoformat(made_at),
            made_by=made_by,
            reading=Reading(
                answers={code: Answer(word) for code, word in plain["answers"].items()},
                slices={code: tuple(map(int, one)) for code, one in plain["slices"].items()},
                read_at=datetime.fromisoformat(made_at),
            ),
        )

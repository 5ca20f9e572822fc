"""Imported studies: their rows, their states, their files, and how a search finds them."""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hemx_core.errors import HemxError
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.measure.aggregate import judge
from hemx_core.notes import Note, Severity
from hemx_core.records import Json
from hemx_core.result import Recommendation
from mobile_app.errors import NotStoredError
from mobile_app.store import _audit, _files
from mobile_app.store._database import Context, insert
from mobile_app.store._encode import from_json, to_json
from mobile_app.store._files import CopiedFiles
from mobile_app.store.records import Glance, Study, StudyError, StudyState


def search_text(identity: SeriesIdentity) -> str:
    """What a search looks through; the name also with its carets and equals signs as blanks."""
    acquired = identity.acquired_at
    parts = (
        identity.patient_name.replace("^", " ").replace("=", " "),
        identity.patient_id,
        identity.series_description,
        identity.site,
        acquired.strftime("%Y-%m-%d") if acquired else "",
    )
    return folded(" ".join(parts))


def folded(text: str) -> str:
    """Text without differences of case, width (full-width Latin, half-width kana) and Latin accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    # Only Latin's: the marks of kana are combining too, and tell sounds apart.
    kept = "".join(character for character in plain if not "\u0300" <= character <= "\u036f")
    return unicodedata.normalize("NFC", kept)


def literal(word: str) -> str:
    """A word for LIKE in which `%` and `_` mean themselves."""
    return "".join(f"!{character}" if character in "!%_" else character for character in word)


_SELECT = """
SELECT studies.id, folder, series, identity, slices, files, bytes, state, changed_at, imported_at, error,
       newest.id, newest.created_at, newest.recommendation, newest.volume_ml, newest.markers,
       json_array_length(newest.document, '$.markers'), json_extract(newest.document, '$.notes'),
       json_extract(newest.document, '$.haematoma.at_most_ml'),
       (SELECT volume_ml FROM corrections WHERE result_id = newest.id ORDER BY version DESC LIMIT 1)
FROM studies LEFT JOIN results AS newest
  ON newest.id = (SELECT max(id) FROM results WHERE study_id = studies.id)
"""


class Studies:
    """The studies of one store."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def add(
        self,
        copied: CopiedFiles,
        *,
        identity: SeriesIdentity,
        slices: int,
        series: str | None = None,
    ) -> Study:
        """Take over a copied series; the same files a second time give the study that is there.

        Args:
            copied: from `_files.copy_files`; its draft is renamed, or deleted if it is not needed.
            identity: from the headers; its `source`, a path of the user's, is not kept.
        """
        if (known := self._with_files(copied.sha256)) is not None:
            _files.remove(copied.draft)
            return known
        folder = _files.settle(copied.draft)
        now = self._context.now().isoformat()
        acquired = identity.acquired_at
        values = {
            "folder": folder.name,
            "series": series or "",
            "files": copied.files,
            "bytes": copied.bytes,
            "sha256": copied.sha256,
            "slices": slices,
            "identity": to_json(replace(identity, source="")),
            "acquired_at": acquired and acquired.isoformat(),
            "series_uid": identity.series_uid,
            "patient_id": identity.patient_id,
            "search": search_text(identity),
            "state": StudyState.IMPORTED.value,
            "imported_at": now,
            "changed_at": now,
        }
        facts = {name: values[name] for name in ("files", "bytes", "sha256")}
        with self._context.database.writing() as connection:
            number = insert(connection, "studies", **values)
            _audit.append(connection, self._context, "study.imported", study_id=number, **facts)
        return self.get(number)

    def get(self, study_id: int) -> Study:
        """One study.

        Raises:
            NotStoredError: there is none with this number.
        """
        found = self._select("WHERE studies.id = ?", (study_id,))
        if not found:
            raise not_stored("study", study_id)
        return found[0]

    def find(
        self,
        search: str = "",
        *,
        states: Collection[StudyState] = (),
    ) -> tuple[Study, ...]:
        """Studies, the newest acquisition first.

        Args:
            search: words that all occur in name, ID, description, site or date (2026-11-24); case,
                width and accents do not matter.
            states: only these; all if empty.
        """
        terms, values = ["1"], []
        for word in folded(search).split():
            terms.append("search LIKE ? ESCAPE '!'")
            values.append("%" + literal(word) + "%")
        if states:
            terms.append(f"state IN ({', '.join('?' * len(states))})")
            values += [state.value for state in states]
        # Times of acquisition carry no zone and sort as text; unknown ones come last.
        order = "ORDER BY acquired_at DESC NULLS LAST, studies.id DESC"
        return self._select(f"WHERE {' AND '.join(terms)} {order}", values)

    def path(self, study: Study) -> Path:
        """The folder of a study's files."""
        return self._context.folder / _files.STUDIES / study.folder

    def set_state(
        self, study_id: int, state: StudyState, *, error: HemxError | None = None
    ) -> None:
        """Say where a study stands; `done` comes with its result, from `Results.save`.

        Raises:
            NotStoredError: the study was deleted.
        """
        with self._context.database.writing() as connection:
            write_state(connection, self._context, study_id, state, error=error)
            detail = {"error": type(error).__name__} if error else {}
            _audit.append(
                connection, self._context, f"study.{state.value}", study_id=study_id, **detail
            )

    def delete(self, study_id: int) -> None:
        """Delete a study: its rows, all rows that refer to them, its files; the audit trail stays.

        Raises:
            NotStoredError: there is none.
            StoreError: its files could not be deleted; the next start tries again.
        """
        with self._context.database.writing() as connection:
            row = connection.execute(
                "DELETE FROM studies WHERE id = ? RETURNING folder", (study_id,)
            ).fetchone()
            if row is None:
                raise not_stored("study", study_id)
            _audit.append(connection, self._context, "study.deleted", study_id=study_id)
        self._context.database.shrink()
        _files.remove(self._context.folder / _files.STUDIES / row[0])

    def recover(self) -> tuple[int, ...]:
        """At start: what was running is interrupted, and folders without a study are deleted.

        Returns:
            The studies that were interrupted.
        """
        with self._context.database.writing() as connection:
            rows = connection.execute(
                "SELECT id FROM studies WHERE state = ? ORDER BY id", (StudyState.RUNNING.value,)
            ).fetchall()
            for (study_id,) in rows:
                write_state(connection, self._context, study_id, StudyState.INTERRUPTED)
                _audit.append(connection, self._context, "study.interrupted", study_id=study_id)
            owned = connection.execute("SELECT folder FROM studies").fetchall()
        _files.sweep(self._context.folder / _files.STUDIES, (row[0] for row in owned))
        # A deletion may have been killed before it emptied the log.
        self._context.database.shrink()
        return tuple(row[0] for row in rows)

    def _with_files(self, sha256: str) -> Study | None:
        found = self._select("WHERE studies.sha256 = ?", (sha256,))
        return found[0] if found else None

    def _select(self, rest: str, values: Iterable[object]) -> tuple[Study, ...]:
        with self._context.database.reading() as connection:
            rows = connection.execute(_SELECT + rest, tuple(values)).fetchall()
        return tuple(_study(row) for row in rows)


def write_state(
    connection: sqlite3.Connection,
    context: Context,
    study_id: int,
    state: StudyState,
    *,
    error: HemxError | None = None,
) -> None:
    """Set a state inside a transaction; see `Studies.set_state`."""
    text = None
    if error is not None:
        text = to_json(StudyError.of(error))
    changed = connection.execute(
        "UPDATE studies SET state = ?, error = ?, changed_at = ? WHERE id = ?",
        (state.value, text, context.now().isoformat(), study_id),
    )
    if changed.rowcount != 1:
        raise not_stored("study", study_id)


def not_stored(what: str, number: int) -> NotStoredError:
    """There is no such record."""
    return NotStoredError("not_stored", what=what, number=number)


def _error(document: Json) -> StudyError:
    if "found" in document:  # as it was written before errors had codes: three English sentences
        values = {name: document[name] for name in ("expected", "remedy")}
        document = {
            "kind": document["kind"],
            "said": {"code": document["found"], "values": values},
        }
    return from_json(StudyError, document)


def _study(row: tuple[Any, ...]) -> Study:
    error = None if row[10] is None else _error(json.loads(row[10]))
    return Study(
        id=row[0],
        folder=row[1],
        series=row[2] or None,
        identity=from_json(SeriesIdentity, json.loads(row[3])),
        slices=row[4],
        files=row[5],
        bytes=row[6],
        state=StudyState(row[7]),
        changed_at=datetime.fromisoformat(row[8]),
        imported_at=datetime.fromisoformat(row[9]),
        error=error,
        newest=None if row[11] is None else _glance(row[11:]),
    )


def _glance(row: tuple[Any, ...]) -> Glance:
    (number, created_at, recommendation, automatic_ml, markers_text, judged), row = row[:6], row[6:]
    notes_text, at_most_ml, corrected_ml = row
    corrected = corrected_ml is not None
    volume_ml = corrected_ml if corrected else automatic_ml
    # As `hemx_core.measure.corrected` has it: markers are of blood, and the advice follows the correction.
    markers = json.loads(markers_text) if volume_ml > 0 else []
    notes = tuple(Note.from_json(note) for note in json.loads(notes_text))
    advice = (
        judge(volume_ml, any_marker=bool(markers), notes=notes) if corrected else recommendation
    )
    return Glance(
        result_id=number,
        created_at=datetime.fromisoformat(created_at),
        recommendation=Recommendation(advice),
        volume_ml=volume_ml,
        markers=tuple(markers),
        judged=bool(judged) and volume_ml > 0,
        corrected=corrected,
        warnings=tuple(note for note in notes if note.severity is Severity.WARNING),
        at_most_ml=None if corrected else at_most_ml,
    )

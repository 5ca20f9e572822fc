"""Imported studies: their rows, their states, their files, and how a search finds them."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hemx_core.errors import HemxError
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.measure.aggregate import judge
from hemx_core.notes import Note, Severity
from hemx_core.records import Json
from hemx_core.result import Recommendation
from mobile_app.errors import DamagedStoreError, NotStoredError, StoreFullError
from mobile_app.store import _audit, _files, _labels, _seal
from mobile_app.store._database import Context, insert
from mobile_app.store._encode import from_json, record_changed, to_json
from mobile_app.store._files import CopiedFiles, CopyProgress
from mobile_app.store._labels import Label
from mobile_app.store.records import Damage, Glance, Study, StudyError, StudyState


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


_SELECT = f"""
SELECT studies.id, {_seal.holds("studies")}, folder, series, identity, slices, files, bytes, state,
       changed_at, imported_at, error,
       newest.id, newest.created_at, newest.recommendation, newest.volume_ml, newest.markers,
       CASE WHEN {_seal.holds("results", "newest")} THEN json_array(
           json_extract(newest.document, '$.markers'), json_extract(newest.document, '$.notes'),
           json_extract(newest.document, '$.haematoma.at_most_ml')) END,
       fix.volume_ml, {_seal.holds("corrections", "fix")}, newest.newest_correction,
       studies.newest_result
FROM studies LEFT JOIN results AS newest
  ON newest.id = studies.newest_result
LEFT JOIN corrections AS fix
  ON fix.id = newest.newest_correction
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
        label = Label(
            folder=copied.folder,
            series=series or "",
            identity=replace(identity, source=""),
            slices=slices,
            imported_at=self._context.now(),
            files=copied.files,
        )
        if (known := self._with_files(copied.sha256)) is not None:
            self._heal(known, copied, label)
            _files.discard(copied.draft)
            return self.get(known.id)
        # Before the folder has its name: one that is found without a row has a label.
        try:
            _labels.write(self._context.folder, label)
            _files.settle(copied.draft)
        except OSError as error:
            _labels.remove(self._context.folder, label.folder)
            raise _files.not_copied(error) from error
        try:
            with self._context.database.writing() as connection:
                number = insert_study(connection, label)
                facts = {"files": len(label.files), "bytes": label.bytes, "sha256": label.sha256}
                _audit.append(connection, self._context, "study.imported", study_id=number, **facts)
        except BaseException:
            _files.discard(self.folder / label.folder)
            _labels.remove(self._context.folder, label.folder)
            raise
        return self.get(number)

    def _heal(self, known: Study, copied: CopiedFiles, label: Label) -> None:
        """Where the row or the files of a study are damaged, put those of a new copy in their place."""
        try:
            self.verify(known)
            return
        except DamagedStoreError:
            pass
        root = self._context.folder
        try:
            _labels.write(root, label)
            final = _files.settle(copied.draft)
        except OSError as error:
            raise _files.not_copied(error) from error
        with self._context.database.writing() as connection:
            (folder,) = connection.execute(
                "SELECT folder FROM studies WHERE id = ?", (known.id,)
            ).fetchone()
            rewrite_study(connection, label, known.id)
            _audit.append(connection, self._context, "study.healed", study_id=known.id)
        if isinstance(folder, str) and _files.is_study(folder) and folder != final.name:
            _files.discard(self.folder / folder)
            _labels.remove(root, folder)

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

    @property
    def folder(self) -> Path:
        """The folder of all series."""
        return self._context.folder / _files.STUDIES

    def path(self, study: Study) -> Path:
        """The folder of a study's files.

        Raises:
            DamagedStoreError: the study's row is not what was written.
        """
        if study.damage is Damage.RECORD or not _files.is_study(study.folder):
            raise record_changed("study", study.id)
        return self.folder / study.folder

    def verify(self, study: Study, progress: CopyProgress = lambda _done, _total: None) -> Path:
        """Hold a study's files to the hashes of when they were copied; read them only after this.

        What does not belong to them is set aside: the reader would read it too.

        Args:
            study: whose files.
            progress: told the files looked at and the files there are; may raise to cancel.
        Returns:
            Their folder.
        Raises:
            DamagedStoreError: a file is missing or is not what was copied, or the row is not.
        """
        folder, root = self.path(study), self._context.folder
        with self._context.database.reading() as connection:
            row = connection.execute(
                "SELECT sha256 FROM studies WHERE id = ?", (study.id,)
            ).fetchone()
        if row is None:
            raise not_stored("study", study.id)
        label = _labels.read(root, study.folder)
        if label is None or label.sha256 != row[0]:
            # Copied by a version without labels, or the label is damaged.
            label = _labels.make(self.folder, study, row[0], progress)
            with contextlib.suppress(OSError):
                _labels.write(root, label)
        else:
            for name in _labels.check(self.folder, label, progress):
                with contextlib.suppress(OSError):
                    _files.set_aside(root, folder / name, f"{study.folder}-{name}")
        return folder

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

        On a full medium its files go first: that makes the room to delete the rows.

        Raises:
            NotStoredError: there is none.
            StoreError: its files could not be deleted; the next start tries again.
        """
        with self._context.database.reading() as connection:
            row = connection.execute(
                "SELECT folder FROM studies WHERE id = ?", (study_id,)
            ).fetchone()
        if row is None:
            raise not_stored("study", study_id)
        # A damaged row may name any folder, or none: "" would be that of all studies.
        named = isinstance(row[0], str) and _files.is_study(row[0])
        gone = _files.mark_gone(self.folder / row[0]) if named else None
        try:
            self._delete_row(study_id)
        except StoreFullError:
            if gone is not None:
                _files.discard(gone)
            _files.release_reserve(self._context.folder)
            self._delete_row(study_id)
        except BaseException:
            if gone is not None:
                _files.take_back(gone)
            raise
        if gone is not None:
            _labels.remove(self._context.folder, row[0])
        with contextlib.suppress(StoreFullError):
            self._context.database.shrink()
        if gone is not None:
            _files.remove(gone)
        _files.keep_reserve(self._context.folder)

    def _delete_row(self, study_id: int) -> None:
        with self._context.database.writing() as connection:
            with contextlib.suppress(sqlite3.DatabaseError, UnicodeDecodeError):
                _forget_comparisons(connection, study_id)
            connection.execute("DELETE FROM studies WHERE id = ?", (study_id,))
            _audit.append(connection, self._context, "study.deleted", study_id=study_id)

    def recover(self) -> tuple[int, ...]:
        """At start: what was running is interrupted, and what was broken off is ended.

        Returns:
            The studies that were interrupted.
        """
        with self._context.database.writing() as connection:
            rows = connection.execute(
                f"SELECT id FROM studies WHERE state = ? AND {_seal.holds('studies')} ORDER BY id",
                (StudyState.RUNNING.value,),
            ).fetchall()
            for (study_id,) in rows:
                write_state(connection, self._context, study_id, StudyState.INTERRUPTED)
                _audit.append(connection, self._context, "study.interrupted", study_id=study_id)
        # A deletion may have been killed before it emptied the log.
        self._context.database.shrink()
        return tuple(row[0] for row in rows)

    def _with_files(self, sha256: str) -> Study | None:
        found = self._select("WHERE studies.sha256 = ?", (sha256,))
        return found[0] if found else None

    def _select(self, rest: str, values: Iterable[object]) -> tuple[Study, ...]:
        try:
            with self._context.database.reading() as connection:
                rows = connection.execute(_SELECT + rest, tuple(values)).fetchall()
        except DamagedStoreError:
            return self._select_singly(rest, tuple(values))
        return tuple(_study(row) for row in rows)

    def _select_singly(self, rest: str, values: tuple[object, ...]) -> tuple[Study, ...]:
        """As `_select` where a page is damaged: what can be read of each study, by itself."""
        database, found = self._context.database, []
        with database.reading() as connection:
            numbers = [row[0] for row in connection.execute("SELECT id FROM studies ORDER BY id")]
        for number in reversed(numbers):
            try:
                with database.reading() as connection:
                    one = f"{_SELECT} WHERE studies.id = ?"
                    row = connection.execute(one, (number,)).fetchone()
                    found.append(_study(row))
            except DamagedStoreError:
                found.append(_broken(number))
        try:
            with database.reading() as connection:
                query = f"SELECT studies.id FROM studies {rest}"
                order = [row[0] for row in connection.execute(query, values)]
        except DamagedStoreError:
            return tuple(found)  # the search looks at what cannot be read: all, then
        known = {study.id: study for study in found}
        return tuple(known[number] for number in order if number in known)


def _forget_comparisons(connection: sqlite3.Connection, study_id: int) -> None:
    """Later studies have fewer comparisons where the earlier one is deleted."""
    counts = connection.execute(
        "SELECT later.study_id, count(*) FROM comparisons "
        "JOIN results AS later ON later.id = later_result "
        "JOIN results AS earlier ON earlier.id = earlier_result "
        "WHERE earlier.study_id = ?1 AND later.study_id <> ?1 GROUP BY later.study_id",
        (study_id,),
    ).fetchall()
    for later, count in counts:
        # A row that is not what was written stays so: a new seal would hide it.
        whole = connection.execute(
            f"UPDATE studies SET compared = max(0, compared - ?) WHERE id = ? AND {_seal.holds('studies')}",
            (count, later),
        ).rowcount
        if whole:
            _seal.seal(connection, "studies", later)


def refer_to_newest(connection: sqlite3.Connection, study_id: int) -> None:
    """Have a study's row and those of its results name the newest of what hangs on them; seal them.

    The study's row must be as it was written; results that are not stay so, and so do those that name a
    correction that is lost.
    """
    results = connection.execute(
        "SELECT id FROM results WHERE study_id = ? AND newest_correction IS NULL "
        f"AND {_seal.holds('results')}",
        (study_id,),
    )
    for (number,) in results.fetchall():
        connection.execute(
            "UPDATE results SET newest_correction = (SELECT id FROM corrections "
            "WHERE result_id = ?1 ORDER BY version DESC LIMIT 1) WHERE id = ?1",
            (number,),
        )
        _seal.seal(connection, "results", number)
    connection.execute(
        "UPDATE studies SET newest_result = (SELECT max(id) FROM results WHERE study_id = ?1), "
        "compared = (SELECT count(*) FROM comparisons JOIN results ON results.id = later_result "
        f"WHERE results.study_id = ?1 AND {_seal.holds('comparisons')}) WHERE id = ?1",
        (study_id,),
    )
    _seal.seal(connection, "studies", study_id)


def insert_study(connection: sqlite3.Connection, label: Label, *, number: int | None = None) -> int:
    """Add the row of a copied series inside a transaction; return its number.

    Args:
        label: what is known of it.
        number: to be given; a new one by default.
    """
    values = _columns(label)
    if number is not None:
        values["id"] = number
    return insert(connection, "studies", **values)


def rewrite_study(connection: sqlite3.Connection, label: Label, number: int) -> None:
    """Write a damaged row anew inside a transaction; its results stay."""
    values = _columns(label)
    (results,) = connection.execute(
        "SELECT count(*) FROM results WHERE study_id = ?", (number,)
    ).fetchone()
    if results:
        values["state"] = StudyState.DONE.value
    names = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE studies SET {names} WHERE id = ?", (*values.values(), number))
    refer_to_newest(connection, number)


def _columns(label: Label) -> dict[str, object]:
    identity, acquired = label.identity, label.identity.acquired_at
    imported_at = label.imported_at.isoformat()
    return {
        "folder": label.folder,
        "series": label.series,
        "files": len(label.files),
        "bytes": label.bytes,
        "sha256": label.sha256,
        "slices": label.slices,
        "identity": to_json(identity),
        "acquired_at": acquired and acquired.isoformat(),
        "series_uid": identity.series_uid,
        "patient_id": identity.patient_id,
        "search": search_text(identity),
        "state": StudyState.IMPORTED.value,
        "error": None,
        "imported_at": imported_at,
        "changed_at": imported_at,
    }


def write_state(
    connection: sqlite3.Connection,
    context: Context,
    study_id: int,
    state: StudyState,
    *,
    error: HemxError | None = None,
) -> None:
    """Set a state inside a transaction; see `Studies.set_state`."""
    check_whole(connection, "studies", study_id)
    text = None
    if error is not None:
        text = to_json(StudyError.of(error))
    connection.execute(
        "UPDATE studies SET state = ?, error = ?, changed_at = ? WHERE id = ?",
        (state.value, text, context.now().isoformat(), study_id),
    )
    _seal.seal(connection, "studies", study_id)


def check_whole(connection: sqlite3.Connection, table: str, number: int) -> None:
    """Whether a row may be changed: a new seal on a damaged one would hide the damage.

    Raises:
        NotStoredError: there is no such row.
        DamagedStoreError: it is not what was written.
    """
    record = {"studies": "study", "results": "result"}[table]
    row = connection.execute(
        f"SELECT {_seal.holds(table)} FROM {table} WHERE id = ?", (number,)
    ).fetchone()
    if row is None:
        raise not_stored(record, number)
    if not row[0]:
        raise record_changed(record, number)


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
    """A study of a row of `_SELECT`; what is not as it was written is left out and named."""
    number, whole, *values = row
    if not whole:
        return _broken(number)
    try:
        study = _whole_study(number, values[:10])
    except (DamagedStoreError, *_MISFITS):
        return _broken(number)
    result_id, *glance, fixed, corrected, known = values[10:]
    if result_id is None and known is None:
        return study
    if result_id is None or glance[-2] is None:
        return replace(study, damage=Damage.RESULT)
    if corrected is not None and not fixed:
        return replace(study, damage=Damage.CORRECTION)
    try:
        return replace(study, newest=_glance(result_id, glance))
    except (DamagedStoreError, *_MISFITS):
        return replace(study, damage=Damage.RESULT)


_MISFITS = (ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What decoding raises where a value is not what it must be."""


def _broken(number: int) -> Study:
    """A study whose row is not what was written: only its number is sure."""
    unknown = datetime.fromtimestamp(0, UTC)
    return Study(
        id=number,
        folder="",
        series=None,
        identity=SeriesIdentity(),
        slices=0,
        files=0,
        bytes=0,
        state=StudyState.FAILED,
        changed_at=unknown,
        imported_at=unknown,
        error=None,
        newest=None,
        damage=Damage.RECORD,
    )


def _whole_study(number: int, values: Sequence[Any]) -> Study:
    return Study(
        id=number,
        folder=values[0],
        series=values[1] or None,
        identity=from_json(SeriesIdentity, json.loads(values[2])),
        slices=values[3],
        files=values[4],
        bytes=values[5],
        state=StudyState(values[6]),
        changed_at=datetime.fromisoformat(values[7]),
        imported_at=datetime.fromisoformat(values[8]),
        error=None if values[9] is None else _error(json.loads(values[9])),
        newest=None,
    )


def _glance(number: int, values: Sequence[Any]) -> Glance:
    created_at, recommendation, automatic_ml, markers_text, facts, corrected_ml = values
    found, told, at_most_ml = json.loads(facts)
    corrected = corrected_ml is not None
    volume_ml = corrected_ml if corrected else automatic_ml
    # As `hemx_core.measure.corrected` has it: markers are of blood, and the advice follows the correction.
    present = json.loads(markers_text) if volume_ml > 0 else []
    validated = {marker["code"] for marker in found if marker.get("validated")}
    markers = [code for code in present if code in validated]
    notes = tuple(Note.from_json(note) for note in told)
    advice = (
        judge(volume_ml, any_marker=bool(markers), notes=notes) if corrected else recommendation
    )
    return Glance(
        result_id=number,
        created_at=datetime.fromisoformat(created_at),
        recommendation=Recommendation(advice),
        volume_ml=volume_ml,
        markers=tuple(markers),
        not_validated=tuple(code for code in present if code not in validated),
        judged=bool(found) and volume_ml > 0,
        corrected=corrected,
        warnings=tuple(note for note in notes if note.severity is Severity.WARNING),
        at_most_ml=None if corrected else at_most_ml,
    )

"""Comparisons of two stored results."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hemx_core.imaging.person import match
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.records import Json
from mobile_app.store import _audit, _seal
from mobile_app.store._database import Context, insert
from mobile_app.store._encode import (
    decode_comparison,
    decoding,
    encode_comparison,
    from_json,
    record_changed,
)
from mobile_app.store._results import load_result, study_of
from mobile_app.store._studies import check_whole, not_stored, refer_to_newest
from mobile_app.store.records import GrowthGlance, StoredComparison

if TYPE_CHECKING:
    from hemx_core.comparison import ComparisonResult


class Comparisons:
    """Stored comparisons of two results."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def save(
        self,
        comparison: ComparisonResult,
        *,
        earlier_result: int,
        later_result: int,
        earlier_correction: int | None = None,
        later_correction: int | None = None,
    ) -> int:
        """Store a comparison of stored results; return its number.

        Args:
            comparison: what was compared; its own results must be the stored ones.
            earlier_result, later_result: their numbers.
            earlier_correction, later_correction: corrections whose masks were compared instead.
        Raises:
            NotStoredError: a result was deleted.
        """
        with self._context.database.writing() as connection:
            study_id = study_of(connection, later_result)
            study_of(connection, earlier_result)
            check_whole(connection, "studies", study_id)
            number = insert(
                connection,
                "comparisons",
                earlier_result=earlier_result,
                later_result=later_result,
                earlier_correction=earlier_correction,
                later_correction=later_correction,
                created_at=self._context.now().isoformat(),
                document=encode_comparison(comparison),
            )
            # All that are there: a lost one was told of beside the study until now.
            refer_to_newest(connection, study_id)
            facts = {"comparison": number, "earlier": earlier_result, "later": later_result}
            _audit.append(connection, self._context, "comparison.saved", study_id=study_id, **facts)
        return number

    def load(self, comparison_id: int) -> ComparisonResult:
        """A comparison with both its results as triage gave them; corrections are loaded by themselves.

        Raises:
            NotStoredError: there is none with this number.
            DamagedStoreError: a result is not what was written.
        """
        with self._context.database.reading() as connection:
            row = connection.execute(
                f"SELECT {_seal.holds('comparisons')}, document, earlier_result, later_result "
                "FROM comparisons WHERE id = ?",
                (comparison_id,),
            ).fetchone()
            if row is None:
                raise not_stored("comparison", comparison_id)
            if not row[0]:
                raise record_changed("comparison", comparison_id)
            results = [load_result(connection, number) for number in row[2:]]
        with decoding("comparison", comparison_id):
            return decode_comparison(row[1], *results)

    def of_study(self, study_id: int) -> tuple[StoredComparison, ...]:
        """Comparisons that a study is a part of, newest first, without those that `broken` tells of."""
        with self._context.database.reading() as connection:
            rows = connection.execute(
                "SELECT id, earlier_result, later_result, earlier_correction, later_correction, created_at "
                f"FROM comparisons WHERE {_seal.holds('comparisons')} AND ("
                "earlier_result IN (SELECT id FROM results WHERE study_id = ?1) "
                "OR later_result IN (SELECT id FROM results WHERE study_id = ?1)) ORDER BY id DESC",
                (study_id,),
            ).fetchall()
        found = []
        for row in rows:
            with decoding("comparison", row[0]):
                found.append(_stored_comparison(row))
        return tuple(found)

    def growths(self) -> dict[int, tuple[GrowthGlance, ...]]:
        """Later study to its growth since each earlier one as last compared, the newest comparison first.

        Without those of two patients, which versions before stored where they were forced, and without
        those that are not what was written, see `broken`.
        """
        with self._context.database.reading() as connection:
            rows = _glances(connection)
            people = _people(connection, {study for row in rows for study in row[:2]})
        newest: dict[int, dict[int, GrowthGlance]] = {}
        for later, earlier, text in rows:
            if text is None or later not in people or earlier not in people:
                continue
            if match(people[earlier], people[later]).differing:
                continue
            newest.setdefault(later, {}).setdefault(earlier, _growth(json.loads(text)))
        return {later: tuple(found.values()) for later, found in newest.items()}

    def broken(self) -> frozenset[int]:
        """Later studies with a comparison that is lost or changed: expansion may have been found."""
        with self._context.database.reading() as connection:
            whole = Counter(later for later, _, text in _glances(connection) if text is not None)
            rows = connection.execute("SELECT id, compared FROM studies").fetchall()
        return frozenset(number for number, compared in rows if whole[number] != compared)


def _glances(connection: sqlite3.Connection) -> list[tuple[int, int, str | None]]:
    """Later study, earlier study and growth of all comparisons, newest first; None for a changed one."""
    return connection.execute(
        "SELECT later.study_id, earlier.study_id, "
        f"CASE WHEN {_seal.holds('comparisons')} THEN json_extract(document, '$.growth') END "
        "FROM (SELECT * FROM comparisons) AS comparisons "
        "JOIN (SELECT id, study_id FROM results) AS later ON later.id = later_result "
        "JOIN (SELECT id, study_id FROM results) AS earlier ON earlier.id = earlier_result "
        "ORDER BY comparisons.id DESC"
    ).fetchall()


def _people(connection: sqlite3.Connection, studies: set[int]) -> dict[int, SeriesIdentity]:
    """Who the studies are of, without those whose row is not what was written."""
    rows = connection.execute(
        f"SELECT id, identity FROM studies WHERE {_seal.holds('studies')}"
    ).fetchall()
    return {
        number: from_json(SeriesIdentity, json.loads(identity))
        for number, identity in rows
        if number in studies
    }


def _stored_comparison(row: tuple[Any, ...]) -> StoredComparison:
    return StoredComparison(
        id=row[0],
        earlier_result=row[1],
        later_result=row[2],
        earlier_correction=row[3],
        later_correction=row[4],
        created_at=datetime.fromisoformat(row[5]),
    )


def _growth(values: Json) -> GrowthGlance:
    return GrowthGlance(ml=values["ml"], percent=values["percent"], answers=values["answers"])

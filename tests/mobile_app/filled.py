"""A store with studies in every state, for the list."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from io import BytesIO

from hemx_core.errors import ContrastSeriesError, HemxError
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.pipeline import triage_volume
from hemx_core.result import TriageResult
from mobile_app.store import Store, Study, StudyState, _seal
from tests.factories import ThresholdModels, simple_head

NEWEST = datetime(2026, 11, 24, 8, 5)
NAMES = ("Yamada^Taro=山田^太郎=やまだ^たろう", "Tanaka^Hanako=田中^花子", "Smith^John")


def add_study(store: Store, number: int, *, name: str = "", **identity: object) -> Study:
    """A study of one meaningless file; the higher its number, the older."""
    values = {
        "patient_id": f"P-{1000 + number}",
        "patient_name": name or NAMES[number % len(NAMES)],
        "series_uid": f"1.2.{number}",
        "acquired_at": NEWEST - timedelta(hours=number),
        "series_description": "Head 5 mm",
    }
    content = f"study {number}".encode()
    return store.add_files(
        [lambda: BytesIO(content)], identity=SeriesIdentity(**values | identity), slices=30
    )


def add_many(store: Store, count: int) -> None:
    """As many studies, by copying a row: no files, one transaction."""
    first = add_study(store, 0).id
    with store._context.database.writing() as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(studies)")][1:]
        changed = {
            "folder": "folder || '-' || value",
            "sha256": "sha256 || '-' || value",
            "acquired_at": "datetime(acquired_at, '-' || value || ' hours')",
        }
        chosen = ", ".join(changed.get(one, one) for one in columns)
        connection.execute(
            "WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers "
            "WHERE value < ?) "
            f"INSERT INTO studies ({', '.join(columns)}) SELECT {chosen} FROM numbers, studies "
            "WHERE studies.id = ?",
            (count - 1, first),
        )
        connection.execute(f"UPDATE studies SET seal = {_seal.expression('studies')}")


@cache
def result(clot_mm: float, *, markers: bool = False) -> TriageResult:
    """A result: 0 mm shows no blood."""
    logits = (3.0, -3.0, -3.0, -3.0) if markers else (-3.0,) * 4
    return triage_volume(simple_head(clot_mm=clot_mm), ThresholdModels(logits=logits))


CONTRAST: HemxError = ContrastSeriesError(
    "Series 2: contrast medium was given", expected="none", remedy="choose another series"
)


def fill(store: Store) -> dict[str, int]:
    """One study for each thing a row can say; what it says to the study's number."""
    ids = {
        name: add_study(store, number).id
        for number, name in enumerate(("call", "discuss", "none", "refused", "new", "running"))
    }
    store.results.save(ids["call"], result(20.0, markers=True))
    store.results.save(ids["discuss"], result(14.0))
    store.results.save(ids["none"], result(0.0))
    store.studies.set_state(ids["refused"], StudyState.REFUSED, error=CONTRAST)
    store.studies.set_state(ids["running"], StudyState.RUNNING)
    return ids

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hemx_core.labels.answers import Answer, Reading
from mobile_app.errors import DamagedStoreError, NotStoredError
from mobile_app.store import Store
from mobile_app.store._schema import STEPS, migrate
from tests.mobile_app.stored import correct, store_study

YES, NO = Answer.YES, Answer.NO


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "store", actor="Dr A") as store:
        yield store


def test_answers_are_versions_with_who_and_when_and_an_entry_in_the_trail(
    store: Store, tmp_path: Path
) -> None:
    study = store_study(store, tmp_path)
    result = store.results.of_study(study)[0]
    first = store.readings.save(
        study, Reading(answers={"blend": YES}), result_id=result, correction_id=None
    )
    reading = Reading(answers={"blend": YES, "irregular": NO}, slices={"blend": (2, 3)})
    second = store.readings.save(study, reading, result_id=result, correction_id=None)
    assert (first.version, second.version) == (1, 2)
    (newest,) = store.readings.of_study(study)
    assert newest.reading.answers == reading.answers
    assert newest.reading.slices == {"blend": (2, 3)}
    assert (newest.made_by, newest.result_id) == ("Dr A", result)
    entry = store.audit.entries(study_id=study)[0]
    assert (entry.action, entry.actor, entry.detail["answered"]) == ("reading.saved", "Dr A", 2)
    assert store.readings.studies() == (study,)


def test_readers_are_apart(store: Store, tmp_path: Path) -> None:
    study = store_study(store, tmp_path)
    for actor, answer in (("Dr A", YES), ("Dr B", NO), ("Dr A", NO)):
        store.act_as(actor)
        store.readings.save(
            study, Reading(answers={"blend": answer}), result_id=None, correction_id=None
        )
    found = {one.made_by: one.reading.answers["blend"] for one in store.readings.of_study(study)}
    assert found == {"Dr A": NO, "Dr B": NO}


def test_they_go_with_their_study_and_need_one(store: Store, tmp_path: Path) -> None:
    study = store_study(store, tmp_path)
    store.readings.save(study, Reading(answers={"blend": YES}), result_id=None, correction_id=None)
    store.studies.delete(study)
    assert store.readings.studies() == ()
    with pytest.raises(NotStoredError):
        store.readings.save(study, Reading(), result_id=None, correction_id=None)


def test_a_changed_answer_is_never_shown(store: Store, tmp_path: Path) -> None:
    study = store_study(store, tmp_path)
    store.readings.save(study, Reading(answers={"blend": NO}), result_id=None, correction_id=None)
    with sqlite3.connect(tmp_path / "store" / "hemx.db") as connection:
        connection.execute("UPDATE readings SET document = replace(document, 'no', 'yes')")
    with pytest.raises(DamagedStoreError, match="answers 1"):
        store.readings.of_study(study)


def test_a_backup_brings_them_to_another_store(store: Store, tmp_path: Path) -> None:
    study = store_study(store, tmp_path)
    number = correct(store, study)
    store.readings.save(
        study,
        Reading(answers={"blend": YES}),
        result_id=store.results.of_study(study)[0],
        correction_id=number,
    )
    store.back_up(tmp_path / "backup.zip")
    with Store(tmp_path / "other", actor="Dr B") as other:
        store_study(other, tmp_path / "x", patient="P9")
        other.restore(tmp_path / "backup.zip")
        (restored,) = other.readings.studies()
        (found,) = other.readings.of_study(restored)
        assert (found.made_by, found.reading.answers) == ("Dr A", {"blend": YES})
        assert found.result_id == other.results.of_study(restored)[0]
        assert found.correction_id == other.corrections.of_result(found.result_id)[0]


def test_a_database_of_before_gets_the_table(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    migrate(connection, STEPS[:2])
    assert migrate(connection) == 2
    assert connection.execute("SELECT count(*) FROM readings").fetchone() == (0,)
    connection.close()


def test_a_damaged_database_gives_them_back(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with Store(folder, actor="Dr A") as store:
        study = store_study(store, tmp_path)
        result = store.results.of_study(study)[0]
        reading = Reading(answers={"blend": YES}, slices={"blend": (2,)})
        store.readings.save(study, reading, result_id=result, correction_id=None)
    content = bytearray((folder / "hemx.db").read_bytes())
    content[60:64] = bytes(4)  # the version in the file's header
    (folder / "hemx.db").write_bytes(content)
    with Store(folder) as store:
        assert store.trouble is not None
        (found,) = store.readings.of_study(study)
        assert (found.result_id, found.reading.answers) == (result, {"blend": YES})
        assert found.made_by == "Dr A"

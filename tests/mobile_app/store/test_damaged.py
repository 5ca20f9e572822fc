"""Whatever happens to the store's files, no study is lost, none is shown wrong, and the user is told."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.robustness.stored import make_result
from benchmarks.robustness.stores import (
    STUDIES,
    WHOLE,
    add,
    attack,
    damage_beside,
    dicom,
    fill,
    hold,
    look,
)
from mobile_app.errors import (
    DamagedStoreError,
    RescuedStoreError,
)
from mobile_app.store import Damage, Store, StudyState, _files, _labels, _rescue, _schema
from mobile_app.work.study_list import study_rows


@pytest.fixture(scope="module")
def sample() -> Iterator[Path]:
    """Filled once; in memory, where a copy takes no time."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        fill(Path(folder) / "sample")
        yield Path(folder) / "sample"


@pytest.fixture
def folder(sample: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=sample.parent) as made:
        yield Path(shutil.copytree(sample, Path(made) / "app"))


def test_a_whole_store_has_nothing_to_tell(folder: Path) -> None:
    assert hold(folder) == (*WHOLE, None)
    assert not (folder / _files.ASIDE).exists()


@pytest.mark.parametrize("way", ["missing", "empty", "junk", "zeros", "a folder", "another's"])
def test_a_lost_database_loses_no_study(folder: Path, way: str) -> None:
    database = folder / "hemx.db"
    size = database.stat().st_size
    database.unlink()
    if way == "a folder":
        database.mkdir()
        (database / "photo.jpg").write_bytes(b"photo")
    elif way == "another's":
        sqlite3.connect(database).close()  # SQLite's, without a table: 0 bytes
    elif way != "missing":
        database.write_bytes(
            {"empty": b"", "junk": b"no database " * 999, "zeros": bytes(size)}[way]
        )
    studies, read, trouble = hold(folder)
    assert (studies, read) == (STUDIES, 0)
    assert isinstance(trouble, RescuedStoreError)
    assert "4 studies were found again without a result" in str(trouble)
    assert trouble.told("ja")[0].count("検査4件を結果なしで復元しました") == 1
    with Store(folder) as store:
        assert store.settings.get("pin") == {"salt": "00"}, "a lost database must not open the app"
        assert store.settings.get("language") == "ja"
        assert store.set_aside_bytes() > 0 or way in ("missing", "empty", "another's")


def test_studies_of_before_labels_are_set_aside_and_not_deleted(folder: Path) -> None:
    shutil.rmtree(folder / _labels.LABELS)
    (folder / "hemx.db").unlink()
    (folder / "hemx.db.mark").unlink()
    before = dicom(folder)
    with Store(folder) as store:
        assert store.studies.find() == ()
        assert len(store.set_aside_studies()) == STUDIES
        assert "4 studies had no record" in str(store.trouble)
    assert dicom(folder) == before


def test_an_older_database_is_told_and_its_later_studies_are_found_again(folder: Path) -> None:
    older = folder.with_name("older.db")
    shutil.copy(folder / "hemx.db", older)
    with Store(folder) as store:
        add(store, 9)
        store.results.save(4, make_result(3))
    older.replace(folder / "hemx.db")
    with Store(folder) as store:
        told = str(store.trouble)
        assert "the last 2 changes are lost" in told
        assert "1 study was found again" in told
        assert len(store.studies.find()) == STUDIES + 1


def test_a_log_that_is_cut_off_is_told(folder: Path) -> None:
    store = Store(folder)
    number = add(store, 9)
    crashed = shutil.copytree(folder, folder.with_name("crashed"))
    store.close()
    log = crashed / "hemx.db-wal"
    log.write_bytes(log.read_bytes()[:-9000])
    with Store(crashed) as opened:
        assert "lost" in str(opened.trouble)
        assert (
            number in [study.id for study in opened.studies.find()]
            or len(opened.studies.find()) == STUDIES + 1
        )


@pytest.mark.parametrize(
    ("table", "change", "damage"),
    [
        (
            "studies",
            "identity = replace(identity, 'Yamada', 'Suzuki')",
            None,
        ),  # mended by its label
        ("studies", "sha256 = 'x' || id", None),
        ("studies", "identity = 'junk'", None),
        ("results", "volume_ml = 1.0", Damage.RESULT),
        ("results", "recommendation = 'cannot_tell'", Damage.RESULT),
        ("results", "markers = '[]'", Damage.RESULT),
        ("results", "document = replace(document, 'warning', 'info')", Damage.RESULT),
        ("results", "document = 'junk'", Damage.RESULT),
        ("results", "study_id = 2", Damage.RESULT),
        ("corrections", "volume_ml = 0.0", Damage.CORRECTION),
        ("corrections", "mask = x'00'", None),
    ],
)
def test_a_changed_row_is_not_shown_and_the_others_are(
    folder: Path, table: str, change: str, damage: Damage | None
) -> None:
    connection = sqlite3.connect(folder / "hemx.db")
    connection.execute(f"UPDATE {table} SET {change} WHERE id = 1")
    connection.commit()
    connection.close()
    with Store(folder) as store:
        assert look(store)[0] == STUDIES
        changed = store.studies.get(2 if change.startswith("study_id") else 1)
        if table == "studies":
            assert "1 damaged record was written anew" in str(store.trouble)
            assert changed.identity.patient_name.startswith("Yamada")
            assert changed.state is StudyState.DONE
        if damage is not None:
            assert changed.newest is None or change.startswith("study_id")
        if damage is not None and not change.startswith("study_id"):
            assert changed.damage is damage
            row = next(row for row in study_rows(store, "ja") if row.study_id == 1)
            assert (row.state, row.tone) == ("破損", "alarm")


def test_a_damaged_record_without_a_label_is_listed_and_can_be_deleted(folder: Path) -> None:
    shutil.rmtree(folder / _labels.LABELS)
    connection = sqlite3.connect(folder / "hemx.db")
    for number, name in ((1, ""), (2, ".."), (3, "../../x")):
        connection.execute("UPDATE studies SET folder = ? WHERE id = ?", (name, number))
    connection.commit()
    connection.close()
    before = dicom(folder)
    with Store(folder) as store:
        assert [study.damage for study in store.studies.find()].count(Damage.RECORD) == 3
        for number in (1, 2, 3):
            with pytest.raises(DamagedStoreError):
                store.studies.verify(store.studies.get(number))
            store.studies.delete(number)
        assert len(store.studies.find()) == 1
        assert dicom(folder) == before, "what a damaged row names is not deleted"


def test_a_broken_comparison_is_told_beside_the_advice(folder: Path) -> None:
    connection = sqlite3.connect(folder / "hemx.db")
    connection.execute("UPDATE comparisons SET document = replace(document, 'yes', 'no')||' '")
    connection.commit()
    connection.close()
    with Store(folder) as store:
        assert store.comparisons.growths() == {}
        assert store.comparisons.broken() == {2}
        warned = [row.study_id for row in study_rows(store, "en") if "comparison" in row.warning]
        assert warned == [2]
        with pytest.raises(DamagedStoreError):
            store.comparisons.load(1)


@pytest.mark.parametrize("block", range(4))
def test_a_damaged_database_loses_no_study(sample: Path, block: int) -> None:
    for seed in range(block * 50, block * 50 + 50):
        attack(sample, seed)


def test_what_the_check_finds_is_put_in_order_at_the_next_start(folder: Path) -> None:
    connection = sqlite3.connect(folder / "hemx.db", isolation_level=None)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("DELETE FROM sqlite_schema WHERE name = 'results_by_study'")
    connection.close()
    with Store(folder) as store:
        with pytest.raises(DamagedStoreError) as caught:
            store.check()
        assert caught.value.code == "database_damaged"
        store.rescue_at_next_start()
    studies, read, trouble = hold(folder)
    assert (studies, read) == WHOLE
    assert "4 studies and 3 results in it could be read" in str(trouble)
    with Store(folder) as store:
        store.check()
        assert len(store.comparisons.of_study(2)) == 1
        assert store.studies.get(1).newest.corrected
        assert next(one.action for one in store.audit.entries()) == "store.rescued"


@pytest.mark.parametrize("block", range(4))
def test_damaged_files_beside_the_database_are_noticed(sample: Path, block: int) -> None:
    for seed in range(block * 30, block * 30 + 30):
        damage_beside(sample, seed)


@pytest.mark.slow
def test_files_beside_the_database_damaged_at_1500_places(sample: Path) -> None:
    for seed in range(1000, 2500):
        damage_beside(sample, seed)


def test_files_that_are_missing_zeroed_or_swapped_are_told(folder: Path) -> None:
    with Store(folder) as store:
        one, two, three, four = (store.studies.get(number) for number in (1, 2, 3, 4))
        paths = {study.id: store.studies.path(study) for study in (one, two, three, four)}
        (paths[1] / "00002.dcm").unlink()
        first = paths[2] / "00001.dcm"
        first.write_bytes(bytes(first.stat().st_size))
        shutil.copy(paths[4] / "00001.dcm", paths[3] / "00001.dcm")
        for study, told in ((one, "1 are missing"), (two, "1 are not"), (three, "1 are not")):
            with pytest.raises(DamagedStoreError, match=told) as caught:
                store.studies.verify(study)
            assert "取り込み時と異なります" in caught.value.told("ja")[0] or study is one
        assert store.studies.verify(four) == paths[4]
        # Imported again from its source a study is whole again, with its results.
        for seed in range(3):
            assert add(store, seed) == seed + 1
        assert look(store) == WHOLE
        assert len(list((folder / "studies").iterdir())) == STUDIES


def test_a_file_that_does_not_belong_to_a_study_is_not_read_with_it(folder: Path) -> None:
    with Store(folder) as store:
        study = store.studies.get(1)
        path = store.studies.path(study)
        shutil.copy(store.studies.path(store.studies.get(2)) / "00001.dcm", path / "00003.dcm")
        (path / "notes.txt").write_text("x")
        store.studies.verify(study)
        assert sorted(one.name for one in path.iterdir()) == ["00001.dcm", "00002.dcm"]
        assert len(list((folder / "set_aside").iterdir())) == 2


def test_stray_files_stop_nothing(folder: Path) -> None:
    (folder / "studies" / "notes.txt").write_text("x")
    (folder / "studies" / "Thumbs").mkdir()
    (folder / "labels" / "x.json").write_text("{}")
    (folder / "photo.jpg").write_bytes(b"x")
    (folder / "hemx.db.draft").write_bytes(b"x")
    (folder / "restore-x").mkdir()
    with Store(folder) as store:
        assert look(store) == WHOLE
        assert store.trouble is None
    assert (folder / "studies" / "notes.txt").exists()
    assert not (folder / "restore-x").exists()
    shutil.rmtree(folder / "studies")
    (folder / "studies").write_text("a file")
    with Store(folder) as store:
        assert len(store.studies.find()) == STUDIES
        with pytest.raises(DamagedStoreError, match="2 are missing"):
            store.studies.verify(store.studies.get(1))
        add(store, 8)


@pytest.mark.parametrize("step", ["set aside", "draft", "new", "log gone"])
def test_a_rescue_that_is_killed_begins_again_or_ends(
    folder: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_args: object, **_more: object) -> None:
        raise Killed

    database = folder / "hemx.db"
    content = bytearray(database.read_bytes())
    content[:100] = bytes(100)
    database.write_bytes(content)
    with monkeypatch.context() as patch:
        if step == "set aside":
            patch.setattr(_rescue._transfer, "opened", killed)
        elif step == "draft":
            patch.setattr(_rescue.Database, "shrink", killed)
        elif step == "new":
            patch.setattr(_rescue, "_take_over", killed)
        else:
            patch.setattr(_rescue, "sync_folder", killed)
        with pytest.raises(Killed):
            Store(folder)
    studies, _read, _trouble = hold(folder)
    assert studies == STUDIES


def test_a_store_of_version_1_opens_and_is_sealed(folder: Path) -> None:
    """As versions before left it: no seals, labels, mark or copy of the settings."""
    old = sqlite3.connect(folder / "hemx.db", isolation_level=None)
    fresh = sqlite3.connect(folder / "old.db", isolation_level=None)
    _schema.migrate(fresh, _schema.STEPS[:1])
    tables = ("studies", "results", "slices", "corrections", "comparisons", "audit", "settings")
    for table in tables:
        names = [row[1] for row in fresh.execute(f"PRAGMA table_info({table})")]
        rows = old.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()
        marks = ", ".join("?" * len(names))
        fresh.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)
    old.close()
    fresh.close()
    (folder / "old.db").replace(folder / "hemx.db")
    for name in ("hemx.db.mark", "settings.json"):
        (folder / name).unlink()
    shutil.rmtree(folder / "labels")
    damaged = shutil.copytree(folder, folder.with_name("damaged"))
    assert hold(folder) == (*WHOLE, None)
    assert len(list((folder / "labels").glob("*.json"))) == STUDIES, "made when a study is opened"
    with Store(folder) as store:
        store.check()
    # One of version 1 that is damaged is made anew, too.
    content = bytearray((damaged / "hemx.db").read_bytes())
    content[60:64] = bytes(4)
    (damaged / "hemx.db").write_bytes(content)
    with Store(damaged) as store:
        assert look(store) == WHOLE
        assert store.trouble is not None


@pytest.mark.slow
def test_a_database_damaged_at_1500_places_loses_no_study(sample: Path) -> None:
    found = [attack(sample, seed) for seed in range(1000, 2500)]
    print({one: found.count(one) for one in sorted(set(found))})
    assert found.count("told") > 100

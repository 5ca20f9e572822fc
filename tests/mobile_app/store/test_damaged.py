"""Whatever happens to the store's files, no study is lost, none is shown wrong, and the user is told."""

from __future__ import annotations

import io
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hemx_core.comparison import compare_results
from mobile_app.errors import (
    DamagedStoreError,
    HemxError,
    NewerStoreError,
    NotStoredError,
    RescuedStoreError,
)
from mobile_app.store import Damage, Store, StudyState, _files, _labels
from mobile_app.work.study_list import study_rows
from tests.mobile_app.store.results import assert_same, make_identity, make_result

STUDIES = 4


def add(store: Store, seed: int) -> int:
    contents = [f"file {seed} {index}".encode() * 99 for index in range(2)]
    openers = [lambda content=content: io.BytesIO(content) for content in contents]
    return store.add_files(openers, identity=make_identity(seed), slices=5).id


def fill(folder: Path) -> None:
    """Four studies: three with a result, one corrected, two compared; a PIN-like setting."""
    with Store(folder) as store:
        for seed in range(STUDIES):
            add(store, seed)
        numbers = [store.results.save(seed + 1, make_result(seed)) for seed in range(3)]
        first, second = (store.results.load(one) for one in numbers[:2])
        store.corrections.save(numbers[0], ~first.mask, volume_ml=7.5)
        store.comparisons.save(
            compare_results(first, second), earlier_result=numbers[0], later_result=numbers[1]
        )
        store.settings.set("pin", {"salt": "00"})
        store.settings.set("language", "ja")


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


def dicom(folder: Path) -> set[tuple[str, bytes]]:
    """What the store has of DICOM, wherever it lies."""
    return {(path.name, path.read_bytes()) for path in folder.rglob("*.dcm")}


def look(store: Store) -> tuple[int, int]:
    """Use all of a store; what is shown is right. Returns studies, and results that read."""
    studies = store.studies.find()
    rows = study_rows(store, "en")
    assert [row.study_id for row in rows] == [study.id for study in studies]
    read = 0
    for study in studies:
        if study.damage is not Damage.RECORD:
            seed = int(study.identity.patient_id[1:])
            assert study.identity.series_uid == make_identity(seed).series_uid
            assert study.slices == 5
            store.studies.verify(study)
            if study.newest is not None:
                result = make_result(seed)
                glance = study.newest
                volume = 7.5 if glance.corrected else result.haematoma_volume_ml
                assert glance.volume_ml == volume
                assert glance.corrected is (seed == 0)
        try:
            numbers = store.results.of_study(study.id)
            for number in numbers:
                loaded = store.results.load(number)
                assert_same(make_result(int(loaded.identity.patient_id[1:])), loaded)
                if study.damage is not Damage.RECORD:
                    assert loaded.identity.patient_id == study.identity.patient_id
                read += 1
                for fix in store.corrections.of_result(number):
                    assert store.corrections.load(fix).volume_ml == 7.5
            for stored in store.comparisons.of_study(study.id):
                store.comparisons.load(stored.id)
        except (DamagedStoreError, NotStoredError):
            continue  # "not there" is said of a row that only the index has
    return len(studies), read


def hold(folder: Path) -> tuple[int, int, HemxError | None]:
    """Open a damaged store: all DICOM is there, all studies are listed, or it says why it does not open."""
    before = dicom(folder)
    with Store(folder) as store:
        trouble = store.trouble
        assert dicom(folder) == before, "a file of a study is gone"
        studies, read = look(store)
        set_aside = len(store.set_aside_studies())
        assert studies + set_aside >= STUDIES, trouble
    with Store(folder) as again:
        assert again.trouble is None, "told once"
        assert len(again.studies.find()) == studies
    return studies, read, trouble


WHOLE = (STUDIES, 3)


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


def flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 2, 8))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def cut(path: Path, rng: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content))])


def blank(path: Path, rng: random.Random) -> None:
    """A page or more of zeros, as a medium gives that lost a block."""
    content = bytearray(path.read_bytes())
    start = rng.randrange(0, len(content), 4096)
    length = rng.choice((512, 4096, 16384))
    content[start : start + length] = bytes(len(content[start : start + length]))
    path.write_bytes(content)


def scramble(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    start = rng.randrange(len(content))
    content[start : start + 256] = rng.randbytes(len(content[start : start + 256]))
    path.write_bytes(content)


KINDS: tuple[Callable[[Path, random.Random], None], ...] = (flip, flip, cut, blank, scramble)


def attack(sample: Path, seed: int) -> str:
    """Damage a copy of the sample's database at a place of the seed; returns what came of it."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=sample.parent) as made:
        folder = Path(shutil.copytree(sample, Path(made) / "app"))
        rng.choice(KINDS)(folder / "hemx.db", rng)
        before = dicom(folder)
        try:
            studies, read, trouble = hold(folder)
        except NewerStoreError:
            # So says the file's header: nothing is touched.
            assert dicom(folder) == before
            return "newer"
        assert studies >= STUDIES
        return "whole" if trouble is None and read == WHOLE[1] else "told" if trouble else "row"


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


@pytest.mark.slow
def test_a_database_damaged_at_1500_places_loses_no_study(sample: Path) -> None:
    found = [attack(sample, seed) for seed in range(1000, 2500)]
    print({one: found.count(one) for one in sorted(set(found))})
    assert found.count("told") > 100

from __future__ import annotations

import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.robustness.stored import assert_same, make_identity, make_result
from hemx_core.comparison import compare_results
from hemx_core.errors import NotHeadError
from hemx_core.notes import Severity
from hemx_core.words import tell
from mobile_app.errors import (
    DamagedStoreError,
    NewerStoreError,
    NotStoredError,
    StoreBusyError,
    StoreError,
    StoreFullError,
)
from mobile_app.store import (
    BrushStroke,
    Store,
    Study,
    StudyError,
    StudyState,
    _files,
    _results,
    _schema,
    _seal,
)
from mobile_app.store._encode import (
    decode_comparison,
    decode_result,
    encode_comparison,
    encode_result,
)
from mobile_app.store._schema import STEPS, migrate


class Ticking:
    """A clock that goes on by a second at each look."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "app", actor="Dr A", now=Ticking()) as opened:
        yield opened


def add(store: Store, seed: int = 0, files: int = 2) -> Study:
    contents = [f"file {seed} {index}".encode() * 99 for index in range(files)]
    openers = [lambda content=content: io.BytesIO(content) for content in contents]
    return store.add_files(openers, identity=make_identity(seed), slices=5)


def reopened(store: Store) -> Store:
    store.close()
    return Store(store.studies._context.folder, now=Ticking())


def test_a_result_comes_back_bit_for_bit(store: Store) -> None:
    study = add(store)
    for seed in range(3):
        result = make_result(seed)
        number = store.results.save(study.id, result)
        assert_same(result, store.results.load(number))
    newest = store.studies.get(study.id).newest
    assert newest is not None
    assert newest.result_id == number
    assert newest.recommendation is result.recommendation
    assert newest.volume_ml == result.haematoma_volume_ml
    present = [one for one in result.markers.values() if one.present]
    assert newest.markers == tuple(one.code for one in present if one.validated)
    assert newest.not_validated == tuple(one.code for one in present if not one.validated)
    assert store.results.of_study(study.id) == (3, 2, 1)


def test_a_result_without_blood_and_one_of_odd_shape_come_back(store: Store) -> None:
    study = add(store)
    whole = make_result(1, slices=1, size=7)
    empty = replace(
        whole, haematoma=replace(whole.haematoma, mask=np.zeros((1, 3, 1), bool)), markers={}, signs=()
    )  # fmt: skip
    for result in (whole, empty):
        assert_same(result, store.results.load(store.results.save(study.id, result)))


def test_what_was_stored_is_there_after_opening_again(store: Store) -> None:
    study = add(store)
    number = store.results.save(study.id, make_result(4))
    with reopened(store) as again:
        assert again.studies.get(study.id).state is StudyState.DONE
        assert_same(make_result(4), again.results.load(number))
        again.check()


def test_notes_and_reasons_of_before_show_their_sentences(store: Store) -> None:
    study = add(store)
    number = store.results.save(study.id, make_result())
    pair = store.comparisons.save(
        compare_results(store.results.load(number), make_result(3)),
        earlier_result=number,
        later_result=number,
    )
    warning = {"code": "contrast", "message": "WARNING: contrast medium was given."}
    tilt = {"code": "gantry_tilt", "message": "The slices are tilted by 12.0 degrees."}
    with store.studies._context.database.writing() as connection:
        (text,) = connection.execute("SELECT document FROM results").fetchone()
        old = json.loads(text) | {"reasons": ["It is large."], "notes": [warning, tilt]}
        connection.execute("UPDATE results SET document = ?", (json.dumps(old),))
        encoded, _ = _results.encoded_result(connection, number)
        connection.execute("UPDATE results SET sha256 = ?", (encoded.sha256,))
        (text,) = connection.execute("SELECT document FROM comparisons").fetchone()
        old = json.loads(text) | {"notes": [warning]}
        connection.execute("UPDATE comparisons SET document = ?", (json.dumps(old),))
        _seal.seal(connection, "results", number)
        _seal.seal(connection, "comparisons", pair)
    result = store.results.load(number)
    assert [tell(one, "ja") for one in result.reasons] == ["It is large."]
    assert [(one.code, one.severity, tell(one)) for one in result.notes] == [
        ("contrast", Severity.WARNING, "contrast medium was given."),
        ("gantry_tilt", Severity.CAUTION, tilt["message"]),
    ]
    assert store.comparisons.load(pair).notes == result.notes[:1]
    again = store.results.save(study.id, result)
    assert_same(result, store.results.load(again))


def test_a_refusal_of_before_shows_its_sentences(store: Store) -> None:
    study = add(store)
    old = {"kind": "NotHeadError", "found": "a knee", "expected": "a head", "remedy": "try again"}
    with store.studies._context.database.writing() as connection:
        connection.execute("UPDATE studies SET error = ?", (json.dumps(old),))
        _seal.seal(connection, "studies", study.id)
    error = store.studies.get(study.id).error
    assert error is not None
    assert error.kind == "NotHeadError"
    assert error.told("ja") == ("a knee", "a head", "try again")


def test_a_changed_record_is_noticed(store: Store) -> None:
    study = add(store)
    number = store.results.save(study.id, make_result())
    with store.studies._context.database.writing() as connection:
        connection.execute("UPDATE results SET document = replace(document, '58.25', '18.25')")
    with pytest.raises(DamagedStoreError, match=f"result {number}"):
        store.results.load(number)


def test_a_shape_that_asks_for_more_than_the_record_holds_is_refused(store: Store) -> None:
    from mobile_app.store._encode import Packed, pack_mask, unpack_mask

    packed = pack_mask(np.ones((2, 8, 8), bool))
    for shape in ("[2,8,9]", "[1,8,8]"):
        with pytest.raises(DamagedStoreError, match="unpacks to"):
            unpack_mask(Packed(shape=shape, content=packed.content))
    with pytest.raises(DamagedStoreError, match="cannot be unpacked"):
        unpack_mask(Packed(shape="[2,8,8]", content=b"no"))


def test_the_files_are_copied_under_numbers_and_the_source_s_path_is_not_kept(store: Store) -> None:
    study = add(store, files=3)
    folder = store.studies.path(study)
    assert sorted(one.name for one in folder.iterdir()) == ["00001.dcm", "00002.dcm", "00003.dcm"]
    assert (folder / "00002.dcm").read_bytes() == b"file 0 1" * 99
    assert (study.files, study.bytes) == (3, 3 * 99 * 8)
    assert study.identity == replace(make_identity(), source="")
    assert study.state is StudyState.IMPORTED
    assert study.newest is None
    if os.name == "posix":
        assert stat.S_IMODE((folder.parent.parent).stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_same_files_are_imported_once(store: Store) -> None:
    first = add(store, 1)
    assert add(store, 1).id == first.id
    assert len(store.studies.find()) == 1
    assert [one.name for one in store.studies.path(first).parent.iterdir()] == [first.folder]


@pytest.mark.parametrize("fails", ["reading", "room", "check", "cancel"])
def test_a_failed_import_leaves_nothing(
    store: Store, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(BaseException):
        pass

    def broken() -> io.BytesIO:
        raise OSError(5, "Input/output error")

    def stop(*_args: object) -> None:
        raise Stop

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    openers = [lambda: io.BytesIO(b"x"), broken if fails == "reading" else lambda: io.BytesIO(b"y")]
    expected = {"reading": StoreError, "room": StoreFullError, "check": Stop, "cancel": Stop}[fails]
    if fails == "room":
        monkeypatch.setattr(_files.os, "fsync", full)
    with pytest.raises(expected):
        store.add_files(
            openers,
            identity=make_identity(),
            slices=5,
            check=stop if fails == "check" else None,
            progress=stop if fails == "cancel" else None,
        )
    assert store.studies.find() == ()
    assert list((store.studies._context.folder / "studies").iterdir()) == []


def test_search_finds_words_in_any_order_case_and_width(store: Store) -> None:
    for seed in range(3):
        add(store, seed)
    found = {text: [one.id for one in store.studies.find(text)] for text in (
        "", "tarou YAMADA", "山田", "ﾔﾏﾀﾞ", "Ｐ００１", "clinic a", "2026-01-03", "100%", "p_0", "nobody",
    )}  # fmt: skip
    everyone = [3, 2, 1]
    assert found == {
        "": everyone,
        "tarou YAMADA": everyone,
        "山田": everyone,
        "ﾔﾏﾀﾞ": everyone,
        "Ｐ００１": [2],
        "clinic a": everyone,
        "2026-01-03": [2],
        "100%": [],
        "p_0": [],
        "nobody": [],
    }
    assert store.studies.find("ヤマタ") == (), "a voiced sound is another sound"
    store.studies.set_state(2, StudyState.QUEUED)
    assert [one.id for one in store.studies.find(states=[StudyState.QUEUED])] == [2]


def test_a_refusal_is_kept_with_its_words_and_forgotten_when_it_runs_again(store: Store) -> None:
    study = add(store)
    error = NotHeadError("no_brain", brains=1, inspected=15)
    store.studies.set_state(study.id, StudyState.REFUSED, error=error)
    refused = store.studies.get(study.id)
    assert refused.error == StudyError.of(error)
    assert refused.error.told("en") == (error.found, error.expected, error.remedy)
    assert "15スライス中" in refused.error.told("ja")[0]
    assert refused.changed_at > refused.imported_at
    store.studies.set_state(study.id, StudyState.RUNNING)
    assert store.studies.get(study.id).error is None


def test_what_was_running_is_interrupted_and_what_waited_still_waits(store: Store) -> None:
    states = {add(store, 0).id: StudyState.RUNNING, add(store, 1).id: StudyState.QUEUED}
    for number, state in states.items():
        store.studies.set_state(number, state)
    stray = store.studies._context.folder / "studies" / "0123.tmp"
    stray.mkdir()
    (stray / "00001.dcm").touch()
    with reopened(store) as again:
        assert again.interrupted == (1,)
        assert again.studies.get(1).state is StudyState.INTERRUPTED
        assert again.studies.get(2).state is StudyState.QUEUED
        assert not stray.exists()
        assert all(again.studies.path(one).is_dir() for one in again.studies.find())


def test_a_deleted_study_takes_everything_with_it_but_the_trail(store: Store) -> None:
    gone, kept = add(store, 0), add(store, 1)
    numbers = [store.results.save(one.id, make_result(one.id)) for one in (gone, kept)]
    result = store.results.load(numbers[0])
    fix = store.corrections.save(numbers[0], result.mask, volume_ml=1.0)
    pair = store.comparisons.save(
        compare_results(result, store.results.load(numbers[1])),
        earlier_result=numbers[0],
        later_result=numbers[1],
        earlier_correction=fix,
    )
    secret = make_identity().patient_name.split("^")[0].encode()
    folder = store.studies._context.folder
    assert any(secret in one.read_bytes() for one in folder.glob("hemx.db*"))
    store.studies.delete(kept.id)
    store.studies.delete(gone.id)
    for lost in (
        lambda: store.studies.get(gone.id),
        lambda: store.results.load(numbers[0]),
        lambda: store.corrections.load(fix),
        lambda: store.comparisons.load(pair),
        lambda: store.studies.delete(gone.id),
        lambda: store.results.save(gone.id, result),
        lambda: store.studies.set_state(gone.id, StudyState.RUNNING),
    ):
        with pytest.raises(NotStoredError):
            lost()
    assert list((folder / "studies").iterdir()) == []
    # Neither the file nor the log still holds the name, and nobody ever gets the number again.
    assert not any(secret in one.read_bytes() for one in folder.glob("hemx.db*"))
    assert add(store, 2).id == 3
    actions = [one.action for one in store.audit.entries(study_id=gone.id)]
    # The comparison is told of the later study.
    assert actions == ["study.deleted", "correction.saved", "result.saved", "study.imported"]
    store.check()


def test_the_database_shrinks_after_a_deletion(store: Store) -> None:
    study = add(store)
    rng = np.random.default_rng(0)
    base = make_result()
    noise = replace(base.haematoma, mask=rng.random((40, 128, 128)) > 0.5)
    for _ in range(4):
        store.results.save(study.id, replace(base, haematoma=noise))
    store.studies._context.database.shrink()
    database = store.studies._context.database.path
    before = database.stat().st_size
    store.studies.delete(study.id)
    assert before > 300_000
    assert database.stat().st_size < before / 3


def test_corrections_are_versions_beside_the_result(store: Store) -> None:
    study = add(store)
    result = make_result()
    number = store.results.save(study.id, result)
    stroke = BrushStroke(slice_index=2, radius=3.5, erases=True, points=((1.25, 2.0), (1 / 3, 9.0)))
    store.act_as("Dr B")
    masks = [~result.mask, result.mask & False]
    fixes = [
        store.corrections.save(number, mask, volume_ml=ml, strokes=strokes)
        for mask, ml, strokes in zip(masks, (7.5, 1 / 3), ([stroke], []), strict=True)
    ]
    first, second = (store.corrections.load(one) for one in fixes)
    assert (first.version, second.version) == (1, 2)
    assert (first.made_by, first.strokes, second.strokes) == ("Dr B", (stroke,), ())
    np.testing.assert_array_equal(first.mask, masks[0])
    assert store.corrections.of_result(number) == (fixes[1], fixes[0])
    glance = store.studies.get(study.id).newest
    assert glance is not None
    assert (glance.volume_ml, glance.corrected) == (1 / 3, True)
    assert_same(result, store.results.load(number))
    with pytest.raises(StoreError, match="shape"):
        store.corrections.save(number, result.mask[1:], volume_ml=0.0)
    with pytest.raises(NotStoredError):
        store.corrections.save(99, result.mask, volume_ml=0.0)
    with store.studies._context.database.writing() as connection:
        connection.execute("UPDATE corrections SET strokes = '[]' WHERE id = ?", (fixes[0],))
    with pytest.raises(DamagedStoreError):
        store.corrections.load(fixes[0])


def test_a_comparison_comes_back_with_its_results(store: Store) -> None:
    numbers = [store.results.save(add(store, seed).id, make_result(seed)) for seed in range(2)]
    comparison = compare_results(*(store.results.load(one) for one in numbers))
    number = store.comparisons.save(comparison, earlier_result=numbers[0], later_result=numbers[1])
    assert_same(comparison, store.comparisons.load(number), "comparison")
    for study_id in (1, 2):
        (stored,) = store.comparisons.of_study(study_id)
        assert (stored.id, stored.earlier_result, stored.later_result) == (number, *numbers)
    with pytest.raises(NotStoredError):
        store.comparisons.save(comparison, earlier_result=numbers[0], later_result=77)
    store.studies.delete(1)
    assert store.comparisons.of_study(2) == ()


def test_a_comparison_of_before_keeps_the_growth_that_was_told() -> None:
    earlier, later = make_result(1), make_result(3)
    comparison = compare_results(earlier, later)
    document = json.loads(encode_comparison(comparison))
    for study in ("earlier_volume", "later_volume"):
        ml = document[study]["volume_ml"]
        document[study] = {"volume_ml": ml, "surface_mm2": 3000.0, "sampling_sd_ml": 0.05}
    decoded = decode_comparison(json.dumps(document), earlier, later)
    assert decoded.growth == comparison.growth
    assert decoded.later_volume.volume_ml == comparison.later_volume.volume_ml
    assert decoded.later_volume.interval_ml is None


def test_the_trail_tells_everything_and_names_nobody(store: Store) -> None:
    study = add(store)
    store.studies.set_state(study.id, StudyState.RUNNING)
    store.results.save(study.id, make_result())
    store.act_as("Dr B")
    store.audit.note("report.exported", study_id=study.id, kind="pdf", identified=False)
    entries = store.audit.entries()
    assert [(one.action, one.actor) for one in entries] == [
        ("report.exported", "Dr B"),
        ("result.saved", "Dr A"),
        ("study.running", "Dr A"),
        ("study.imported", "Dr A"),
    ]
    assert entries[0].detail == {"kind": "pdf", "identified": False}
    assert store.audit.verify() == entries[0].hash
    text = str(entries)
    identity = make_identity()
    for secret in (identity.patient_name, identity.patient_id, identity.series_uid, "Yamada"):
        assert secret not in text


@pytest.mark.parametrize(
    ("tamper", "entry"),
    [
        ("UPDATE audit SET actor = 'nobody' WHERE id = 2", 2),
        ("UPDATE audit SET at = '2020-01-01T00:00:00+00:00' WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 1", 1),
        (
            "INSERT INTO audit SELECT 5, at, '', action, 1, '{}', hash, 'x' FROM audit WHERE id = 4",
            5,
        ),
    ],
)
def test_a_changed_trail_is_noticed_and_sqlite_refuses_the_change(
    store: Store, tamper: str, entry: int
) -> None:
    add(store)
    for _ in range(3):
        store.audit.note("opened")
    database = store.studies._context.database
    if not tamper.startswith("INSERT"):
        with pytest.raises(StoreError, match="append-only"), database.writing() as connection:
            connection.execute(tamper)
    assert store.audit.verify()
    with database.writing() as connection:
        connection.execute("DROP TRIGGER audit_is_not_changed")
        connection.execute("DROP TRIGGER audit_is_not_deleted")
        connection.execute(tamper)
    with pytest.raises(DamagedStoreError, match=f"entry {entry}$|entry {entry}[.]"):
        store.check()


def test_settings_keep_any_json_value(store: Store) -> None:
    for value in ("ja", 3, [0.1, 80.0], {"window": {"lower": 0}}, False):
        store.settings.set("it", value)
        assert store.settings.get("it") == value
    store.settings.set("it", None)
    assert store.settings.get("it", "default") == "default"


def test_a_second_process_is_refused_and_a_dead_one_is_not_in_the_way(store: Store) -> None:
    with pytest.raises(StoreBusyError):
        Store(store.studies._context.folder)
    store.studies.set_state(add(store).id, StudyState.RUNNING)
    assert store.studies.get(1).state is StudyState.RUNNING
    store.close()
    Store(store.studies._context.folder).close()


def test_readers_see_one_state_while_a_thread_writes(store: Store) -> None:
    study = add(store)
    numbers, failures, seen = [store.results.save(study.id, make_result(0))], [], 0
    stop = threading.Event()

    def write() -> None:
        try:
            for seed in range(1, 15):
                numbers.append(store.results.save(study.id, make_result(seed)))
        except BaseException as error:
            failures.append(error)
        finally:
            stop.set()

    thread = threading.Thread(target=write)
    thread.start()
    while not stop.is_set() or seen == 0:
        newest = store.studies.get(study.id).newest
        assert newest is not None
        assert_same(make_result(newest.result_id - 1), store.results.load(newest.result_id))
        seen += 1
    thread.join()
    assert failures == []
    assert store.results.of_study(study.id)[0] == 15


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.studies.find()


def test_a_full_device_is_told_and_nothing_is_written(store: Store) -> None:
    study = add(store)
    connection = store.studies._context.database.connection()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 2}").fetchall()
    rng = np.random.default_rng(0)
    base = make_result()
    large = replace(base.haematoma, mask=rng.random((40, 128, 128)) > 0.5)
    with pytest.raises(StoreFullError):
        store.results.save(study.id, replace(base, haematoma=large))
    assert store.results.of_study(study.id) == ()
    assert store.studies.get(study.id).state is StudyState.IMPORTED


def test_a_step_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    assert migrate(connection) == 0
    connection.execute("INSERT INTO settings VALUES ('a', '1', '')")
    broken = (*STEPS, "ALTER TABLE settings ADD COLUMN extra TEXT; INSERT INTO nowhere VALUES (1)")
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection, broken)
    assert connection.execute("SELECT * FROM settings").fetchall() == [("a", "1", "")]
    assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
    good = (*STEPS, "ALTER TABLE settings ADD COLUMN extra TEXT DEFAULT 'x'")
    assert migrate(connection, good) == len(STEPS)
    assert connection.execute("SELECT * FROM settings").fetchall() == [("a", "1", "", "x")]
    assert migrate(connection, good) == len(STEPS) + 1
    with pytest.raises(NewerStoreError, match=f"version {len(STEPS) + 1}"):
        migrate(connection)
    connection.close()


def test_another_program_s_database_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    connection.execute("CREATE TABLE photos (a)")
    with pytest.raises(StoreError, match="another program"):
        migrate(connection)
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("photos",)]
    connection.close()


def test_every_connection_has_the_pragmas(store: Store) -> None:
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "auto_vacuum": 2,
        "temp_store": 2,
        "application_id": _schema.APPLICATION_ID,
    }
    found: list[dict[str, object]] = []

    def look() -> None:
        connection = store.studies._context.database.connection()
        found.append({one: connection.execute(f"PRAGMA {one}").fetchone()[0] for one in expected})

    look()
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [expected, expected]


def test_the_store_imports_neither_kivy_nor_torch() -> None:
    code = (
        "import sys, mobile_app.work.library, mobile_app.lock.pin; "
        "loaded = {name.partition('.')[0] for name in sys.modules}; "
        "print(loaded & {'kivy', 'torch', 'executorch', 'export', 'benchmarks'})"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_a_document_without_later_fields_is_read_and_one_with_unknown_fields_is_not() -> None:
    encoded = encode_result(make_result())
    document = json.loads(encoded.document)
    del document["haematoma"]["bone_spots_counted"]
    older = replace(encoded, document=json.dumps(document))
    assert decode_result(older).haematoma.bone_spots_counted is False
    document["haematoma"]["later"] = 1
    with pytest.raises(DamagedStoreError, match=r"unknown later @ _Document\.haematoma"):
        decode_result(replace(encoded, document=json.dumps(document)))

from __future__ import annotations

import contextlib
import json
import random
import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobile_app.errors import (
    DamagedStoreError,
    NewerStoreError,
    StoreError,
    StoreFullError,
)
from mobile_app.store import Store, _backup, _files
from tests.mobile_app.store.test_damaged import WHOLE, add, fill, look


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of four studies, made once."""
    folder = tmp_path_factory.mktemp("kept")
    fill(folder / "app")
    with Store(folder / "app") as store:
        told: list[tuple[int, int]] = []
        done = store.back_up(folder / "a.zip", lambda *step: told.append(step))
        assert (done.studies, done.damaged) == (4, ())
        assert done.bytes == (folder / "a.zip").stat().st_size
        assert told[-1] == (4, 4)
        assert store.audit.entries()[0].action == "store.backed_up"
    assert sorted(path.name for path in folder.iterdir()) == ["a.zip", "app"]
    return folder / "a.zip"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "new") as opened:
        yield opened


def test_everything_comes_back_into_an_empty_store(kept: Path, store: Store) -> None:
    done = store.restore(kept)
    assert (done.added, done.present, done.results, done.damaged) == (4, 0, 3, 0)
    assert look(store) == WHOLE
    assert store.studies.get(1).newest.corrected
    assert len(store.comparisons.of_study(2)) == 1
    assert store.settings.get("pin") is None, "the PIN is the device's"
    store.check()
    assert sorted(path.name for path in store.folder.iterdir()) == [
        "hemx.db", "hemx.db-shm", "hemx.db-wal", "hemx.db.mark", "labels", "lock", "reserve", "studies",
    ]  # fmt: skip
    again = store.restore(kept)
    assert (again.added, again.present) == (0, 4)


def test_a_store_with_studies_keeps_them_and_gets_the_others(kept: Path, store: Store) -> None:
    for seed in (7, 1):
        add(store, seed)
    done = store.restore(kept)
    assert (done.added, done.present, done.results) == (3, 1, 2)
    assert len(store.studies.find()) == 5
    assert look(store)[1] == 2
    assert store.studies.get(2).newest is None, "what is there stays as it is"


def test_an_unpacked_backup_is_one_too(kept: Path, store: Store, tmp_path: Path) -> None:
    with zipfile.ZipFile(kept) as archive:
        archive.extractall(tmp_path / "unpacked")
    assert store.restore(tmp_path / "unpacked").added == 4


def test_it_is_for_its_owner_only_and_holds_no_pin(kept: Path) -> None:
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with zipfile.ZipFile(kept) as archive:
        assert b"salt" not in archive.read("hemx.db")
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest.keys() == {
            "kind", "version", "schema", "made_at", "studies", "files", "sha256",
        }  # fmt: skip
        assert set(archive.namelist()) == {*manifest["files"], "manifest.json"}


def test_a_damaged_study_is_left_out_and_named(tmp_path: Path) -> None:
    fill(tmp_path / "app")
    with Store(tmp_path / "app") as store:
        path = store.studies.path(store.studies.get(2)) / "00001.dcm"
        path.write_bytes(bytes(path.stat().st_size))
        done = store.back_up(tmp_path / "a.zip")
        assert (done.studies, done.damaged) == (3, (2,))
    with Store(tmp_path / "new") as store:
        restored = store.restore(tmp_path / "a.zip")
        assert (restored.added, restored.damaged) == (3, 1)


@pytest.mark.parametrize("way", ["text", "another zip", "missing", "folder"])
def test_what_is_no_backup_is_refused(store: Store, tmp_path: Path, way: str) -> None:
    path = tmp_path / "b.zip"
    if way == "text":
        path.write_text("nothing")
    elif way == "another zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("manifest.json", '{"kind": "photos"}')
    elif way == "folder":
        path.mkdir()
    with pytest.raises(StoreError):
        store.restore(path)
    assert store.studies.find() == ()


def _again(source: Path, target: Path, change: dict[str, bytes | None]) -> Path:
    """A copy of a backup with other members; None leaves one out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = change.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


def test_a_manifest_that_leaves_its_folder_or_is_newer_is_refused(
    kept: Path, store: Store, tmp_path: Path
) -> None:
    with zipfile.ZipFile(kept) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    files = manifest["files"] | {"../../evil": [1, "0" * 64]}
    evil = manifest | {"files": files, "sha256": _backup._hash_of(files)}
    for bad, error in (
        (evil, DamagedStoreError),
        (manifest | {"version": 2}, NewerStoreError),
        (manifest | {"schema": 99}, NewerStoreError),
        (manifest | {"files": [1]}, DamagedStoreError),
        (manifest | {"sha256": ""}, DamagedStoreError),
        (manifest | {"version": None}, DamagedStoreError),
    ):
        path = _again(kept, tmp_path / "bad.zip", {"manifest.json": json.dumps(bad).encode()})
        with pytest.raises(error):
            store.restore(path)
    assert store.studies.find() == ()


def test_a_backup_that_lacks_files_gives_the_studies_that_are_whole(
    kept: Path, store: Store, tmp_path: Path
) -> None:
    with zipfile.ZipFile(kept) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("studies/"))
    change: dict[str, bytes | None] = {names[0]: None, names[2]: b"other"}
    done = store.restore(_again(kept, tmp_path / "bad.zip", change))
    assert (done.added, done.damaged) == (2, 2)
    look(store)
    assert len(list((store.folder / "studies").iterdir())) == 2


@pytest.mark.parametrize("block", range(2))
def test_a_damaged_backup_never_gives_a_wrong_study(kept: Path, tmp_path: Path, block: int) -> None:
    content = kept.read_bytes()
    path = tmp_path / "bad.zip"
    with Store(tmp_path / "new") as store:
        for seed in range(block * 60, block * 60 + 60):
            rng = random.Random(seed)
            bad = bytearray(content)
            if seed % 4:
                bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
            else:
                bad = bad[: rng.randrange(len(bad))]
            path.write_bytes(bad)
            with contextlib.suppress(StoreError):
                store.restore(path)
            look(store)
            for study in store.studies.find():
                assert study.damage is None
                store.studies.delete(study.id)


def test_no_room_leaves_nothing(
    kept: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_backup.os, "fsync", full)
    with pytest.raises(StoreFullError):
        store.back_up(tmp_path / "c.zip")
    with pytest.raises(StoreFullError):
        store.restore(kept)
    assert not list(tmp_path.glob("*c.zip*"))
    assert not list(tmp_path.glob(".*"))
    assert store.studies.find() == ()
    assert list((store.folder / _files.STUDIES).iterdir()) == []
    shutil.rmtree(tmp_path / "missing", ignore_errors=True)
    with pytest.raises(StoreError):
        store.back_up(tmp_path / "missing" / "a.zip")

"""The app's store, damaged: no study is lost, none is shown wrong, and the user is told."""

from __future__ import annotations

import io
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.robustness.outcome import Answer, Outcome
from benchmarks.robustness.stored import assert_same, make_identity, make_result
from hemx_core.comparison import compare_results
from hemx_core.errors import HemxError
from mobile_app.errors import DamagedStoreError, NewerStoreError, NotStoredError
from mobile_app.store import Damage, Store
from mobile_app.work.study_list import study_rows

STUDIES = 4
WHOLE = (STUDIES, 3)
"""Studies, and results that read."""


def add(store: Store, seed: int) -> int:
    """Import a study of two files that are no DICOM; its number."""
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


def flip(path: Path, rng: random.Random) -> None:
    """Some bits."""
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 2, 8))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def cut(path: Path, rng: random.Random) -> None:
    """Everything behind a place."""
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
    """256 bytes of noise."""
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


def damage_beside(sample: Path, seed: int) -> None:
    """Damage labels, DICOM, the settings' copy, the mark or the log of a copy, and hold what is shown."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=sample.parent) as made:
        folder = Path(made) / "app"
        shutil.copytree(sample, folder)
        if seed % 3 == 0:  # as after a kill: what was written last is in the log only
            with Store(folder) as store:
                add(store, 7)
                store.results.save(4, make_result(3))
                crashed = Path(shutil.copytree(folder, Path(made) / "crashed"))
            folder = crashed
            victims = [folder / "hemx.db-wal", folder / "hemx.db-shm"]
        else:
            victims = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size]
        victim = rng.choice([path for path in victims if path.name not in ("lock", "hemx.db")])
        kind = rng.choice((*KINDS, None))
        if kind is None:
            victim.unlink()
        else:
            kind(victim, rng)
        damaged = victim.suffix == ".dcm"
        before = dicom(folder)
        with Store(folder) as store:
            assert dicom(folder) == before
            told = store.trouble
            if victim.name == "hemx.db-wal" and told is None:
                assert len(store.studies.find()) == STUDIES + 1
                assert store.results.of_study(4), "a result is lost and nobody is told"
            elif not damaged:
                assert look(store)[0] + len(store.set_aside_studies()) >= STUDIES
            for study in store.studies.find():
                if damaged and study.folder == victim.parent.name:
                    try:
                        store.studies.verify(study)
                    except DamagedStoreError:
                        continue
                    assert dicom(folder) == dicom(sample)


def ask(sample: Path, seed: int) -> Answer:
    """Damage a copy of a filled store: its database, or what lies beside it.

    Args:
        sample: made by `fill`.
        seed: even: the database; odd: a label, a DICOM file, the log, the settings' copy or the mark.
    """
    try:
        if seed % 2:
            damage_beside(sample, seed)
            return Outcome.RIGHT, "beside"
        found = attack(sample, seed)
    except AssertionError as error:
        return Outcome.SILENT, f"{error}"
    except HemxError as error:
        return Outcome.UNTYPED, f"the store does not open: {error.code}"
    return (Outcome.RIGHT if found == "whole" else Outcome.TOLD), found

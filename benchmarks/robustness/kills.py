"""A process that imports, saves, backs up and deletes, killed at random: nothing finished is lost."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.robustness.outcome import Outcome, Row, answered, summary
from benchmarks.robustness.stored import assert_same, make_identity, make_result
from hemx_core.records import Json
from mobile_app.errors import StoreError
from mobile_app.store import Store, StudyState

MOST_STUDIES = 4
BACKUP = "backup.zip"
Event = list[Any]
"""What a child told: ["begin" or "end", what, numbers ...]."""


def run_kills(points: int, seed: int = 20261124) -> Json:
    """Kill a child so often, each time at another moment, and look at what is left.

    Args:
        points: how many kills.
        seed: of their moments; the machine's own pace has its part, too.
    Returns:
        A summary with what was under way at each kill, and how many results are kept.
    """
    # A killed process loses nothing that the system holds for it, so the medium does not matter here,
    # and in memory thousands of syncs take no time.
    memory = Path("/dev/shm")
    under_way: Counter[str] = Counter()
    rows = []
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        kills = _Kills(Path(made), random.Random(seed))
        for point in range(points):
            began = time.process_time()
            outcome, why = answered(lambda point=point: (Outcome.RIGHT, kills.once(point)))  # type: ignore[misc]
            if why.startswith("AssertionError"):
                outcome = Outcome.SILENT
            under_way[why if outcome is Outcome.RIGHT else "unknown"] += 1
            seconds = time.process_time() - began
            rows.append(Row(name=f"kill {point}", outcome=outcome, why=why, seconds=seconds))
        return summary(rows) | {
            "under_way": dict(under_way.most_common()),
            "saved": len(kills.saved),
            "deleted": len(kills.deleted),
        }


class _Kills:
    """A store, what was told of it, and the kills."""

    def __init__(self, root: Path, rng: random.Random) -> None:
        self.app, self.rng = root / "app", rng
        self.backup = root / BACKUP
        self.saved: dict[int, tuple[int, int]] = {}
        self.deleted: set[int] = set()

    def once(self, point: int) -> str:
        """Kill once, and hold what is left to what was told; what was under way."""
        told = self._kill(1000 * (point + 1))
        return self._verify(told)

    def _kill(self, seed: int) -> list[Event]:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            try:
                _work(self.app, self.backup, seed, write)
            finally:
                os._exit(3)
        os.close(write)
        told = b""
        for _ in range(self.rng.randrange(1, 9)):  # some events, and a moment more
            told += os.read(read, 1 << 16)
        time.sleep(self.rng.random() * self.rng.choice((0.0005, 0.003, 0.012)))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), status
        assert os.WTERMSIG(status) == signal.SIGKILL, status
        while more := os.read(read, 1 << 16):
            told += more
        os.close(read)
        return [json.loads(line) for line in told.decode().splitlines()]

    def _verify(self, told: list[Event]) -> str:
        for event in told:
            if event[:2] == ["end", "save"]:
                self.saved[event[4]] = (event[3], event[2])
            elif event[:2] == ["end", "delete"]:
                self.deleted.add(event[2])
        under_way: Event = told[-1][1:] if told and told[-1][0] == "begin" else ["between"]
        with Store(self.app) as store:
            store.check()
            states = {one.id: one.state for one in store.studies.find()}
            if under_way[0] == "delete" and under_way[1] not in states:
                self.deleted.add(under_way[1])  # written, and killed before it could be told
            self._hold_files(store)
            self._hold_results(store, states)
        self._hold_backup()
        return str(under_way[0])

    def _hold_files(self, store: Store) -> None:
        folders = {one.name for one in (self.app / "studies").iterdir()}
        assert folders == {one.folder for one in store.studies.find()}, "files and rows differ"
        for one in store.studies.find():
            sizes = {file.stat().st_size for file in store.studies.path(one).iterdir()}
            assert len(sizes) == 1, "a file is not whole"
            assert sum(sizes) * 2 == one.bytes, "a file is not whole"

    def _hold_results(self, store: Store, states: dict[int, StudyState]) -> None:
        assert StudyState.RUNNING not in states.values(), states
        for result, (study, seed) in self.saved.items():
            if study not in self.deleted:
                assert states[study] is StudyState.DONE, (study, states)
                assert_same(make_result(seed), store.results.load(result))
        for study, state in states.items():
            assert study not in self.deleted
            for result in store.results.of_study(study):
                loaded = store.results.load(result)  # whole, or it raises
                assert state is StudyState.DONE
                self.saved.setdefault(result, (study, int(loaded.identity.patient_id[1:])))
            if state is StudyState.DONE:
                assert store.results.of_study(study), "done without a result"

    def _hold_backup(self) -> None:
        """A backup is there whole, or is the one before it."""
        if self.backup.exists():
            with (
                tempfile.TemporaryDirectory(dir=self.app.parent) as folder,
                Store(Path(folder)) as new,
            ):
                done = new.restore(self.backup)
                assert not done.damaged, done
                assert len(new.studies.find()) == done.added
        strays = {path.name for path in self.app.parent.iterdir()} - {"app", BACKUP}
        assert all(".draft" in name or name.startswith(".") for name in strays), strays


def _work(folder: Path, backup: Path, seed: int, pipe: int) -> None:
    """Import, triage, back up and delete without end, telling what begins and what is finished."""

    def tell(*words: object) -> None:
        os.write(pipe, (json.dumps(words) + "\n").encode())

    with Store(folder) as store:
        known = [one.id for one in store.studies.find()]
        while True:
            seed += 1
            tell("begin", "import", seed)
            content = str(seed).encode() * 999
            study = store.add_files(
                [partial(io.BytesIO, content)] * 2,
                identity=make_identity(seed),
                slices=5,
            ).id
            tell("end", "import", seed, study)
            known.append(study)
            store.studies.set_state(study, StudyState.RUNNING)
            tell("begin", "save", seed)
            result = store.results.save(study, make_result(seed))
            tell("end", "save", seed, study, result)
            if seed % 3 == 0:
                tell("begin", "back up", seed)
                try:
                    store.back_up(backup)
                except StoreError as error:
                    tell("end", "back up", error.code)
                else:
                    tell("end", "back up", seed)
            if len(known) > MOST_STUDIES:
                tell("begin", "delete", known[0])
                store.studies.delete(known[0])
                tell("end", "delete", known.pop(0))

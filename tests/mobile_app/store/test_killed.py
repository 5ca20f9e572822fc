"""Killed at any moment the store opens again with every finished result and no half one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

POINTS = 50

SCRIPT = '''
import io, json, os, random, select, signal, sys, time
from pathlib import Path

from mobile_app.errors import NotStoredError
from mobile_app.store import Store, StudyState
from benchmarks.robustness.stored import assert_same, make_identity, make_result

root, points = Path(sys.argv[1]), int(sys.argv[2])
rng = random.Random(20261124)


def child(folder, seed, pipe):
    """Import, triage and delete without end, telling what begins and what is finished."""
    def tell(*words):
        os.write(pipe, (json.dumps(words) + "\\n").encode())

    with Store(folder) as store:
        known = [one.id for one in store.studies.find()]
        while True:
            seed += 1
            tell("begin", "import", seed)
            content = str(seed).encode() * 999
            study = store.add_files(
                [lambda: io.BytesIO(content)] * 2, identity=make_identity(seed), slices=5
            ).id
            tell("end", "import", seed, study)
            known.append(study)
            store.studies.set_state(study, StudyState.RUNNING)
            tell("begin", "save", seed)
            result = store.results.save(study, make_result(seed))
            tell("end", "save", seed, study, result)
            if len(known) > 4:
                tell("begin", "delete", known[0])
                store.studies.delete(known[0])
                tell("end", "delete", known.pop(0))


def kill_at_random(folder, seed):
    """Fork a child, kill -9 it after a while, and return what it had told."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            child(folder, seed, write)
        finally:
            os._exit(3)
    os.close(write)
    told = b""
    for _ in range(rng.randrange(1, 9)):  # some events, and a moment more
        told += os.read(read, 1 << 16)
    time.sleep(rng.random() * rng.choice((0.0005, 0.003, 0.012)))
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
    while more := os.read(read, 1 << 16):
        told += more
    os.close(read)
    return [json.loads(line) for line in told.decode().splitlines()]


def verify(folder, told, saved, deleted):
    """Open what is left, hold it to what was told, and return what was under way."""
    for event in told:
        if event[:2] == ["end", "save"]:
            saved[event[4]] = (event[3], event[2])
        elif event[:2] == ["end", "delete"]:
            deleted.add(event[2])
    under_way = told[-1][1:] if told and told[-1][0] == "begin" else ["between"]
    deleting = under_way[1] if under_way[0] == "delete" else None
    with Store(folder) as store:
        store.check()
        states = {one.id: one.state for one in store.studies.find()}
        if deleting is not None and deleting not in states:
            deleted.add(deleting)  # it was written, and killed before it could be told
        assert StudyState.RUNNING not in states.values(), states
        folders = {one.name for one in (folder / "studies").iterdir()}
        assert folders == {one.folder for one in store.studies.find()}, "files and rows differ"
        for one in store.studies.find():
            sizes = {file.stat().st_size for file in store.studies.path(one).iterdir()}
            assert len(sizes) == 1 and sum(sizes) * 2 == one.bytes, "a file is not whole"
        for result, (study, seed) in saved.items():
            if study in deleted:
                continue
            assert states[study] is StudyState.DONE, (study, states)
            assert_same(make_result(seed), store.results.load(result))
        for study in states:
            assert study not in deleted
            for result in store.results.of_study(study):
                loaded = store.results.load(result)  # whole, or it raises
                assert len(loaded.slices) == 5
                assert states[study] is StudyState.DONE
                saved.setdefault(result, (study, int(loaded.identity.patient_id[1:])))
            if states[study] is StudyState.DONE:
                assert store.results.of_study(study), "done without a result"
    return under_way[0]


saved, deleted, under_way = {}, set(), []
for point in range(points):
    told = kill_at_random(root / "app", 1000 * (point + 1))
    under_way.append(verify(root / "app", told, saved, deleted))
print(json.dumps({"under_way": under_way, "saved": len(saved), "deleted": len(deleted)}))
'''


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the test forks")
@pytest.mark.timeout(120)
def test_killed_at_fifty_random_points() -> None:
    root = Path(__file__).resolve().parents[3]
    # A killed process loses nothing that the system holds for it, so the medium does not matter here,
    # and in memory thousands of syncs take no time.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, folder, str(POINTS)],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    hit = {what: told["under_way"].count(what) for what in ("import", "save", "delete", "between")}
    assert sum(hit.values()) == POINTS
    # Else the kills would have missed what the test is about.
    assert hit["save"] >= 5, hit
    assert hit["import"] >= 5, hit
    assert told["saved"] >= POINTS / 2

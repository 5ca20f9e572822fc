"""On a medium without room the store opens, lists and deletes; a real one, filled to the last byte."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = '''
import os, sys
from pathlib import Path
from mobile_app.errors import StoreError, StoreFullError
from mobile_app.store import Store, StudyState
from benchmarks.robustness.stored import make_result
from tests.mobile_app.store.test_damaged import add, fill, look

root = Path(sys.argv[1])
app, ballast = root / "app", root / "ballast"
reserve = sys.argv[2] == "reserve"

def use_up():
    """Write until nothing goes."""
    with ballast.open("ab", buffering=0) as stream:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    stream.write(bytes(size))
            except OSError:
                pass

fill(app)
with Store(app) as store:
    store.studies.set_state(4, StudyState.RUNNING)
if reserve:
    (app / "reserve").write_bytes(bytes(1 << 20))
use_up()
with Store(app) as store:
    assert look(store) == (4, 3)
    use_up()
    try:
        add(store, 8)
        raise AssertionError("there was room")
    except StoreFullError:
        pass
    assert len(store.studies.find()) == 4
    for number in (2, 1):
        store.studies.delete(number)
        assert not any(str(number) == path.name for path in (app / "studies").iterdir())
        use_up()
    assert sorted(study.id for study in store.studies.find()) == [3, 4]
    try:
        store.back_up(root / "b.zip")
        raise AssertionError("there was room")
    except StoreFullError:
        pass
use_up()
with Store(app) as store:
    assert sorted(study.id for study in store.studies.find()) == [3, 4]
    assert len(list((app / "studies").iterdir())) == 2
    assert store.trouble is None
ballast.unlink()
with Store(app) as store:
    store.check()
    store.results.save(4, make_result(3))
    assert len(store.studies.find()) == 2
print("good")
'''


@pytest.mark.skipif(
    shutil.which("unshare") is None, reason="it mounts a small memory disk of its own"
)
@pytest.mark.parametrize("reserve", ["reserve", "none"])
def test_a_full_medium(tmp_path: Path, reserve: str) -> None:
    mount = f"mount -t tmpfs -o size=6m tmpfs {tmp_path}"
    shell = ["unshare", "-Urm", "sh", "-c"]
    if subprocess.run([*shell, mount], capture_output=True, check=False).returncode:
        pytest.skip("this system mounts nothing for a user")
    done = subprocess.run(
        [*shell, f'{mount} && exec "$0" -c "$1" {tmp_path} {reserve}', sys.executable, SCRIPT],
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "good", done.stderr[-3000:]

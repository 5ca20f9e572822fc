"""The store without room: it opens, lists and deletes; on a small memory disk, filled to the last byte."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.robustness.outcome import Outcome, Row
from benchmarks.robustness.stored import make_result
from benchmarks.robustness.stores import WHOLE, add, fill, look
from mobile_app.errors import StoreFullError
from mobile_app.store import Store, StudyState

DISK = "6m"
SHELL = ("unshare", "-Urm", "sh", "-c")
WAYS = ("reserve", "none")
"""With the app's reserve, and without: as before there was one, or when it is used up."""
ROOT = Path(__file__).resolve().parents[2]


def run_full() -> list[Row]:
    """Fill a disk of its own both ways; without rows where this system mounts nothing for a user."""
    rows: list[Row] = []
    for way in WAYS:
        with tempfile.TemporaryDirectory() as made:
            mount = f"mount -t tmpfs -o size={DISK} tmpfs {made}"
            if not can_mount(mount):
                return rows
            script = f'{mount} && exec "$0" -m benchmarks.robustness.full {made} {way}'
            done = subprocess.run(
                [*SHELL, script, sys.executable],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
        good = done.stdout.strip() == "good"
        outcome = Outcome.RIGHT if good else Outcome.UNTYPED
        rows.append(Row(name=f"full disk, {way}", outcome=outcome, why=done.stderr[-300:]))
    return rows


def can_mount(mount: str) -> bool:
    """Whether a user may mount a memory disk in a namespace of his own."""
    if shutil.which(SHELL[0]) is None:
        return False
    return not subprocess.run([*SHELL, mount], capture_output=True, check=False).returncode


def use_up(ballast: Path) -> None:
    """Write until nothing goes."""
    with ballast.open("ab", buffering=0) as stream:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    stream.write(bytes(size))
            except OSError:
                pass


def main(root: Path, way: str) -> None:
    """Use a store on a disk that is filled again and again.

    Args:
        root: the disk.
        way: of `WAYS`.
    """
    app, ballast = root / "app", root / "ballast"
    fill(app)
    with Store(app) as store:
        store.studies.set_state(4, StudyState.RUNNING)
    if way == "reserve":
        (app / "reserve").write_bytes(bytes(1 << 20))
    use_up(ballast)
    with Store(app) as store:
        assert look(store) == WHOLE
        use_up(ballast)
        _must_be_full(lambda: add(store, 8))
        assert len(store.studies.find()) == 4
        for number in (2, 1):
            store.studies.delete(number)
            assert not any(str(number) == path.name for path in (app / "studies").iterdir())
            use_up(ballast)
        assert sorted(study.id for study in store.studies.find()) == [3, 4]
        _must_be_full(lambda: store.back_up(root / "b.zip"))
    use_up(ballast)
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


def _must_be_full(act: Callable[[], object]) -> None:
    try:
        act()
    except StoreFullError:
        return
    raise AssertionError("there was room")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

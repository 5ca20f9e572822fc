"""`make mutants`: break the code that measures, and count what the tests notice.

    python -m tests.mutants [MODULE ...] [--jobs N]

Each mutant is a module of one changed place (see `operators`). It is imported in a forked process in the
module's stead, and the tests that reach its lines run until one fails; where none does, all tests of its
files run. A survivor that changes nothing a test could see stands in accepted.txt with the reason, and
does not count: of the others at least 95 % must be killed. The figures go to
benchmarks/results/mutants.json, those of modules not asked for stay.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.abc
import importlib.util
import json
import os
import pickle
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

from tests.mutants.operators import Mutant, mutants
from tests.mutants.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "mutants.json"
ACCEPTED = Path(__file__).with_name("accepted.txt")
LEAST_KILLED = 0.95
SLOW_TEST_S = 3.0
"""Slower tests (the shipped networks) are left out; they are meant for other gaps."""
PATIENCE_S = 20.0
_UNUSED = ("cacheprovider", "warnings", "unraisableexception", "threadexception")
PYTEST = ("-q", "-x", "--assert=plain", *(f"-pno:{name}" for name in _UNUSED))
KILLED, SURVIVED = "killed", "survived"


def main() -> None:
    """Run the mutants of the modules named, or of all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "modules", nargs="*", help="Paths of modules; all of targets.py by default."
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--nice", type=int, default=10, help="How far to step back for other work.")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    os.nice(arguments.nice)
    _preload()
    accepted = read_accepted(ACCEPTED.read_text(encoding="utf-8"))
    rows = {}
    for module in arguments.modules or TARGETS:
        rows[module] = _run_module(module, accepted, arguments.jobs)
        _write(rows)
    unlisted = [text for row in rows.values() for text in row["unlisted"]]
    total, killed, listed = (
        sum(row[name] for row in rows.values()) for name in ("mutants", "killed", "accepted")
    )
    share = _share(total, killed, listed)
    print(
        f"{killed} of {total} killed, {listed} accepted: {share:.1%} of the rest; not listed are:"
    )
    print("\n".join(unlisted))
    if share < LEAST_KILLED:
        raise SystemExit(1)


def _share(total: int, killed: int, accepted: int) -> float:
    """Killed, of those that change what a test could see."""
    return killed / max(total - accepted, 1)


def read_accepted(text: str) -> dict[tuple[str, str, str, str], str]:
    """Reasons by module, function, line before and line after.

    An entry is `module | function`, `- line before`, `+ line after` and `# reason`.
    """
    found = {}
    for entry in text.split("\n\n"):
        lines = entry.strip().splitlines()
        if len(lines) != 4:
            continue
        module, function = (part.strip() for part in lines[0].split("|"))
        found[module, function, lines[1][2:], lines[2][2:]] = lines[3][2:]
    return found


def _run_module(
    module: str, accepted: dict[tuple[str, str, str, str], str], jobs: int
) -> dict[str, Any]:
    started = time.perf_counter()
    tests = TARGETS[module]
    reach = _measure(module, tests)
    made = list(mutants(Path(module).read_text(encoding="utf-8")))
    outcomes = _verdicts(module, made, reach, tests, jobs)
    unlisted, listed = [], 0
    for mutant, outcome in zip(made, outcomes, strict=True):
        if outcome != SURVIVED:
            continue
        if (module, mutant.function, mutant.before, mutant.after) in accepted:
            listed += 1
        else:
            unlisted.append(f"{module} | {mutant.function}\n- {mutant.before}\n+ {mutant.after}\n")
    row = {
        "mutants": len(made),
        "killed": outcomes.count(KILLED),
        "accepted": listed,
        "unlisted": unlisted,
        "seconds": round(time.perf_counter() - started),
        "tests": list(tests),
        **_origin(),
    }
    print(
        module,
        {name: row[name] for name in ("mutants", "killed", "accepted", "seconds")},
        flush=True,
    )
    return row


@dataclass(slots=True)
class Reach:
    """Which tests reach which line.

    Args:
        of_line: line to the tests that run it, "" for the import.
        seconds: test to how long it takes.
    """

    of_line: dict[int, set[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def tests(self, lines: range) -> list[str]:
        """The quick tests of lines, quickest first; all quick tests where the import runs them."""
        found: set[str] = set()
        for line in lines:
            found |= self.of_line.get(line, set())
        if "" in found and len(found) == 1:
            found = set(self.seconds)
        return sorted(
            (test for test in found if test in self.seconds), key=self.seconds.__getitem__
        )


class _Recorder:
    """A pytest plugin: tells coverage which test runs, and keeps how long each took."""

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)


def _measure(module: str, tests: Sequence[str]) -> Reach:
    """Run the tests of an unbroken module once, in a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".pickle") as answer:
        child = os.fork()
        if child == 0:
            _silence()
            os._exit(_measured(module, tests, Path(answer.name)))
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit(f"the tests of {module} fail on the code as it is: {' '.join(tests)}")
        of_line, seconds = pickle.loads(Path(answer.name).read_bytes())
    quick = {test: took for test, took in seconds.items() if took <= SLOW_TEST_S}
    return Reach(of_line, quick)


def _measured(module: str, tests: Sequence[str], answer: Path) -> int:
    import coverage

    path = str(ROOT / module)
    measured = coverage.Coverage(data_file=None, include=[path], config_file=False)
    recorder = _Recorder(measured)
    measured.start()
    code = pytest.main([*PYTEST, *tests], plugins=[recorder])
    measured.stop()
    found = measured.get_data().contexts_by_lineno(path)
    lines = {line: set(contexts) for line, contexts in found.items()}
    answer.write_bytes(pickle.dumps((lines, recorder.seconds)))
    return int(code)


def _verdicts(
    module: str, made: Sequence[Mutant], reach: Reach, tests: Sequence[str], jobs: int
) -> list[str]:
    """What became of each mutant; at most `jobs` processes at a time."""
    outcomes = [""] * len(made)
    queue = [(index, True) for index in reversed(range(len(made)))]
    running: dict[int, tuple[int, bool]] = {}
    while queue or running:
        while queue and len(running) < jobs:
            index, first = queue.pop()
            chosen = reach.tests(made[index].lines) if first else sorted(reach.seconds)
            if not chosen:
                outcomes[index] = SURVIVED
                continue
            patience = PATIENCE_S + 5 * sum(reach.seconds[test] for test in chosen)
            running[_start(module, made[index].source, chosen, patience)] = (index, first)
        if not running:
            break
        child, status = os.wait()
        index, first = running.pop(child)
        survived = os.waitstatus_to_exitcode(status) == 0
        if survived and first:
            # A fixture of a whole module reaches lines for the first test alone.
            queue.append((index, False))
        else:
            outcomes[index] = SURVIVED if survived else KILLED
    return outcomes


def _start(module: str, source: str, tests: Sequence[str], patience_s: float) -> int:
    """Fork a process that runs tests with a broken module; its exit code is pytest's."""
    child = os.fork()
    if child:
        return child
    _silence()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, patience_s)
    sys.meta_path.insert(0, _Finder(module, source))
    code = 1
    try:
        code = int(pytest.main([*PYTEST, *tests]))
    finally:
        os._exit(code)


class _Finder(importlib.abc.MetaPathFinder):
    """Gives one module another text."""

    def __init__(self, module: str, source: str) -> None:
        self.name = module.removesuffix(".py").replace("/", ".")
        self.path = str(ROOT / module)
        self.source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_loader(fullname, _Loader(fullname, self.path, self.source))


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, source: str) -> None:
        super().__init__(fullname, path)
        self.source = source

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(self.source, self.path, "exec", dont_inherit=True)
        return code


def _preload() -> None:
    """What every test imports, once; nothing of HEMX."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Plugins that other packages bring (hydra's) take as long as the tests.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import cv2
    import hypothesis
    import jsonschema  # noqa: F401
    import pydicom  # noqa: F401

    cv2.setNumThreads(1)
    hypothesis.settings.register_profile(
        "mutants",
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutants")
    sys.path.insert(0, str(ROOT))
    assert not any(name.partition(".")[0] in ("hemx_core", "mobile_app") for name in sys.modules)


def _silence() -> None:
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.dup2(sink, 2)


def _origin() -> dict[str, str]:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    lines: Iterator[str] = iter(Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines())
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    return {
        "commit": commit,
        "machine": f"{model or platform.machine()}, {os.cpu_count()} cores",
        "date": datetime.date.today().isoformat(),
    }


def _write(rows: dict[str, dict[str, Any]]) -> None:
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    merged = {**known.get("modules", {}), **rows}
    modules = {name: merged[name] for name in sorted(merged) if name in TARGETS}
    sums = {
        name: sum(row[name] for row in modules.values())
        for name in ("mutants", "killed", "accepted")
    }
    document = {
        "command": "make mutants",
        **sums,
        "killed_share": round(_share(*sums.values()), 4),
        "modules": modules,
    }
    temporary = RESULTS.with_suffix(".tmp")
    temporary.write_text(
        json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    temporary.replace(RESULTS)


if __name__ == "__main__":
    main()

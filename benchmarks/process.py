"""Functions in fresh processes: a peak of memory and a cold start cannot be had twice in one.

The child is `python -m benchmarks.process`; it reads a job (JSON) from its standard input and answers on the
last line of its standard output, because libraries print what they like before.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from hemx_core.errors import BenchmarkError, HemxError

ANSWER = "HEMX-ANSWER "
ROOT_PACKAGE = "benchmarks"
LAST_LINES = 6
TIMEOUT_SECONDS = 3600.0
Json = dict[str, Any]


class ChildError(BenchmarkError):
    """A function failed in a fresh process; `reason` is its last words."""

    def __init__(self, function: str, reason: str) -> None:
        super().__init__(
            f"{function} failed: {reason}",
            expected="an answer of the fresh process",
            remedy="run the same command again; it goes on where it stopped",
        )
        self.reason = reason


def run_fresh(
    function: Callable[..., Any],
    arguments: Json,
    *,
    threads: int = 1,
    timeout: float = TIMEOUT_SECONDS,
    environment: dict[str, str] | None = None,
) -> Any:
    """Call a module-level function of this package in a process of its own.

    Args:
        function: takes the arguments by keyword and returns what JSON can hold.
        arguments: what JSON can hold.
        threads: OpenMP's threads, which torch and others take as their own default.
        timeout: seconds after which the child is ended.
        environment: further variables.
    Raises:
        ChildError: the child failed, was ended or said nothing.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    variables = {**os.environ, "OMP_NUM_THREADS": str(threads), **(environment or {})}
    job = json.dumps({"function": name, "arguments": arguments})
    command = [sys.executable, "-m", "benchmarks.process"]
    try:
        done = subprocess.run(
            command,
            input=job,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=variables,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ChildError(name, f"no answer within {timeout:.0f} s") from error
    for text in reversed(done.stdout.splitlines()):
        if text.startswith(ANSWER) and done.returncode == 0:
            return json.loads(text.removeprefix(ANSWER))
    raise ChildError(name, _last_words(done))


def answer(job: Json) -> Any:
    """Run a job in this process.

    Raises:
        BenchmarkError: the function is not one of this package.
    """
    module, _, function = str(job["function"]).partition(":")
    if module.split(".")[0] != ROOT_PACKAGE:
        raise BenchmarkError(
            f"a job of {module}", expected=f"a function of {ROOT_PACKAGE}", remedy="use run_fresh"
        )
    called = getattr(importlib.import_module(module), function)
    return called(**job["arguments"])


def main() -> None:
    """The child."""
    try:
        found = answer(json.load(sys.stdin))
    except HemxError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    with contextlib.suppress(BrokenPipeError):
        print("\n" + ANSWER + json.dumps(found), flush=True)
    # Some runtimes crash while they are torn down; the answer is out.
    sys.stderr.flush()
    os._exit(0)


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"ended by signal {-done.returncode}"
    lines = [text.strip() for text in done.stderr.splitlines() if text.strip()]
    return " | ".join(lines[-LAST_LINES:])[-600:] or f"exit code {done.returncode} and no word"


if __name__ == "__main__":
    main()

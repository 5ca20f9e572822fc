"""Cases in forked processes: a case may crash, hang or take memory, and the next one goes on all the same.

Everything is imported before the fork, so that a case costs no start. The processor time of each case is
limited by the system, in the child; memory is the child's own high-water mark above what it held.
"""

from __future__ import annotations

import gc
import json
import math
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks.robustness.outcome import (
    MOST_MIB,
    MOST_SECONDS,
    Answer,
    Outcome,
    Row,
    answered,
)
from hemx_core.device.memory import MIB, OWN, forget_peak, process_bytes

Question = Callable[[str], Answer]
SILENCE_SECONDS = 180.0
"""Wall time after which a child that says nothing is ended; it may have to wait for a busy machine."""
MOST_DATA = 4 * 2**30
"""Bytes that a child may ask for: what takes more must not take the machine along."""
CASES_A_CHILD = 500


def ask_all(question: Question, names: Sequence[str]) -> Iterator[Row]:
    """Ask of each name in turn, in children; a child that ends is replaced by another one.

    Args:
        question: is asked in a child, of one name.
        names: of the cases.
    """
    left = list(names)
    gc.collect()
    while left:
        for row in _ask_child(question, left[:CASES_A_CHILD]):
            left.pop(0)
            yield row


def _ask_child(question: Question, names: Sequence[str]) -> Iterator[Row]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            _answer(question, names, write)
        finally:
            os._exit(0)
    os.close(write)
    done, silent = 0, False
    try:
        pending = b""
        while True:
            if not select.select([read], [], [], SILENCE_SECONDS)[0]:
                silent = True
                break
            piece = os.read(read, 1 << 16)
            if not piece:
                break
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                values = json.loads(line)
                yield Row(**values | {"outcome": Outcome(values["outcome"])})
                done += 1
    finally:
        os.close(read)
        if silent or done < len(names):
            _end(child)
        _, status = os.waitpid(child, 0)
    if done < len(names):
        yield _ended(names[done], status, silent=silent)


def _end(child: int) -> None:
    """End a child that has not ended; one that has keeps its own status."""
    time.sleep(0.05)
    os.kill(child, signal.SIGKILL)


def _ended(name: str, status: int, *, silent: bool) -> Row:
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if silent:
        return Row(name=name, outcome=Outcome.HANG, why=f"no word for {SILENCE_SECONDS:.0f} s")
    if number == signal.SIGXCPU:
        return Row(name=name, outcome=Outcome.HANG, why="processor time", seconds=MOST_SECONDS)
    return Row(name=name, outcome=Outcome.UNTYPED, why=f"the process ended by signal {number}")


def _answer(question: Question, names: Sequence[str], write: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):  # decoders print what they think of a stream
        os.dup2(nothing, stream)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_DATA, MOST_DATA))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    for name in names:
        row = ask_here(question, name)
        os.write(write, (json.dumps(row.to_json()) + "\n").encode())


def in_child(act: Callable[[], object]) -> None:
    """Do something in a child, without limits: neither its time nor its memory counts.

    Raises:
        RuntimeError: the child failed.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            resource.setrlimit(
                resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            )
            act()
            code = 0
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("what is needed could not be made")


def ask_here(question: Question, name: str) -> Row:
    """Ask in this process, whose processor time is limited from now on."""
    began = time.process_time()
    limit = math.ceil(began + MOST_SECONDS) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
    held = process_bytes(OWN).resident
    forget_peak(OWN)
    outcome, why = answered(lambda: question(name))
    mib = (process_bytes(OWN).peak - held) / MIB
    seconds = time.process_time() - began
    if seconds > MOST_SECONDS:
        outcome, why = Outcome.HANG, f"{outcome}: {why}"
    elif mib > MOST_MIB:
        outcome, why = Outcome.MEMORY, f"{outcome}: {why}"
    return Row(name=name, outcome=outcome, why=why, seconds=seconds, mib=max(0.0, mib))

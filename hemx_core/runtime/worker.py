"""The process that runs the programs for `ProcessBackend`: `python -m hemx_core.runtime.worker`.

Arguments: the pipe to read requests from, the pipe to answer to, the parent's process, and the number of
threads, or nothing for the runtime's own choice. It ends when the request pipe does.

Nothing heavy is imported above: on Linux the first thing is to end with the parent, however that ends.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hemx_core.runtime.program import Array, Backend, Program
    from hemx_core.runtime.wire import Message

PR_SET_PDEATHSIG = 1
NICENESS = 5


def main() -> None:
    """Serve until the parent closes its end or dies."""
    requests, answers, parent = (int(argument) for argument in sys.argv[1:4])
    threads = int(sys.argv[4]) if sys.argv[4] else None
    # Where cores are few, the interface that waits for this process is drawn first.
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    # Ctrl-C is the parent's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with(parent)
    with contextlib.suppress(EOFError, BrokenPipeError):
        serve(requests, answers, threads)
    # Some runtimes crash while they are torn down; nothing is left to be written.
    os._exit(0)


def serve(requests: int, answers: int, threads: int | None) -> None:
    """Load the runtime, say so, and answer requests.

    Raises:
        EOFError: the parent closed the requests.
        BrokenPipeError: nobody reads the answers.
    """
    from hemx_core.errors import HemxError
    from hemx_core.runtime.desktop import DesktopBackend
    from hemx_core.runtime.wire import Kind, error_text, receive, send

    try:
        backend = DesktopBackend(threads=threads)
    except HemxError as error:
        send(answers, Kind.FAILED, text=error_text(error))
        return
    # The libraries bring several hundred thousand objects, which a collection in the middle of a slice
    # would look at.
    gc.freeze()
    send(answers, Kind.READY, text={"version": backend.version})
    desk = _Desk(backend, requests)
    while True:
        message = receive(requests)
        try:
            outputs = desk.act(message)
        except EOFError:
            raise
        except Exception as error:
            # Everything but the end: the parent decides what an error means.
            send(answers, Kind.FAILED, program=message.program, text=error_text(error))
        else:
            send(answers, Kind.DONE, program=message.program, arrays=outputs)


class _Desk:
    """The open programs by number, each with arrays that its inputs are read into."""

    def __init__(self, backend: Backend, requests: int) -> None:
        self._backend, self._requests = backend, requests
        self._programs: dict[int, tuple[Program, tuple[Array, ...]]] = {}

    def act(self, message: Message) -> tuple[Array, ...]:
        """Do what a message asks; the outputs of a run."""
        from hemx_core.manifest import ProgramSpec
        from hemx_core.records import from_values
        from hemx_core.runtime.wire import Kind, empty_arrays, receive_arrays

        if message.kind is Kind.OPEN:
            spec = from_values(ProgramSpec, message.text["spec"])
            program = self._backend.open(Path(message.text["path"]), spec)
            self._programs[message.program] = (program, empty_arrays(spec.inputs))
        elif message.kind is Kind.RUN:
            program, inputs = self._programs[message.program]
            receive_arrays(self._requests, message, inputs)
            return program(inputs)
        elif message.program in self._programs:
            self._programs.pop(message.program)[0].close()
        return ()


def _end_with(parent: int) -> None:
    """Let the system end this process when the thread that started it ends; Linux."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


if __name__ == "__main__":
    main()

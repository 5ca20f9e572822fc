"""`python -m benchmarks`."""

import sys

from benchmarks.cli import FAILED_EXIT, benchmark_app
from hemx_core.errors import HemxError

ERROR_EXIT = FAILED_EXIT + 1

if __name__ == "__main__":
    try:
        benchmark_app()
    except HemxError as error:
        # Not sys.stderr: Kivy takes it for its log.
        print(f"benchmarks: {error}", file=sys.__stderr__)
        raise SystemExit(ERROR_EXIT) from None

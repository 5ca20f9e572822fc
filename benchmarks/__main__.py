"""`python -m benchmarks`."""

import sys

from benchmarks.cli import FAILED_EXIT, benchmark_app
from hemx_core.errors import HemxError

ERROR_EXIT = FAILED_EXIT + 1

if __name__ == "__main__":
    try:
        benchmark_app()
    except HemxError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        raise SystemExit(ERROR_EXIT) from None

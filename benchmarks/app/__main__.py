"""`python -m benchmarks.app`."""

import sys

from benchmarks.app.cli import app_benchmarks
from hemx_core.errors import HemxError

ERROR_EXIT = 2

if __name__ == "__main__":
    try:
        app_benchmarks()
    except HemxError as error:
        print(f"benchmarks.app: {error}", file=sys.stderr)
        raise SystemExit(ERROR_EXIT) from None

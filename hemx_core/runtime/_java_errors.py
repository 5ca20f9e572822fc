"""Java exceptions of the ExecuTorch Android library as HEMX errors.

Codes: `runtime/core/error.h` of ExecuTorch, which the library puts into every message as
"[ExecuTorch Error 0x..]"; pyjnius hands on the class and the message, not the exception's fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hemx_core.errors import BackendError, IntegrityError, ModelError

NOT_SUPPORTED = 0x10
INVALID_ARGUMENT = 0x12
OPERATOR_MISSING = 0x14
MEMORY_ALLOCATION_FAILED = 0x21
INVALID_PROGRAM = 0x23
OUT_OF_RESOURCES = 0x25
DELEGATE_INVALID_COMPATIBILITY = 0x30
DELEGATE_MEMORY_ALLOCATION_FAILED = 0x31

MISFITS = {NOT_SUPPORTED, INVALID_ARGUMENT}
"""How the library refuses inputs of another shape, type or number than the program's."""

MEMORY = {MEMORY_ALLOCATION_FAILED, OUT_OF_RESOURCES, DELEGATE_MEMORY_ALLOCATION_FAILED}
VERSION = {OPERATOR_MISSING, INVALID_PROGRAM, DELEGATE_INVALID_COMPATIBILITY}

LOG_LINES = 3

_CODE = re.compile(r"\[ExecuTorch Error 0x([0-9a-fA-F]+)\]")


def failure(
    error: Exception, what: str, *, log: Sequence[str] = (), running: bool = False
) -> ModelError:
    """The HEMX error for a Java exception.

    Args:
        error: pyjnius's `JavaException`.
        what: what failed, to follow "ExecuTorch ", for example "cannot load segmenter.pte".
        log: the library's log; its last lines are quoted.
        running: the program ran on inputs that fit the manifest, so a refusal of their shape or
            type means that the program is not the manifest's.
    """
    code = error_code(error)
    found = f"ExecuTorch {what} ({describe(error)})"
    if log:
        found += "; its log ends: " + " / ".join(line.strip() for line in log[-LOG_LINES:])
    if running and code in MISFITS:
        return IntegrityError(
            found,
            expected="a program of the shapes that the manifest says",
            remedy="export the bundle again",
        )
    if code in MEMORY or "OutOfMemoryError" in _class_name(error):
        return BackendError(
            found,
            expected="enough free memory for the program",
            remedy="close other apps and try again",
        )
    if code in VERSION:
        return BackendError(
            found,
            expected="a program of the library's version, with kernels that it has",
            remedy="install an app and a bundle that were built together",
        )
    return BackendError(
        found, expected="a completed call", remedy="start the app again; run the self-test"
    )


def error_code(error: Exception) -> int | None:
    """ExecuTorch's error code in a Java exception's message, or None."""
    match = _CODE.search(_message(error))
    return int(match.group(1), 16) if match else None


def describe(error: Exception) -> str:
    """Class and message of a Java exception, in one line."""
    return f"{_class_name(error)}: {_message(error)}".strip(": \n").replace("\n", " ")


def _class_name(error: Exception) -> str:
    return str(getattr(error, "classname", None) or type(error).__name__)


def _message(error: Exception) -> str:
    return str(getattr(error, "innermessage", None) or error)

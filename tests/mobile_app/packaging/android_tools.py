"""Whether the tools that package for Android are here; where HEMX_REQUIRE_TOOLS is set they must be."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest

from mobile_app.packaging.manifest import FRAMEWORK


def need_packagers() -> None:
    """Skip without buildozer and python-for-android."""
    missing = [
        name for name in ("buildozer", "pythonforandroid") if not importlib.util.find_spec(name)
    ]
    _skip_or_fail(missing, 'pip install "hemx[dev]"')


def need_aapt() -> None:
    """Skip without aapt and Android's own resources."""
    missing = [] if shutil.which("aapt") else ["aapt"]
    missing += [] if FRAMEWORK.is_file() else [FRAMEWORK.name]
    _skip_or_fail(missing, "make android-tools")


def _skip_or_fail(missing: list[str], remedy: str) -> None:
    if missing and os.environ.get("HEMX_REQUIRE_TOOLS"):
        pytest.fail(
            f"HEMX_REQUIRE_TOOLS is set, so these must be installed: {', '.join(missing)}: {remedy}"
        )
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} ({remedy})")

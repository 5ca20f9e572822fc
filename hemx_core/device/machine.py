"""Which device this is, in terms that identify no person: model, system, processor, memory."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

import cv2
import numpy as np
import pydicom

import hemx_core
from hemx_core.provenance import machine

ON_ANDROID = "ANDROID_ARGUMENT"
"""python-for-android sets this variable."""

EXTRA_PACKAGES = ("executorch", "torch", "kivy")


def device_facts(label: str = "") -> dict[str, Any]:
    """Model, system, processor, cores and memory. No host name, no serial number.

    Args:
        label: a name that the device's owner gives it; instead of the model's.
    """
    facts = machine() | {"release": platform.release(), "maker": "", "model": ""}
    if ON_ANDROID in os.environ:
        facts |= _android_facts()
    name = " ".join(word for word in (facts["maker"], facts["model"]) if word)
    return {"name": label or name or facts["processor"], **facts}


def system_identity() -> str:
    """Changes whenever the device or its operating system does."""
    words = [platform.platform(), platform.machine(), platform.processor()]
    if ON_ANDROID in os.environ:
        words.append(str(_build().FINGERPRINT))
    return " | ".join(words)


def package_versions() -> dict[str, str]:
    """Versions of what computes; packages that are not installed are left out."""
    found = {
        "hemx": hemx_core.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "pydicom": pydicom.__version__,
    }
    for name in EXTRA_PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _build() -> Any:
    from jnius import autoclass

    return autoclass("android.os.Build")


def _android_facts() -> dict[str, str]:
    from jnius import autoclass

    build = _build()
    # SOC_MODEL came with API 31.
    chip = getattr(build, "SOC_MODEL", "") or build.HARDWARE
    version = autoclass("android.os.Build$VERSION").RELEASE
    return {
        "system": "Android",
        "release": str(version),
        "maker": str(build.MANUFACTURER),
        "model": str(build.MODEL),
        "processor": str(chip),
    }

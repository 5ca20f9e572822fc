"""Which device this is, in terms that identify no person: model, system, processor, memory."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

import hemx_core
from hemx_core.device.memory import processor_name
from hemx_core.records import Json

ANDROID_VARIABLE = "ANDROID_ARGUMENT"
"""python-for-android sets it."""

EXTRA_PACKAGES = ("executorch", "torch", "kivy")


def on_android() -> bool:
    """Whether this is the app on a tablet."""
    return ANDROID_VARIABLE in os.environ


def machine() -> Json:
    """Processor model, cores this process may use, and memory in GiB."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = 0.0
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {
        "processor": processor_name(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "cores": cores,
        "memory_gib": round(memory, 1),
    }


def device_facts(label: str = "") -> Json:
    """Model, system, processor, cores and memory. No host name, no serial number.

    Args:
        label: a name that the device's owner gives it; instead of the model's.
    """
    facts = machine() | {"release": platform.release(), "maker": "", "model": ""}
    if on_android():
        facts |= _android_facts()
    name = " ".join(word for word in (facts["maker"], facts["model"]) if word)
    return {"name": label or name or facts["processor"], **facts}


def system_identity() -> str:
    """Changes whenever the device or its operating system does."""
    words = [platform.platform(), platform.machine(), platform.processor()]
    if on_android():
        words.append(str(_build().FINGERPRINT))
    return " | ".join(words)


def package_versions() -> dict[str, str]:
    """Versions of what computes; packages that are not installed are left out."""
    # Imported here: whether this is a tablet is asked before anything heavy is there.
    import cv2
    import numpy as np
    import pydicom

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

"""The Android backend: what needs no Java here, and its contract on a JVM in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hemx_core.errors import BackendError, IntegrityError
from hemx_core.runtime import android as _java_library
from hemx_core.runtime.android import (
    AAR_VERSION,
    AndroidBackend,
    describe,
    error_code,
    failure,
    java_classes,
)

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted((ROOT / "tests/java").rglob("*.java"))
JAVAC = ("javac", "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC")
CASES = Path(__file__).with_name("android_on_jvm.py")


class JavaError(Exception):
    """What pyjnius raises, as far as HEMX looks at it."""

    def __init__(self, classname: str, message: str) -> None:
        super().__init__(f"JVM exception occurred: {classname}: {message}")
        self.classname = classname
        self.innermessage = message


def test_keeps_the_contract_on_a_jvm(tmp_path: Path) -> None:
    """Everything in `android_on_jvm.py`, against the stand-in library compiled by javac."""
    if shutil.which("javac") is None:
        if os.environ.get("HEMX_REQUIRE_TOOLS"):
            pytest.fail("HEMX_REQUIRE_TOOLS is set, so a JDK must be there: make android-tools")
        pytest.skip("no JDK: javac is not installed")
    classes = tmp_path / "classes"
    subprocess.run([*JAVAC, "-d", str(classes), *map(str, SOURCES)], check=True, timeout=240)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CASES)],
        cwd=ROOT,
        env={**os.environ, "STUB_CLASSES": str(classes)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    counted = re.search(r"^(\d+) passed in", run.stdout, re.MULTILINE)
    assert counted, run.stdout
    assert int(counted.group(1)) > 50, "the contract twice, and what is Android's own"


def test_importing_starts_no_java() -> None:
    code = (
        "import sys, hemx_core.runtime.android\n"
        "print([name for name in ('jnius', 'torch', 'executorch') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stderr


def test_a_missing_pyjnius_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(_java_library.importlib, "import_module", missing)
    java_classes.cache_clear()
    with pytest.raises(BackendError, match=r"pyjnius.*docs/android\.md"):
        AndroidBackend()


def test_refuses_no_threads_before_it_starts_java() -> None:
    with pytest.raises(BackendError, match="0 threads"):
        AndroidBackend(threads=0)


def test_the_library_s_version_is_the_exporter_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"executorch=={AAR_VERSION}" in project["optional-dependencies"]["runtime"]


def test_error_codes_come_out_of_messages() -> None:
    name = "org.pytorch.executorch.ExecutorchRuntimeException"
    error = JavaError(name, "[ExecuTorch Error 0x21] Memory allocation failed: forward\nmore")
    assert error_code(error) == 0x21
    assert describe(error).endswith("forward more")
    assert (
        error_code(JavaError("java.lang.IllegalStateException", "Module has been destroyed"))
        is None
    )


def test_a_refused_input_means_a_wrong_program_only_while_it_runs() -> None:
    name = "org.pytorch.executorch.ExecutorchRuntimeException"
    error = JavaError(name, "[ExecuTorch Error 0x12] Invalid argument: 2 inputs")
    assert isinstance(failure(error, "failed in a.pte", running=True), IntegrityError)
    loading = failure(error, "cannot load a.pte")
    assert isinstance(loading, BackendError)
    assert "0x12" in str(loading)


def test_java_s_own_memory_error_is_told_as_such() -> None:
    error = JavaError("java.lang.OutOfMemoryError", "Failed to allocate")
    assert "close other apps" in str(failure(error, "failed in a.pte", running=True))


def test_only_the_log_s_end_is_quoted() -> None:
    error = JavaError("java.lang.RuntimeException", "x")
    told = str(failure(error, "failed", log=[f"entry {number}\n" for number in range(9)]))
    assert "entry 6 / entry 7 / entry 8" in told
    assert "entry 5" not in told

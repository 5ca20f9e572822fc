from __future__ import annotations

import platform
import socket
import sys
from types import SimpleNamespace

import pytest

from hemx_core.device.machine import device_facts, package_versions, system_identity


def test_the_facts_name_no_host() -> None:
    facts = device_facts()
    assert facts["name"] == facts["processor"]
    assert facts["cores"] >= 1
    assert socket.gethostname() not in [str(one) for one in facts.values()]
    assert device_facts("Ward 3")["name"] == "Ward 3"


def test_a_tablet_is_named_by_its_maker_and_model(monkeypatch: pytest.MonkeyPatch) -> None:
    build = SimpleNamespace(
        MANUFACTURER="ACME",
        MODEL="T10",
        HARDWARE="board",
        FINGERPRINT="acme/t10:13/1",
        VERSION=SimpleNamespace(RELEASE="13"),
    )
    names = {"android.os.Build": build, "android.os.Build$VERSION": build.VERSION}
    monkeypatch.setitem(sys.modules, "jnius", SimpleNamespace(autoclass=names.__getitem__))
    desk = system_identity()
    monkeypatch.setenv("ANDROID_ARGUMENT", "")
    facts = device_facts()
    assert facts["name"] == "ACME T10"
    assert (facts["system"], facts["release"], facts["processor"]) == ("Android", "13", "board")
    assert system_identity() == f"{desk} | acme/t10:13/1"
    build.SOC_MODEL = "SM8550"
    assert device_facts()["processor"] == "SM8550"


def test_an_update_changes_the_system_s_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    before = system_identity()
    monkeypatch.setattr(platform, "platform", lambda: "another")
    assert system_identity() != before


def test_versions_leave_out_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    found = package_versions()
    assert found["python"] == platform.python_version()
    assert {"hemx", "numpy", "opencv", "pydicom"} <= set(found)
    monkeypatch.setattr("hemx_core.device.machine.EXTRA_PACKAGES", ("no-such-package",))
    assert "no-such-package" not in package_versions()

"""The app that buildozer and python-for-android would build asks for nothing."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from hemx_core import __version__
from mobile_app.packaging import PackagingError
from mobile_app.packaging.manifest import AppFacts, check, main, read_app, read_staged, render
from mobile_app.packaging.stage import AAR_VERSION, Staged, stage
from tests.mobile_app.packaging.android_tools import need_aapt, need_packagers
from tests.mobile_app.packaging.test_stage import small_checkout

GOOD = AppFacts(
    package="org.hemx.hemx", permissions=(), min_sdk=26, target_sdk=35, allow_backup=False
)


@pytest.fixture
def small(tmp_path: Path) -> Staged:
    """A staged app of little more than a bundle; its build file may be changed."""
    need_packagers()
    return stage(tmp_path / "android", root=small_checkout(tmp_path / "root", AAR_VERSION))


def change_spec(staged: Staged, old: str, new: str) -> None:
    spec = staged.folder / "buildozer.spec"
    text = spec.read_text(encoding="utf-8")
    assert old in text
    spec.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_app_asks_for_no_permission_and_is_not_backed_up(small: Staged) -> None:
    need_aapt()
    assert read_staged(small.folder) == GOOD
    main(small.folder)


def test_a_permission_is_found(small: Staged, capsys: pytest.CaptureFixture[str]) -> None:
    need_aapt()
    change_spec(small, "android.api =", "android.permissions = INTERNET\nandroid.api =")
    with pytest.raises(PackagingError, match=r"android\.permission\.INTERNET"):
        main(small.folder)
    assert "permissions: android.permission.INTERNET" in capsys.readouterr().out


def test_a_backup_is_found(small: Staged) -> None:
    need_aapt()
    change_spec(small, "android.allow_backup = False\n", "")
    facts = read_staged(small.folder)
    assert facts.allow_backup
    with pytest.raises(PackagingError, match="cloud"):
        check(facts)


def test_the_package_holds_what_was_staged_and_gradle_gets_the_library(tmp_path: Path) -> None:
    need_packagers()
    staged = stage(tmp_path / "android")
    dist = tmp_path / "dist"
    dist.mkdir()
    render(staged.folder, dist)
    with tarfile.open(dist / "src" / "main" / "assets" / "private.tar") as packed:
        names = {
            name.removeprefix("./") for name in packed.getnames() if packed.getmember(name).isfile()
        }
    assert names == {*staged.files, "p4a_env_vars.txt"}
    gradle = [line.strip() for line in (dist / "build.gradle").read_text("utf-8").splitlines()]
    assert f"implementation 'org.pytorch:executorch-android:{AAR_VERSION}'" in gradle
    assert "pickFirst 'lib/arm64-v8a/libc++_shared.so'" in gradle
    assert "minSdkVersion 26" in gradle
    assert f"versionName '{__version__}'" in gradle
    properties = (dist / "gradle.properties").read_text(encoding="utf-8")
    assert "android.useAndroidX=true" in properties


def test_a_broken_build_file_is_told(small: Staged) -> None:
    change_spec(small, "android.minapi = 26", "android.minapi = 24")
    (small.app / "main.py").unlink()
    with pytest.raises(PackagingError, match=r"correct buildozer\.spec"):
        read_staged(small.folder)


def test_what_is_no_app_is_refused(tmp_path: Path) -> None:
    need_aapt()
    apk = tmp_path / "app.apk"
    apk.write_bytes(b"no app")
    with pytest.raises(PackagingError, match="aapt dump failed"):
        read_app(apk)


def test_the_check_names_every_surplus_permission() -> None:
    check(GOOD)
    names = ("android.permission.CAMERA", "android.permission.INTERNET")
    with pytest.raises(PackagingError, match=r"CAMERA, android\.permission\.INTERNET"):
        check(replace(GOOD, permissions=names))

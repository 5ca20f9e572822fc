"""The app's manifest, without an Android SDK: rendered by python-for-android, read by aapt.

    python -m mobile_app.packaging.manifest build/android      what the staged app will ask for
    python -m mobile_app.packaging.manifest hemx-release.apk   what a built app asks for

The first runs buildozer's and python-for-android's own packaging code up to the point where Gradle
would start. The second is the check that counts before an app is handed on: Gradle merges the
manifests of libraries, and only a built app shows the result.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from hemx_core.errors import HemxError
from mobile_app.packaging import PackagingError
from mobile_app.packaging.stage import SPEC

FRAMEWORK = Path("/usr/share/android-framework-res/framework-res.apk")
"""Android's own resources, from Debian's package android-framework-res."""

ALLOWED = frozenset[str]()
"""Permissions that the app may ask for: none."""

BOOTSTRAP_LAYERS = ("common", "_sdl_common", "sdl2")


@dataclass(frozen=True, kw_only=True)
class AppFacts:
    """What a packaged app says of itself.

    Args:
        package: its package name.
        permissions: permissions that it asks for, sorted.
        min_sdk: lowest Android API level.
        target_sdk: API level that it is made for.
        allow_backup: whether Android may copy its files to a cloud.
    """

    package: str
    permissions: tuple[str, ...]
    min_sdk: int
    target_sdk: int
    allow_backup: bool


def render(build: Path, dist: Path) -> Path:
    """Run the packaging of a staged app up to Gradle.

    Args:
        build: a folder that `stage` filled.
        dist: an empty folder; becomes what Gradle would build, with the app in
            `src/main/assets/private.tar`.
    Returns:
        The rendered manifest.
    Raises:
        PackagingError: python-for-android refused.
    """
    arguments = package_arguments(build, dist)
    _assemble(dist)
    run = subprocess.run(
        [sys.executable, "build.py", *arguments, "--no-byte-compile-python"],
        cwd=dist,
        capture_output=True,
        text=True,
        check=False,
    )
    manifest = dist / "src" / "main" / "AndroidManifest.xml"
    if run.returncode != 0 or not manifest.is_file():
        raise PackagingError(
            f"python-for-android's packaging ended with {run.returncode}: {run.stderr[-500:]}",
            expected="a rendered AndroidManifest.xml",
            remedy="correct buildozer.spec",
        )
    return manifest


def package_arguments(build: Path, dist: Path) -> list[str]:
    """What buildozer would call python-for-android's packaging with, for a release."""
    from buildozer import Buildozer  # type: ignore[import-untyped,unused-ignore]

    class Captured(Exception):  # noqa: N818 - it carries the result, it is no error
        pass

    def capture(command: list[str], *_: Any, **__: Any) -> None:
        raise Captured(command)

    with contextlib.redirect_stdout(io.StringIO()):
        buildozer = Buildozer(str((build / SPEC.name).resolve()), "android")
    source = str((build / "app").resolve())
    buildozer.config.set("app", "source.dir", source)
    buildozer._copy_application_sources()
    target = buildozer.target
    target.build_mode = "release"
    target.get_dist_dir = lambda _: str(dist)
    target._p4a = capture
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            target.build_package()
    except Captured as captured:
        return _for_packaging(captured.args[0])
    raise PackagingError("buildozer called no packaging", remedy="use the pinned buildozer")


def read_app(apk: Path) -> AppFacts:
    """What an APK says of itself, by aapt.

    Raises:
        PackagingError: aapt is missing or cannot read the file.
    """
    badging = _aapt("dump", "badging", str(apk))
    tree = _aapt("dump", "xmltree", str(apk), "AndroidManifest.xml")
    backup = re.search(r"android:allowBackup\(\w+\)=\(type 0x12\)(0x\w+)", tree)
    return AppFacts(
        package=_find(r"package: name='([^']+)'", badging),
        permissions=tuple(sorted(set(re.findall(r"uses-permission: name='([^']+)'", badging)))),
        min_sdk=int(_find(r"sdkVersion:'(\d+)'", badging)),
        target_sdk=int(_find(r"targetSdkVersion:'(\d+)'", badging)),
        # Android's default, where the manifest says nothing, is to copy.
        allow_backup=backup is None or int(backup.group(1), 16) != 0,
    )


def compile_manifest(manifest: Path, package: str, apk: Path) -> Path:
    """An APK of a rendered manifest and its resources alone, for aapt to read.

    Gradle takes the package's name from its build file; aapt wants it in the manifest.
    """
    text = manifest.read_text(encoding="utf-8")
    named = apk.with_name("AndroidManifest.xml")
    named.write_text(text.replace("<manifest ", f'<manifest package="{package}" ', 1), "utf-8")
    resources = manifest.with_name("res")
    _aapt(
        *("package", "-f", "-M", str(named), "-S", str(resources)),
        *("-I", str(FRAMEWORK), "-F", str(apk)),
    )
    return apk


def check(facts: AppFacts) -> None:
    """Check an app against what it may do.

    Raises:
        PackagingError: it asks for a permission, or lets Android copy patients' data away.
    """
    if surplus := set(facts.permissions) - ALLOWED:
        raise PackagingError(
            f"an app that asks for {', '.join(sorted(surplus))}",
            expected="no permission: without INTERNET no byte can leave the tablet",
            remedy="find the library that brings it and remove it, or the permission",
        )
    if facts.allow_backup:
        raise PackagingError(
            "an app whose files Android may copy to a cloud",
            expected="allowBackup false",
            remedy="set android.allow_backup = False",
        )


def read_staged(build: Path) -> AppFacts:
    """What the app of a staged folder will say of itself, before Gradle merges libraries."""
    with tempfile.TemporaryDirectory() as work:
        dist = Path(work) / "dist"
        dist.mkdir()
        manifest = render(build, dist)
        gradle = (dist / "build.gradle").read_text(encoding="utf-8")
        package = _find(r"namespace '([^']+)'", gradle)
        return read_app(compile_manifest(manifest, package, Path(work) / "manifest.apk"))


def main(
    app: Annotated[Path, typer.Argument(help="A staged folder, or a built APK.")],
) -> None:
    """List what the app asks for; fail if that is anything."""
    facts = read_staged(app) if app.is_dir() else read_app(app)
    typer.echo(
        f"{facts.package}: API {facts.min_sdk} to {facts.target_sdk}, "
        f"permissions: {', '.join(facts.permissions) or 'none'}, backup: {facts.allow_backup}"
    )
    check(facts)


def _for_packaging(command: list[str]) -> list[str]:
    """Without what python-for-android's outer command keeps to itself."""
    kept: list[str] = []
    rest = iter(command[1:])
    for argument in rest:
        if argument in ("--bootstrap", "--dist_name", "--ndk-api", "--arch"):
            next(rest)
        elif argument != "--copy-libs":
            kept.append(argument)
    return kept


def _assemble(dist: Path) -> None:
    """What python-for-android's build of the libraries would leave for its packaging."""
    import pythonforandroid

    bootstraps = Path(pythonforandroid.__file__).parent / "bootstraps"
    for layer in BOOTSTRAP_LAYERS:
        shutil.copytree(bootstraps / layer / "build", dist, dirs_exist_ok=True)
    (dist / "sdk" / "build-tools" / "35.0.0").mkdir(parents=True)
    (dist / "libs" / "arm64-v8a").mkdir(parents=True, exist_ok=True)
    (dist / "_python_bundle__arm64-v8a").mkdir()
    # buildozer wrote target and platform where python-for-android would have written the target.
    properties = dist / "project.properties"
    properties.write_text(properties.read_text(encoding="utf-8").splitlines()[0])
    (dist / "local.properties").write_text(f"sdk.dir={dist / 'sdk'}")
    info = {"bootstrap": "sdl2", "hostpython": sys.executable, "archs": ["arm64-v8a"]}
    (dist / "dist_info.json").write_text(json.dumps({**info, "ndk_api": 26}))


def _aapt(*arguments: str) -> str:
    if shutil.which("aapt") is None:
        raise PackagingError(
            "no aapt", expected="Android's aapt", remedy="apt install aapt android-framework-res"
        )
    run = subprocess.run(["aapt", *arguments], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise PackagingError(
            f"aapt {arguments[0]} failed: {run.stderr[-500:]}",
            expected="a readable app",
            remedy="build it again",
        )
    return run.stdout


def _find(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise PackagingError(f"no {pattern} in what aapt printed", expected="a whole manifest")
    return match.group(1)


if __name__ == "__main__":
    try:
        typer.run(main)
    except HemxError as error:
        sys.exit(f"manifest: {error}")

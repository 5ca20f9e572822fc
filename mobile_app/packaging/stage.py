"""Copy what the device needs, and nothing else, into a folder where buildozer builds the app.

    python -m mobile_app.packaging.stage build/android

    build/android/buildozer.spec    the build file
    build/android/staged.json       every staged file with its SHA-256
    build/android/app/              main.py, hemx_core, mobile_app

The same tree gives the same bytes, times and modes.
"""

from __future__ import annotations

import configparser
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from hemx_core import provenance
from hemx_core.bundle.self_test import REFERENCE_NAME, load_references
from hemx_core.errors import HemxError
from hemx_core.files import draft_folder, publish_folder, write_whole
from hemx_core.manifest import ModelManifest, file_sha256
from hemx_core.runtime.android import AAR_VERSION
from mobile_app.packaging import PackagingError

SPEC = Path(__file__).with_name("buildozer.spec")
ROOT = Path(__file__).resolve().parents[2]
MODELS = PurePosixPath("hemx_core/assets/models")
ENTRY = PurePosixPath("mobile_app/main.py")
INDEX = "staged.json"
BUILD = PurePosixPath("mobile_app/assets/build.json")
"""Written here only: benchmark records made on the device name the commit that it was built from."""
LIBRARY = "org.pytorch:executorch-android"

ON_THE_DEVICE = (
    "hemx_core/*.py",
    "hemx_core/assets/**",
    "hemx_core/bundle/**",
    "hemx_core/device/**",
    "hemx_core/imaging/**",
    "hemx_core/labels/**",
    "hemx_core/measure/**",
    "hemx_core/phantoms/**",
    "hemx_core/report/**",
    "hemx_core/runtime/**",
    "hemx_core/words/**",
    "hemx_core/weights/MODEL_CARD.md",
    "mobile_app/**",
)
"""What goes in, `**` for any folders or none. A new part of the core is a decision, not an accident."""

NOT_ON_THE_DEVICE = (
    # What needs torch.
    "hemx_core/runtime/desktop.py",
    # Its process, which no tablet starts.
    "hemx_core/runtime/process.py",
    "hemx_core/runtime/worker.py",
    "hemx_core/runtime/wire.py",
    # What needs Typer or Rich: commands and tables of the terminal.
    "**/cli.py",
    "hemx_core/__main__.py",
    "hemx_core/report/terminal.py",
    # What builds and tests the app.
    "mobile_app/packaging/**",
)
"""What of that stays out."""

TIMESTAMP = 315_532_800
"""1980-01-01: the time of every staged file, unless SOURCE_DATE_EPOCH says another."""

LAUNCHER = '''"""Where python-for-android starts the app."""

from mobile_app.main import main

main()
'''


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A staged app.

    Args:
        folder: where buildozer is run.
        files: the app's files, relative to `folder / "app"`, sorted.
        bytes: their size together.
    """

    folder: Path
    files: tuple[str, ...]
    bytes: int

    @property
    def app(self) -> Path:
        """The app's own folder."""
        return self.folder / "app"

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of the Python modules in it, but for the launcher."""
        paths = [PurePosixPath(name) for name in self.files if name.endswith(".py")]
        return tuple(module_name(path) for path in paths if len(path.parts) > 1)


def stage(out: Path, *, root: Path = ROOT) -> Staged:
    """Stage the app; a stage that was there before is replaced, buildozer's own folders stay.

    Args:
        out: the build folder; made if missing.
        root: the checkout.
    Raises:
        PackagingError: the library's version is not the bundle's, or the bundle brings nothing to test a
            device with.
        ManifestError: there is no valid bundle in the app's assets.
        IntegrityError: a file of the bundle differs from its manifest.
        SelfTestError: the bundle's references do not fit its programs.
    """
    check_versions(root)
    check_references(root)
    with draft_folder(out) as folder:
        draft = folder / "app"
        for name, source in device_files(root):
            target = draft / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        (draft / "main.py").write_text(LAUNCHER, encoding="utf-8")
        write_whole(draft / BUILD, json.dumps({"commit": provenance.commit()}) + "\n")
        shutil.copyfile(root / "LICENSE", draft / "LICENSE.txt")
        _settle(draft)
        index = _index(draft)
        publish_folder(draft, out / "app")
    write_whole(out / INDEX, json.dumps(index, indent=2, sort_keys=True) + "\n")
    write_whole(out / SPEC.name, SPEC.read_text(encoding="utf-8"))
    size = sum((out / "app" / name).stat().st_size for name in index)
    return Staged(folder=out, files=tuple(index), bytes=size)


def device_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of every file of the checkout that belongs on the device, sorted."""
    suffixes = included_suffixes()
    for package in sorted({pattern.split("/")[0] for pattern in ON_THE_DEVICE}):
        for path in sorted((root / package).rglob("*")):
            name = PurePosixPath(path.relative_to(root))
            hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
            if path.is_file() and path.suffix in suffixes and not hidden and on_the_device(name):
                yield str(name), path


def on_the_device(name: PurePosixPath) -> bool:
    """Whether a file of the checkout belongs on the device."""
    return _in(name, ON_THE_DEVICE) and not _in(name, NOT_ON_THE_DEVICE)


def check_versions(root: Path) -> None:
    """Compare the library that the app carries with the one that wrote the bundle.

    Raises:
        PackagingError: the build file, the runtime and the bundle do not name one version.
    """
    (dependency,) = read_spec()["android.gradle_dependencies"].split(",")
    found = {
        "mobile_app/packaging/buildozer.spec": dependency.removeprefix(f"{LIBRARY}:"),
        "hemx_core/runtime": AAR_VERSION,
        f"{MODELS}/manifest.json": ModelManifest.load(root / MODELS).executorch,
    }
    if len(set(found.values())) != 1:
        raise PackagingError(
            "versions of ExecuTorch that differ: "
            + ", ".join(f"{version} in {where}" for where, version in found.items()),
            expected="one version in all three",
            remedy="export the bundle again, or change the build file and AAR_VERSION together",
        )


def check_references(root: Path) -> None:
    """Refuse here what every tablet would refuse at its first triage: models that cannot be tested there.

    Raises:
        PackagingError: the bundle has no reference inputs and outputs.
        IntegrityError, SelfTestError: they differ from the manifest, or do not fit the programs.
    """
    manifest = ModelManifest.load(root / MODELS)
    if manifest.reference is None:
        raise PackagingError(
            f"a bundle without reference inputs and outputs in {MODELS}",
            expected=f"{REFERENCE_NAME}, named in its manifest: without it the app on a tablet refuses to "
            "triage, because it cannot test the models there",
            remedy="export the bundle again with the present version of HEMX",
        )
    load_references(root / MODELS, manifest)


def read_spec(path: Path = SPEC) -> dict[str, str]:
    """The `[app]` section of the build file."""
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(path, encoding="utf-8")
    return dict(parser["app"])


def included_suffixes() -> frozenset[str]:
    """Suffixes that buildozer packs, with their dot."""
    return frozenset(f".{end.strip()}" for end in read_spec()["source.include_exts"].split(","))


def module_name(path: PurePosixPath) -> str:
    """`a/b.py` is a.b, `a/__init__.py` is a."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def main(
    out: Annotated[Path, typer.Argument(help="The folder in which buildozer will run.")] = Path(
        "build/android"
    ),
) -> None:
    """Stage the Android app."""
    if not (ROOT / ENTRY).is_file():
        raise PackagingError(
            f"no {ENTRY}", expected="the app, with a function main()", remedy="use a full checkout"
        )
    staged = stage(out)
    typer.echo(f"{len(staged.files)} files, {staged.bytes / 2**20:.1f} MiB: {staged.app}")
    typer.echo(f"Now: cd {out} && buildozer android debug")


def _in(name: PurePosixPath, patterns: tuple[str, ...]) -> bool:
    return any(_matches(name.parts, pattern.split("/")) for pattern in patterns)


def _matches(parts: tuple[str, ...], pattern: list[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[skip:], pattern[1:]) for skip in range(len(parts) + 1))
    return (
        bool(parts)
        and PurePosixPath(parts[0]).match(pattern[0])
        and _matches(parts[1:], pattern[1:])
    )


def _settle(folder: Path) -> None:
    """Give every file the same time and mode."""
    time = int(os.environ.get("SOURCE_DATE_EPOCH", TIMESTAMP))
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (time, time))
    os.utime(folder, (time, time))


def _index(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}


if __name__ == "__main__":
    try:
        typer.run(main)
    except HemxError as error:
        sys.exit(f"stage: {error}")

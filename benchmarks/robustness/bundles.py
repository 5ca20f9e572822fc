"""Bundles that mean harm: none is opened, and a damaged program is never run."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.robustness import others
from benchmarks.robustness.forks import ask_all, in_child
from benchmarks.robustness.outcome import Answer, Outcome, Row
from hemx_core.bundle.load import verify_bundle
from hemx_core.bundle.signature import SIGNATURE_NAME
from hemx_core.manifest import MANIFEST_NAME

Spoil = Callable[[Path], object]
"""Changes a sound, signed bundle."""
UNSIGNED = "unsigned: "
"""Attacks of this beginning have no signature, and unsigned bundles are allowed."""


def ask(name: str) -> Answer:
    """Spoil a bundle and verify it; what passes is let through in silence."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "bundle"
        in_child(partial(_make, name, folder))
        verify_bundle(folder, keys=[others.trusted()], allow_unsigned=name.startswith(UNSIGNED))
        return Outcome.SILENT, "it passes"


def _make(name: str, folder: Path) -> None:
    others.write_bundle(folder)
    if name.startswith(UNSIGNED):
        (folder / SIGNATURE_NAME).unlink()
    attacks()[name](folder)


def run_bundles() -> list[Row]:
    """All of them."""
    others.trusted()
    others.shipped()
    return list(ask_all(ask, list(attacks())))


def _put(*path: str | int, value: Any) -> Spoil:
    """One value of the manifest."""

    def spoil(folder: Path) -> None:
        values = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
        inside = values
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = value
        (folder / MANIFEST_NAME).write_text(json.dumps(values), encoding="utf-8")

    return spoil


def _text(edit: Callable[[str], str]) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / MANIFEST_NAME
        path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")

    return spoil


def _bytes(name: str, edit: Callable[[bytes], bytes]) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(edit((folder / name).read_bytes()))

    return spoil


def _program(act: Callable[[Path], object]) -> Spoil:
    def spoil(folder: Path) -> None:
        values = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
        act(folder / values["segmenter"]["file"])

    return spoil


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def _grown(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.truncate(3 * 2**30)


def _other_signature(folder: Path) -> None:
    other = folder.with_name("other")
    others.write_bundle(other)
    _put("recipe", value="another")(other)
    shutil.copy(other / MANIFEST_NAME, folder / MANIFEST_NAME)


NAN, INFINITE = float("nan"), float("inf")


def attacks() -> Mapping[str, Spoil]:
    """By name."""
    ranges: dict[str, Spoil] = {
        f"{UNSIGNED}{'.'.join(map(str, path))} is {value}": _put(*path, value=value)
        for path, values in {
            ("mask_threshold",): (NAN, INFINITE, 5, -1, "0.5", None, [0.5], True),
            ("min_component_ml",): (NAN, -1, 1e9),
            ("crop_size",): (0, -5, 10**9, 1.5),
            ("markers", 0, "temperature"): (0, -1, NAN, 1e300),
            ("markers", 0, "threshold"): (5, -1, NAN),
            ("markers",): ([], {}, None),
            ("preprocessing", "size"): (0, 32 * 10**6, -32),
            ("preprocessing", "window", "upper"): (INFINITE, NAN),
            ("segmenter", "file"): (
                "", ".", "..", "../x", "/etc/passwd", "a\0b", "a" * 300, "a/b", "con", 7,
            ),
            ("segmenter", "bytes"): (-1, 10**30, "1"),
            ("segmenter", "sha256"): ("", "g" * 64, "A" * 64, 5),
            ("segmenter", "inputs", 0, "shape"): ([1, 1, 2**20, 2**20], [1, 1, -1, 2], []),
            ("schema_version",): (True, 0, 99, "4", 1e300),
            ("training",): ({"a": INFINITE},),
        }.items()
        for value in values
    }  # fmt: skip
    texts: dict[str, Spoil] = {
        "a key twice": _text(lambda text: text.replace('"recipe"', '"recipe": "x", "recipe"', 1)),
        "100,000 deep": _text(lambda text: "[" * 10**5),
        "100,000 deep inside": _text(
            lambda text: text.replace("{", '{"x": ' + "[" * 10**5 + "]" * 10**5 + ",", 1)
        ),
        "a number of 100,000 digits": _text(lambda text: "9" * 10**5),
        "empty": _text(lambda text: ""),
        "a list": _text(lambda text: "[]"),
        "null": _text(lambda text: "null"),
        "a BOM": _text(lambda text: "\ufeff" + text),
        "cut": _text(lambda text: text[: len(text) // 2]),
    }
    always: dict[str, Spoil] = {
        "unsigned": lambda folder: (folder / SIGNATURE_NAME).unlink(),
        "signature: empty": _bytes(SIGNATURE_NAME, lambda _: b""),
        "signature: with a blank": _bytes(SIGNATURE_NAME, lambda data: data + b" "),
        "signature: with Windows' line ends": _bytes(
            SIGNATURE_NAME, lambda data: data.replace(b"\n", b"\r\n")
        ),
        "signature: upper case": _bytes(SIGNATURE_NAME, lambda data: data.upper()),
        "signature: 1 MB": _bytes(SIGNATURE_NAME, lambda data: data + bytes(10**6)),
        "signature: pipe": lambda folder: _pipe(folder / SIGNATURE_NAME),
        "signature: endless": lambda folder: _link(folder / SIGNATURE_NAME, "/dev/zero"),
        "signature: of another manifest": _other_signature,
        "manifest: pipe": lambda folder: _pipe(folder / MANIFEST_NAME),
        "manifest: endless": lambda folder: _link(folder / MANIFEST_NAME, "/dev/zero"),
        "manifest: folder": lambda folder: _folder(folder / MANIFEST_NAME),
        "manifest: 3 GiB": lambda folder: _grown(folder / MANIFEST_NAME),
        "manifest: gone": lambda folder: (folder / MANIFEST_NAME).unlink(),
        "manifest: UTF-16": _bytes(MANIFEST_NAME, lambda data: data.decode().encode("utf-16")),
        "manifest: a blank more": _bytes(MANIFEST_NAME, lambda data: data + b"\n"),
        "program: gone": _program(Path.unlink),
        "program: pipe": _program(_pipe),
        "program: folder": _program(_folder),
        "program: endless": _program(partial(_link, target="/dev/zero")),
        "program: 3 GiB": _program(_grown),
        "program: a byte more": _program(lambda path: path.write_bytes(path.read_bytes() + b"x")),
        "program: empty": _program(lambda path: path.write_bytes(b"")),
        "program: another of its size": _program(
            lambda path: path.write_bytes(b"x" * path.stat().st_size)
        ),
    }  # fmt: skip
    return {
        **always,
        **ranges,
        **{UNSIGNED + "manifest is " + name: act for name, act in texts.items()},
    }

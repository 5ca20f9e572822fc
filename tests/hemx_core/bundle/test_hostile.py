"""Bundles that mean harm: what they are is looked at before they are read, and their numbers have ranges."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hemx_core.bundle.load import load_models, verify_bundle
from hemx_core.bundle.signature import SIGNATURE_NAME, read_keys
from hemx_core.errors import IntegrityError, ManifestError, ModelError, SignatureError
from hemx_core.manifest import MANIFEST_NAME, ModelManifest
from hemx_core.runtime.program import checked_program
from tests.factories import FakeBackend, write_fake_bundle

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write_fake_bundle(tmp_path)
    return tmp_path


def change(folder: Path, edit: Callable[[str], str]) -> None:
    path = folder / MANIFEST_NAME
    path.write_text(edit(path.read_text("utf-8")), encoding="utf-8")


def put(*path: str | int, value: object) -> Callable[[str], str]:
    """An edit of one value of the manifest."""

    def edit(text: str) -> str:
        values = json.loads(text)
        inside = values
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = value
        return json.dumps(values)

    return edit


INFINITE = float("inf")


@pytest.mark.parametrize(
    "edit",
    [
        *(put("mask_threshold", value=one) for one in (float("nan"), 5, -1, INFINITE, -0.001)),
        *(put("min_component_ml", value=one) for one in (float("nan"), -1, 1e9)),
        *(put("crop_size", value=one) for one in (0, -5, 10**9)),
        *(put("markers", 0, "temperature", value=one) for one in (0, -1, float("nan"), 1e300)),
        *(put("markers", 0, "threshold", value=one) for one in (5, -1, float("nan"))),
        put("preprocessing", "window", "upper", value=INFINITE),
        put("preprocessing", "window", "lower", value=float("nan")),
        put("preprocessing", "pixel_mm", value=float("nan")),
        put("preprocessing", "size", value=32 * 10**6),
        put("segmenter", "inputs", 0, "shape", value=[1, 1, 2**20, 2**20]),
        put("segmenter", "inputs", 0, "shape", value=[1, 1, -1, 2**20]),
        put("segmenter", "file", value=""),
        put("segmenter", "file", value="a\0b"),
        put("segmenter", "file", value="a" * 300),
        put("schema_version", value=True),
        put("training", value={"a": INFINITE}),
        lambda text: text.replace('"recipe"', '"recipe": "other", "recipe"', 1),
        lambda text: text.replace('"training": {', '"training": {"a": 1e999, ', 1),
        lambda text: text.replace('"training": {}', '"training": ' + "[" * 10**5 + "]" * 10**5),
        lambda text: text.replace(
            '"training": {}', '"training": {"a": ' + "[" * 900 + "]" * 900 + "}"
        ),
        lambda text: "[" * 10**5,
        lambda text: "9" * 10**5,
    ],
)
def test_an_unsigned_manifest_out_of_range_is_refused(
    bundle: Path, edit: Callable[[str], str]
) -> None:
    change(bundle, edit)
    backend = FakeBackend()
    try:
        with pytest.raises(ModelError) as raised:
            load_models(bundle, backend, allow_unsigned=True)
        assert str(raised.value)
    except pytest.fail.Exception:
        # Nesting that Python can still read and write harms nobody.
        assert "[" * 900 in (bundle / MANIFEST_NAME).read_text("utf-8")
    else:
        assert not backend.opened


@pytest.mark.parametrize("name", [MANIFEST_NAME, SIGNATURE_NAME])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_refused_and_not_waited_for(bundle: Path, name: str) -> None:
    (bundle / name).unlink(missing_ok=True)
    os.mkfifo(bundle / name)
    with pytest.raises((ManifestError, SignatureError), match="regular file"):
        verify_bundle(bundle, allow_unsigned=True)


def test_a_pipe_as_program_or_as_keys_is_refused(bundle: Path) -> None:
    file = ModelManifest.load(bundle).segmenter.file
    for path in (bundle / file, bundle / "keys"):
        path.unlink(missing_ok=True)
        os.mkfifo(path)
    with pytest.raises(IntegrityError):
        ModelManifest.load(bundle)
    with pytest.raises(ManifestError, match="regular file"):
        read_keys(bundle / "keys")


def test_a_manifest_of_gigabytes_is_not_read(bundle: Path) -> None:
    with (bundle / MANIFEST_NAME).open("r+b") as stream:
        stream.truncate(3 * 2**30)  # a hole: it takes no room on the disk
    tracemalloc.start()
    with pytest.raises(ManifestError, match="more than"):
        verify_bundle(bundle, allow_unsigned=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * 2**20


def test_the_program_that_was_hashed_is_the_one_that_is_opened(bundle: Path) -> None:
    spec = ModelManifest.load(bundle).segmenter
    path = bundle / spec.file
    content = path.read_bytes()
    seen = []

    def exchange(*, by_name: bool) -> None:
        with checked_program(path, spec, by_name=by_name) as opened:
            path.unlink()
            path.write_bytes(b"x" * len(content))
            seen.append(Path(opened).read_bytes() == content)

    def write_into() -> None:
        with checked_program(path, spec):
            path.write_bytes(b"x" * len(content))

    for act in (partial(exchange, by_name=False), partial(exchange, by_name=True), write_into):
        path.write_bytes(content)
        with pytest.raises(IntegrityError, match="written to"):
            act()
    assert seen == [Path("/proc/self/fd").exists(), False]
    path.write_bytes(content)
    with checked_program(path, spec):
        pass

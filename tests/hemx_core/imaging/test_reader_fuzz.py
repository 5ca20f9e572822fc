"""Damaged files: whatever happens to the bytes, a typed error or a valid volume comes out."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hemx_core.errors import HemxError
from hemx_core.imaging.reader import list_series, read_series
from tests.factories import ct_pixels, write_ct_series


@pytest.fixture(scope="module")
def series_bytes(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    paths = write_ct_series(tmp_path_factory.mktemp("ct"), hu=ct_pixels(6, matrix=8))
    return [path.read_bytes() for path in paths]


def read_or_refuse(contents: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for index, content in enumerate(contents):
            Path(folder, str(index)).write_bytes(content)
        try:
            listed = list_series(folder)
            volume = read_series(folder)
        except HemxError:
            return
    assert listed[0].usable
    assert volume.hu.dtype == np.int16
    assert len(volume.hu) >= 5
    assert np.isfinite(volume.geometry.positions_mm).all()


edits = st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=12)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(flips=edits, everywhere=st.booleans(), cut=st.none() | st.integers(0, 10**6))
def test_flipped_bytes_and_truncations(
    series_bytes: list[bytes],
    flips: list[tuple[int, int]],
    everywhere: bool,
    cut: int | None,
) -> None:
    contents = list(series_bytes)
    for index in range(len(contents) if everywhere else 1):
        damaged = bytearray(contents[index])
        for place, value in flips:
            damaged[place % len(damaged)] ^= value
        contents[index] = bytes(damaged[: None if cut is None else cut % len(damaged)])
    read_or_refuse(contents)


@settings(max_examples=20, deadline=None)
@given(content=st.binary(max_size=400), mark=st.booleans())
def test_any_bytes(content: bytes, mark: bool) -> None:
    read_or_refuse([b"\0" * 128 + b"DICM" + content if mark else content])

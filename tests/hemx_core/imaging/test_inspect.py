"""All looks at a volume's pictures together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hemx_core.imaging.inspect import as_inspected, inspect
from hemx_core.imaging.volume import HUVolume
from hemx_core.notes import Severity
from hemx_core.phantoms.make import draw_phantom


def _head(seed: int = 4) -> HUVolume:
    return draw_phantom(seed=seed, matrix=256, lesion=False).volume


def _warnings(volume: HUVolume) -> list[str]:
    return [note.code for note in inspect(volume).notes if note.severity is Severity.WARNING]


def test_an_ordinary_head_is_not_warned_of() -> None:
    assert _warnings(_head()) == []


def test_of_values_that_are_shifted_nothing_is_said_of_how_much_brain_there_is() -> None:
    volume = _head()
    for shift in (24, -24):
        shifted = replace(volume, hu=(volume.hu + shift).astype(np.int16))
        assert _warnings(shifted) == ["brain_shifted"]


def test_what_is_found_is_kept_for_a_volume_that_is_read_again() -> None:
    volume = _head()
    clipped = replace(volume, hu=np.clip(volume.hu, -20, 100))
    found = inspect(clipped)
    assert found.clipped_to_hu == (-20.0, 100.0)
    again = as_inspected(clipped, found.clipped_to_hu, found.notes)
    assert again.clipped_to_hu == found.clipped_to_hu
    assert as_inspected(again, again.clipped_to_hu, found.notes) is again


def test_slices_that_were_shifted_back_are_so_again() -> None:
    volume = _head()
    hu = volume.hu.copy()
    hu[3] += 1000
    off = replace(volume, hu=hu)
    found = inspect(off)
    again = as_inspected(off, found.clipped_to_hu, found.notes)
    np.testing.assert_array_equal(again.hu, found.hu)
    assert abs(again.hu[3] - volume.hu[3]).max() <= 12
    assert as_inspected(off, None, ()) is off
    assert as_inspected(found, found.clipped_to_hu, found.notes) is found

"""The judge of damaged segmentations: a frame's place is its position, or the image it names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from benchmarks.robustness.kinds import all_kinds
from benchmarks.robustness.others import look_at_seg
from benchmarks.robustness.outcome import Outcome

pytest.importorskip("highdicom")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    kind = all_kinds(tmp_path)["SEG"]
    kind.prepare()
    return kind.damaged


def change(path: Path, *, position: bool) -> None:
    """Take a pixel of the first frame that is drawn, and its position."""
    seg = pydicom.dcmread(path)
    pixels = seg.pixel_array.copy()
    first = int(np.flatnonzero(pixels.any(axis=(1, 2)))[0])
    pixels[first][tuple(np.argwhere(pixels[first])[0])] = 0
    seg.PixelData = pixels.tobytes()
    if not position:
        del seg.PerFrameFunctionalGroupsSequence[first].PlanePositionSequence
    seg.save_as(path)


@pytest.mark.parametrize("position", [True, False])
def test_a_frame_without_its_position_is_judged_by_the_image_it_names(
    folder: Path, position: bool
) -> None:
    (outcome, _), right = look_at_seg(folder, None)
    assert outcome is Outcome.RIGHT
    change(folder / "labelmap.dcm", position=position)
    assert look_at_seg(folder, right)[0] == (Outcome.RIGHT, "")

"""A segmentation on a real tilted series of two thicknesses from HEMX_DATA; skipped without it."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemx_core.data.seg import read_seg
from hemx_core.imaging.reader import read_series
from hemx_core.measure.haematoma import measure_haematoma
from hemx_core.pipeline import triage_volume
from hemx_core.report.dicom import DicomWriter
from tests.factories import ThresholdModels, simple_head

DATA = os.environ.get("HEMX_DATA", "")
pytestmark = pytest.mark.skipif(not DATA, reason="HEMX_DATA is not set")


def test_a_drawn_mask_comes_back_on_the_tilted_head(tmp_path: Path) -> None:
    path = Path(DATA, "dicom", "ge_tilted_head")
    volume = read_series(path)
    row, column = np.ogrid[:512, :512]
    mask = np.zeros(volume.shape, bool)
    for index, radius in zip(range(12, 17), (8, 20, 30, 25, 9), strict=True):
        mask[index] = np.hypot(row - 240, column - 300) <= radius
    drawn = replace(
        triage_volume(simple_head(), ThresholdModels()),
        haematoma=measure_haematoma(mask, volume, min_component_ml=0.1),
        geometry=volume.geometry,
        identity=volume.identity,
    )
    written = DicomWriter(drawn, volume, path, tmp_path).write()
    assert written.seg is not None
    assert np.array_equal(read_seg(written.seg, volume), drawn.mask)
    unnamed = replace(volume, identity=replace(volume.identity, sop_instance_uids=()))
    assert np.array_equal(read_seg(written.seg, unnamed), drawn.mask)

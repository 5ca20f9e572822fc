"""The bits of a lossless JPEG, counted from its picture."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGLosslessSV1

from benchmarks.robustness.encoders import jpeg_lossless
from hemx_core.imaging.streams import Picture, check_stream

SPARE = 8


def picture(rows: int = 24, columns: int = 17) -> NDArray[np.uint16]:
    """12-bit noise."""
    return np.random.default_rng(2).integers(0, 4096, (rows, columns)).astype(np.uint16)


@pytest.mark.parametrize("predictor", range(1, 8))
def test_the_bits_fit_the_picture_and_no_other(predictor: int) -> None:
    values = picture()
    stream = jpeg_lossless(values, predictor=predictor)
    whole = Picture(rows=24, columns=17, samples=1, bits_allocated=16)
    code = check_stream(JPEGLosslessSV1, stream, whole).code
    assert code is not None
    assert code.predictor == predictor
    assert code.fits(values, SPARE)
    assert code.fits(values.view(np.int16), SPARE)
    half = values.copy()
    half[12:] = 0
    assert not code.fits(half, SPARE)
    for damaged in (stream[:-6] + stream[-2:], stream[:-2] + bytes(4) + stream[-2:]):
        code = check_stream(JPEGLosslessSV1, damaged, whole).code
        assert code is not None
        assert not code.fits(values, SPARE)


@pytest.mark.parametrize(
    "name", ["bad_sequence.dcm", "JPEG-LL.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm"]
)
def test_the_bits_of_other_writers_fit(name: str) -> None:
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"pydicom-data has no {name} here")
    dataset = pydicom.dcmread(path)
    picture = Picture(
        rows=dataset.Rows,
        columns=dataset.Columns,
        samples=1,
        bits_allocated=dataset.BitsAllocated,
    )
    stream = next(generate_frames(dataset.PixelData, number_of_frames=1))
    code = check_stream(dataset.file_meta.TransferSyntaxUID, stream, picture).code
    assert code is not None
    assert code.fits(dataset.pixel_array, 40)

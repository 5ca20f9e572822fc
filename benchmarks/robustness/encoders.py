"""Compressed streams for tests and mutants, from the codecs that are installed; JPEG Lossless from here."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)


def jpeg_lossless(values: NDArray[np.uint16], *, code_bits: int = 5, predictor: int = 1) -> bytes:
    """JPEG Lossless (ITU-T T.81, process 14): every code as long as the others.

    Args:
        values: 12-bit values, shape (rows, columns).
        code_bits: of the 16 categories; 4 leave no code over, not even that of all ones.
        predictor: 1 to 7.
    """
    rows, columns = values.shape
    wide = values.astype(int)
    guess = np.array([[_guess(wide, r, c, predictor) for c in range(columns)] for r in range(rows)])
    bits = []
    for step in (wide - guess).ravel().tolist():
        size = abs(step).bit_length()
        bits.append(f"{size:0{code_bits}b}")
        if size:
            bits.append(f"{step if step > 0 else step + (1 << size) - 1:0{size}b}")
    joined = "".join(bits)
    joined += "1" * (-len(joined) % 8)
    packed = int(joined, 2).to_bytes(len(joined) // 8, "big").replace(b"\xff", b"\xff\x00")
    lengths = bytes(16 if bit == code_bits else 0 for bit in range(1, 17))
    return b"".join(
        (
            b"\xff\xd8",
            b"\xff\xc3" + struct.pack(">HBHHBBBB", 11, 12, rows, columns, 1, 1, 0x11, 0),
            b"\xff\xc4" + struct.pack(">HB", 19 + 16, 0) + lengths + bytes(range(16)),
            b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, predictor, 0, 0),
            packed,
            b"\xff\xd9",
        )
    )


def _guess(values: NDArray[np.int64], row: int, column: int, predictor: int) -> int:
    if row == 0:
        return int(values[0, column - 1]) if column else 1 << 11
    above = int(values[row - 1, column])
    if column == 0:
        return above
    left, corner = int(values[row, column - 1]), int(values[row - 1, column - 1])
    return {
        1: left,
        2: above,
        3: corner,
        4: left + above - corner,
        5: left + (above - corner) // 2,
        6: above + (left - corner) // 2,
        7: (left + above) // 2,
    }[predictor]


def jpeg(values: NDArray[np.uint16], *, restart: int = 0) -> bytes:
    """Baseline JPEG of the upper 8 of 12 bits; a restart marker after so many blocks."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
    return cv2.imencode(".jpg", (values >> 4).astype(np.uint8), options)[1].tobytes()


def _by_pydicom(syntax: str, **options: Any) -> Callable[[NDArray[np.uint16]], bytes]:
    def encode(values: NDArray[np.uint16]) -> bytes:
        return get_encoder(syntax).encode(
            values.tobytes(),
            index=0,
            rows=values.shape[0],
            columns=values.shape[1],
            samples_per_pixel=1,
            number_of_frames=1,
            bits_allocated=16,
            bits_stored=12,
            pixel_representation=0,
            photometric_interpretation="MONOCHROME2",
            **options,
        )

    return encode


ENCODERS: Mapping[str, tuple[str, int, Callable[[NDArray[np.uint16]], bytes]]] = {
    "baseline": (JPEGBaseline8Bit, 8, jpeg),
    "extended": (
        JPEGExtended12Bit,
        8,
        lambda values: jpeg(values).replace(b"\xff\xc0", b"\xff\xc1"),
    ),
    "lossless": (JPEGLosslessSV1, 16, jpeg_lossless),
    "lossless, full table": (
        JPEGLosslessSV1,
        16,
        lambda values: jpeg_lossless(values, code_bits=4),
    ),
    "JPEG-LS": (JPEGLSLossless, 16, _by_pydicom(JPEGLSLossless)),
    "JPEG-LS near": (JPEGLSNearLossless, 16, _by_pydicom(JPEGLSNearLossless, jls_error=2)),
    "JPEG 2000": (JPEG2000Lossless, 16, _by_pydicom(JPEG2000Lossless)),
    "JPEG 2000 lossy": (JPEG2000, 16, _by_pydicom(JPEG2000, j2k_cr=[5])),
    "RLE": (RLELossless, 16, _by_pydicom(RLELossless, encoding_plugin="pydicom")),
}
"""Name to transfer syntax, BitsAllocated and the encoder of one frame of 12-bit values."""

__all__ = ["ENCODERS", "jpeg", "jpeg_lossless"]

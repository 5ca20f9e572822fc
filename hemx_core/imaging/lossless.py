"""How many bits a picture takes as JPEG Lossless (ITU-T T.81, annex H), counted from its pixels.

Prediction and code tables are known, so the length of the stream follows from the picture. If it is the
length that is there, the decoder has used every bit and lacked none: cheaper than decoding once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CATEGORY = np.frexp(np.abs(np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(float)))[1]
"""Number of bits of a difference, by its 16 bits: 0 for 0, 16 for -32768."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LosslessCode:
    """A scan of one component without restarts.

    Args:
        lengths: of the code of each category, 17 values; 0 where it has none.
        predictor: 1 to 7.
        precision: bits a sample.
        shift: point transform.
        bits: how many there are in the scan, stuffing left out; up to 7 fill its last byte.
    """

    lengths: tuple[int, ...]
    predictor: int
    precision: int
    shift: int
    bits: int

    def fits(self, pixels: NDArray[np.integer[Any]], spare: int) -> bool:
        """Whether the decoded picture takes the bits of the scan; up to `spare` may be left.

        Args:
            pixels: shape (rows, columns), as decoded.
            spare: bits.
        """
        samples = (pixels.astype(np.int32) & ((1 << self.precision) - 1)) >> self.shift
        steps = (samples - self._predicted(samples)).astype(np.uint16)
        # A category of 16 has no bits behind its code: there is but one such difference.
        cost = np.array([n + size % 16 for size, n in enumerate(self.lengths)])[_CATEGORY]
        left = self.bits - int(cost[steps].sum())
        return 0 <= left < spare

    def _predicted(self, samples: NDArray[np.int32]) -> NDArray[np.int32]:
        """Of each sample: from the left in the first row, from above in the first column."""
        predicted = np.empty_like(samples)
        left, above, corner = samples[1:, :-1], samples[:-1, 1:], samples[:-1, :-1]
        predicted[0, 0] = 1 << (self.precision - self.shift - 1)
        predicted[0, 1:] = samples[0, :-1]
        predicted[1:, 0] = samples[:-1, 0]
        by_number = (
            left,
            above,
            corner,
            left + above - corner,
            left + ((above - corner) >> 1),
            above + ((left - corner) >> 1),
            (left + above) >> 1,
        )
        predicted[1:, 1:] = by_number[self.predictor - 1]
        return predicted

"""Calibration without the few slices that would set the int8 ranges for all.

On most slices the deepest encoder map peaks near its median; on a few (vertex, skull base) it peaks
tens of times higher. Calibrated with those, one step of int8 is wider than the whole signal of an
ordinary slice and the pooled features are lost. Left out of the calibration, such slices saturate,
and what they mean for masks and markers is measured by the parity gates, which see every slice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from hemx_core.nn.unet import UNet

OUTLIER = 2.0
"""A slice is left out where the peak of its deepest map exceeds this many medians."""


@torch.inference_mode()
def ordinary_slices(
    network: UNet, slices: Sequence[NDArray[np.float32]]
) -> list[NDArray[np.float32]]:
    """The slices whose deepest encoder map peaks within `OUTLIER` medians.

    Args:
        network: the trained segmenter, in evaluation mode.
        slices: prepared slices, each (size, size), float32.
    """
    if not len(slices):
        return []
    peaks = [
        float(network.encode(torch.from_numpy(image)[None, None])[-1].abs().max())
        for image in slices
    ]
    limit = OUTLIER * float(np.median(peaks))
    return [image for image, peak in zip(slices, peaks, strict=True) if peak <= limit]

"""Slices and crops to calibrate on, as the two networks take them.

On most slices the deepest encoder map peaks near its median; on a few (vertex, skull base) it peaks
tens of times higher. Calibrated with those, one step of int8 is wider than the whole signal of an
ordinary slice and the pooled features are lost. Left out, such slices saturate, and what they mean
for masks and markers is measured by the parity gates, which see every slice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export.networks import Networks
from hemx_core.imaging.prepare import crop_around
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


Inputs = tuple[Tensor, ...]


def network_inputs(
    networks: Networks, slices: Sequence[NDArray[np.float32]]
) -> dict[str, list[Inputs]]:
    """Inputs of `segmenter` and `classifier`.

    Args:
        networks: the trained networks: crops lie where this segmenter sees blood.
        slices: prepared slices, each (size, size), float32.
    """
    return {
        "segmenter": [(torch.from_numpy(image)[None, None],) for image in slices],
        "classifier": calibration_crops(networks, slices),
    }


@torch.inference_mode()
def calibration_crops(
    networks: Networks, calibration: Sequence[NDArray[np.float32]]
) -> list[Inputs]:
    """(crop, features) of the slices on which the trained segmenter finds blood.

    Where it finds none at all (untrained weights), every slice is cropped at its centre.
    """
    decision = networks.decision
    crops: list[Inputs] = []
    blood: list[bool] = []
    for image in calibration:
        logits, features = networks.segmenter(torch.from_numpy(image)[None, None])
        mask = torch.sigmoid(logits)[0, 0].numpy() >= decision.mask_threshold
        crop, _ = crop_around(image, mask, decision.crop_size)
        crops.append((torch.from_numpy(crop)[None, None], features))
        blood.append(bool(mask.any()))
    return (
        [crop for crop, shows in zip(crops, blood, strict=True) if shows] if any(blood) else crops
    )

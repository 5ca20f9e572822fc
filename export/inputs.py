"""Prepared slices as the two networks take them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export.bundle import calibration_crops
from export.networks import Networks

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

"""The machine's int8 peak, as XNNPACK reaches it: the fastest of some large convolutions alone.

Each is one 1 x 1 or 3 x 3 convolution, quantized and lowered as our graphs are. A 1 x 1 convolution is a
matrix product of pixels by inputs by outputs. The largest rate of them is what a graph could reach at most if
all of its work were like this.
"""

from __future__ import annotations

import importlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Json = dict[str, Any]
CALLS = 12
SEED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A convolution with as many inputs as outputs."""

    channels: int
    side: int
    kernel: int

    @property
    def name(self) -> str:
        """For the record."""
        return f"{self.kernel} x {self.kernel}, {self.channels} channels, {self.side} x {self.side}"

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one call."""
        return self.channels**2 * self.kernel**2 * self.side**2


SHAPES = (
    Shape(channels=256, side=64, kernel=1),
    Shape(channels=512, side=64, kernel=1),
    Shape(channels=256, side=32, kernel=3),
)
TINY_SHAPES = (Shape(channels=16, side=16, kernel=1),)


def measure_int8_peak(threads: int, tiny: bool) -> Json:
    """Giga multiply-accumulates a second of every shape, and the largest; runs in a fresh process."""
    rates = {
        shape.name: round(_rate(shape, threads), 2) for shape in (TINY_SHAPES if tiny else SHAPES)
    }
    return {
        "threads": threads,
        "gmacs": max(rates.values()),
        "shapes": rates,
        "fingerprint": "rates",
    }


def _rate(shape: Shape, threads: int) -> float:
    import torch
    from torch import nn

    from export.lower import lower
    from export.quantize import quantize
    from hemx_core.runtime.pte_desktop import BINDING, DesktopBackend, run_method

    torch.manual_seed(SEED)
    layer = nn.Conv2d(
        shape.channels, shape.channels, shape.kernel, padding=shape.kernel // 2
    ).eval()
    example = torch.rand(1, shape.channels, shape.side, shape.side)
    pte = lower(quantize(layer, [(example,)]), (example,)).pte
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.pte"
        path.write_bytes(pte)
        DesktopBackend(threads=threads)
        program = importlib.import_module(BINDING)._load_program(str(path))
        method = program.load_method("forward")
        times = []
        for _ in range(CALLS):
            start = time.perf_counter()
            run_method(method, [example])
            times.append(time.perf_counter() - start)
    return shape.macs / float(np.median(times[2:])) / 1e9

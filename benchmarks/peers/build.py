"""What an adapter is given to convert, and what it gives back; nothing here imports torch by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness.material import NAMES, OUTPUTS, Array, Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn

Model = Callable[[Sequence[Array]], list[Array]]
"""A loaded graph: arrays in, arrays out, both in the graph's order."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Build:
    """A graph to convert.

    Args:
        subject: "segmenter" or "classifier".
        module: in evaluation mode; for the shipped form a module too, if there is no bundle.
        calibration: inputs that set int8 ranges, in calls of as many slices as the contestant takes; the
            same slices for every contestant.
        precision: "fp32" or "int8".
        option: of the adapter.
        graph: form of the graph, see `roster`.
        program: the bundle's program, for the shipped form.
    """

    subject: str
    module: nn.Module
    calibration: list[Inputs]
    precision: str
    option: str
    graph: str
    program: Path | None = None

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return NAMES[self.subject]

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return OUTPUTS[self.subject]

    @property
    def example(self) -> tuple[torch.Tensor, ...]:
        """A first calibration input as tensors."""
        return self.tensors(self.calibration[0])

    def tensors(self, inputs: Inputs) -> tuple[torch.Tensor, ...]:
        """Inputs as tensors of their own memory."""
        import torch

        return tuple(torch.from_numpy(np.array(array, order="C")) for array in inputs)


def as_arrays(outputs: Iterable[Any]) -> list[Array]:
    """Copies that outlive the runtime's buffers."""
    return [np.array(one, dtype=np.float32, order="C") for one in outputs]

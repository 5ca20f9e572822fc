from __future__ import annotations

from typing import Any

import pytest
import torch
from executorch.backends.xnnpack.utils.xnnpack_constants import (
    XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER,
)
from torch import Tensor, nn

from benchmarks.graphs.program_costs import (
    INDIRECT,
    MULTIPLIED,
    PER_CHANNEL,
    SCATTERED,
    IndirectionBuffer,
    indirection_buffers,
    matrix_work,
)
from benchmarks.harness.networks import count_macs
from export.lower import lower
from export.program_facts import CONVOLUTION, DEPTHWISE, TRANSPOSED, xnnpack_graphs


class Several(nn.Module):
    """A convolution of each kind, on a picture of 8 rows and 12 columns."""

    def __init__(self) -> None:
        super().__init__()
        self.ordinary = nn.Conv2d(2, 4, 3, padding=1)
        self.depthwise = nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=4)
        self.pointwise = nn.Conv2d(4, 6, 1)
        self.transposed = nn.ConvTranspose2d(6, 2, 4, stride=2, padding=1)
        self.whole = nn.ConvTranspose2d(2, 2, 2, stride=2)
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        small = self.pointwise(self.depthwise(self.ordinary(x)))
        return self.whole(self.transposed(small))


@pytest.mark.slow
def test_buffers_of_a_written_program() -> None:
    (graph,) = xnnpack_graphs(lower(Several(), (torch.rand(1, 2, 8, 12),)).pte)
    # Nine taps of 8 x 12 pixels; of 4 rows nine pointers and two new columns of three for each of the
    # other 5 pixels; of 8 x 12 pixels room for sixteen taps, four of which meet each.
    assert indirection_buffers(graph) == (
        IndirectionBuffer(CONVOLUTION, 8 * 9 * 96, 8 * 9 * 96),
        IndirectionBuffer(DEPTHWISE, 8 * 4 * (9 + 5 * 2 * 3), 8 * 4 * (9 + 5 * 2 * 3)),
        IndirectionBuffer(TRANSPOSED, 8 * 16 * 96, 8 * 4 * 96),
    )


def test_work_of_a_written_program() -> None:
    network = Several()
    image = torch.rand(1, 2, 8, 12)
    (graph,) = xnnpack_graphs(lower(network, (image,)).pte)
    # 8 x 12 pixels of 2 x 4 channels and nine taps; 4 x 6 pixels of 4 channels and nine taps; 4 x 6 of
    # 4 x 6 channels; 4 x 6 pixels meet sixteen taps of 6 x 2 channels, 8 x 12 meet four of 2 x 2.
    assert matrix_work(graph) == {
        INDIRECT: 96 * 8 * 9,
        PER_CHANNEL: 24 * 4 * 9,
        MULTIPLIED: 24 * 24,
        SCATTERED: 24 * 12 * 16 + 96 * 4 * 4,
    }
    assert sum(matrix_work(graph).values()) == sum(count_macs(network, (image,)).values())


def test_work_of_a_linear_layer() -> None:
    (graph,) = xnnpack_graphs(lower(nn.Linear(7, 5).eval(), (torch.rand(1, 7),)).pte)
    assert matrix_work(graph) == {MULTIPLIED: 35}


def lone_convolution(
    node: str,
    size: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: int = 1,
    dilation: int = 1,
    channels: tuple[int, int] = (16, 16),
    flags: int = 0,
) -> dict[str, Any]:
    """A square convolution alone; channels of a group, in and out."""
    union = {
        "output_id": 5,
        "flags": flags,
        "group_input_channels": channels[0],
        "group_output_channels": channels[1],
        **{f"padding_{side}": padding for side in ("top", "right", "bottom", "left")},
        **{f"kernel_{axis}": kernel for axis in ("height", "width")},
        **{f"subsampling_{axis}": stride for axis in ("height", "width")},
        **{f"dilation_{axis}": dilation for axis in ("height", "width")},
    }
    tensor = {"id_out": 5, "dims": [1, size, size, 16]}
    return {
        "xvalues": [{"xvalue_union": tensor}],
        "xnodes": [{"xnode_union_type": node, "xnode_union": union}],
    }


@pytest.mark.parametrize(
    ("one", "allocated"),
    [
        (lone_convolution(CONVOLUTION, 256, 3), 4_718_952),
        (lone_convolution(DEPTHWISE, 256, 3, channels=(1, 16)), 4_718_952),
        (lone_convolution(CONVOLUTION, 128, 3), 1_179_864),
        (lone_convolution(CONVOLUTION, 64, 3), 295_344),
        (lone_convolution(TRANSPOSED, 256, 4, stride=2), 8_388_608),
        (lone_convolution(TRANSPOSED, 32, 4, stride=2), 131_072),
        (lone_convolution(DEPTHWISE, 128, 3, channels=(1, 1)), 399_360),
        (lone_convolution(DEPTHWISE, 64, 3, stride=2, channels=(1, 1)), 198_144),
        (lone_convolution(DEPTHWISE, 64, 3, channels=(1, 1)), 101_376),
    ],
)
def test_sizes_are_those_that_xnnpack_was_seen_to_allocate(
    one: dict[str, Any], allocated: int
) -> None:
    """Traced in ExecuTorch 1.5.1 on an x86 processor where a tile has 7 pixels."""
    (buffer,) = indirection_buffers(one)
    assert buffer.reserved_bytes == pytest.approx(allocated, rel=0.002)


@pytest.mark.parametrize(
    "one",
    [
        lone_convolution(CONVOLUTION, 8, 1, padding=0),
        lone_convolution(TRANSPOSED, 8, 2, stride=2, padding=0),
    ],
)
def test_matrix_multiplications_have_no_pointers(one: dict[str, Any]) -> None:
    assert indirection_buffers(one) == ()


@pytest.mark.parametrize(
    ("one", "pointers"),
    [
        (lone_convolution(CONVOLUTION, 8, 1, stride=2, padding=0), 64),
        (lone_convolution(DEPTHWISE, 8, 3, dilation=2, channels=(1, 1)), 8 * (9 + 7 * 3 * 3)),
        (lone_convolution(TRANSPOSED, 8, 3), 64 * 9),
        (lone_convolution(TRANSPOSED, 9, 3, stride=3), 81),
        (lone_convolution(TRANSPOSED, 9, 4, stride=2), 5 * 5 * 16),
    ],
)
def test_pointers_that_are_written(one: dict[str, Any], pointers: int) -> None:
    (buffer,) = indirection_buffers(one)
    assert buffer.written_bytes == 8 * pointers
    assert buffer.reserved_bytes >= buffer.written_bytes


def test_pointers_that_are_made_at_every_call_are_not_kept() -> None:
    flags = XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER | 1
    assert indirection_buffers(lone_convolution(CONVOLUTION, 8, 3, flags=flags)) == ()
    # Transposed convolutions ignore the flag, and others are not this one.
    assert indirection_buffers(lone_convolution(TRANSPOSED, 8, 3, flags=flags))
    assert indirection_buffers(lone_convolution(CONVOLUTION, 8, 3, flags=1))

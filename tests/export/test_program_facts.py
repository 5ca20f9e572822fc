from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from export.lower import check_program, lower, lower_methods
from export.program_facts import (
    DELEGATE_CALL,
    XNNPACK,
    activation_peak,
    read_program,
)
from export.quantize import quantize
from hemx_core.errors import DelegationError


class Small(nn.Module):
    """A convolution in int8 and a linear layer left in float32."""

    float_modules = ("head",)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.head = nn.Linear(4, 2)
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.conv(x)).mean((2, 3), keepdim=True).flatten(1))


X = (torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0)),)


class Sandwich(nn.Module):
    """An operator that XNNPACK does not take between two that it does: two delegates."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.odd, self.second = nn.Conv2d(1, 1, 3), nn.Softplus(), nn.Conv2d(1, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.odd(self.conv(x)))


@pytest.mark.slow
def test_facts_are_those_of_the_written_program() -> None:
    pte = lower(quantize(Small(), [X]), X).pte
    (facts,) = check_program(pte)
    assert (facts.method, facts.delegates, facts.operators) == ("forward", (XNNPACK,), ())
    assert facts.instructions == {DELEGATE_CALL: 1}
    assert facts.coverage == 1.0
    # From one channel XNNPACK runs a convolution as a depthwise one.
    assert facts.nodes["XNNDepthwiseConv2d"] == facts.nodes["XNNFullyConnected"] == 1
    assert facts.matrix_nodes == {"qint8": 1, "fp32": 1}
    # The picture of 8 x 8 and the two numbers, float32, aligned.
    assert 8 * 8 * 4 + 2 * 4 <= facts.planned_bytes < 2 * 8 * 8 * 4
    assert facts.activation_peak_bytes >= 8 * 8 * 4 + 8 * 8
    assert facts.to_json()["coverage"] == 1.0


def test_a_program_with_operators_of_its_own_is_refused_and_its_coverage_is_low() -> None:
    pte = lower(Sandwich().eval(), X, check=False).pte
    (facts,) = read_program(pte)
    assert len(facts.delegates) > 1
    assert set(facts.delegates) == {XNNPACK}
    assert facts.operators
    assert 0 < facts.coverage < 1
    with pytest.raises(DelegationError, match="operators aten::"):
        check_program(pte)


@pytest.mark.slow
def test_a_program_of_two_methods_has_facts_for_both() -> None:
    pte = lower_methods({"one": (Small(), X), "two": (Small(), X)}).pte
    facts = check_program(pte)
    assert sorted(one.method for one in facts) == ["one", "two"]
    assert facts[0].matrix_nodes == {"fp32": 2}


def value(number: int, size: int, *, constant: int = 0) -> dict[str, object]:
    tensor = {
        "datatype": "xnn_datatype_qint8",
        "dims": [size],
        "constant_buffer_idx": constant,
        "id_out": number,
    }
    return {"xvalue_union": {"tensor_value": tensor}}


def node(source: int, target: int) -> dict[str, object]:
    return {"xnode_union": {"input_id": source, "output_id": target, "flags": 0}}


def test_peak_counts_what_is_alive_together_and_no_constants() -> None:
    graph = {
        "xvalues": [
            value(0, 10),
            value(1, 100),
            value(2, 5),
            value(3, 7),
            value(9, 999, constant=1),
        ],
        "xnodes": [node(0, 1), node(1, 2), node(2, 3)],
        "input_ids": [0],
        "output_ids": [3],
    }
    assert activation_peak(graph) == 110
    # A skip from the first value to the last node keeps it alive all the way.
    graph["xnodes"][2]["xnode_union"]["input2_id"] = 0  # type: ignore[index]
    assert activation_peak(graph) == 115

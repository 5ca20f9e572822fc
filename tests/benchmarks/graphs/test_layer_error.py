from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, fx, nn

from benchmarks.graphs.layer_error import LayerError, NetworkError, choose_float, layer_errors
from export.quantize import quantize
from hemx_core.errors import ExportError


class Chain(nn.Module):
    """Three convolutions in a row."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.middle = nn.Conv2d(4, 4, 1)
        self.last = nn.Conv2d(4, 1, 3, padding=1)
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.middle(torch.relu(self.first(x))))


def pictures(count: int) -> list[tuple[Tensor, ...]]:
    generator = torch.Generator().manual_seed(1)
    return [(torch.rand(1, 1, 16, 16, generator=generator),) for _ in range(count)]


def coarse(graph: fx.GraphModule, node: str, factor: float) -> fx.GraphModule:
    """The graph with the int8 steps of one operator's output made so many times wider."""
    quantizer = next(u for n in graph.graph.nodes if n.name == node for u in n.users)
    for one in (quantizer, *quantizer.users):
        one.args = (one.args[0], one.args[1] * factor, *one.args[2:])
    graph.recompile()
    return graph


@pytest.fixture(scope="module")
def measured() -> NetworkError:
    twin = Chain()
    return layer_errors(twin, quantize(twin, pictures(4)), pictures(3))


def of(error: NetworkError, module: str) -> LayerError:
    return next(row for row in error.layers if row.module == module)


def test_every_convolution_has_a_row_with_finite_errors(measured: NetworkError) -> None:
    rows = [row for row in measured.layers if row.module]
    assert [row.module for row in rows] == ["first", "middle", "last"]
    assert [row.parameters for row in rows] == [40, 20, 37]
    assert all(row.quantized for row in rows)
    assert all(20 < row.own_sqnr_db < 80 and row.mse > 0 for row in rows)
    # Nothing was lost before the first but the picture's own steps.
    assert of(measured, "first").sqnr_db == pytest.approx(of(measured, "first").own_sqnr_db, abs=3)
    assert measured.outputs_db == pytest.approx([of(measured, "last").sqnr_db])


def test_sqnr_is_the_textbook_formula() -> None:
    twin = Chain()
    graph, (x,) = quantize(twin, pictures(4)), pictures(1)
    with torch.no_grad():
        expected, found = twin(*x).double(), graph(*x).double()
    formula = 10 * torch.log10(expected.square().sum() / (found - expected).square().sum())
    error = layer_errors(twin, graph, [x])
    assert error.outputs_db[0] == pytest.approx(float(formula), abs=1e-3)
    assert of(error, "last").mse == pytest.approx(float((found - expected).square().mean()))


def test_the_culprit_is_found_and_not_its_victims(measured: NetworkError) -> None:
    twin = Chain()
    bad = layer_errors(twin, coarse(quantize(twin, pictures(4)), "conv2d_1", 16), pictures(3))
    assert of(bad, "middle").own_sqnr_db < of(measured, "middle").own_sqnr_db - 10
    assert of(bad, "last").sqnr_db < of(measured, "last").sqnr_db - 5
    assert of(bad, "last").own_sqnr_db > of(bad, "middle").own_sqnr_db + 10
    assert choose_float(bad.layers, floor_db=30, max_parameters=100) == ("middle",)


def test_a_float_module_loses_nothing_of_its_own(measured: NetworkError) -> None:
    twin = Chain()
    mixed = layer_errors(twin, quantize(twin, pictures(4), ("last",)), pictures(3))
    assert of(mixed, "last").own_mse < 1e-12
    assert not of(mixed, "last").quantized
    assert of(mixed, "middle").own_mse == pytest.approx(of(measured, "middle").own_mse, rel=0.1)
    assert mixed.outputs_db[0] > measured.outputs_db[0]


def test_the_worst_are_chosen_first_within_the_budget() -> None:
    row = LayerError(
        module="a",
        operator="conv2d",
        quantized=True,
        parameters=10,
        mse=0.0,
        sqnr_db=0.0,
        own_mse=0.0,
        own_sqnr_db=12.0,
    )
    worse = replace(row, module="b", own_sqnr_db=8.0, parameters=95)
    rows = [row, replace(row, module="c", own_sqnr_db=40.0), worse, replace(row, module="")]
    assert choose_float(rows, floor_db=20, max_parameters=200) == ("b", "a")
    assert choose_float(rows, floor_db=20, max_parameters=100) == ("b",)
    assert choose_float(rows, floor_db=20, max_parameters=50) == ("a",)
    assert choose_float([replace(row, quantized=False)], floor_db=20, max_parameters=50) == ()


def test_nothing_to_measure_is_refused() -> None:
    twin = Chain()
    graph = quantize(twin, pictures(1))
    with pytest.raises(ExportError, match="no slices"):
        layer_errors(twin, graph, [])
    other = fx.symbolic_trace(nn.Sequential(nn.Conv2d(1, 1, 1)))
    with pytest.raises(ExportError, match="shares no operator"):
        layer_errors(twin, other, pictures(1))

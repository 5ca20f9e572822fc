"""Static symmetric int8: weights per channel, activations per tensor, calibrated."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
    XNNPACKQuantizer,
    get_symmetric_quantization_config,
)
from torch import Tensor, fx, nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer.quantizer import Q_ANNOTATION_KEY

from hemx_core.errors import ExportError

Inputs = tuple[Tensor, ...]


class TriageQuantizer(XNNPACKQuantizer):
    """XNNPACK's quantizer, per channel, which leaves named modules in float32.

    Args:
        float_modules: names of submodules of the quantized module.
    """

    def __init__(self, float_modules: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.float_modules = float_modules
        self.set_global(get_symmetric_quantization_config(is_per_channel=True))
        self.set_filter_function(lambda node: not self._is_float(node))

    def annotate(self, model: fx.GraphModule) -> fx.GraphModule:
        """Mark what is quantized."""
        model = super().annotate(model)
        for node in model.graph.nodes:
            if self._is_float(node):
                # The filter function does not reach operators that share their input's scale.
                node.meta.pop(Q_ANNOTATION_KEY, None)
        return model

    def _is_float(self, node: fx.Node) -> bool:
        names = [name + "." for name, _ in node.meta.get("nn_module_stack", {}).values()]
        return any(name.startswith(f"{module}.") for name in names for module in self.float_modules)


def quantize(
    module: nn.Module,
    calibration: Iterable[Inputs],
    float_modules: tuple[str, ...] = (),
    *,
    batch: int = 1,
) -> fx.GraphModule:
    """Quantize an inference twin.

    Args:
        module: in evaluation mode; its `float_modules`, if any, name what stays in float32.
        calibration: inputs as on the device, prepared by the same specification, batch size 1.
        float_modules: what else stays in float32, names of submodules; see `benchmarks.graphs.float_layers`.
        batch: the largest that the graph will be lowered for. Ranges do not depend on it.
    Raises:
        ExportError: there are no calibration inputs, or no module of such a name.
    """
    samples = list(calibration)
    if not samples:
        raise ExportError(
            "no calibration inputs",
            expected="at least one prepared slice (dozens are better)",
            remedy="set HEMX_DATA, or calibrate on phantoms",
        )
    graph = _traced(module, samples[0], batch)
    known = dict(module.named_modules())
    unknown = [name for name in float_modules if name not in known]
    if unknown:
        raise ExportError(
            f"float modules that the network does not have: {', '.join(unknown)}",
            expected="names of submodules of the inference twin",
            remedy="choose them anew with `hemx benchmark layer-error`",
        )
    quantizer = TriageQuantizer((*getattr(module, "float_modules", ()), *float_modules))
    prepared = prepare_pt2e(graph, quantizer)
    with torch.no_grad():
        for inputs in samples:
            prepared(*inputs)
    return convert_pt2e(prepared)


def _traced(module: nn.Module, sample: Inputs, batch: int) -> nn.Module:
    """The module's graph, for any batch up to `batch`."""
    if batch == 1:
        return torch.export.export(module, sample).module()
    # Traced with two: a batch of one would be taken for a constant.
    pair = tuple(torch.cat([part, part]) for part in sample)
    axis = torch.export.Dim("batch", min=1, max=batch)
    return torch.export.export(module, pair, dynamic_shapes=({0: axis},) * len(pair)).module()

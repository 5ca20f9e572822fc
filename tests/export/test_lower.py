from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from export.folding.norms import fold_norms
from export.folding.twins import GlobalMean, fold_classifier
from export.folding.upsampling import FoldedDecoderBlock
from export.lower import lower
from export.quantize import quantize
from hemx_core.errors import DelegationError, ExportError
from hemx_core.nn.efficientnet import ConvBN, MBConv
from hemx_core.nn.unet import DecoderBlock
from tests.export.networks import CROP, lively, narrow_classifier, random_images

PTE_MAGIC = b"ET12"


class OneStage(nn.Module):
    """Every form that the folded segmenter has, once: lowering the narrowest U-Net takes 20 s."""

    float_modules = ("pool_features",)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = fold_norms(lively(ConvBN(1, 8, kernel=3, stride=2)))
        self.block = fold_norms(lively(MBConv(8, 8, expansion=2, kernel=5, stride=1, drop=0.0)))
        self.decoder = FoldedDecoderBlock(lively(DecoderBlock(8, 1, 8)))
        self.head = nn.Conv2d(8, 1, 3, padding=1)
        self.pool_features = GlobalMean()
        self.requires_grad_(False).eval()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        deep = self.block(self.stem(image))
        return torch.sigmoid(self.head(self.decoder(deep, image))), self.pool_features(deep)


def run(pte: bytes, inputs: tuple[Tensor, ...], folder: Path) -> list[Tensor]:
    from executorch.runtime import Runtime

    path = folder / "program.pte"
    path.write_bytes(pte)
    return list(Runtime.get().load_program(path).load_method("forward").execute(inputs))


@pytest.mark.slow
def test_int8_segmenter_forms_land_in_one_delegate_and_agree(tmp_path: Path) -> None:
    twin = OneStage()
    inputs = [(torch.from_numpy(image)[None, None],) for image in random_images(8, 32)]
    pte = lower(quantize(twin, inputs), inputs[0]).pte
    assert pte[4:8] == PTE_MAGIC
    assert len(pte) < 60_000
    probabilities, features = run(pte, inputs[0], tmp_path)
    expected = twin(*inputs[0])
    assert (probabilities - expected[0]).abs().max() < 0.05
    assert (features - expected[1]).abs().max() < 0.05 * expected[1].abs().max()
    assert not torch.equal(probabilities, expected[0])


def test_int8_classifier_keeps_its_head_in_float() -> None:
    twin = fold_classifier(narrow_classifier(channels=8))
    inputs = [(torch.from_numpy(i)[None, None], torch.rand(1, 8)) for i in random_images(4, CROP)]
    graph = quantize(twin, inputs)
    crop, features = inputs[0]
    with torch.no_grad():
        logits, cam = graph(crop, features)
        expected = twin(crop, features)
        # An int8 addition would swallow so small a step.
        shift = graph(crop, features + 1e-3)[0] - logits
        exact = twin(crop, features + 1e-3)[0] - expected[0]
    torch.testing.assert_close(shift, exact, rtol=1e-2, atol=1e-6)
    assert 0 < (logits - expected[0]).abs().max() < 0.1 * expected[0].abs().max()
    assert (cam - expected[1]).abs().max() < 0.1 * expected[1].abs().max()


def test_calibration_needs_inputs() -> None:
    with pytest.raises(ExportError, match="no calibration inputs"):
        quantize(nn.Conv2d(1, 1, 1), [])


class Outlier(nn.Module):
    """A convolution whose result goes through an operator that XNNPACK does not take."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.outlier = nn.Softplus()

    def forward(self, x: Tensor) -> Tensor:
        return self.outlier(self.conv(x))


def test_an_operator_outside_the_delegate_is_named_with_its_module() -> None:
    with pytest.raises(DelegationError, match=r"aten.*(exp|log|softplus).* in outlier"):
        lower(Outlier().eval(), (torch.zeros(1, 1, 8, 8),))


@pytest.mark.slow
def test_several_slices_a_call_answer_as_each_alone(tmp_path: Path) -> None:
    twin = OneStage()
    inputs = [(torch.from_numpy(image)[None, None],) for image in random_images(8, 32)]
    several = (torch.cat([one for (one,) in inputs[:4]]),)
    alone = lower(quantize(twin, inputs), inputs[0]).pte
    together = lower(quantize(twin, inputs, batch=4), several).pte
    found = run(together, several, tmp_path)
    for place, one in enumerate(inputs[:4]):
        for output, expected in zip(found, run(alone, one, tmp_path), strict=True):
            assert torch.equal(output[place : place + 1], expected)

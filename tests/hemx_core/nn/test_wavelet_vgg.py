import pytest
import torch
from torch import nn

from hemx_core.errors import TrainingError
from hemx_core.nn.wavelet_vgg import WaveletPool, WaveletVGG, WaveletVGGConfig


def test_has_the_thirteen_convolutions_of_vgg16_at_full_width() -> None:
    with torch.device("meta"):
        model = WaveletVGG(WaveletVGGConfig(merge="max"))
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == ([64] * 2 + [128] * 2 + [256] * 3 + [512] * 6)


@pytest.mark.parametrize(
    ("merge", "channels"), [("concat", 256), ("project", 64), ("ll", 64), ("max", 64)]
)
def test_shapes(merge: str, channels: int) -> None:
    model = WaveletVGG(WaveletVGGConfig(width=0.125, merge=merge)).eval()
    maps, features = model(torch.rand(2, 1, 64, 64))
    assert maps.shape == (2, 64, 4, 4)
    assert features.shape == (2, channels) == (2, model.out_channels)


@pytest.mark.parametrize("merge", ["concat", "project", "ll"])
@pytest.mark.parametrize("wavelet", ["haar", "db2", "bior2.2"])
def test_mean_weight_brings_a_linear_layer_back_through_the_pooling(
    merge: str, wavelet: str
) -> None:
    config = WaveletVGGConfig(width=0.125, merge=merge, wavelet=wavelet)
    pool = WaveletPool(5, config).double()
    weight = torch.randn(2, pool.out_channels, dtype=torch.float64)
    # A map that is constant in space has no high-pass part: only its mean passes.
    level = torch.randn(3, 5, 1, 1, dtype=torch.float64)
    bias = 0 if merge != "project" else weight @ pool.project.bias
    found = pool(level.expand(3, 5, 8, 8)).mean((2, 3)) @ weight.T - bias
    torch.testing.assert_close(
        found, level.flatten(1) @ pool.mean_weight(weight).T, atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("values", [{"merge": "mean"}, {"width": 0.0}])
def test_refuses_a_wrong_configuration(values: dict[str, object]) -> None:
    with pytest.raises(TrainingError):
        WaveletVGGConfig(**values)

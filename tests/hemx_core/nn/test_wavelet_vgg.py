import numpy as np
import pytest
import pywt
import torch
from torch import nn

from hemx_core.errors import TrainingError
from hemx_core.nn.config import WaveletVGGConfig
from hemx_core.nn.wavelet_vgg import DWT2d, WaveletPool, WaveletVGG


def _pywt_bands(image: torch.Tensor, wavelet: str) -> np.ndarray:
    ll, (lh, hl, hh) = pywt.dwt2(image.numpy(), wavelet, mode="periodization")
    return np.stack([ll, lh, hl, hh], 2).reshape(len(image), -1, *ll.shape[2:])


@pytest.mark.parametrize("wavelet", ["haar", "db2", "db4", "sym4", "coif1", "bior2.2", "rbio3.1"])
def test_equals_pywt_periodization_in_the_documented_channel_order(wavelet: str) -> None:
    image = torch.randn(2, 3, 16, 24, generator=torch.Generator().manual_seed(1))
    np.testing.assert_allclose(
        DWT2d(wavelet, channels=3)(image), _pywt_bands(image, wavelet), atol=1e-5
    )


def test_sub_band_names_say_which_axis_was_low_passed() -> None:
    stripes_over_rows = torch.zeros(1, 1, 8, 8)
    stripes_over_rows[:, :, ::2] = 1
    energy = DWT2d("haar")(stripes_over_rows).square().sum((0, 2, 3))
    assert energy[1] > 0
    assert energy[2:].tolist() == [0, 0]


def test_low_only_is_the_first_band() -> None:
    image = torch.randn(1, 2, 8, 8)
    torch.testing.assert_close(
        DWT2d("db2", channels=2, low_only=True)(image), DWT2d("db2", channels=2)(image)[:, ::4]
    )


def test_haar_has_no_border() -> None:
    left = torch.randn(1, 1, 8, 8)
    right = left.clone()
    right[..., 4:] = 0
    torch.testing.assert_close(
        DWT2d("haar")(left)[..., :2], DWT2d("haar")(right)[..., :2], rtol=0, atol=0
    )


@pytest.mark.parametrize("wavelet", ["morl", "nothing"])
def test_refuses_what_is_no_discrete_wavelet(wavelet: str) -> None:
    with pytest.raises(TrainingError, match=wavelet):
        DWT2d(wavelet)


@pytest.mark.parametrize("shape", [(1, 1, 7, 8), (1, 1, 8, 5)])
def test_refuses_odd_sizes(shape: tuple[int, ...]) -> None:
    with pytest.raises(TrainingError, match="even"):
        DWT2d("haar")(torch.zeros(shape))


def test_refuses_a_filter_longer_than_the_map() -> None:
    with pytest.raises(TrainingError, match="62 taps of dmey"):
        DWT2d("dmey")(torch.zeros(1, 1, 16, 16))


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
    pool.dwt.rescale(torch.rand(pool.dwt.bands) + 0.3)
    weight = torch.randn(2, pool.out_channels, dtype=torch.float64)
    # A map that is constant in space has no high-pass part: only its mean passes.
    level = torch.randn(3, 5, 1, 1, dtype=torch.float64)
    bias = 0 if merge != "project" else weight @ pool.project.bias
    found = pool(level.expand(3, 5, 8, 8)).mean((2, 3)) @ weight.T - bias
    torch.testing.assert_close(
        found, level.flatten(1) @ pool.mean_weight(weight).T, atol=1e-6, rtol=0
    )


def test_even_bands_are_as_loud_as_the_mean_and_survive_saving() -> None:
    torch.manual_seed(1)
    model = WaveletVGG(WaveletVGGConfig(width=0.125, merge="project")).train()
    # Smooth pictures: their high bands are faint.
    crop = nn.functional.interpolate(torch.rand(4, 1, 8, 8), size=64, mode="bilinear")
    model.even_bands(crop)
    block, pool = model.blocks[0], model.pools[0]
    bands = pool.dwt(block(crop)).unflatten(1, (8, 4)).std((0, 1, 3, 4))
    torch.testing.assert_close(bands, bands[:1].expand(4), rtol=1e-4, atol=0)
    assert pool.dwt.scale[0] == 0.5
    assert pool.dwt.scale[3] > 1
    again = WaveletVGG(WaveletVGGConfig(width=0.125, merge="project"))
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.eval()(crop)[1], model.eval()(crop)[1])


def test_weights_from_before_the_factors_load_with_factors_of_one() -> None:
    model = WaveletVGG(WaveletVGGConfig(width=0.125, merge="ll")).eval()
    old = {name: part for name, part in model.state_dict().items() if "scale" not in name}
    again = WaveletVGG(WaveletVGGConfig(width=0.125, merge="ll")).eval()
    again.pools[0].dwt.rescale(torch.tensor([3.0]))
    again.load_state_dict(old)
    crop = torch.rand(1, 1, 64, 64)
    assert torch.equal(again(crop)[1], model(crop)[1])


@pytest.mark.parametrize("values", [{"merge": "mean"}, {"width": 0.0}])
def test_refuses_a_wrong_configuration(values: dict[str, object]) -> None:
    with pytest.raises(TrainingError):
        WaveletVGGConfig(**values)

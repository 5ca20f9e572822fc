from __future__ import annotations

import pytest
import pywt
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from export.folding.wavelets import MeanHead, fold_concat, fold_pool, phase_kernel
from hemx_core.errors import FoldError
from hemx_core.nn.config import Merge, WaveletVGGConfig
from hemx_core.nn.wavelet_vgg import WaveletPool

WAVELETS = pywt.wavelist(kind="discrete")
TOLERANCE = 1e-5
"""Of the largest value: a filter of 76 x 76 taps sums thousands of float32 products."""


def assert_same(found: Tensor, expected: Tensor) -> None:
    scale = max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(found / scale, expected / scale, rtol=0, atol=TOLERANCE)


def picture(wavelet: str, channels: int, half: tuple[int, int], batch: int = 1) -> Tensor:
    """Random, of even size, and not shorter than the filter's border (what `DWT2d` takes)."""
    border = pywt.Wavelet(wavelet).dec_len // 2 - 1
    height, width = (2 * max(side, -(-border // 2)) for side in half)
    return torch.randn(batch, channels, height, width)


def make_pool(channels: int, merge: Merge, wavelet: str, seed: int) -> WaveletPool:
    torch.manual_seed(seed)
    pool = WaveletPool(channels, WaveletVGGConfig(merge=merge, wavelet=wavelet)).requires_grad_(
        False
    )
    if merge != "max":
        pool.dwt.rescale(0.3 + torch.rand(pool.dwt.bands))
    return pool


@settings(max_examples=30, deadline=None)
@given(
    merge=st.sampled_from(["project", "ll", "max"]),
    wavelet=st.sampled_from(WAVELETS),
    channels=st.integers(1, 4),
    half=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    seed=st.integers(0, 999),
)
def test_pooling_equals_one_convolution(
    merge: Merge, wavelet: str, channels: int, half: tuple[int, int], seed: int
) -> None:
    pool = make_pool(channels, merge, wavelet, seed)
    x = picture(wavelet, channels, half)
    assert_same(fold_pool(pool)(x), pool(x))


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_every_discrete_wavelet_of_pywt_folds_with_its_borders(wavelet: str) -> None:
    """The smallest pictures that the filter allows: there everything is border."""
    for merge in ("project", "ll"):
        pool = make_pool(2, merge, wavelet, 0)
        x = picture(wavelet, 2, (1, 2))
        assert_same(fold_pool(pool)(x), pool(x))
        assert_same(MeanHead(pool, torch.ones(1, 2))(x), pool(x).mean((2, 3)).sum(1, keepdim=True))


@settings(max_examples=20, deadline=None)
@given(
    channels=st.integers(1, 3),
    outputs=st.integers(1, 4),
    half=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    bias=st.booleans(),
    seed=st.integers(0, 999),
)
def test_haar_concat_and_convolution_are_one_six_by_six(
    channels: int, outputs: int, half: tuple[int, int], bias: bool, seed: int
) -> None:
    pool = make_pool(channels, "concat", "haar", seed)
    conv = nn.Conv2d(4 * channels, outputs, 3, padding=1, bias=bias).requires_grad_(False)
    folded = fold_concat(pool, conv)
    assert folded.weight.shape == (outputs, channels, 6, 6)
    x = torch.randn(2, channels, 2 * half[0], 2 * half[1])
    torch.testing.assert_close(folded(x), conv(pool(x)), rtol=1e-5, atol=1e-5)


def test_what_is_not_exact_is_refused() -> None:
    conv = nn.Conv2d(4, 2, 3, padding=1)
    with pytest.raises(FoldError, match="4 taps of db2"):
        fold_concat(make_pool(1, "concat", "db2", 0), conv)
    with pytest.raises(FoldError, match="3 x 3"):
        fold_concat(make_pool(1, "concat", "haar", 0), nn.Conv2d(4, 2, 3, padding=0))
    with pytest.raises(FoldError, match="concat"):
        fold_pool(make_pool(1, "concat", "haar", 0))


def test_a_longer_wavelet_s_border_is_what_makes_concat_inexact() -> None:
    """The reason for the refusal: inside the borders the folded convolution would agree."""
    from export.folding.wavelets import merge_kernel

    pool = make_pool(1, "concat", "db2", 0)
    conv = nn.Conv2d(4, 1, 3, padding=1, bias=False).requires_grad_(False)
    kernel = merge_kernel(pool.dwt.filters, conv.weight).float()
    x = torch.randn(1, 1, 24, 24)
    folded = functional.conv2d(x, kernel, stride=2, padding=3)
    difference = (folded - conv(pool(x))).abs()[0, 0]
    assert difference[2:-2, 2:-2].max() < 1e-5
    assert difference.max() > 1e-2


@settings(max_examples=30, deadline=None)
@given(
    merge=st.sampled_from(["project", "concat", "ll", "max"]),
    wavelet=st.sampled_from(WAVELETS),
    channels=st.integers(1, 4),
    half=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    seed=st.integers(0, 999),
)
def test_mean_head_equals_pooling_mean_and_linear_layer(
    merge: Merge, wavelet: str, channels: int, half: tuple[int, int], seed: int
) -> None:
    pool = make_pool(channels, merge, wavelet, seed)
    weight = torch.randn(4, pool.out_channels)
    x = picture(wavelet, channels, half, batch=2)
    with torch.no_grad():
        folded = MeanHead(pool, weight)(x)
    assert_same(folded, pool(x).mean((2, 3)) @ weight.T)


def test_phases_of_a_kernel_of_four_taps() -> None:
    kernel = torch.zeros(1, 1, 4, 4)
    kernel[0, 0, 0, 0] = 1.0
    # The first tap reads one pixel before the output's first: the odd phase.
    assert phase_kernel(kernel)[0, 0].tolist() == [[0.0, 0.0], [0.0, 1.0]]

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from export.folding.norms import assert_no_norms, fold_norm, fold_norms
from hemx_core.errors import FoldError
from tests.export.networks import lively


@settings(max_examples=25, deadline=None)
@given(
    inputs=st.integers(1, 5),
    outputs=st.integers(1, 5),
    groups=st.integers(1, 3),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.integers(1, 2),
    bias=st.booleans(),
    affine=st.booleans(),
    seed=st.integers(0, 999),
)
def test_equals_convolution_and_normalisation(
    inputs: int,
    outputs: int,
    groups: int,
    size: tuple[int, int],
    kernel: int,
    stride: int,
    bias: bool,
    affine: bool,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    inputs, outputs = inputs * groups, outputs * groups
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=bias)
    norm = nn.BatchNorm2d(outputs, affine=affine)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.2, 3)
    norm.eval()
    x = torch.randn(2, inputs, *size)
    with torch.no_grad():
        torch.testing.assert_close(fold_norm(conv, norm)(x), norm(conv(x)), rtol=1e-5, atol=1e-5)


def test_grouped_convolutions_fold_too() -> None:
    torch.manual_seed(0)
    block = lively(nn.Sequential(nn.Conv2d(6, 6, 3, groups=6), nn.BatchNorm2d(6), nn.ReLU()))
    x = torch.randn(1, 6, 8, 8)
    folded = fold_norms(block)
    assert_no_norms(folded)
    torch.testing.assert_close(folded(x), block(x), rtol=1e-5, atol=1e-5)
    assert isinstance(block[1], nn.BatchNorm2d), "the trained network must stay as it is"


def test_a_normalisation_that_follows_no_convolution_is_named() -> None:
    folded = fold_norms(nn.Sequential(nn.ReLU(), nn.BatchNorm2d(3)))
    with pytest.raises(FoldError, match=r"'1'.*BatchNorm2d"):
        assert_no_norms(folded)


def test_statistics_of_the_batch_cannot_be_folded() -> None:
    with pytest.raises(FoldError, match="running statistics"):
        fold_norm(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2, track_running_stats=False))

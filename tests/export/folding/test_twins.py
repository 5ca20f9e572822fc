from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from export.folding.twins import JointHead, fold_classifier, fold_unet
from hemx_core.errors import FoldError
from hemx_core.nn.config import Merge, WaveletVGGConfig
from hemx_core.nn.joint import MarkerClassifier
from tests.export.networks import CROP, SIZE, narrow_classifier, narrow_unet


def test_unet_twin_is_exact_and_leaves_the_trained_network_alone() -> None:
    unet = narrow_unet()
    before = copy.deepcopy(unet.state_dict())
    twin = fold_unet(unet)
    image = torch.rand(2, 1, SIZE, SIZE)
    with torch.no_grad():
        logits, features = unet(image)
        probabilities, pooled = twin(image)
    torch.testing.assert_close(probabilities, torch.sigmoid(logits), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(pooled, features, rtol=1e-5, atol=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in unet.state_dict().items())


def test_unet_twin_has_neither_upsampling_nor_normalisation() -> None:
    graph = torch.export.export(fold_unet(narrow_unet()), (torch.zeros(1, 1, SIZE, SIZE),)).graph
    called = " ".join(str(node.target) for node in graph.nodes if node.op == "call_function")
    assert "conv_transpose2d" in called
    assert "upsample" not in called
    assert "batch_norm" not in called
    assert "cat" not in called


@pytest.mark.parametrize(
    ("merge", "wavelet"),
    [
        ("project", "haar"),
        ("project", "db2"),
        ("concat", "haar"),
        ("ll", "haar"),
        ("ll", "bior2.2"),
        ("max", "haar"),
    ],
)
def test_classifier_twin_is_exact(merge: Merge, wavelet: str) -> None:
    model = narrow_classifier(merge=merge, wavelet=wavelet)
    twin = fold_classifier(model)
    # A small crop would be shorter than the longer filters at the last pooling.
    crop, features = torch.rand(2, 1, 2 * CROP, 2 * CROP), torch.rand(2, model.encoder_channels)
    with torch.no_grad():
        for found, expected in zip(twin(crop, features), model(crop, features), strict=True):
            scale = float(expected.abs().max())
            torch.testing.assert_close(found / scale, expected / scale, rtol=1e-5, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(
    merge=st.sampled_from(["project", "concat", "ll", "max"]),
    wavelet=st.sampled_from(["haar", "db2", "sym4", "bior2.2"]),
    channels=st.integers(1, 40),
    width=st.sampled_from([0.02, 0.04]),
    seed=st.integers(0, 999),
)
def test_head_equals_pooling_mean_standardisation_concatenation_and_linear_layer(
    merge: Merge, wavelet: str, channels: int, width: float, seed: int
) -> None:
    """(f - m) s into the linear layer, and both of its halves apart, on random features."""
    torch.manual_seed(seed)
    model = MarkerClassifier(WaveletVGGConfig(width=width, wavelet=wavelet, merge=merge), channels)
    model.standardise.fit(3 * torch.randn(8, channels) + torch.randn(channels))
    nn.init.normal_(model.head.weight)
    nn.init.normal_(model.head.bias)
    maps, features = torch.rand(2, model.trunk.map_channels, 4, 6), 3 * torch.randn(2, channels)
    with torch.no_grad():
        static = model.eval().static()
        found = JointHead(static.trunk.last_pool, static.head)(maps, features)
        pooled = model.trunk.last_pool(maps).mean((2, 3))
        expected = model.head(torch.cat([pooled, model.standardise(features)], 1))
    scale = max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(found / scale, expected / scale, rtol=0, atol=1e-5)


def test_a_normalisation_nobody_folds_is_refused() -> None:
    unet = narrow_unet()
    unet.encoder.stem = nn.Sequential(nn.BatchNorm2d(1), unet.encoder.stem)
    with pytest.raises(FoldError, match=r"encoder\.stem\.0"):
        fold_unet(unet)

"""Other forms of the networks compute the same, or cost what they should."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn

from benchmarks.harness.networks import (
    DENSE,
    DEPTHWISE,
    PRODUCT,
    TRANSPOSED,
    Segmenter,
    count_macs,
    max_pool_classifier,
    narrow_networks,
    segmenter_digest,
    stock,
)
from export.networks import CLASSIFIER_WEIGHTS, DECISION_NAME, SEGMENTER_WEIGHTS
from hemx_core.nn.config import UNetConfig
from hemx_core.nn.efficientnet import SiLU
from hemx_core.nn.unet import UNet


def test_the_stock_form_has_no_silu_of_ours_and_answers_the_same() -> None:
    torch.manual_seed(0)
    unet = UNet(UNetConfig(width=0.1, depth=0.1)).eval()
    form = stock(Segmenter(unet))
    kinds = [type(one) for one in form.modules()]
    assert SiLU not in kinds
    assert nn.SiLU in kinds
    assert SiLU in [type(one) for one in unet.modules()]  # The trained network is left as it is.
    image = torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        for ours, theirs in zip(Segmenter(unet)(image), form(image), strict=True):
            torch.testing.assert_close(theirs, ours, atol=1e-5, rtol=1e-5)


def test_the_max_pool_network_takes_the_same_input() -> None:
    like = narrow_networks().classifier
    plain = max_pool_classifier(like)
    assert plain.config.merge == "max"
    assert plain.config.width == like.config.width
    given = torch.rand(1, 1, 32, 32), torch.rand(1, like.encoder_channels)
    assert [one.shape for one in plain(*given)] == [one.shape for one in like(*given)]


def test_narrow_networks_are_the_same_every_time_and_see_blood_on_half_of_a_slice() -> None:
    first, second = narrow_networks(), narrow_networks()
    image = torch.rand(2, 1, 64, 64)
    with torch.inference_mode():
        logits, _ = first.segmenter(image)
        again, _ = second.segmenter(image)
    torch.testing.assert_close(again, logits)
    assert 0.2 < float((logits > 0).float().mean()) < 0.8


def weight_files(folder: Path, **contents: bytes) -> Path:
    """Stand-ins for the files that a digest reads."""
    files = {SEGMENTER_WEIGHTS: b"segmenter", CLASSIFIER_WEIGHTS: b"classifier"}
    decision = {"preprocessing": {"size": 256}, "mask_threshold": 0.75, "markers": {}}
    for name, content in (files | {DECISION_NAME: json.dumps(decision).encode()}).items():
        (folder / name).write_bytes(contents.get(name.split(".")[0], content))
    return folder


def test_what_was_made_of_the_segmenter_outlives_another_classifier(tmp_path: Path) -> None:
    before = segmenter_digest(weight_files(tmp_path), tiny=False)
    other = {"preprocessing": {"size": 256}, "mask_threshold": 0.75, "markers": {"blend": 1}}
    weight_files(tmp_path, classifier=b"another", decision=json.dumps(other).encode())
    assert segmenter_digest(tmp_path, tiny=False) == before
    threshold = json.dumps(other | {"mask_threshold": 0.5}).encode()
    for change in ({"segmenter": b"another"}, {"decision": threshold}):
        assert segmenter_digest(weight_files(tmp_path, **change), tiny=False) != before


def macs(module: nn.Module, *shape: int) -> dict[str, int]:
    return count_macs(module.eval(), (torch.zeros(*shape),))


def test_a_convolution() -> None:
    # 5 outputs of 4 x 4 pixels (stride 2), each of 3 inputs times 3 x 3.
    assert macs(nn.Conv2d(3, 5, 3, stride=2, padding=1), 1, 3, 8, 8) == {DENSE: 5 * 16 * 27}


def test_a_depthwise_convolution() -> None:
    assert macs(nn.Conv2d(6, 6, 5, padding=2, groups=6), 1, 6, 4, 4) == {DEPTHWISE: 6 * 16 * 25}


def test_the_first_convolution_of_a_picture_is_not_depthwise() -> None:
    assert macs(nn.Conv2d(1, 4, 3, padding=1), 1, 1, 4, 4) == {DENSE: 4 * 16 * 9}


def test_a_transposed_convolution() -> None:
    # Every one of 2 x 9 input values goes into 4 outputs times 4 x 4.
    module = nn.ConvTranspose2d(2, 4, 4, stride=2, padding=1)
    assert macs(module, 1, 2, 3, 3) == {TRANSPOSED: 2 * 9 * 4 * 16}


def test_a_linear_layer_and_a_batch() -> None:
    assert macs(nn.Linear(7, 3), 2, 7) == {PRODUCT: 2 * 7 * 3}
    assert macs(nn.Conv2d(1, 1, 1), 4, 1, 2, 2) == {DENSE: 16}


def test_kinds_are_kept_apart() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8, 1))
    assert macs(module, 1, 1, 2, 2) == {DENSE: 8, PRODUCT: 8}

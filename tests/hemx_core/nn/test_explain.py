import copy

import pytest
import torch
from torch import nn

from hemx_core.errors import TrainingError
from hemx_core.nn.config import UNetConfig, WaveletVGGConfig
from hemx_core.nn.explain import (
    LAST_MARKER_LAYER,
    LAST_MASK_LAYER,
    explain_marker,
    explain_mask,
    explainable_layers,
    grad_cam,
    named_layer,
    on_picture,
)
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.unet import UNet


def test_equals_the_formula_worked_out_by_hand() -> None:
    layer = nn.Conv2d(1, 2, 1, bias=False)
    layer.weight.data = torch.tensor([1.0, 10.0]).view(2, 1, 1, 1)
    image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])

    # logit = 8 * mean(first map) + square of the second map's first pixel (10): gradients 2 each,
    # and 20 at one of four positions: weights 2 and 5.
    def run() -> torch.Tensor:
        maps = layer(image)
        return (8 * maps[:, 0].mean((1, 2)) + maps[:, 1, 0, 0] ** 2)[:, None]

    torch.testing.assert_close(grad_cam(run, layer, 0), (2 + 50) * image[:, 0])


def test_works_on_a_layer_before_an_in_place_activation_and_with_frozen_weights() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True)).eval()
    model.requires_grad_(False)
    image = torch.randn(1, 1, 6, 6)
    found = grad_cam(lambda: model(image).mean((2, 3)), model[1], 2)
    maps = model[1](model[0](image))
    expected = maps[:, 2] * (maps[:, 2] > 0).float().mean() / 16
    torch.testing.assert_close(found, expected)


def test_refuses_a_layer_that_does_not_run() -> None:
    used, unused = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1)
    with pytest.raises(TrainingError, match="ran 0 times"):
        grad_cam(lambda: used(torch.zeros(1, 1, 2, 2)).mean((2, 3)), unused, 0)


@pytest.fixture(scope="module")
def networks() -> tuple[UNet, MarkerClassifier]:
    torch.manual_seed(4)
    unet = UNet(UNetConfig(width=0.1, depth=0.2)).double().eval()
    unet.head.bias.data.fill_(1.0)
    config = WaveletVGGConfig(width=0.125)
    classifier = MarkerClassifier(config, encoder_channels=unet.feature_channels)
    classifier.head.weight.data.normal_()
    return unet, classifier.double().eval()


PICTURE = torch.rand(1, 1, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def test_every_layer_of_both_networks_can_be_explained(
    networks: tuple[UNet, MarkerClassifier],
) -> None:
    unet, classifier = networks
    features = unet(PICTURE)[1].detach()
    of_unet = explainable_layers(unet, lambda: unet(PICTURE))
    of_classifier = explainable_layers(classifier, lambda: classifier(PICTURE, features))
    assert LAST_MASK_LAYER in of_unet
    assert LAST_MARKER_LAYER in of_classifier
    convolutions = {n for n, m in unet.named_modules() if isinstance(m, nn.Conv2d)}
    assert convolutions <= set(of_unet)
    for name in of_unet:
        assert torch.isfinite(explain_mask(unet, PICTURE, layer=name)).all(), name
    for name in of_classifier:
        found = explain_marker(classifier, PICTURE, features, output=2, layer=name)
        assert found.shape == (1, 64, 64)
        assert torch.isfinite(found).all(), name


@pytest.mark.parametrize("layer", ["encoder.stem", "decoder.1.merge", LAST_MASK_LAYER])
def test_the_weights_are_the_effect_of_raising_a_map(
    networks: tuple[UNet, MarkerClassifier], layer: str
) -> None:
    """By finite differences: the sum of the region's logits against a constant added to each map."""
    unet, _ = networks
    region = torch.zeros_like(PICTURE, dtype=torch.bool)
    region[..., 20:40, 30:50] = True
    module, maps = named_layer(unet, layer), {}
    raised = torch.zeros(0)

    def hook(_module: nn.Module, _inputs: object, result: torch.Tensor) -> torch.Tensor:
        maps["value"] = result.detach().clone()
        return result + raised if len(raised) else result

    handle = module.register_forward_hook(hook)
    with torch.no_grad():
        unet(PICTURE)
        value, step = maps["value"], 1e-6
        weights = []
        for channel in range(value.shape[1]):
            sums = []
            for sign in (step, -step):
                raised = torch.zeros(1, value.shape[1], 1, 1, dtype=torch.float64)
                raised[0, channel] = sign
                sums.append(unet(PICTURE)[0][region].sum())
            weights.append((sums[0] - sums[1]) / (2 * step * value[0, 0].numel()))
    handle.remove()
    expected = (torch.stack(weights)[:, None, None] * value[0]).sum(0)[None]
    found = explain_mask(unet, PICTURE, region=region, layer=layer)
    torch.testing.assert_close(found, on_picture(expected, 64), atol=1e-5, rtol=1e-4)
    assert found.abs().max() > 1e-4


def test_the_exported_map_is_grad_cam_of_the_last_layer(
    networks: tuple[UNet, MarkerClassifier],
) -> None:
    """The graph that the device runs, against autograd; (h w) positions, see `hemx_core.nn.joint`."""
    _, classifier = networks
    model = copy.deepcopy(classifier).float()
    crop, features = torch.rand(1, 1, 64, 64), torch.randn(1, model.encoder_channels)
    exported = torch.export.export(model.static(), (crop, features)).module()
    _logits, cam = exported(crop, features)
    layer = named_layer(model, LAST_MARKER_LAYER)
    for marker in range(4):
        reference = grad_cam(lambda: model(crop, features)[0], layer, marker)
        torch.testing.assert_close(cam[:, marker], 16 * reference, atol=1e-4, rtol=1e-4)


def test_refuses_layers_without_maps_or_without_a_part_in_the_output(
    networks: tuple[UNet, MarkerClassifier],
) -> None:
    unet, classifier = networks
    features = unet(PICTURE)[1].detach()
    with pytest.raises(TrainingError, match=r"no layer 'decoder\.9'"):
        explain_mask(unet, PICTURE, layer="decoder.9")
    with pytest.raises(TrainingError, match="no maps"):
        explain_marker(classifier, PICTURE, features, output=0, layer="head")
    with pytest.raises(TrainingError, match="no part"):
        grad_cam(lambda: unet(PICTURE)[1], named_layer(unet, LAST_MASK_LAYER), 0)

import pytest
import torch
from torch import nn

from hemx_core.errors import TrainingError
from hemx_core.explain import grad_cam


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
    with pytest.raises(TrainingError, match="one output"):
        grad_cam(lambda: used(torch.zeros(1, 1, 2, 2)).mean((2, 3)), unused, 0)

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from hemx_core.errors import TrainingError
from hemx_core.nn.config import SNGANConfig
from hemx_core.nn.sngan import (
    ConditionalBatchNorm,
    Discriminator,
    Generator,
    hinge_discriminator,
    hinge_generator,
)

SMALL = SNGANConfig(size=16, classes=3, latent=8, width=4)


def _inputs(count: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    return torch.rand(count, 1, SMALL.size, SMALL.size), torch.arange(count) % SMALL.classes


def test_every_layer_of_the_discriminator_has_spectral_norm_one() -> None:
    torch.manual_seed(1)
    network = Discriminator(SMALL)
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear | nn.Embedding)]
    for layer in layers:
        with torch.no_grad():  # far from 1, as training might take it
            layer.parametrizations.weight.original.mul_(7.0)
    for _ in range(50):
        network(*_inputs())
    assert len(layers) == 3 * len(network.blocks) + 2
    for layer in layers:
        assert parametrize.is_parametrized(layer, "weight")
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2)
        assert float(largest.detach()) == pytest.approx(1.0, abs=0.02)


def test_no_layer_of_the_generator_is_spectrally_normalised() -> None:
    assert not any(parametrize.is_parametrized(m) for m in Generator(SMALL).modules())


def test_the_projection_discriminator_is_its_formula() -> None:
    torch.manual_seed(2)
    network = Discriminator(SMALL).eval()
    pictures, classes = _inputs()
    maps = pictures * 2 - 1
    for block in network.blocks:
        maps = block(maps)
    phi = torch.relu(maps).sum((2, 3))
    psi = phi @ network.linear.weight[0] + network.linear.bias
    expected = [
        psi[i] + network.embedding.weight[label] @ phi[i] for i, label in enumerate(classes)
    ]
    assert torch.allclose(network(pictures, classes), torch.stack(expected), atol=1e-5)


def test_class_scores_are_the_scores_under_every_class() -> None:
    network = Discriminator(SMALL).eval()
    pictures, _ = _inputs()
    table = network.class_scores(pictures)
    for label in range(SMALL.classes):
        one = network(pictures, torch.full((len(pictures),), label))
        assert torch.allclose(table[:, label], one, atol=1e-5)
    assert not torch.allclose(table[:, 0], table[:, 1], atol=1e-4)


def test_hinge_losses() -> None:
    real = torch.tensor([2.0, 0.5, -1.0])  # 0, 0.5, 2
    fake = torch.tensor([-3.0, 0.0, 1.0])  # 0, 1, 2
    assert float(hinge_discriminator(real, fake)) == pytest.approx(2.5 / 3 + 1.0)
    assert float(hinge_generator(fake)) == pytest.approx(2.0 / 3)


def test_conditional_batch_norm_scales_each_sample_by_its_class() -> None:
    torch.manual_seed(4)
    norm = ConditionalBatchNorm(2, 2)
    with torch.no_grad():
        norm.gain.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, -1.0]]))
        norm.offset.weight.copy_(torch.tensor([[0.0, 5.0], [-5.0, 1.0]]))
    maps = torch.randn(4, 2, 3, 3) * 4 + 2
    classes = torch.tensor([0, 1, 1, 0])
    mean, spread = maps.mean((0, 2, 3)), maps.std((0, 2, 3), correction=0)
    plain = (maps - mean[:, None, None]) / spread[:, None, None]
    expected = torch.empty_like(maps)
    for i, label in enumerate(classes):
        for channel in range(2):
            gain, offset = norm.gain.weight[label, channel], norm.offset.weight[label, channel]
            expected[i, channel] = plain[i, channel] * gain + offset
    assert torch.allclose(norm(maps, classes), expected, atol=1e-4)


def test_the_generator_uses_the_class_once_its_norms_differ() -> None:
    torch.manual_seed(5)
    network = Generator(SMALL).eval()
    noise = torch.randn(2, SMALL.latent)
    zero, one = torch.zeros(2, dtype=torch.int64), torch.ones(2, dtype=torch.int64)
    assert torch.equal(network(noise, zero), network(noise, one))  # gain 1, offset 0 for all
    with torch.no_grad():
        network.blocks[0].norm2.offset.weight[1] += 1.0
    assert not torch.allclose(network(noise, zero), network(noise, one), atol=1e-3)


@pytest.mark.parametrize("size", [8, 64, 128])
def test_shapes_and_range(size: int) -> None:
    config = SNGANConfig(size=size, latent=4, width=2)
    classes = torch.tensor([0, 1, 1])
    pictures = Generator(config)(torch.randn(3, 4), classes)
    assert pictures.shape == (3, 1, size, size)
    assert 0 <= float(pictures.detach().min()) < float(pictures.detach().max()) <= 1
    assert Discriminator(config)(pictures, classes).shape == (3,)
    assert len(config.channels) == int(np.log2(size)) - 1


@pytest.mark.parametrize("wrong", [{"size": 48}, {"size": 4}, {"classes": 0}, {"width": 0}])
def test_impossible_sizes_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(TrainingError):
        SNGANConfig(**wrong)

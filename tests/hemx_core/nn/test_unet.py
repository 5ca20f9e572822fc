import pytest
import torch

from hemx_core.nn.config import UNetConfig
from hemx_core.nn.efficientnet import B3_STAGES, EfficientNetEncoder
from hemx_core.nn.unet import UNet

NARROW = UNetConfig(width=0.2, depth=0.34)


def test_full_encoder_is_efficientnet_b3():
    encoder = EfficientNetEncoder()
    blocks = sum(len(stage) for stage in encoder.stages)
    assert blocks == sum(stage.blocks for stage in B3_STAGES) == 26
    assert encoder.out_channels == [40, 32, 48, 136, 384]
    # EfficientNet-b3 has 12,233,232 parameters (Tan and Le 2019, timm). The 1x1 head (384 x 1536 with
    # its normalisation) and the 1000-way classifier are not part of an encoder; one input channel
    # instead of three saves 2 x 40 x 9.
    head = 384 * 1536 + 2 * 1536 + 1536 * 1000 + 1000
    expected = 12_233_232 - head - 2 * 40 * 9
    assert sum(p.numel() for p in encoder.parameters()) == expected


@pytest.mark.parametrize("size", [64, 96])
def test_shapes(size):
    net = UNet(NARROW).eval()
    image = torch.rand(2, 1, size, size)
    features = net.encode(image)
    assert [f.shape[-1] for f in features] == [size // 2**i for i in range(1, 6)]
    logits, pooled = net(image)
    assert logits.shape == image.shape
    assert pooled.shape == (2, net.feature_channels)
    torch.testing.assert_close(pooled, features[-1].mean((2, 3)))


def test_every_skip_reaches_the_mask():
    torch.manual_seed(0)
    net = UNet(NARROW).eval()
    image = torch.rand(1, 1, 64, 64)
    features = [f.detach().requires_grad_() for f in net.encode(image)]
    image.requires_grad_()
    net.decode(image, features).sum().backward()
    for tensor in [image, *features]:
        assert tensor.grad.abs().sum() > 0


def test_stochastic_depth_acts_in_training_only():
    torch.manual_seed(0)
    net = UNet(UNetConfig(width=0.2, drop_path=0.9)).eval()
    image = torch.rand(1, 1, 64, 64)
    torch.testing.assert_close(net(image)[0], net(image)[0])
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.0
    net.train()
    assert not torch.equal(net(image.repeat(4, 1, 1, 1))[0], net(image.repeat(4, 1, 1, 1))[0])


def test_all_parameters_learn():
    net = UNet(NARROW)
    logits, pooled = net(torch.rand(2, 1, 64, 64))
    (logits.square().mean() + pooled.square().mean()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())

import pytest
import torch

from hemx_core.nn.config import UNetConfig, WaveletVGGConfig
from hemx_core.nn.explain import grad_cam, heatmap
from hemx_core.nn.joint import JointModel, MarkerClassifier, Standardise
from hemx_core.nn.unet import UNet

FEATURES = 6


def _classifier(merge: str = "project", wavelet: str = "haar") -> MarkerClassifier:
    torch.manual_seed(3)
    config = WaveletVGGConfig(width=0.125, merge=merge, wavelet=wavelet)
    model = MarkerClassifier(config, encoder_channels=FEATURES)
    model.head.weight.data.normal_()
    model.head.bias.data.normal_()
    model.standardise.fit(torch.randn(50, FEATURES) * 3 + 1)
    return model.eval()


def _inputs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    crop = torch.rand(2, 1, 64, 64, generator=generator)
    return crop, torch.randn(2, FEATURES, generator=generator)


@pytest.mark.parametrize(
    ("merge", "wavelet"),
    [
        ("project", "haar"),
        ("concat", "haar"),
        ("ll", "haar"),
        ("max", "haar"),
        ("project", "db2"),
        ("concat", "bior2.2"),
    ],
)
def test_cam_is_autograd_grad_cam_times_the_number_of_positions(merge: str, wavelet: str) -> None:
    model = _classifier(merge, wavelet)
    crop, features = _inputs()
    cam = model(crop, features)[1].detach()
    assert cam.shape == (2, 4, 4, 4)
    for marker in range(4):
        reference = grad_cam(lambda: model(crop, features)[0], model.trunk.blocks[-1], marker)
        torch.testing.assert_close(cam[:, marker], 16 * reference, atol=1e-4, rtol=1e-4)
        assert reference.abs().max() > 1e-3


def test_mean_of_the_cam_is_the_logit_less_the_other_inputs_for_ll() -> None:
    model = _classifier("ll")
    crop, features = _inputs()
    logits, cam = model(crop, features)
    rest = model.head(torch.cat([torch.zeros(2, 64), model.standardise(features)], 1))
    torch.testing.assert_close(cam.mean((2, 3)), logits - rest, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("merge", ["project", "concat", "max"])
def test_static_classifier_computes_the_same_with_constant_weights(merge: str) -> None:
    model = _classifier(merge)
    crop, features = _inputs()
    for found, expected in zip(model.static()(crop, features), model(crop, features), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_standardised_training_features_have_mean_0_and_length_1() -> None:
    features = torch.randn(200, 3) * torch.tensor([5.0, 1.0, 0.0]) + 7
    layer = Standardise(3)
    layer.fit(features)
    scaled = layer(features)
    torch.testing.assert_close(scaled.mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        scaled.std(0, correction=0) * 3**0.5, torch.tensor([1.0, 1.0, 0.0]), atol=1e-3, rtol=0
    )


def test_joint_model_keeps_the_unet_frozen_and_uses_its_features() -> None:
    unet = UNet(UNetConfig(width=0.1, depth=0.2))
    classifier = MarkerClassifier(
        WaveletVGGConfig(width=0.125), encoder_channels=unet.feature_channels
    )
    model = JointModel(unet, classifier).train()
    assert classifier.training
    assert not unet.training
    image = torch.rand(2, 1, 64, 64)
    mask_logits, logits, cam = model(image, image)
    assert mask_logits.shape == image.shape
    assert logits.shape == (2, 4)
    assert cam.shape == (2, 4, 4, 4)
    logits.sum().backward()
    assert all(p.grad is None for p in unet.parameters())
    assert classifier.head.weight.grad is not None


def test_heatmap_is_the_positive_part_scaled_to_its_peak() -> None:
    cam = torch.tensor([[[-1.0, 2.0], [4.0, 0.0]], [[-1.0, -2.0], [-3.0, -4.0]]])
    expected = torch.tensor([[[0.0, 0.5], [1.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    torch.testing.assert_close(heatmap(cam), expected)

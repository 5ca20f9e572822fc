"""Trained weights as fp16 safetensors, with configuration and training card in the metadata."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from hemx_core.errors import ManifestError
from hemx_core.files import write_whole
from hemx_core.markers import MARKER_CODES
from hemx_core.nn.config import SNGANConfig, UNetConfig, WaveletVGGConfig
from hemx_core.nn.joint import MarkerClassifier
from hemx_core.nn.sngan import Discriminator, Generator
from hemx_core.nn.unet import UNet

M = TypeVar("M", bound=nn.Module)
FORMAT = "hemx-weights-1"


def save_weights(
    path: Path, module: nn.Module, *, config: dict[str, Any], training: dict[str, Any]
) -> None:
    """Write a module's state in half precision, whole or not at all.

    Args:
        path: the `.safetensors` file.
        module: its state dict is stored; floating tensors as float16.
        config: what `load_segmenter` or `load_classifier` needs to build the module.
        training: data, licence, steps, seeds and scores, for the model card and the manifest.
    """
    state = {
        name: tensor.detach().to("cpu", torch.float16).contiguous()
        if tensor.is_floating_point()
        else tensor.detach().cpu().contiguous()
        for name, tensor in module.state_dict().items()
    }
    metadata = {
        "format": FORMAT,
        "config": json.dumps(config),
        "training": json.dumps(training, ensure_ascii=False),
    }
    write_whole(path, save(state, metadata=metadata))


def read_metadata(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Configuration and training card of a weight file.

    Raises:
        ManifestError: missing, not safetensors, or not written by `save_weights`.
    """
    config, training, _ = _read(path, tensors=False)
    return config, training


def load_segmenter(path: Path) -> UNet:
    """The trained U-Net in float32, in evaluation mode.

    Raises:
        ManifestError: the file is missing, or does not fit the network.
    """
    config, _, state = _read(path)
    config = dict(config)
    config["decoder_channels"] = tuple(config["decoder_channels"])
    return _load(UNet(UNetConfig(**config)), state, path)


def load_classifier(path: Path) -> MarkerClassifier:
    """The trained marker classifier in float32, in evaluation mode.

    Raises:
        ManifestError: the file is missing, or does not fit the network.
    """
    config, _, state = _read(path)
    config = dict(config)
    model = MarkerClassifier(
        encoder_channels=config.pop("encoder_channels"),
        outputs=config.pop("outputs", len(MARKER_CODES)),  # older files always had the markers
        config=WaveletVGGConfig(**config),
    )
    return _load(model, state, path)


def load_generator(path: Path) -> Generator:
    """The trained SNGAN generator in float32, in evaluation mode.

    Raises:
        ManifestError: the file is missing, or does not fit the network.
    """
    config, _, state = _read(path)
    return _load(Generator(SNGANConfig(**config)), state, path)


def load_discriminator(path: Path) -> Discriminator:
    """The trained SNGAN discriminator in float32, in evaluation mode.

    Raises:
        ManifestError: the file is missing, or does not fit the network.
    """
    config, _, state = _read(path)
    return _load(Discriminator(SNGANConfig(**config)), state, path)


def segmenter_config(model: UNet) -> dict[str, Any]:
    """What `load_segmenter` needs to build the network again."""
    return asdict(model.config)


def classifier_config(model: MarkerClassifier) -> dict[str, Any]:
    """What `load_classifier` needs to build the network again."""
    return asdict(model.config) | {
        "encoder_channels": model.encoder_channels,
        "outputs": model.head.out_features,
    }


def _load(model: M, state: dict[str, torch.Tensor], path: Path) -> M:
    try:
        model.load_state_dict(
            {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
        )
    except RuntimeError as error:
        raise _bad(path, str(error).splitlines()[0]) from error
    model.eval()
    return model


def _read(
    path: Path, *, tensors: bool = True
) -> tuple[dict[str, Any], dict[str, Any], dict[str, torch.Tensor]]:
    try:
        with safe_open(str(path), framework="pt") as stream:
            metadata = stream.metadata() or {}
            state = {k: stream.get_tensor(k) for k in stream.keys()} if tensors else {}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _bad(path, str(error)) from error
    if metadata.get("format") != FORMAT:
        raise _bad(path, f"format {metadata.get('format')!r}")
    return json.loads(metadata["config"]), json.loads(metadata["training"]), state


def _bad(path: Path, why: str) -> ManifestError:
    return ManifestError(
        f"weights {path.name} cannot be used: {why}",
        expected=f"a safetensors file of format {FORMAT} that fits the network",
        remedy="train again or copy the file again",
    )

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from executorch.backends.xnnpack.utils.xnnpack_constants import (
    XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER,
)
from torch import nn

from export.lower import lower
from export.measure import Layout, measure
from export.program_facts import CONVOLUTIONS, xnnpack_graphs
from export.transient import transient_indirection

IMAGE = torch.rand(1, 4, 96, 96)


@pytest.fixture(scope="module")
def programs() -> dict[str, bytes]:
    torch.manual_seed(0)
    body = [nn.Conv2d(4, 4, 3, padding=1) for _ in range(8)]
    network = nn.Sequential(*body, nn.Conv2d(4, 4, 3, groups=4), nn.ConvTranspose2d(4, 2, 2, 2))
    network.eval().requires_grad_(False)
    kept = lower(network, (IMAGE,)).pte
    with transient_indirection():
        made = lower(network, (IMAGE,)).pte
    return {"kept": kept, "made": made, "after": lower(network, (IMAGE,)).pte}


def flags(pte: bytes) -> list[tuple[str, int]]:
    (graph,) = xnnpack_graphs(pte)
    kinds = [
        (one["xnode_union_type"], one["xnode_union"].get("flags", 0)) for one in graph["xnodes"]
    ]
    return [(kind, flag) for kind, flag in kinds if kind in CONVOLUTIONS]


def test_convolutions_are_flagged_inside_the_context_only(programs: dict[str, bytes]) -> None:
    asked = XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER
    assert {flag for _, flag in flags(programs["kept"])} == {0}
    assert programs["after"] == programs["kept"]
    expected = {"XNNConv2d": asked, "XNNDepthwiseConv2d": asked, "XNNConvTranspose2d": 0}
    assert {flag for _, flag in flags(programs["made"])} == {0, asked}
    assert all(flag == expected[kind] for kind, flag in flags(programs["made"]))


def test_the_flag_is_taken_back_after_an_error() -> None:
    with pytest.raises(KeyError), transient_indirection():
        raise KeyError
    assert {flag for _, flag in flags(lower(nn.Conv2d(4, 4, 3).eval(), (IMAGE,)).pte)} == {0}


def test_same_answers_from_less_memory(programs: dict[str, bytes], tmp_path: Path) -> None:
    from executorch.extension.pybindings import _C

    answers = {}
    for name in ("kept", "made"):
        (tmp_path / f"{name}.pte").write_bytes(programs[name])
        program = _C._load_program_from_buffer(programs[name])
        (output,) = program.load_method("forward")([IMAGE])
        answers[name] = output.numpy().copy()
    assert np.array_equal(answers["kept"], answers["made"])
    layouts = {
        name: Layout(files=(tmp_path / f"{name}.pte",), calls=((0, "forward"),))
        for name in ("kept", "made")
    }
    costs = measure(layouts, runs=2, rounds=1)
    # Eight convolutions of 96 x 96 pixels and nine taps hold 5.3 MB of pointers, one at a time 0.7 MB.
    assert costs["kept"].peak_mib - costs["made"].peak_mib > 2.5

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from executorch.backends.xnnpack.utils.xnnpack_constants import (
    XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER,
)
from torch import Tensor, nn

from benchmarks.graphs.fold_gain import (
    FOLDED,
    Variant,
    check_same,
    classifier_variants,
    fold_gain,
    measure_variants,
    segmenter_variants,
    transient_indirection,
)
from benchmarks.harness.measure import Layout, measure, write_lines
from export.calibration import network_inputs
from export.folding.norms import fold_norms
from export.folding.upsampling import FoldedDecoderBlock
from export.lower import lower
from export.program_facts import CONVOLUTIONS, xnnpack_graphs
from export.recipes import Precision
from hemx_core.errors import BackendError, FoldError
from hemx_core.nn.config import Merge
from hemx_core.nn.unet import DecoderBlock
from tests.export.networks import (
    CROP,
    SIZE,
    lively,
    narrow_classifier,
    narrow_unet,
    random_images,
    tiny_networks,
)

# All of them: what they share is exported and timed in fixtures of the module.
pytestmark = pytest.mark.slow

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


def test_every_variant_of_the_segmenter_is_the_same_function_and_lacks_its_pass() -> None:
    variants = segmenter_variants(narrow_unet())
    check_same(variants, (torch.rand(1, 1, SIZE, SIZE),))
    kinds = {v.without: {type(m).__name__ for m in v.module.modules()} for v in variants}
    assert "BatchNorm2d" in kinds["batch normalisation"]
    assert "DecoderBlock" in kinds["upsampling"]
    assert not {"BatchNorm2d", "DecoderBlock"} & kinds[FOLDED]


@pytest.mark.parametrize("merge", ["project", "ll", "max", "concat"])
def test_every_variant_of_the_classifier_is_the_same_function(merge: Merge) -> None:
    model = narrow_classifier(merge=merge)
    variants = classifier_variants(model)
    inputs = torch.rand(1, 1, CROP, CROP), torch.rand(1, model.encoder_channels)
    check_same(variants, inputs)
    names = {v.without for v in variants}
    assert names >= {FOLDED, "wavelet pooling", "last pooling and mean", "standardisation"}
    assert ("batch normalisation" in names) == (merge != "concat")


def test_a_variant_that_computes_something_else_is_refused() -> None:
    right, *_ = segmenter_variants(narrow_unet())
    wrong = copy.deepcopy(right.module)
    wrong.head.bias += 1.0
    variants = [right, Variant("segmenter", "mistake", wrong)]
    with pytest.raises(FoldError, match="without mistake differs"):
        check_same(variants, (torch.rand(1, 1, SIZE, SIZE),))


class OneBlock(nn.Module):
    """A decoder block on a map of one image: lowering a whole U-Net in six variants takes minutes."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, deep: Tensor, skip: Tensor) -> tuple[Tensor]:
        return (self.block(deep, skip),)


@pytest.fixture(scope="module")
def lines() -> list[dict[str, object]]:
    torch.manual_seed(0)
    block = lively(DecoderBlock(8, 2, 8))
    variants = [
        Variant("segmenter", FOLDED, OneBlock(FoldedDecoderBlock(block)).eval()),
        Variant("segmenter", "upsampling", OneBlock(fold_norms(block)).eval()),
    ]
    inputs = [(torch.rand(1, 8, 8, 8), torch.rand(1, 2, 16, 16))]
    return measure_variants(variants, Precision.FLOAT32, inputs, runs=2, rounds=1, threads=[1])


def test_a_line_for_each_pass_with_both_costs_and_their_ratio(
    lines: list[dict[str, object]],
) -> None:
    (line,) = lines
    assert (line["network"], line["pass"], line["precision"]) == (
        "segmenter",
        "upsampling",
        "float32",
    )
    folded, unfolded = line["folded"], line["unfolded"]
    # So small a program takes hundredths of a millisecond, and the file has thousandths.
    rounding = 0.0005 / folded["steady_ms"] + 0.0005 / unfolded["steady_ms"]
    assert line["latency_ratio"] == pytest.approx(
        unfolded["steady_ms"] / folded["steady_ms"], rel=rounding + 0.002
    )
    assert folded["load_ms"] > 0
    assert folded["peak_mib"] > 0
    assert line["device"]["processor"]
    assert line["versions"]["executorch"]
    assert line["program"]["delegates"] >= 1
    # The reason for the pass: unfolded, the upsampling falls out of the delegate.
    assert any("upsample" in one for one in line["program"]["operators"]), line["program"]


def test_both_networks_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def measure_nothing(variants: list[Variant], *given: object, **named: object) -> list[object]:
        measured.append(([one.without for one in variants], named))
        return [len(variants)]

    monkeypatch.setattr("benchmarks.graphs.fold_gain.measure_variants", measure_nothing)
    networks = tiny_networks()
    inputs = network_inputs(networks, list(random_images(1)))
    counts = fold_gain(networks, Precision.INT8, calibration=inputs, runs=3)
    assert counts == [4, 6]
    assert all(FOLDED in names and named == {"runs": 3} for names, named in measured)


def test_lines_are_written_whole(lines: list[dict[str, object]], tmp_path: Path) -> None:
    write_lines(tmp_path / "deep" / "gain.jsonl", lines)
    text = (tmp_path / "deep" / "gain.jsonl").read_text()
    assert [json.loads(line) for line in text.splitlines()] == lines
    assert not list((tmp_path / "deep").glob("*.tmp"))


def test_a_program_that_cannot_be_measured_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pte"
    broken.write_bytes(b"")
    with pytest.raises(BackendError, match="measurement failed"):
        measure({"broken": Layout(files=(broken,), calls=((0, "forward"),))}, runs=1, rounds=1)

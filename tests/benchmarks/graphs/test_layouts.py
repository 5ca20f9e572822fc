from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from benchmarks.graphs.layouts import (
    BLOODY,
    JOINT,
    SLICES,
    TWO_FILES,
    TWO_METHODS,
    JointTwin,
    study_ms,
    write_layouts,
)
from benchmarks.harness.measure import Cost, Layout, measure
from export.folding.twins import GlobalMean, fold_classifier, fold_unet
from export.program_facts import read_program
from export.recipes import Precision
from tests.export.networks import CROP, SIZE, tiny_networks

# All of them: what they share is exported and timed in fixtures of the module.
pytestmark = pytest.mark.slow


class Segment(nn.Module):
    """The signature of the segmenter's twin, and no more: lowering four real ones takes minutes."""

    float_modules = ("pool",)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.mask, self.pool = (
            nn.Conv2d(1, 8, 3, padding=1),
            nn.Conv2d(8, 1, 1),
            GlobalMean(),
        )
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        maps = torch.relu(self.conv(image))
        return torch.sigmoid(self.mask(maps)), self.pool(maps)


class Classify(nn.Module):
    """The same for the classifier's."""

    float_modules = ("head", "cam")

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv, self.mean = nn.Conv2d(1, 8, 3, stride=2, padding=1), GlobalMean()
        self.head, self.cam = nn.Linear(16, 4), nn.Conv2d(8, 4, 1)
        self.eval().requires_grad_(False)

    def forward(self, crop: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        maps = torch.relu(self.conv(crop))
        return self.head(torch.cat([self.mean(maps), features], 1)), self.cam(maps)


@pytest.fixture(scope="module")
def layouts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Layout]:
    image, crop = torch.rand(1, 1, SIZE, SIZE), torch.rand(1, 1, CROP, CROP)
    inputs = {"segmenter": [(image,)], "classifier": [(crop, torch.rand(1, 8))]}
    folder = tmp_path_factory.mktemp("layouts")
    return write_layouts(Segment(), Classify(), Precision.FLOAT32, folder, calibration=inputs)


def run(layout: Layout, image: torch.Tensor, crop: torch.Tensor) -> list[torch.Tensor]:
    """Probabilities, features, logits and cam, whatever the layout."""
    from executorch.runtime import Runtime

    programs = [Runtime.get().load_program(path) for path in layout.files]
    methods = [programs[file].load_method(name) for file, name in layout.calls]
    if len(methods) == 1:
        return [one.clone() for one in methods[0].execute([image, crop])]
    segmented = [one.clone() for one in methods[0].execute([image])]
    return segmented + [one.clone() for one in methods[1].execute([crop, segmented[1]])]


def test_all_layouts_answer_alike(layouts: dict[str, Layout]) -> None:
    image, crop = torch.rand(1, 1, SIZE, SIZE), torch.rand(1, 1, CROP, CROP)
    twin = JointTwin(Segment(), Classify())
    with torch.no_grad():
        expected = twin(image, crop)
    for name in (TWO_FILES, TWO_METHODS, JOINT):
        for found, right in zip(run(layouts[name], image, crop), expected, strict=True):
            scale = float(right.abs().max())
            torch.testing.assert_close(found / scale, right / scale, rtol=1e-4, atol=1e-4)


def test_the_layouts_are_what_their_names_say(layouts: dict[str, Layout]) -> None:
    assert {name: len(one.files) for name, one in layouts.items()} == {
        TWO_FILES: 2,
        TWO_METHODS: 1,
        JOINT: 1,
    }
    methods = read_program(layouts[TWO_METHODS].files[0].read_bytes())
    assert {one.method for one in methods} == {"segment", "classify"}


def test_costs_are_measured_in_fresh_processes(layouts: dict[str, Layout]) -> None:
    costs = measure(layouts, runs=2, rounds=1)
    assert [len(costs[name].calls_ms) for name in (TWO_FILES, TWO_METHODS, JOINT)] == [2, 2, 1]
    for name, cost in costs.items():
        assert cost.file_bytes == sum(path.stat().st_size for path in layouts[name].files)
        assert min(cost.load_ms, cost.first_ms, cost.steady_ms, cost.peak_mib) > 0
        assert cost.p95_ms >= cost.steady_ms


def test_only_the_joint_forward_runs_twice_for_slices_with_blood() -> None:
    cost = Cost(
        load_ms=1,
        first_ms=1,
        steady_ms=1,
        p95_ms=1,
        calls_ms=(10.0, 3.0),
        peak_mib=1,
        file_bytes=1,
    )
    assert study_ms(cost) == SLICES * 10 + BLOODY * 3
    joint = Cost(
        load_ms=1, first_ms=1, steady_ms=1, p95_ms=1, calls_ms=(12.0,), peak_mib=1, file_bytes=1
    )
    assert study_ms(joint) == (SLICES + BLOODY) * 12


def test_what_a_twin_leaves_in_float_stays_so_in_the_joint_graph() -> None:
    networks = tiny_networks()
    twin = JointTwin(fold_unet(networks.segmenter), fold_classifier(networks.classifier))
    assert set(twin.float_modules) == {
        "segmenter.pool_features",
        "classifier.head",
        "classifier.cam",
    }
    assert set(twin.float_modules) <= {name for name, _ in twin.named_modules()}

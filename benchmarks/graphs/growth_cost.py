"""`growth-cost`: time and memory against slices, input size and width, beside the work that they mean.

The machine's int8 peak, as XNNPACK reaches it, is the fastest of some large convolutions alone: each is one
1 x 1 or 3 x 3 convolution, quantized and lowered as our graphs are.
"""

from __future__ import annotations

import importlib
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.harness.networks import segmenter_digest
from benchmarks.harness.pipeline import measure_pipeline, study_folder
from benchmarks.harness.process import RoundStore, run_fresh, visit_all
from benchmarks.harness.programs import measure_program
from benchmarks.harness.records import call_figures, figure, new_record, threads_name, write_records
from benchmarks.harness.settings import Settings
from hemx_core.files import write_whole
from hemx_core.records import Json

CALLS = 12
SEED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A convolution with as many inputs as outputs."""

    channels: int
    side: int
    kernel: int

    @property
    def name(self) -> str:
        """For the record."""
        return f"{self.kernel} x {self.kernel}, {self.channels} channels, {self.side} x {self.side}"

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one call."""
        return self.channels**2 * self.kernel**2 * self.side**2


SHAPES = (
    Shape(channels=256, side=64, kernel=1),
    Shape(channels=512, side=64, kernel=1),
    Shape(channels=256, side=32, kernel=3),
)
TINY_SHAPES = (Shape(channels=16, side=16, kernel=1),)


def measure_int8_peak(threads: int, tiny: bool) -> Json:
    """Giga multiply-accumulates a second of every shape, and the largest; runs in a fresh process."""
    rates = {
        shape.name: round(_rate(shape, threads), 2) for shape in (TINY_SHAPES if tiny else SHAPES)
    }
    return {
        "threads": threads,
        "gmacs": max(rates.values()),
        "shapes": rates,
        "fingerprint": "rates",
    }


def _rate(shape: Shape, threads: int) -> float:
    import torch
    from torch import nn

    from export.lower import lower
    from export.quantize import quantize
    from hemx_core.runtime.desktop import BINDING, DesktopBackend, run_method

    torch.manual_seed(SEED)
    layer = nn.Conv2d(
        shape.channels, shape.channels, shape.kernel, padding=shape.kernel // 2
    ).eval()
    example = torch.rand(1, shape.channels, shape.side, shape.side)
    pte = lower(quantize(layer, [(example,)]), (example,)).pte
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.pte"
        path.write_bytes(pte)
        DesktopBackend(threads=threads)
        program = importlib.import_module(BINDING)._load_program(str(path))
        method = program.load_method("forward")
        times = []
        for _ in range(CALLS):
            start = time.perf_counter()
            run_method(method, [example])
            times.append(time.perf_counter() - start)
    return shape.macs / float(np.median(times[2:])) / 1e9


KIND, FILE = "growth_cost", "growth_cost.jsonl"
PEAK_KIND = "int8_peak"
SLICES, SIZE, WIDTH = "slices", "size", "width"
AXIS_NAMES = {
    SLICES: "slices of a study (256 x 256 pixels)",
    SIZE: "rows and columns of the segmenter's input",
    WIDTH: "width of the U-Net (1 is EfficientNet-b3)",
}
VALUES: dict[str, tuple[float, ...]] = {
    SLICES: (8, 16, 32, 64, 128, 256, 512),
    SIZE: (128, 192, 256, 384, 512),
    WIDTH: (0.25, 0.5, 1.0, 1.5),
}
TINY_VALUES: dict[str, tuple[float, ...]] = {SLICES: (6, 8), SIZE: (64, 96), WIDTH: (0.1,)}
HEAD_MM, VOLUME_ML = 160.0, 30.0
THINNEST_MM, THICKEST_MM = 0.3, 15.0
"""What a phantom may have: 512 slices cover the head, 8 are the middle of it."""
CALIBRATION = 8
"""Of the axes' own programs: enough for their time; their answers are not used."""
VISIT_SECONDS = 1200.0


@dataclass(frozen=True, slots=True)
class Point:
    """A place on an axis."""

    axis: str
    value: float

    @property
    def name(self) -> str:
        """Of its visits and files."""
        return f"{self.axis} {self.value:g}"


def measure_growth(settings: Settings) -> list[Json]:
    """Measure every axis with the first number of threads, and the int8 peak with all; writes the file."""
    threads = settings.threads[0]
    values = TINY_VALUES if settings.tiny else VALUES
    points = [Point(axis, value) for axis in values for value in values[axis]]
    programs = {point.name: _prepare(settings, point) for point in points if point.axis != SLICES}
    visits: dict[str, Callable[[], Json]] = {
        point.name: _visitor(settings, point, programs.get(point.name), threads) for point in points
    }
    for count in settings.threads:
        visits[f"int8 peak, {threads_name(count)}"] = _peak_visitor(settings, count)
    store = RoundStore(settings.place / "rounds" / FILE, settings.measured())
    found = visit_all(visits, rounds=settings.rounds, store=store, tell=settings.tell)
    slice_work = programs[Point(SIZE, values[SIZE][len(values[SIZE]) // 2]).name]["macs"]
    records = [
        _record(point, found[point.name], programs.get(point.name), slice_work, threads)
        for point in points
    ]
    records += [
        _peak_record(found[f"int8 peak, {threads_name(count)}"]) for count in settings.threads
    ]
    write_records(settings.results / FILE, records)
    return records


def write_grown(path: str, axis: str, value: float, weights: str | None, tiny: bool) -> Json:
    """Export the segmenter at another input size (trained weights) or width (untrained); a fresh process.

    Returns:
        Multiply-accumulates of a call, by kind of operator.
    """
    import torch

    from benchmarks.harness.networks import count_macs, open_networks
    from export.folding.twins import fold_unet
    from export.lower import lower
    from export.quantize import quantize
    from hemx_core.nn.config import UNetConfig
    from hemx_core.nn.unet import UNet

    networks = open_networks(Path(weights) if weights else None, tiny=tiny)
    unet, size = networks.segmenter, networks.decision.preprocessing.size
    if axis == SIZE:
        size = int(value)
    elif not tiny:
        torch.manual_seed(0)
        unet = UNet(UNetConfig(width=value)).eval()
    twin = fold_unet(unet)
    inputs = [(torch.rand(1, 1, size, size),) for _ in range(1 if tiny else CALIBRATION)]
    graph = twin if tiny else quantize(twin, inputs)
    write_whole(Path(path), lower(graph, inputs[0]).pte)
    kinds = count_macs(twin, inputs[0])
    return {"macs": sum(kinds.values()), "kinds": kinds, "size": size}


def _prepare(settings: Settings, point: Point) -> Json:
    folder = settings.place / "grown"
    path, stamp = folder / f"{point.name}.pte", folder / f"{point.name}.json"
    key = segmenter_digest(settings.weights, tiny=settings.tiny)
    if path.exists() and stamp.exists():
        known: Json = json.loads(stamp.read_text(encoding="utf-8"))
        if known["key"] == key:
            return known
    settings.tell(f"exporting the segmenter at {point.name}")
    folder.mkdir(parents=True, exist_ok=True)
    arguments = {
        "path": str(path),
        "axis": point.axis,
        "value": point.value,
        "weights": str(settings.weights) if settings.weights else None,
        "tiny": settings.tiny,
    }
    found = run_fresh(write_grown, arguments) | {"key": key, "path": str(path)}
    stamp.write_text(json.dumps(found), encoding="utf-8")
    return found


def _visitor(
    settings: Settings, point: Point, program: Json | None, threads: int
) -> Callable[[], Json]:
    if program is not None:
        given = {
            "path": program["path"],
            "fingerprint": program["size"],
            "threads": threads,
            "calls": settings.calls,
        }
        return lambda: run_fresh(measure_program, given, threads=threads, timeout=VISIT_SECONDS)
    slices = int(point.value)
    study = study_folder(
        settings.place,
        slices=slices,
        matrix=96 if settings.tiny else 256,
        volume_ml=VOLUME_ML,
        spacing_mm=min(max(THINNEST_MM, round(HEAD_MM / slices, 3)), THICKEST_MM),
    )
    arguments = {
        "runtime": "bundle",
        "study": str(study),
        "threads": threads,
        "runs": 1,
        "bundle": str(settings.open_bundle()),
        "weights": None,
        "tiny": settings.tiny,
    }
    return lambda: run_fresh(measure_pipeline, arguments, threads=threads, timeout=VISIT_SECONDS)


def _peak_visitor(settings: Settings, threads: int) -> Callable[[], Json]:
    arguments = {"threads": threads, "tiny": settings.tiny}
    return lambda: run_fresh(measure_int8_peak, arguments, threads=threads)


def _record(
    point: Point, rounds: list[Json], program: Json | None, slice_work: int, threads: int
) -> Json:
    facts: Json = {"axis": point.axis, "value": point.value, "axis_name": AXIS_NAMES[point.axis]}
    if program is not None:
        facts |= {"work": program["macs"], "work_name": "in proportion to multiply-accumulates"}
        facts |= {"macs_by_kind": program["kinds"]}
    else:
        facts |= {"work": point.value * slice_work, "work_name": "in proportion to slices"}
        facts |= {"volume_mib": rounds[0]["volume_mib"], "outputs": rounds[0]["outputs"]}
    figures = call_figures(rounds)
    return new_record(
        KIND, point.name, figures, threads=threads, fingerprint=rounds[0]["fingerprint"], **facts
    )


def _peak_record(rounds: list[Json]) -> Json:
    threads = rounds[0]["threads"]
    figures = {"rate": figure([round_["gmacs"] for round_ in rounds], "GMAC/s")}
    return new_record(
        PEAK_KIND,
        f"int8 peak | {threads_name(threads)}",
        figures,
        threads=threads,
        shapes=rounds[0]["shapes"],
        fingerprint=None,
    )

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import typer
from typer.main import get_command
from typer.testing import CliRunner

from hemx_core.commands import evaluate, train
from hemx_core.commands.settings import with_options

COHORTS = {
    "--cohort": "runs/cohort",
    "--data": None,
    "--data-cache": "runs/data_cache",
    "--inserted": "0",
    "--inserted-cohort": "runs/inserted",
    "--lesion-fold": "",
    "--lesions": "drawn",
    "--phantoms": None,
    "--workers": "1",
}
RUN = {"--results": "benchmarks/results/training", "--resume": "False", "--seed": "1"}
COMPUTE = {"--devices": "1", "--loader-workers": "0", "--nodes": "1", "--precision": "auto"}
OPTIONS = {
    "train segmentation": COHORTS | RUN | COMPUTE | {
        "--artefact-removal/--no-artefact-removal": "True",
        "--bone-removal/--no-bone-removal": "True",
        "--centring/--no-centring": "True",
        "--frozen-batch-norm": "False",
        "--from": None,
        "--location": "",
        "--patch": "0",
        "--rate": None,
        "--real/--no-real": None,
        "--run": "runs/segmentation",
        "--split-by": "patient",
        "--steps": "2000",
        "--weights": None,
        "--width": "1.0",
    },
    "train classifier": COHORTS | RUN | COMPUTE | {
        "--batch": "16",
        "--consistency": "0.0",
        "--crop-size": "128",
        "--encoder-features/--no-encoder-features": "True",
        "--fold-steps": "600",
        "--folds": "5",
        "--from": None,
        "--masking": "none",
        "--merge": "project",
        "--name": "classifier",
        "--rate": None,
        "--real-crops": "0",
        "--run": "runs/classifier",
        "--segmenter": None,
        "--steps": "3000",
        "--target": None,
        "--view": "crop",
        "--wavelet": "haar",
        "--weighted/--no-weighted": "True",
        "--weights": None,
        "--width": "0.5",
    },
    "train gan": COHORTS | RUN | {
        "--batch": "32",
        "--marker": None,
        "--mismatch": "0.0",
        "--n-critic": "5",
        "--rate": "0.0002",
        "--run": "runs/gan",
        "--size": "64",
        "--steps": "2000",
        "--weights": "runs/gan",
        "--width": "32",
    },
    "evaluate masks": {
        "--checked/--no-checked": "True",
        "--out": "benchmarks/results/evaluation",
        "--split": "test",
        "--weights": str(train.WEIGHTS),
    },
    "evaluate readers": {
        "--bundle": None,
        "--draws": "2000",
        "--json": "False",
        "--network": None,
        "--out": None,
        "--split": "",
        "folder": None,
    },
    "evaluate markers": COHORTS | {
        "--also-phantoms": "0",
        "--name": "markers",
        "--out": "benchmarks/results/evaluation",
        "--phantoms": "0",
        "--recalibrate": "False",
        "--scaling": "temperature",
        "--weights": str(train.WEIGHTS),
    },
}  # fmt: skip
"""As they were when every option was written by hand, and those added since."""


def test_options_and_defaults_are_those_of_before() -> None:
    app = typer.Typer()
    train.register(app)
    evaluate.register(app)
    found = {}
    for group, part in get_command(app).commands.items():  # type: ignore[attr-defined]
        for name, command in part.commands.items():
            found[f"{group} {name}"] = {
                "/".join([*p.opts, *p.secondary_opts]): None
                if p.default is None
                else str(p.default)
                for p in command.params
            }
    assert found == OPTIONS


@dataclass(frozen=True)
class Inner:
    width: float = 1.0
    depth: int = 2


@dataclass(frozen=True)
class Settings:
    steps: int = field(default=7, metadata={"option": {"help": "Steps.", "min": 1}})
    peak: float = field(
        default=0.5, metadata={"option": {"help": "Rate.", "name": "rate", "default": None}}
    )
    kind: Literal["a", "b"] = field(default="a", metadata={"option": {"help": "a or b."}})
    inner: Inner = field(
        default_factory=lambda: Inner(depth=5),
        metadata={"options": {"width": {"help": "Width.", "default": 0.25}}},
    )
    hidden: str = "kept"


def run(*arguments: str) -> Any:
    taken: list[Any] = []
    app = typer.Typer()

    @with_options({"steps": 9}, settings=Settings)
    def command(settings: Settings, out: Path = Path("x")) -> None:
        """Do it."""
        taken.extend([settings, out])

    app.command()(command)
    return CliRunner().invoke(app, list(arguments)), taken


def test_settings_are_built_from_the_options() -> None:
    done, taken = run()
    assert done.exit_code == 0, done.output
    assert taken == [Settings(steps=9, inner=Inner(0.25, 5)), Path("x")]
    _, taken = run("--rate", "0.1", "--kind", "b", "--width", "2", "--steps", "1", "--out", "y")
    assert taken == [Settings(1, 0.1, "b", Inner(2.0, 5)), Path("y")]


def test_help_and_bounds_come_from_the_fields() -> None:
    done, _ = run("--help")
    assert "Do it." in done.output
    assert "a or b." in done.output
    assert "--hidden" not in done.output
    done, taken = run("--steps", "0")
    assert done.exit_code == 2
    assert not taken


def test_the_commands_are_listed_without_torch_or_numpy() -> None:
    code = (
        "import sys; import hemx_core.commands.train, hemx_core.commands.evaluate;"
        "print([name for name in ('torch', 'numpy', 'cv2', 'filelock') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""`hemx benchmark`: its commands, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.cli import ELSEWHERE, benchmark_app, register
from hemx_core.errors import BenchmarkError

COMMANDS = ("run", "compare", "peers", "threads", "growth-cost", "operators", "pareto", *ELSEWHERE)


def test_hemx_gets_a_command_with_all_of_them() -> None:
    app = typer.Typer()
    app.command("other")(lambda: None)
    register(app)
    text = CliRunner().invoke(app, ["benchmark", "--help"]).stdout
    assert all(name in text for name in COMMANDS)


def test_threads_must_be_numbers(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="threads '1,x'"):
        CliRunner().invoke(
            benchmark_app,
            ["run", "--threads", "1,x", "--work", str(tmp_path)],
            catch_exceptions=False,
        )


def test_inputs_must_be_views_with_sizes(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="classifier input 'crop'"):
        CliRunner().invoke(
            benchmark_app,
            ["pareto", "--tiny", "--inputs", "crop", "--work", str(tmp_path)],
            catch_exceptions=False,
        )


def test_listing_the_commands_imports_nothing_heavy() -> None:
    code = "import sys, benchmarks.cli; print([m for m in ('torch', 'cv2', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_intended_error_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.jsonl")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "compare", missing, missing],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "none.jsonl is no file of benchmark records" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_a_command_of_another_module_is_found_when_it_is_run(name: str) -> None:
    done = CliRunner().invoke(benchmark_app, [name, "--help"])
    assert done.exit_code == 0, done.output
    assert f"{name} [OPTIONS]" in done.output

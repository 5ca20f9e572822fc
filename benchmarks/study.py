"""Time and memory of one whole study, DICOM to result, in fresh processes.

python -m benchmarks.study --slices 30 --runs 5
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from hemx_core import provenance
from hemx_core.phantoms import LesionSpec, PhantomSpec, SiteSpec, make_phantom, write_dicom_series

CHILD = """
import json, sys, time
started = time.perf_counter()
from hemx_core.costs import peak_rss_mib
from hemx_core.runtime.desktop import DesktopBackend
from hemx_core.pipeline import load_models, triage
models = load_models(backend=DesktopBackend(threads=int(sys.argv[2])))
loaded, loaded_mib = time.perf_counter(), peak_rss_mib()
result = triage(sys.argv[1], models)
print(json.dumps({
    "start_up_seconds": loaded - started,
    "study_seconds": time.perf_counter() - loaded,
    "peak_mib_after_start_up": loaded_mib,
    "peak_mib": peak_rss_mib(),
    "slices": len(result.slices),
    "slices_with_blood": sum(one.blood_area_mm2 > 0 for one in result.slices),
    "volume_ml": result.haematoma_volume_ml,
    "stages": {cost.name: cost.seconds for cost in result.costs},
}))
"""
"""A process of its own for each run: a peak of memory cannot be taken back."""


def run_once(study: Path, *, threads: int) -> dict[str, Any]:
    """Triage a study in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(study), str(threads)],
        capture_output=True,
        text=True,
        check=True,
    )
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return values


def main(
    slices: Annotated[int, typer.Option(help="Slices of the phantom study.")] = 30,
    runs: Annotated[int, typer.Option(help="Fresh processes; medians are reported.")] = 5,
    threads: Annotated[int, typer.Option(help="Threads of the runtime.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of the phantom.")] = 7,
    out: Annotated[Path, typer.Option(help="Result file.")] = Path("benchmarks/results/study.json"),
) -> None:
    """Measure a phantom study and write the result file."""
    with tempfile.TemporaryDirectory() as folder:
        study = write_study(Path(folder) / "study", slices=slices, seed=seed)
        found = [run_once(study, threads=threads) for _ in range(runs)]
    median = {
        key: statistics.median(one[key] for one in found)
        for key in found[0]
        if isinstance(found[0][key], int | float)
    }
    median["stages"] = {
        name: statistics.median(one["stages"][name] for one in found) for name in found[0]["stages"]
    }
    report = {
        "provenance": provenance.provenance(seed=seed),
        "threads": threads,
        "runs": runs,
        "median": median,
        "worst": {key: max(one[key] for one in found) for key in ("study_seconds", "peak_mib")},
    }
    provenance.write_json(out, report)
    typer.echo(
        f"{slices} slices: {median['study_seconds']:.2f} s after {median['start_up_seconds']:.2f} s of "
        f"start-up, peak {median['peak_mib']:.0f} MiB -> {out}"
    )


def write_study(folder: Path, *, slices: int, seed: int) -> Path:
    """A phantom study with a haematoma, as DICOM."""
    spec = PhantomSpec(
        seed=seed,
        noise_seed=seed,
        lesion=LesionSpec(volume_ml=30.0, lobes=4),
        site=SiteSpec(slices=slices),
    )
    write_dicom_series(make_phantom(spec).volume, folder)
    return folder


if __name__ == "__main__":
    typer.run(main)

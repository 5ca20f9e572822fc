"""Fuzzing that is guided by coverage, with atheris: an option, as it has wheels for few systems.

The child is `python -m benchmarks.robustness.guided CORPUS SECONDS`; the corpus lies outside the tree and is
gone on with. A crash is an error that HEMX does not raise on purpose; its input stays in the corpus's folder.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.robustness import material
from benchmarks.robustness.outcome import MOST_MIB, MOST_SECONDS, Outcome
from hemx_core.errors import BenchmarkError, HemxError
from hemx_core.records import Json

_RUNS = re.compile(r"#(\d+)\s+DONE\s+cov: (\d+) ft: (\d+) corp: (\d+)/")
_SIZES = re.compile(r"^(crash|timeout|oom|slow-unit|leak)-")
LONGEST = 65_536
"""Bytes of one input."""


def run_guided(seconds: int, corpus: Path) -> Json:
    """Fuzz for so long, from what the corpus holds.

    Args:
        seconds: wall time.
        corpus: folder, made with the sound inputs where it is new.
    Returns:
        Runs, coverage, size of the corpus, and what crashed.
    Raises:
        BenchmarkError: atheris is not installed.
    """
    if importlib.util.find_spec("atheris") is None:
        raise BenchmarkError(
            "atheris is not installed",
            expected="atheris, for coverage-guided fuzzing",
            remedy='pip install "hemx[fuzz]"; the other parts do without it',
        )
    corpus.mkdir(parents=True, exist_ok=True)
    if not any(corpus.iterdir()):
        _sow(corpus)
    found = corpus.with_name(corpus.name + "-found")
    found.mkdir(exist_ok=True)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.robustness.guided",
            str(corpus),
            str(seconds),
            str(found),
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    told = _RUNS.findall(done.stderr)
    crashes = sorted(path.name for path in found.iterdir() if _SIZES.match(path.name))
    runs, coverage, features, size = map(int, told[-1]) if told else (0, 0, 0, 0)
    kinds = {"timeout": Outcome.HANG, "oom": Outcome.MEMORY}
    return {
        "cases": runs,
        "coverage": coverage,
        "features": features,
        "corpus": size,
        "seconds": seconds,
        "faults": [
            {"name": name, "outcome": str(kinds.get(name.split("-")[0], Outcome.UNTYPED))}
            for name in crashes
            if not name.startswith("slow-unit")
        ],
        "ended": "" if told else done.stderr[-300:],
    }


def _sow(corpus: Path) -> None:
    """The sound inputs, each behind the byte that says what it is."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        material.write_series(folder / "0")
        for number, name in enumerate(("RLE", "lossless", "JPEG-LS", "JPEG 2000")):
            material.write_compressed(folder / f"0{number}", name)
        material.write_enhanced(folder / "0e")
        material.write_zip(folder / "1")
        material.write_dicomdir(folder / "2")
        for path in folder.rglob("*"):
            kind = path.relative_to(folder).parts[0][0]
            if (
                path.is_file()
                and (kind != "2" or path.name == "DICOMDIR")
                and "inside" not in str(path)
            ):
                name = "-".join(path.relative_to(folder).parts)
                (corpus / name).write_bytes(kind.encode() + path.read_bytes())


def one_input(data: bytes, folder: Path) -> None:
    """Read one input; an error that is not meant is raised.

    Args:
        data: a byte that says how the rest is given (a file, a zip, a DICOMDIR, a manifest), and the rest.
        folder: for it, in memory.
    """
    import hemx_core as hemx
    from hemx_core.bundle.signature import Signature
    from hemx_core.manifest import ModelManifest

    kind, content = data[:1], data[1:]
    try:
        if kind == b"3":
            ModelManifest.from_bytes(content)
        elif kind == b"4":
            Signature.from_bytes(content)
        else:
            path = folder / {b"1": "a.zip", b"2": "DICOMDIR"}.get(kind, "a")
            path.write_bytes(content)
            try:
                hemx.list_series(path)
                hemx.read_series(path)
            finally:
                path.unlink()
    except HemxError:
        pass


def main(corpus: str, seconds: str, found: str) -> None:
    """The child: instrument, then fuzz until the time is up."""
    import atheris

    with atheris.instrument_imports(include=["hemx_core", "pydicom", "zipfile"]):
        import hemx_core.bundle.signature
        import hemx_core.imaging.reader
        import hemx_core.manifest  # noqa: F401
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))

    def one(data: Any) -> None:
        one_input(data, folder)

    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-timeout={int(MOST_SECONDS * 3)}",
        f"-rss_limit_mb={int(MOST_MIB) + 512}",
        f"-artifact_prefix={found}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, corpus], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:4])

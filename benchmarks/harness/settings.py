"""What every command takes: bundle, weights, threads, rounds, and narrow networks for tests."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.material import write_material
from benchmarks.harness.networks import TINY_SIZE, narrow_networks, weights_digest
from benchmarks.harness.process import run_fresh
from benchmarks.harness.records import RESULTS, WORK
from export.recipes import Precision, Recipe
from export.samples import DATA_VARIABLE
from hemx_core.bundle.load import default_bundle
from hemx_core.errors import BenchmarkError
from hemx_core.files import write_whole
from hemx_core.manifest import MANIFEST_NAME

TINY_SIZE_NAME = "tiny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a command measures.

    Args:
        bundle: measured bundle; None for the app's. With `tiny` a narrow one is made.
        weights: folder of the trained weights; None for the repository's.
        threads: numbers of threads, each measured.
        rounds: visits of every contestant, each in a fresh process.
        calls: timed calls in a visit.
        work: folder of everything that is kept between runs.
        results: folder of the result files.
        tiny: narrow networks, small inputs.
        tell: told what is being done.
    """

    bundle: Path | None = None
    weights: Path | None = None
    threads: tuple[int, ...] = (1, 2)
    rounds: int = 5
    calls: int = 20
    work: Path = WORK
    results: Path = RESULTS
    tiny: bool = False
    tell: Callable[[str], None] = lambda message: None

    def __post_init__(self) -> None:
        if min(self.rounds, self.calls, *self.threads, 1) < 1 or not self.threads:
            raise BenchmarkError(
                f"{self.rounds} rounds of {self.calls} calls on threads {self.threads}",
                expected="at least one of each",
                remedy="ask for more",
            )

    @property
    def place(self) -> Path:
        """Work folder of these networks."""
        return self.work / (TINY_SIZE_NAME if self.tiny else "full")

    def open_bundle(self) -> Path:
        """The bundle to measure; a narrow float32 one is written once for `tiny`."""
        if self.bundle is not None:
            return self.bundle
        return _narrow_bundle(self.place / "bundle") if self.tiny else default_bundle()

    def key(self) -> str:
        """Changes whenever networks or bundle do."""
        manifest = self.open_bundle() / MANIFEST_NAME
        bundle = hashlib.sha256(manifest.read_bytes()).hexdigest()[:16]
        return f"{weights_digest(self.weights, tiny=self.tiny)} {bundle}"

    def material(self) -> Path:
        """Inputs of the contest, made once for these networks."""
        folder = self.place / "material"
        # Real slices calibrate and judge where HEMX_DATA has them, phantoms elsewhere.
        real = bool(os.environ.get(DATA_VARIABLE)) and not self.tiny
        stamp = folder / "key"
        wanted = f"{weights_digest(self.weights, tiny=self.tiny)} {'real' if real else 'phantoms'}"
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            self.tell("preparing inputs")
            weights = str(self.weights) if self.weights else None
            arguments = {"folder": str(folder), "weights": weights, "tiny": self.tiny}
            run_fresh(write_material, arguments)
            write_whole(stamp, wanted)
        return folder

    def measured(self) -> dict[str, Any]:
        """What must be the same for earlier rounds to count."""
        return {"key": self.key(), "calls": self.calls, "tiny": self.tiny}


def narrow_recipe() -> Recipe:
    """Of the narrow networks: float32, so that every program of them answers the same."""
    plain = Precision.FLOAT32
    return Recipe(name="narrow", size=TINY_SIZE, segmenter=plain, classifier=plain)


def _narrow_bundle(folder: Path) -> Path:
    """A float32 bundle of narrow networks, unsigned."""
    from export.bundle import build_classifier, build_segmenter, write_draft

    if (folder / MANIFEST_NAME).exists():
        return folder
    networks, recipe = narrow_networks(), narrow_recipe()
    folder.mkdir(parents=True, exist_ok=True)
    segmenter = build_segmenter(networks, recipe, [])
    classifier = build_classifier(networks, recipe, [])
    write_draft(folder, networks, recipe, segmenter, classifier)
    return folder

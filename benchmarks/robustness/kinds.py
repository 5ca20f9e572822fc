"""The 13 kinds of input that are damaged: how a sound one is made, asked of, and judged once damaged."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import hemx_core as hemx
from benchmarks.robustness import material, others, stores
from benchmarks.robustness.mutate import SHORTENS, mutate
from benchmarks.robustness.outcome import Answer, Outcome
from benchmarks.robustness.plain import PlainSlice, differences, read_plain
from hemx_core.notes import Severity


class Kind:
    """One kind of input.

    Args:
        name: of the kind.
        folder: where its sound input lies and damaged copies are made.
        write: writes the sound input into a folder that is not there yet.
    """

    def __init__(self, name: str, folder: Path, write: Callable[[Path], None]) -> None:
        self.name = name
        self.sound, self.damaged = folder / name / "sound", folder / name / "damaged"
        self._write = write
        self._kept: dict[Path, bytes] = {}

    def prepare(self) -> None:
        """Make the sound input and what there is to know about it; before the first question."""
        shutil.rmtree(self.sound.parent, ignore_errors=True)
        self.sound.parent.mkdir(parents=True)
        self._write(self.sound)
        shutil.copytree(self.sound, self.damaged)
        files = sorted(path for path in self.damaged.rglob("*") if path.is_file())
        self._kept = {path: path.read_bytes() for path in files}
        outcome, why = self.look("")
        if outcome is not Outcome.RIGHT:
            raise RuntimeError(f"the sound {self.name} is {outcome}: {why}")

    def ask(self, seed: str) -> Answer:
        """Damage a file of the copy as the seed says, look at it, and put the file back."""
        rng = random.Random(f"{self.name} {seed}")
        victim = self.victim(sorted(self._kept), rng)
        content, damage = mutate(self._kept[victim], rng)
        # A file of its own: what still maps the old one must not see it shrink.
        victim.unlink(missing_ok=True)
        victim.write_bytes(content)
        try:
            outcome, why = self.look(damage)
        finally:
            victim.unlink(missing_ok=True)
            victim.write_bytes(self._kept[victim])
        return outcome, f"{damage} of {victim.name}: {why}"

    def victim(self, files: list[Path], rng: random.Random) -> Path:
        """The file that is damaged."""
        return rng.choice(files)

    def look(self, damage: str) -> Answer:
        """What comes of the copy as it is now; errors are raised."""
        raise NotImplementedError


CAUTIONS = ("missing_slices", "decimal_comma")
"""Told by the reader as a caution. A gap is a warning of the triage, where it lies in brain or clot."""


class Study(Kind):
    """A CT study. HU, places and number of slices are those of the sound one, or as pydicom reads them."""

    shortened_is_lost = False
    """Whether a file that lost a part cannot mean what it says: compressed pixels have no length."""

    @property
    def path(self) -> Path:
        """What is given to HEMX."""
        return self.damaged

    @cached_property
    def slices(self) -> list[PlainSlice]:
        """Of the sound study."""
        return read_plain(self.path)

    def prepare(self) -> None:
        """As of every kind; the sound study is read the other way first."""
        super().prepare()
        assert len(self.slices) == material.SLICES

    def look(self, damage: str) -> Answer:
        """List and read."""
        hemx.list_series(self.path)
        volume = hemx.read_series(self.path)
        warned = [
            note.code
            for note in volume.notes
            if note.severity is Severity.WARNING or note.code in CAUTIONS
        ]
        if warned:
            return Outcome.TOLD, warned[0]
        readings = [self.slices]
        if not (self.shortened_is_lost and any(name in damage for name in SHORTENS)):
            readings.append(read_plain(self.path))
        wrong = differences(volume, *readings)
        return (Outcome.SILENT, wrong) if wrong else (Outcome.RIGHT, "")


class Compressed(Study):
    """A study of compressed slices."""

    shortened_is_lost = True


class InOneFile(Study):
    """A study that is given as its only file, or as its DICOMDIR."""

    @property
    def path(self) -> Path:
        """The file."""
        directory = self.damaged / "DICOMDIR"
        return directory if directory.name in self._names else next(iter(self._kept))

    @property
    def _names(self) -> set[str]:
        return {path.name for path in self._kept}

    def victim(self, files: list[Path], rng: random.Random) -> Path:
        """The DICOMDIR mostly, where there is one."""
        return self.path if rng.random() < 0.7 else rng.choice(files)


class Other(Kind):
    """What is no study: its own function looks, and knows the answer to the sound one."""

    def __init__(
        self,
        name: str,
        folder: Path,
        write: Callable[[Path], None],
        look_at: Callable[[Path, Any], tuple[Answer, Any]],
    ) -> None:
        super().__init__(name, folder, write)
        self._look_at = look_at
        self._right: Any = None

    def look(self, damage: str) -> Answer:
        """The answer; the first one is of the sound input and is kept."""
        answer, found = self._look_at(self.damaged, self._right)
        if self._right is None:
            self._right = found
        return answer


class Store(Kind):
    """The app's store, whose files are damaged at places of its own choice."""

    def prepare(self) -> None:
        """Fill a store in memory."""
        shutil.rmtree(self.sound.parent, ignore_errors=True)
        self.sound.parent.mkdir(parents=True)
        stores.fill(self.sound)

    def ask(self, seed: str) -> Answer:
        """Damage the database or a file beside it."""
        return stores.ask(self.sound, int(seed))


def all_kinds(folder: Path) -> Mapping[str, Kind]:
    """The kinds by name; nothing is made yet.

    Args:
        folder: for their files; best in memory.
    """
    compressed = {
        "RLE": "RLE",
        "JPEG lossless": "lossless",
        "JPEG-LS": "JPEG-LS",
        "JPEG 2000": "JPEG 2000",
    }
    kinds: list[Kind] = [
        Study("DICOM", folder, material.write_series),
        *(
            Compressed(name, folder, partial(material.write_compressed, name=encoder))
            for name, encoder in compressed.items()
        ),
        InOneFile("Enhanced CT", folder, material.write_enhanced),
        InOneFile("DICOMDIR", folder, material.write_dicomdir),
        InOneFile("zip", folder, material.write_zip),
        Other("NIfTI", folder, others.write_nifti, others.look_at_nifti),
        Other("SEG", folder, others.write_seg, others.look_at_seg),
        Other("tables", folder, others.write_tables, others.look_at_tables),
        Other("bundle", folder, others.write_bundle, others.look_at_bundle),
        Store("store", folder, lambda _: None),
    ]
    return {kind.name: kind for kind in kinds}

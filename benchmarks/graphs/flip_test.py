"""Single bits of a bundle flipped, one at a time: every such bundle must be refused.

`verify_bundle` reads signature, manifest and every file and opens no program. The flips are spread evenly
over the files, so that the small ones (manifest, signature) are tried as often as the programs.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hemx_core.bundle.load import verify_bundle
from hemx_core.bundle.signature import SIGNATURE_NAME, TrustedKey
from hemx_core.errors import ExportError, ModelError
from hemx_core.manifest import MANIFEST_NAME

FLIPS, SEED = 1000, 20261126

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipReport:
    """What became of the flipped bundles.

    Args:
        seed: of the choice of bits.
        flips: how many bits were flipped, by file.
        refusals: how many of them were refused, by file.
        reasons: how often each error was the reason.
        accepted: (file, bit) of what was not refused; must be empty.
    """

    seed: int
    flips: dict[str, int]
    refusals: dict[str, int]
    reasons: dict[str, int]
    accepted: tuple[tuple[str, int], ...]

    @property
    def passed(self) -> bool:
        """Whether every flip was refused."""
        return not self.accepted

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "seed": self.seed,
            "flips": sum(self.flips.values()),
            "refusals": sum(self.refusals.values()),
            "by_file": {
                name: {"flips": count, "refusals": self.refusals.get(name, 0)}
                for name, count in self.flips.items()
            },
            "reasons": self.reasons,
            "accepted": [list(flip_) for flip_ in self.accepted],
        }


def flip_test(
    folder: Path,
    *,
    flips: int = FLIPS,
    seed: int = SEED,
    keys: Iterable[TrustedKey] | None = None,
    tell: Tell = lambda done, total: None,
) -> FlipReport:
    """Flip bits in a copy of a bundle.

    Args:
        folder: the bundle; it is only read.
        flips: how many bits, spread over its files.
        seed: chooses them; no bit twice.
        keys: trusted keys, see `verify_bundle`.
        tell: told after every flip how many are done, and of how many.
    Raises:
        ModelError: the bundle is refused as it is, so flips would prove nothing.
        ExportError: fewer flips than files, or the copy was not what it was when all was done.
    """
    trusted = None if keys is None else tuple(keys)
    manifest = verify_bundle(folder, keys=trusted).manifest
    names = [MANIFEST_NAME, SIGNATURE_NAME, *(file.file for file in manifest.files)]
    plan = plan_flips({name: (folder / name).stat().st_size for name in names}, flips, seed)
    flipped: Counter[str] = Counter(name for name, _ in plan)
    refused: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    accepted = []
    with tempfile.TemporaryDirectory() as draft:
        copy = Path(draft)
        for name in names:
            shutil.copyfile(folder / name, copy / name)
        for done, (name, bit) in enumerate(plan, 1):
            flip(copy / name, bit)
            reason = refusal(copy, trusted)
            flip(copy / name, bit)
            if reason is None:
                accepted.append((name, bit))
            else:
                refused[name] += 1
                reasons[reason] += 1
            tell(done, len(plan))
        if refusal(copy, trusted) is not None:
            raise ExportError(
                "the copy is damaged after all bits were put back",
                expected="the bundle as it was: else every refusal could be the copy's own fault",
                remedy="check the disk, and run the test again",
            )
    return FlipReport(
        seed=seed,
        flips={name: flipped[name] for name in names},
        refusals={name: refused[name] for name in names},
        reasons=dict(reasons),
        accepted=tuple(accepted),
    )


def plan_flips(sizes: dict[str, int], flips: int, seed: int) -> list[tuple[str, int]]:
    """Which bits of which files: evenly over the files, no bit twice.

    Args:
        sizes: bytes of each file.
        flips: how many in all; a small file gives at most all its bits.
        seed: of the choice.
    Raises:
        ExportError: fewer flips than files, or more than bits.
    """
    if flips < len(sizes) or flips > 8 * sum(sizes.values()):
        raise ExportError(
            f"{flips} flips over {len(sizes)} files of {8 * sum(sizes.values())} bits",
            expected="at least one a file, and no bit twice",
            remedy="give another --flips",
        )
    rng = random.Random(seed)
    left, plan = flips, []
    # The smallest first: what it has too few bits for goes to the larger ones.
    for place, name in enumerate(sorted(sizes, key=lambda name: sizes[name])):
        count = min(-(-left // (len(sizes) - place)), 8 * sizes[name])
        plan += [(name, bit) for bit in rng.sample(range(8 * sizes[name]), count)]
        left -= count
    return plan


def flip(path: Path, bit: int) -> None:
    """Flip one bit of a file in place; twice is nothing."""
    with path.open("r+b") as stream:
        stream.seek(bit // 8)
        (byte,) = stream.read(1)
        stream.seek(bit // 8)
        stream.write(bytes([byte ^ 1 << bit % 8]))


def refusal(folder: Path, keys: tuple[TrustedKey, ...] | None) -> str | None:
    """The error by which a bundle is refused, None where it is accepted.

    Another kind of error than `ModelError` is no refusal: it goes up to the caller.
    """
    try:
        verify_bundle(folder, keys=keys)
    except ModelError as error:
        return type(error).__name__
    return None

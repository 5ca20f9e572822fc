"""The gates of a recipe held against what was measured: one table of names, values and limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from export.program_facts import DELEGATE_CALL, XNNPACK, MethodFacts
from export.recipes import Recipe
from export.verify import Parity
from hemx_core.errors import ParityError


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One limit of a recipe and the value found.

    Args:
        name: what is limited, for people.
        value: what was found; None where it could not be estimated, which passes.
        limit: the recipe's.
        at_least: the value must reach the limit; else it must not exceed it.
    """

    name: str
    value: float | None
    limit: float
    at_least: bool = False

    @property
    def passed(self) -> bool:
        """Whether the value keeps the limit; one that is no number does not."""
        if self.value is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        values = {"gate": self.name, "value": self.value, "limit": self.limit}
        return values | {"at_least": self.at_least, "passed": self.passed}

    def __str__(self) -> str:
        """For example "mask Dice 0.98 (at least 0.99)"."""
        value = "not estimable" if self.value is None else f"{self.value:.4f}"
        return f"{self.name} {value} ({'at least' if self.at_least else 'at most'} {self.limit:g})"


def parity_gates(parity: Parity, recipe: Recipe) -> list[Gate]:
    """How far single answers may move from the trained networks'."""
    return [
        Gate(
            name="mask Dice, exported against trained",
            value=parity.mask_dice,
            limit=recipe.min_mask_dice,
            at_least=True,
        ),
        Gate(
            name="marker probability apart, 95th percentile",
            value=parity.marker_p95,
            limit=recipe.max_marker_difference,
        ),
        Gate(
            name="marker probability apart, largest",
            value=parity.marker_max,
            limit=recipe.max_marker_peak,
        ),
    ]


def accuracy_gates(
    masks: dict[str, Any] | None, markers: dict[str, Any] | None, recipe: Recipe
) -> list[Gate]:
    """How much accuracy may be lost against the reference; see `export.validate`."""
    gates = []
    if masks is not None:
        gates.append(
            Gate(name="Dice falls by", value=masks["dice_drop"], limit=recipe.max_dice_drop)
        )
    for code, row in (markers or {"markers": {}})["markers"].items():
        name = f"AUC of {code} falls by"
        gates.append(Gate(name=name, value=row["drop"], limit=recipe.max_auc_drop))
    return gates


def program_gates(
    programs: dict[str, MethodFacts], bundle_bytes: int, recipe: Recipe
) -> list[Gate]:
    """What the files must be: all in one delegate, and not too large."""
    gates = [
        Gate(
            name=f"{name} in one XNNPACK delegate",
            value=float(facts.delegates == (XNNPACK,) and facts.instructions == {DELEGATE_CALL: 1}),
            limit=1.0,
            at_least=True,
        )
        for name, facts in programs.items()
    ]
    size = Gate(name="bundle, MB", value=bundle_bytes / 1e6, limit=recipe.max_bundle_mb)
    return [*gates, size]


def check_gates(gates: Sequence[Gate], recipe: Recipe) -> None:
    """Refuse where a gate fails.

    Raises:
        ParityError: naming every gate that does.
    """
    failed = [str(gate) for gate in gates if not gate.passed]
    if failed:
        raise ParityError(
            f"recipe {recipe.name}: {', '.join(failed)}",
            expected="the trained networks' answers and accuracy, within the recipe's gates",
            remedy="calibrate on more slices, or keep the layers that lose most in float32",
        )

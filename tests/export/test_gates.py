from __future__ import annotations

from dataclasses import replace

import pytest

from export.gates import Gate, accuracy_gates, check_gates, parity_gates, program_gates
from export.program_facts import MethodFacts
from export.recipes import RECIPES
from export.verify import Parity
from hemx_core.errors import ParityError

RECIPE = RECIPES["tablet-int8"]
GOOD = Parity(
    source="x",
    slices=1,
    slices_with_blood=1,
    mask_dice=0.999,
    worst_slice_dice=0.9,
    probability_max=0.1,
    probability_mean=0.01,
    marker_max=0.05,
    marker_p95=0.01,
    marker_mean=0.001,
)
FACTS = MethodFacts(
    method="forward",
    delegates=("XnnpackBackend",),
    operators=(),
    instructions={"DelegateCall": 1},
    planned_bytes=1,
    nodes={},
    matrix_nodes={},
    activation_peak_bytes=1,
)


def failed(gates: list[Gate]) -> list[str]:
    return [gate.name for gate in gates if not gate.passed]


def test_a_gate_passes_at_its_limit_and_not_beyond() -> None:
    assert Gate(name="a", value=0.5, limit=0.5).passed
    assert not Gate(name="a", value=0.5001, limit=0.5).passed
    assert Gate(name="a", value=0.5, limit=0.5, at_least=True).passed
    assert not Gate(name="a", value=0.4999, limit=0.5, at_least=True).passed


def test_what_is_no_number_fails_and_what_is_not_estimable_passes() -> None:
    assert not Gate(name="a", value=float("nan"), limit=1.0).passed
    assert not Gate(name="a", value=float("nan"), limit=1.0, at_least=True).passed
    unknown = Gate(name="a", value=None, limit=1.0)
    assert unknown.passed
    assert str(unknown) == "a not estimable (at most 1)"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"mask_dice": 0.98}, "mask Dice"),
        ({"marker_p95": 0.04}, "95th percentile"),
        ({"marker_max": 0.3}, "largest"),
    ],
)
def test_parity_has_a_gate_for_each_limit(change: dict[str, float], name: str) -> None:
    assert failed(parity_gates(GOOD, RECIPE)) == []
    (only,) = failed(parity_gates(replace(GOOD, **change), RECIPE))
    assert name in only


def test_programs_must_be_one_delegate_of_xnnpack_and_the_bundle_small() -> None:
    assert failed(program_gates({"segmenter": FACTS}, 20 * 2**20, RECIPE)) == []
    split = replace(FACTS, delegates=("XnnpackBackend",) * 2, instructions={"DelegateCall": 2})
    foreign = replace(FACTS, delegates=("OtherBackend",))
    loose = replace(FACTS, instructions={"DelegateCall": 1, "KernelCall": 1})
    for bad in (split, foreign, loose):
        assert failed(program_gates({"segmenter": bad}, 1, RECIPE)) == [
            "segmenter in one XNNPACK delegate"
        ]
    assert failed(program_gates({}, 35_000_001, RECIPE)) == ["bundle, MB"]
    assert failed(program_gates({}, 35_000_000, RECIPE)) == []


def test_every_failed_gate_is_named_with_value_and_limit() -> None:
    markers = {"markers": {"blend": {"drop": 0.02}, "fluid_level": {"drop": None}}}
    gates = accuracy_gates({"dice_drop": 0.006}, markers, RECIPE)
    with pytest.raises(
        ParityError,
        match=r"Dice falls by 0\.0060 \(at most 0\.005\), AUC of blend falls by 0\.0200",
    ):
        check_gates(gates, RECIPE)
    check_gates(accuracy_gates(None, None, RECIPE), RECIPE)

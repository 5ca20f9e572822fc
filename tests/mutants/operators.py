"""The ways in which code is broken: cosmic-ray's operators, and three of our own.

cosmic-ray would replace each operator by every other; one or two replacements find the same gaps in a
fraction of the time. Left alone is what changes no behaviour or only its wording: annotations, decorators,
the text of an error, and `strict` of `zip`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator

_COMPARISONS = (
    "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt",
    "Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is",
)  # fmt: skip
_BINARY = (
    "Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_Mul", "Pow_Mul",
    "BitAnd_BitOr", "BitOr_BitAnd",
)  # fmt: skip
_OTHERS = (
    "NumberReplacer", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr",
    "ReplaceOrWithAnd", "AddNot", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak",
    "ZeroIterationForLoop", "ExceptionReplacer", "ReplaceUnaryOperator_USub_UAdd",
    "ReplaceUnaryOperator_Delete_Not",
)  # fmt: skip

_SWAPS = {
    "min": "max", "max": "min", "any": "all", "all": "any", "argmax": "argmin", "argmin": "argmax",
}  # fmt: skip
_AUGMENTED = ("+=", "-=", "|=", "&=")

Place = tuple[tuple[int, int], tuple[int, int]]
"""First and last (line, column)."""


class DeleteStatement(Operator):
    """Leave out a statement that acts: a call, a raise, a change in place."""

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        """Statements on a line of their own."""
        if node.type == "simple_stmt" and _acts(node.children[0]):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """`pass` in its place."""
        statement = parso.parse("pass\n").children[0]
        statement.get_first_leaf().prefix = node.get_first_leaf().prefix
        return statement

    @classmethod
    def examples(cls) -> Iterable[Any]:
        """None: cosmic-ray's own tests do not run here."""
        return ()


class SwapName(Operator):
    """The other extreme, or the other quantifier, of a call."""

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        """Names that are called."""
        follows = node.get_next_leaf() if node.type == "name" else None
        if follows is not None and follows.value == "(" and node.value in _SWAPS:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """The other name."""
        return type(node)(_SWAPS[node.value], node.start_pos, node.prefix)

    @classmethod
    def examples(cls) -> Iterable[Any]:
        """None, as above."""
        return ()


class DropItem(Operator):
    """Leave out an item of a list or tuple that is shown as one item a line."""

    def mutation_positions(self, node: Any) -> Iterator[Place]:
        """Items that stand alone in their lines."""
        if node.type == "testlist_comp":
            for item in self._items(node):
                yield item.start_pos, item.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """The node without the item and its comma."""
        position = node.children.index(self._items(node)[index])
        del node.children[position : position + 2]
        return node

    def _items(self, node: Any) -> list[Any]:
        if len(node.children) < 3 or node.children[1].type != "operator":
            return []
        items = node.children[::2]
        lines = [item.start_pos[0] for item in items]
        return list(items) if len(set(lines)) == len(lines) else []

    @classmethod
    def examples(cls) -> Iterable[Any]:
        """None, as above."""
        return ()


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken module.

    Args:
        source: the whole module's text.
        function: where it is broken, dotted; "" at module level.
        lines: the lines that it touches, from 1.
        before, after: what those lines said and say, without indentation.
    """

    source: str
    function: str
    lines: range
    before: str
    after: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, each text once."""
    seen: set[str] = {source}
    for operator in _operators():
        for occurrence in range(_count(operator, get_ast(source))):
            made = _mutate(source, operator, occurrence)
            if made is not None and made.source not in seen:
                seen.add(made.source)
                yield made


def _operators() -> list[Operator]:
    names = (
        *(f"ReplaceComparisonOperator_{name}" for name in _COMPARISONS),
        *(f"ReplaceBinaryOperator_{name}" for name in _BINARY),
        *_OTHERS,
    )
    known = [get_operator(f"core/{name}")() for name in names]
    return [*known, DeleteStatement(), SwapName(), DropItem()]


def _count(operator: Operator, tree: Any) -> int:
    return sum(len(list(operator.mutation_positions(node))) for node in ast_nodes(tree))


def _mutate(source: str, operator: Operator, occurrence: int) -> Mutant | None:
    """The mutant of one occurrence; None where it is left alone or is no Python."""
    tree = get_ast(source)
    left = occurrence
    for node in list(ast_nodes(tree)):
        places = list(operator.mutation_positions(node))
        if left >= len(places):
            left -= len(places)
            continue
        if _left_alone(node):
            return None
        function = _function(node)
        (first, _), (last, _) = places[left]
        changed = operator.mutate(node, left)
        if changed is not node:
            siblings = node.parent.children
            siblings[siblings.index(node)] = changed
        text = tree.get_code()
        try:
            compile(text, "mutant", "exec")
        except (SyntaxError, ValueError):
            return None
        before, after = _changed(source, text)
        return Mutant(text, function, range(first, last + 1), before, after)
    return None


def _acts(statement: Any) -> bool:
    if statement.type == "raise_stmt":
        return True
    if statement.type == "expr_stmt":
        return statement.children[1].get_code().strip() in _AUGMENTED
    return statement.type in ("atom_expr", "power") and statement.children[-1].type == "trailer"


def _left_alone(node: Any) -> bool:
    child, parent = node, node.parent
    while parent is not None:
        kind = parent.type
        if kind == "parameters" and child is node:  # `*` or `/` between parameters
            return True
        if kind in ("decorator", "raise_stmt") or (
            kind == "funcdef" and child is parent.annotation
        ):
            return True
        # `name: annotation = value` of a variable, `name: annotation` of a parameter.
        if (
            kind in ("annassign", "tfpdef")
            and child is not parent.children[-1 if kind == "annassign" else 0]
        ):
            return True
        if kind == "annassign" and len(parent.children) == 2:
            return True
        if kind == "argument" and parent.children[0].get_code().strip() == "strict":
            return True
        child, parent = parent, parent.parent
    return False


def _function(node: Any) -> str:
    names = []
    while node is not None:
        if node.type in ("funcdef", "classdef"):
            names.append(node.name.value)
        node = node.parent
    return ".".join(reversed(names))


def _changed(source: str, text: str) -> tuple[str, str]:
    """The lines that differ, before and after, each on one line."""
    old, new = source.splitlines(), text.splitlines()
    first = _alike(old, new)
    last = _alike(old[first:][::-1], new[first:][::-1])
    parts = (lines[first : len(lines) - last] for lines in (old, new))
    before, after = (" ".join(" ".join(part).split()) for part in parts)
    return before, after


def _alike(lines: Sequence[str], others: Sequence[str]) -> int:
    """How many lines at the start are the same."""
    pairs = enumerate(zip(lines, others, strict=False))
    return next(
        (index for index, (line, other) in pairs if line != other), min(len(lines), len(others))
    )

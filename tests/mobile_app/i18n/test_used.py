"""Every string is used somewhere, and every string that is asked for is there; read off the source.

A screen's strings are asked for by their whole key, `text(language, "studies.delete")`, by what a helper of
the screen puts behind its prefix, `say("delete")`, or put together, f"studies.state.{state}".
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

import hemx_core
import mobile_app
from mobile_app.app import SCREENS
from mobile_app.i18n import LANGUAGES, STRINGS

APP, CORE = (Path(one.__file__).parent for one in (mobile_app, hemx_core))
PREFIXES = frozenset(key.partition(".")[0] for key in STRINGS)
ASKING = frozenset({"text", "tell", "say", "_say"})
OF_ERRORS = frozenset({"error", "remedy"})
"""Prefixes of what is told of an error, by the name of its class."""
NAMED_ELSEWHERE = {f"app.{name}" for name in SCREENS} | {f"settings.{code}" for code in LANGUAGES}
"""Labels of the navigation and of the languages: a helper's prefix and the names of a table."""


@dataclass(frozen=True)
class Module:
    """What a module says.

    Args:
        tree: its source.
        words: its string constants.
        patterns: its f-strings with a letter of their own, as regular expressions.
        prefixes: those that it puts before keys, or writes keys with.
        imports: modules that it imports from.
    """

    tree: ast.Module
    words: frozenset[str]
    patterns: tuple[str, ...]
    prefixes: frozenset[str]
    imports: frozenset[str] = field(default_factory=frozenset)


def _pattern(node: ast.JoinedStr) -> str:
    return "".join(
        re.escape(str(one.value)) if isinstance(one, ast.Constant) else "(.*)"
        for one in node.values
    )


def _own_letters(pattern: str) -> bool:
    return re.search("[a-z]{2}", pattern.replace("(.*)", "")) is not None


def read_module(source: str) -> Module:
    """Read a module's source."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    words = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    patterns = [_pattern(n) for n in nodes if isinstance(n, ast.JoinedStr)]
    starts = {re.sub(r"\\", "", one).partition(".")[0] for one in (*patterns, *words) if "." in one}
    return Module(
        tree=tree,
        words=frozenset(words),
        patterns=tuple(filter(_own_letters, patterns)),
        prefixes=PREFIXES & starts,
        imports=frozenset(n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module),
    )


@cache
def modules() -> dict[str, Module]:
    """The modules of the app, but for the tables themselves, and of the core."""
    tables = {path for path in (APP / "i18n").glob("*.py") if "STRINGS:" in path.read_text("utf-8")}
    return {
        ".".join(path.relative_to(APP.parent).with_suffix("").parts): read_module(
            path.read_text("utf-8")
        )
        for path in sorted((*APP.rglob("*.py"), *CORE.rglob("*.py")))
        if path not in tables
    }


@cache
def known_words() -> frozenset[str]:
    """What may stand for a key's variable part: string constants and keywords of the app and the core."""
    found = {one for module in modules().values() for one in module.words}
    for module in modules().values():
        found |= {n.arg for n in ast.walk(module.tree) if isinstance(n, ast.keyword) and n.arg}
    return frozenset(found)


@cache
def classes() -> frozenset[str]:
    """Names of all classes."""
    return frozenset(
        node.name
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    )


@cache
def layouts() -> str:
    """All layout files."""
    return "\n".join(path.read_text("utf-8") for path in APP.rglob("*.kv"))


@cache
def speaking(prefix: str) -> frozenset[str]:
    """Modules that may name the rest of a key: who uses the prefix, who imports those, what those import."""
    users = {
        name
        for name, one in modules().items()
        if prefix in one.prefixes and name.startswith("mobile_app.")
    }
    importers = {name for name, one in modules().items() if users & one.imports}
    imported = {name for user in users for name in modules()[user].imports}
    return frozenset((users | importers | imported) & modules().keys())


def used(key: str) -> bool:
    """Whether some module asks for a string."""
    prefix, _, rest = key.partition(".")
    if prefix in OF_ERRORS:
        return rest in classes()
    if f'"{key}"' in layouts() or any(key in module.words for module in modules().values()):
        return True
    near = [modules()[name] for name in speaking(prefix)]
    return any(rest in one.words or _put_together(key, rest, one) for one in near)


def _put_together(key: str, rest: str, module: Module) -> bool:
    for pattern in module.patterns:
        # A helper's own f"studies.{key}" says nothing of which keys there are.
        if pattern.removesuffix(r"\.(.*)") in PREFIXES:
            continue
        for told in (key, rest):
            found = re.fullmatch(pattern, told)
            if found and all(_may_stand(one) for one in found.groups()):
                return True
    return False


def _may_stand(part: str) -> bool:
    return not part or part.isdecimal() or part in known_words() or ("." in part and used(part))


def _helpers() -> dict[str, dict[str, str]]:
    """Of each module its functions that put a prefix before a key: name to prefix."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, module in modules().items():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef) and node.name in {"say", "_say"}:
                for one in ast.walk(node):
                    if isinstance(one, ast.JoinedStr) and len(one.values) == 2:
                        found[name][node.name] = str(getattr(one.values[0], "value", ""))
    return found


def asked() -> Iterator[tuple[str, str]]:
    """Module and key, or pattern of keys, of every string that is asked for by a constant."""
    helpers = _helpers()
    for name, module in modules().items():
        if not name.startswith("mobile_app."):
            continue
        own = {}
        for source in (*sorted(module.imports & helpers.keys()), name):
            own |= helpers.get(source, {})
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = 1 if called == "text" else 0
            if called not in ASKING or len(node.args) <= place:
                continue
            prefix = re.escape(own.get(called, ""))
            argument = node.args[place]
            choices = (
                [argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else [argument]
            )
            for one in choices:
                if isinstance(one, ast.Constant) and one.value:
                    yield name, prefix + re.escape(str(one.value))
                elif isinstance(one, ast.JoinedStr):
                    yield name, prefix + _pattern(one)


def test_every_string_is_used() -> None:
    assert [key for key in STRINGS if key not in NAMED_ELSEWHERE and not used(key)] == []


def test_every_string_that_is_asked_for_is_there_in_both_languages() -> None:
    keys = [key for key, pair in STRINGS.items() if len(pair) == 2]
    assert set(keys) >= NAMED_ELSEWHERE
    wanted = list(asked())
    assert len(wanted) > 200, "the search finds how strings are asked for"
    missing = [
        (module, pattern)
        for module, pattern in wanted
        if not any(re.fullmatch(pattern, key) for key in keys)
    ]
    assert missing == []


def test_an_unused_string_would_be_found() -> None:
    assert not used("studies.nobody_asks_for_this")
    assert not used("studies.state.no_such_state")
    assert used("studies.state.interrupted")
    assert not used("lock.jump_to"), "another screen's key of that name does not count"

"""The import graph of the whole tree, and the picture of it in docs/architecture.md.

    python -m tests.architecture.house            # what is wrong with the house or its page
    python -m tests.architecture.house --write    # draws picture and table anew

Every import is an arrow, wherever it stands: at the top of a module, inside a function, under
`TYPE_CHECKING`, or as a string that is a module's full name (a screen of the app, the main module of
a worker). The one door that is none: the command line loads by name the commands of packages that are
built on the core. What a package carries by itself (`hemx_core.__version__`, `__file__`) is no arrow: it is
there before any of the package's modules runs.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path("docs", "architecture.md")
PACKAGES = ("benchmarks", "export", "mobile_app", "hemx_core")

ONE_ROOM = {
    "hemx_core": "hemx_core.face",
    "hemx_core.__main__": "hemx_core.commands",
    "mobile_app": "mobile_app.app",
    "mobile_app.__main__": "mobile_app.app",
    "mobile_app.cli": "mobile_app.app",
    "mobile_app.frame": "mobile_app.app",
    "mobile_app.main": "mobile_app.app",
    "benchmarks": "benchmarks.cli",
    "benchmarks.__main__": "benchmarks.cli",
}
"""Top-level modules that live in the room of another one. Every other module that lies directly in its
package is a room of its own; those of `export` are the steps of one chain, and one room."""

ROOT_IMPORT = re.compile(rf"^\s*import ({'|'.join(PACKAGES)})\b(?!\.)", re.MULTILINE)

LOADS_COMMANDS = "hemx_core.commands.main"
"""Names in this module of what lies outside its package are plug-ins, not arrows."""

Graph = Mapping[str, set[str]]


class Arrow(NamedTuple):
    """One import; `kind` is `top`, `lazy`, `types` or `string`."""

    module: str
    imported: str
    kind: str


def modules(root: Path, packages: tuple[str, ...] = PACKAGES) -> dict[str, Path]:
    """Return every module of the packages below `root` by its dotted name."""
    found = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows(tree: Mapping[str, Path]) -> set[Arrow]:
    """Return every import of a module of `tree` by another."""
    found = set()
    for module, path in tree.items():
        text = path.read_text(encoding="utf-8")
        source = ast.parse(text)
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        ignored = _only_carried(source) if ROOT_IMPORT.search(text) else set()
        for name, kind in _imports(source, package):
            imported = name
            while imported and imported not in tree:
                imported = imported.rpartition(".")[0]
            exact = imported == name
            carried = name in ignored or (not exact and name.rpartition(".")[2].startswith("__"))
            if not imported or imported == module or carried:
                continue
            plug_in = module == LOADS_COMMANDS and _package(imported) != _package(module)
            if kind != "string" or (exact and not plug_in):
                found.add(Arrow(module, imported, kind))
    return found


def _imports(source: ast.Module, package: str) -> Iterator[tuple[str, str]]:
    """Yield the dotted names that a module imports, each with its kind."""
    waiting: list[tuple[ast.AST, str]] = [(source, "top")]
    while waiting:
        node, kind = waiting.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                kind = "lazy"
            case ast.If() if "TYPE_CHECKING" in ast.unparse(node.test):
                kind = "types"
            case ast.Import():
                yield from ((alias.name, kind) for alias in node.names)
            case ast.ImportFrom():
                parents = package.split(".")[: package.count(".") + 2 - node.level]
                base = [*(parents if node.level else []), *([node.module] if node.module else [])]
                yield from ((".".join([*base, alias.name]), kind) for alias in node.names)
            case ast.Constant(value=str(text)) if re.fullmatch(r"\w+(\.\w+)+", text):
                yield text, "string"
        waiting += [(child, kind) for child in ast.iter_child_nodes(node)]


def _only_carried(source: ast.Module) -> set[str]:
    """Return the packages that a module imports for `__version__` and the like alone."""
    used = defaultdict(set)
    local = {}
    for node in ast.walk(source):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used[node.value.id].add(node.attr)
        if isinstance(node, ast.Import):
            local |= {alias.asname or alias.name: alias.name for alias in node.names}
    return {
        package
        for name, package in local.items()
        if package in PACKAGES and all(attribute.startswith("__") for attribute in used[name])
    }


def rooms(tree: Mapping[str, Path]) -> dict[str, str]:
    """Return the room of every module."""
    result = {}
    for module, path in tree.items():
        name = ".".join(module.split(".")[:2])
        if module == "export" or (module == name and _package(name) == "export"):
            name = name if path.name == "__init__.py" and module != "export" else "export.steps"
        result[module] = ONE_ROOM.get(module, name)
    return result


def module_graph(found: set[Arrow]) -> Graph:
    """Return which module imports which."""
    result = defaultdict(set)
    for arrow in found:
        result[arrow.module].add(arrow.imported)
    return result


def room_graph(found: set[Arrow], room: Mapping[str, str]) -> Graph:
    """Return which room imports from which."""
    result = defaultdict(set)
    for arrow in found:
        start, end = room[arrow.module], room[arrow.imported]
        if start != end:
            result[start].add(end)
    return result


def reachable(graph: Graph, start: str) -> set[str]:
    """Return all that `start` leads to, itself only if it lies on a circle."""
    found: set[str] = set()
    waiting = list(graph.get(start, ()))
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(graph.get(node, ()))
    return found


def circles(graph: Graph) -> list[list[str]]:
    """Return every set of nodes that lead to each other."""
    leads = {node: reachable(graph, node) for node in graph}
    found = {
        tuple(sorted(end for end in ends if node in leads.get(end, ())))
        for node, ends in leads.items()
        if node in ends
    }
    return [list(circle) for circle in sorted(found)]


def without_implied(graph: Graph) -> set[tuple[str, str]]:
    """Return the arrows of a graph without circles that no longer way implies."""
    return {
        (start, end)
        for start, ends in graph.items()
        for end in ends
        if not any(end in reachable(graph, other) for other in ends - {end})
    }


def drawn(graph: Graph) -> set[tuple[str, str]]:
    """Return the arrows of the picture: within a package between rooms, else between packages."""
    inside = defaultdict(set)
    packages = defaultdict(set)
    for start, ends in graph.items():
        for end in ends:
            if _package(start) == _package(end):
                inside[start].add(end)
            else:
                packages[_package(start)].add(_package(end))
    between = {(start, end) for start, ends in packages.items() for end in ends}
    return without_implied(inside) | between


def _package(room: str) -> str:
    return room.partition(".")[0]


def picture(graph: Graph, names: set[str]) -> str:
    """Return the Mermaid block of the rooms and their arrows."""
    lines = ["```mermaid", "flowchart TB"]
    shown = sorted(drawn(graph))
    for package in PACKAGES:
        lines.append(f'  subgraph {package}["{package}"]')
        inside = sorted(name for name in names if _package(name) == package)
        lines += [f'    {name}["{name.partition(".")[2]}"]' for name in inside]
        lines += [f"    {start} --> {end}" for start, end in shown if start in inside]
        lines.append("  end")
    lines += [f"  {start} ==> {end}" for start, end in shown if start in PACKAGES]
    return "\n".join([*lines, "```"])


def arrows_of_picture(text: str) -> set[tuple[str, str]]:
    """Return the arrows that a Mermaid block draws; the inverse of `picture`."""
    return set(re.findall(r"^ +([\w.]+) [-=]+> ([\w.]+)$", text, flags=re.MULTILINE))


def table(tree: Mapping[str, Path], room: Mapping[str, str]) -> str:
    """Return a row for every room: what it holds, in the first words of its docstring."""
    named = {"hemx_core.face": "hemx_core", "export.steps": "export"}
    lines = ["| Room | What it holds |", "| --- | --- |"]
    for package in PACKAGES:
        for name in sorted({name for name in room.values() if _package(name) == package}):
            module = named.get(name, name)
            lines.append(f"| `{module.replace('.', '/')}` | {_summary(tree[module])} |")
    return "\n".join(lines)


def _summary(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split()).partition(". ")[0].rstrip(".:") + "."


def fill(page: str, name: str, block: str) -> str:
    """Return `page` with `block` between `<!-- house:NAME -->` and `<!-- /house -->`."""
    pattern = re.compile(rf"(<!-- house:{name} -->\n\n).*?(\n\n<!-- /house -->)", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"{PAGE} must hold one block house:{name}")
    return pattern.sub(lambda match: match[1] + block + match[2], page)


def redrawn(page: str, root: Path = ROOT) -> str:
    """Return the page with picture and table drawn from the code below `root`."""
    tree = modules(root)
    room = rooms(tree)
    graph = room_graph(arrows(tree), room)
    page = fill(page, "picture", picture(graph, set(room.values())))
    return fill(page, "table", table(tree, room))


def main() -> int:
    """Check the house and its page, or draw the page anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="draw the page anew")
    write = parser.parse_args().write
    tree = modules(ROOT)
    found = arrows(tree)
    room = rooms(tree)
    wrong = [f"circle of modules: {', '.join(circle)}" for circle in circles(module_graph(found))]
    wrong += [f"circle of rooms: {', '.join(c)}" for c in circles(room_graph(found, room))]
    page = ROOT / PAGE
    before = page.read_text(encoding="utf-8")
    if not wrong and redrawn(before) != before:
        if write:
            page.write_text(redrawn(before), encoding="utf-8")
        else:
            wrong.append(f"{PAGE} is not what the code is: run it again with --write")
    print("\n".join(wrong) or f"{len(tree)} modules, {len(set(room.values()))} rooms, no circle")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

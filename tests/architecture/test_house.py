"""The house is what docs/architecture.md shows: no circle, and every arrow in the picture."""

import configparser
from pathlib import Path

import pytest

from tests.architecture.house import (
    PACKAGES,
    PAGE,
    ROOT,
    Arrow,
    arrows,
    arrows_of_picture,
    circles,
    module_graph,
    modules,
    picture,
    reachable,
    redrawn,
    room_graph,
    rooms,
    without_implied,
)


@pytest.fixture(scope="module")
def tree() -> dict[str, Path]:
    return modules(ROOT)


@pytest.fixture(scope="module")
def found(tree: dict[str, Path]) -> set[Arrow]:
    return arrows(tree)


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / PAGE).read_text(encoding="utf-8")


def test_no_circle_of_modules(found: set[Arrow]) -> None:
    assert circles(module_graph(found)) == []


def test_no_circle_of_rooms(found: set[Arrow], tree: dict[str, Path]) -> None:
    assert circles(room_graph(found, rooms(tree))) == []


def test_every_arrow_is_in_the_picture(found: set[Arrow], tree: dict[str, Path], page: str) -> None:
    shown = arrows_of_picture(page)
    ways = module_graph({Arrow(start, end, "shown") for start, end in shown})
    missing = set()
    for start, ends in room_graph(found, rooms(tree)).items():
        for end in ends:
            package, other = start.partition(".")[0], end.partition(".")[0]
            inside = package == other and end in reachable(ways, start)
            if not inside and (package, other) not in shown:
                missing.add((start, end))
    assert missing == set(), "python -m tests.architecture.house --write"


def test_every_arrow_of_the_picture_is_an_import(
    found: set[Arrow], tree: dict[str, Path], page: str
) -> None:
    between = {
        (start, end) for start, ends in room_graph(found, rooms(tree)).items() for end in ends
    }
    between |= {(start.partition(".")[0], end.partition(".")[0]) for start, end in between}
    shown = arrows_of_picture(page)
    assert len(shown) > 50, "the picture is read"
    assert shown - between == set(), "python -m tests.architecture.house --write"


def test_picture_and_table_are_drawn_from_this_code(page: str) -> None:
    assert redrawn(page) == page, "python -m tests.architecture.house --write"


def test_packages_lie_as_the_design_has_them(found: set[Arrow]) -> None:
    between = {(a.module.partition(".")[0], a.imported.partition(".")[0]) for a in found}
    assert {(start, end) for start, end in between if start != end} == {
        ("benchmarks", "export"),
        ("benchmarks", "mobile_app"),
        ("benchmarks", "hemx_core"),
        ("export", "hemx_core"),
        ("mobile_app", "hemx_core"),
    }


def layers() -> list[list[list[str]]]:
    """Return the layers of every contract of that type, highest first, siblings together."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    return [
        [
            line.replace("|", " ").replace(":", " ").split()
            for line in contracts[name]["layers"].split("\n")
        ]
        for name in contracts.sections()
        if contracts[name].get("type") == "layers"
    ]


def test_the_layers_of_importlinter_agree(found: set[Arrow], tree: dict[str, Path]) -> None:
    """No way leads from a layer to a higher one or to a sibling of its own layer."""
    graph = room_graph(found, rooms(tree))
    wrong = []
    for contract in layers():
        height = {name: at for at, layer in enumerate(contract) for name in layer}
        assert set(height) <= set(tree), "a layer names a module that is not there"
        wrong += [
            (start, end)
            for start, ends in graph.items()
            for end in ends
            if start in height and end in height and height[start] >= height[end]
        ]
    assert wrong == []


@pytest.mark.parametrize("package", ["hemx_core", "mobile_app"])
def test_every_room_has_a_layer(package: str, tree: dict[str, Path]) -> None:
    named = {name for contract in layers() for layer in contract for name in layer}
    found = {name for name in rooms(tree).values() if name.startswith(f"{package}.")}
    assert found - named - {"hemx_core.face"} == set()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    sources = {
        "hemx_core/__init__.py": "__version__ = '1'\nif TYPE_CHECKING:\n    from .low import a\n",
        "hemx_core/low.py": "import hemx_core\nprint(hemx_core.__version__)\n",
        "hemx_core/high.py": "def f():\n    from hemx_core import low\n    import torch\n",
        "hemx_core/part/__init__.py": "from ..high import f\n",
        "hemx_core/part/first.py": "from . import second\nSCREEN = 'hemx_core.high'\n",
        "hemx_core/part/second.py": "from hemx_core import __version__\n",
        "hemx_core/commands/main.py": "C = 'mobile_app.user', 'hemx_core.part'\nx = 'hemx_core.part.x'\n",
        "mobile_app/__init__.py": "",
        "mobile_app/user.py": "import hemx_core as hemx\nhemx.triage()\n",
    }
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_every_kind_of_import_is_an_arrow(small: Path) -> None:
    assert arrows(modules(small)) == {
        Arrow("hemx_core", "hemx_core.low", "types"),
        Arrow("hemx_core.high", "hemx_core.low", "lazy"),
        Arrow("hemx_core.part", "hemx_core.high", "top"),
        Arrow("hemx_core.part.first", "hemx_core.part.second", "top"),
        Arrow("hemx_core.part.first", "hemx_core.high", "string"),
        Arrow("hemx_core.commands.main", "hemx_core.part", "string"),
        Arrow("mobile_app.user", "hemx_core", "top"),
    }


def test_a_lazy_import_closes_a_circle(small: Path) -> None:
    assert circles(module_graph(arrows(modules(small)))) == []
    (small / "hemx_core" / "low.py").write_text("def f():\n    import hemx_core.part.first\n")
    found = module_graph(arrows(modules(small)))
    assert circles(found) == [["hemx_core.high", "hemx_core.low", "hemx_core.part.first"]]


def test_an_implied_arrow_is_not_drawn() -> None:
    graph = {"a": {"b", "c"}, "b": {"c"}}
    assert without_implied(graph) == {("a", "b"), ("b", "c")}


def test_the_picture_is_read_back() -> None:
    graph = {"hemx_core.a": {"hemx_core.b"}, "export.steps": {"hemx_core.a"}}
    text = picture(graph, {"hemx_core.a", "hemx_core.b", "export.steps"})
    assert arrows_of_picture(text) == {("hemx_core.a", "hemx_core.b"), ("export", "hemx_core")}
    assert all(f"subgraph {package}" in text for package in PACKAGES)

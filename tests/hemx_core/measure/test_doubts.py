"""What a warning does to an answer."""

import ast
from pathlib import Path

import hemx_core
import mobile_app
from hemx_core.measure.doubts import DOUBTS, Doubt, doubt, in_doubt
from hemx_core.notes import Note, Severity
from hemx_core.words import is_code

ROOTS = [Path(package.__file__ or "").parent for package in (hemx_core, mobile_app)]


def _warnings() -> set[str]:
    """The codes that the source gives the severity of a warning by name."""
    found = set()
    for path in (path for root in ROOTS for path in root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            code, severity = node.args[:2]
            graver = {each.attr for each in ast.walk(severity) if isinstance(each, ast.Attribute)}
            if "WARNING" in graver and isinstance(code, ast.Constant):
                found.add(str(code.value))
    return found


def test_every_warning_says_what_it_puts_in_doubt() -> None:
    assert len(_warnings()) > 5
    assert _warnings() <= set(DOUBTS)


def test_there_is_no_doubt_about_what_is_never_told() -> None:
    assert [code for code in DOUBTS if not is_code(code)] == []


def test_only_warnings_doubt_and_unknown_ones_doubt_the_pictures() -> None:
    assert doubt(Note("contrast", Severity.CAUTION)) is Doubt.NONE
    assert doubt(Note("contrast", Severity.WARNING)) is Doubt.PICTURE
    assert doubt(Note("of_tomorrow", Severity.WARNING)) is Doubt.PICTURE


def test_doubts_add_up() -> None:
    notes = [Note("unreadable_slices", Severity.WARNING), Note("clipped_hu", Severity.CAUTION)]
    assert in_doubt(notes) == Doubt.PICTURE | Doubt.LOWER_BOUND
    assert in_doubt([]) is Doubt.NONE

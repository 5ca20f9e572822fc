import ast
from pathlib import Path
from string import Formatter

import pytest

import hemx_core
from hemx_core.errors import InputError
from hemx_core.imaging.volume import Note
from hemx_core.markers import MARKERS
from hemx_core.measure.expansion import DEFINITIONS, Answer
from hemx_core.measure.signs import SIGNS
from hemx_core.report.page import advances
from hemx_core.result import Recommendation
from hemx_core.words.report import NOTES_JA, TEXTS, Texts

CORE = Path(hemx_core.__file__).parent
WITH_NOTES = ("*.py", "imaging/*.py", "measure/*.py")


def fields(text: str) -> set[str]:
    return {name.split(".")[0] for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_placeholders() -> None:
    assert [key for key, (en, ja) in TEXTS.items() if fields(en) != fields(ja)] == []


def test_what_is_named_by_code_has_a_string() -> None:
    codes = {one.value for one in (*Recommendation, *Answer)} | {one.code for one in DEFINITIONS}
    assert codes - set(TEXTS) == set()
    for language in ("en", "ja"):
        assert all(Texts(language).sign(code) for code in SIGNS)


def test_the_font_has_every_character() -> None:
    assert "\u2265" not in advances(), "the check must find what is missing"
    strings = [text for pair in TEXTS.values() for text in pair]
    strings += [*NOTES_JA.values(), *(one.name_en + one.name_ja for one in MARKERS)]
    used = {character for text in strings for character in text if not character.isspace()}
    assert sorted(used - set(advances())) == []


def _codes(path: Path) -> set[str]:
    """Codes of notes made in a module: `Note("code", …)`, and rows (condition, "code", message)."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Note":
            found |= {one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)}
        if isinstance(node, ast.Tuple) and len(node.elts) == 3 and "notes" in path.read_text():
            second = node.elts[1]
            if isinstance(second, ast.Constant) and isinstance(second.value, str):
                found.add(second.value)
    return {one for one in found if one.replace("_", "").isalnum() and one.islower()}


def test_every_note_has_a_japanese_sentence() -> None:
    codes = set()
    for pattern in WITH_NOTES:
        for path in CORE.glob(pattern):
            codes |= _codes(path)
    codes |= {"contrast", "derived_images"}  # chosen by a condition in the reader
    assert {"missing_slices", "tiny_haematoma", "long_interval"} <= codes
    assert sorted(codes - set(NOTES_JA) - {"coronal"}) == []


def test_an_unknown_note_keeps_its_message() -> None:
    note = Note("new_one", "A new warning.")
    assert Texts("ja").note(note) == Texts("en").note(note) == "A new warning."
    assert Texts("ja").note(Note("gantry_tilt", "x")) == NOTES_JA["gantry_tilt"]


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputError, match="en or ja"):
        Texts("fr")

from string import Formatter

from hemx_core.measure.expansion import DEFINITIONS, Answer
from hemx_core.measure.signs import SIGNS
from hemx_core.report.fonts import advances
from hemx_core.result import Recommendation
from hemx_core.words import english, japanese
from hemx_core.words.report import TEXTS, Texts


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
    for table in (english, japanese):
        strings += [*table.SENTENCES.values(), *table.SEVERITIES.values()]
        strings += table.ERRORS.values()
    used = {character for text in strings for character in text if not character.isspace()}
    assert sorted(used - set(advances())) == []

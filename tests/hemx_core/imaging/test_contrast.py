"""Words for contrast medium in any language."""

from __future__ import annotations

import time

import pytest

from hemx_core.imaging import contrast_words
from hemx_core.imaging.contrast import (
    Said,
    fold,
    is_bare,
    read_agent,
    read_route,
    read_words,
    says_contrast,
)
from tests.hemx_core.imaging.contrast_phrases import CONTRAST, NEUTRAL, PLAIN, UNSURE, lines

TABLE = (
    (PLAIN, Said.NOT_GIVEN, 450),
    (CONTRAST, Said.GIVEN, 550),
    (NEUTRAL, Said.NOTHING, 240),
    (UNSURE, Said.UNSURE, 12),
)


@pytest.mark.parametrize(
    ("phrases", "said", "least"), TABLE, ids=[one.value for _, one, _ in TABLE]
)
def test_what_a_description_says(phrases: str, said: Said, least: int) -> None:
    assert len(set(lines(phrases))) >= least
    wrong = {one: read_words(one).value for one in lines(phrases) if read_words(one) is not said}
    assert wrong == {}


@pytest.mark.parametrize("phrases", [CONTRAST, PLAIN])
def test_case_width_and_underscores_do_not_matter(phrases: str) -> None:
    wide = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
    for one in lines(phrases):
        # Turkish has a dotless i, and letters of two cases may part words ("HeadWO").
        for other in (one.lower(), one.replace(" ", "_"), f"  {one} ", one.translate(wide)):
            assert read_words(other) is read_words(one), other


def test_accents_do_not_matter() -> None:
    assert fold("Crâne  SANS_Injecté ＣＴ") == "crane sans injecte ct"
    assert fold("m.d.c. / i. v. / 5.0") == "mdc / iv / 5.0"
    assert fold("が ばば ガ") == "が ばば ガ"
    assert fold("頭部CTA ISOVUE300 C2 5mm HeadPost") == "頭部 cta isovue 300 c2 5mm head post"


def test_a_word_in_the_middle_of_another_one_is_none() -> None:
    for one in ("Cowan", "Brand", "Venture", "Artisan", "Portland", "Kmart", "Cecil", "Plaintive"):
        assert read_words(one) is Said.NOTHING, one


def test_says_contrast_is_only_what_is_sure() -> None:
    assert says_contrast("CTA Head")
    assert not says_contrast("with or without contrast")


def test_a_bare_word_leaves_open_of_what() -> None:
    assert all(map(is_bare, ("HEAD POST", "HEAD POST 5.0", "BRAIN WITH", "HEAD W", "Kopf mit")))
    assert not any(
        map(is_bare, ("POST CONTRAST", "HEAD W/WO", "CTA", "HEAD 5.0", "VNC", "POST OP"))
    )


NOT_GIVEN_AGENTS = """
keine|SIN CONTRASTE|NON|0 ML|なし|NOT GIVEN|NONE|No|None given: without contrast|N|0|0.0|NIL|N/A
(NONE)|OFF|not administered|nicht gegeben|kein Kontrastmittel|ohne|sans|SANS INJECTION|senza|nessuno
ninguno|nenhum|geen|brak|žádná|ingen|ei|nincs|fără|yok|όχι|нет|без контраста|не вводился|немає|无|無
没有|未使用|없음|사용안함|لا|بدون|אין|ללא|नहीं|ไม่มี|không|tidak ada|No contrast|W/O|PLAIN|nativ|0 cc|NaCl
none / none|NO ADMINISTRADO|aucun produit|造影剤なし|造影なし|NO IV CONTRAST|Non contrast|0ML/0ML
"""
SILENT_AGENTS = """
|UNKNOWN|unbekannt|?|不明|Inconnu|desconocido|Oral contrast|ORAL|Gastrografin oral|...|-|XXX|anonymized
UNSPECIFIED|per os|Oral 500 ml
"""
AGENTS = """
ISOVUE300/100|Omnipaque 350|KM|CONTRAST|IV|Y|YES|APPLIED|CE|80|Iohexol|造影剤|100 ML|Iodinated|ORAL & IV
Oral and Isovue|C+|с контрастом|IOMERON 400 80 ML|contrast agent|Visi 320|OMNI|iv kontrast|an agent|350
Contrast 300|KONTRASTMITTEL|HEXABRIX|Unknown agent IV|Ultravist 0.5 ml/kg|10 ml|0.5 ml
"""


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        (NOT_GIVEN_AGENTS, Said.NOT_GIVEN),
        (SILENT_AGENTS, Said.NOTHING),
        (AGENTS, Said.GIVEN),
    ],
)
def test_what_an_agent_says(agents: str, said: Said) -> None:
    named = agents.strip("\n").replace("\n", "|").split("|")
    assert {one: read_agent(one).value for one in named if read_agent(one) is not said} == {}


def test_routes_that_lead_to_the_head() -> None:
    assert read_route("Intravenous route")
    assert read_route("IV")
    assert not read_route("ORAL")
    assert not read_route("")
    assert not read_route("none")


@pytest.mark.parametrize(
    "text",
    [
        "no " * 90,
        "de " * 90 + "x",
        "oral " * 60 + "x",
        "1" * 999,
        "c" * 256,
        "contrast " * 30,
        "造影剤" * 99,
        "thuoc " * 60,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    read_words("warm up +"), read_agent("warm up")
    start = time.process_time()
    read_words(text), read_agent(text)
    assert time.process_time() - start < 0.3


def test_lists_are_written_as_their_page_says() -> None:
    lists = {name: value for name, value in vars(contrast_words).items() if name.isupper()}
    assert len(lists) > 10
    for name, value in lists.items():
        texts = value.values() if isinstance(value, dict) else [value]
        for entry in (entry.strip() for text in texts for entry in text.split("|")):
            assert entry, f"{name}: an empty entry"
            assert entry == entry.lower(), (name, entry)

"""Whether contrast medium was given: what the words and the tags of a header say.

Words are hints. `read_words` reads them in any language with the lists of
`hemx_core.imaging.contrast_words`; what the picture shows is told by
`hemx_core.imaging.contrast_picture`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import cache, lru_cache

from hemx_core.imaging import contrast_words as words


class Said(StrEnum):
    """What a text says of contrast medium."""

    GIVEN = "given"
    NOT_GIVEN = "not_given"
    UNSURE = "unsure"
    """It may mean contrast or something else."""
    NOTHING = "nothing"


_SEP = r"[\W_]{0,3}"
_LONGEST = 256
"""Signs that are read: DICOM allows 64, files hold more."""
_CUT = " ; "
"""Stands for what was taken out: no phrase reaches across it."""
_UNSPACED = 0x0590
"""From Hebrew on, letters are joined to words without a blank, or carry prefixes."""
_BORDER = re.compile(
    "(?<=[a-zß-\u058f])(?=[\u0590-\uffff])|(?<=[\u0590-\uffff])(?=[a-zß-\u058f])"
    r"|(?<=[^\W\d_]{3})(?=\d)|(?<=\d)(?=[^\W\d_]{3})"
)
"""Where a word ends without a blank: "頭部CTA", "ISOVUE300"; "C2" and "5mm" are one."""
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "−": "-", "–": "-"}
    | {"—": "-", "‐": "-", "‑": "-", "±": "+/-", "_": " ", "\\": "/"}
)


def fold(text: str) -> str:
    """One way of writing: lower case, half width, no accents, "i.v." as "iv", single blanks."""
    text = unicodedata.normalize("NFKC", text[:_LONGEST])
    # "HeadWithoutContrast" is parted; "MdC" is not.
    text = re.sub(r"(?<=[a-zà-ÿ]{3})(?=[A-ZÀ-Þ][a-zà-ÿ]{2})", " ", text)
    text = text.casefold().translate(_LETTERS)
    parts = unicodedata.normalize("NFD", text)
    text = unicodedata.normalize("NFC", "".join(char for char in parts if not _is_accent(char)))
    text = re.sub(
        r"(?<![\w.])(?:[^\W\d_]\. ?)+[^\W\d_](?!\w)\.?",
        lambda dotted: re.sub(r"[. ]", "", dotted[0]),
        text,
    )
    return " ".join(_BORDER.sub(" ", text).split())


def _is_accent(char: str) -> bool:
    """Marks of Latin, Greek, Cyrillic, Hebrew and Arabic; those of other scripts are letters."""
    return (
        "\u0300" <= char <= "\u036f"
        or "\u0591" <= char <= "\u05c7"
        or "\u064b" <= char <= "\u0655"
        or char in "\u200b\u200c\u200d\u200e\u200f\u0640\ufeff"
    )


def _entry(entry: str) -> str:
    """The pattern of one entry of a list, without its borders."""
    signs = fold(entry.replace("*", "\0")).replace("\0", "*")
    kinds = {"*": r"\w*", " ": r"[\W_]{0,2}"}
    return "".join(kinds.get(sign) or re.escape(sign) for sign in signs)


def _any(*lists: str | Mapping[str, str]) -> str:
    """The pattern of any entry of some lists; of two that begin alike, the longer one."""
    texts = [text for one in lists for text in ([one] if isinstance(one, str) else one.values())]
    entries = {entry.strip() for text in texts for entry in text.split("|")} - {""}
    groups: dict[str, list[str]] = {}
    for entry in sorted(entries, key=lambda one: (-len(one), one)):
        inside = entry.startswith("*") or ord(max(entry)) >= _UNSPACED
        begins = "%s" if inside else r"\b%s" if entry.endswith("*") else r"\b%s\b"
        groups.setdefault(begins, []).append(_entry(entry))
    alternatives = (group % f"(?:{'|'.join(found)})" for group, found in groups.items())
    return f"(?:{'|'.join(alternatives)})"


_SHORT = r"(?:c|k|ce|km|kl|cm|iv|mdc|pdc|civ|inj|kontrast|contrast|造影剤?|조영제?|ку)"
"""What a sign is set to: "C+", "-KM"."""
_NOT_A_SPINE = r"(?![\W_]{0,2}(?:spine|sp(?!\w)|arm(?!\w)|t(?!\w)|\d))"
_PLUS = (
    rf"(?<!\w){_SHORT} ?[(\[]?\+(?!\W?-)\)?(?!\d)|(?<!\w){_SHORT} ?\( ?\+ ?\)"
    rf"|(?<![\w/])\+ ?\(?{_SHORT}(?!\w){_NOT_A_SPINE}|\(\+ ?\)"
    r"|(?:造影|조영|増強|增强)剤? ?\(?\+\)?"
    r"|(?<!\w)(?:c|km|iv|k) ?(?:pos|plus|ja|yes|oui|si|tak|ano|da|1)(?!\w)"
)
_MINUS = (
    rf"(?<!\w){_SHORT} ?\( ?- ?\)|(?<!\w){_SHORT}-(?=\W|$)(?! ?\+)|\( ?- ?\)|\(- ?{_SHORT}\)"
    rf"|(?<!\w)(?:i-(?=\W|$)|{_SHORT} -$)"
    rf"|(?<![\w)])-(?:{_SHORT}|(?:contrast|kontrast)\w*)(?!\w){_NOT_A_SPINE}"
    r"|(?:造影|조영|増強|增强)[剤剂제]? ?[(\[]? ?- ?[)\]]?"
    r"|(?:contrast\w*|kontrast\w*|km|mdc) ?[:=] ?-"
)
_AMOUNT = r"(?<![\d.,])(?!0+(?:[.,]0*)?\s*(?:ml|cc))\d+(?:[.,]\d+)? ?(?:ml|cc)(?![^\W\d_])"
_NO_AMOUNT = r"(?<![\d.,])0+(?:[.,]0*)? ?(?:ml|cc|mg|g)(?![^\W\d_])(?: ?/ ?s\w*)?"
_LATER = r"(?:h|hs|hr|hrs|hours?|std|stunden|heures?|ore|horas?|days?|tage?|weeks?|months?)(?!\w)"
_WITHOUT_AND_WITH = (
    r"(?<!\w)w(?:ith)? ?(?:w ?/? ?o|without)(?!\w)|(?<!\w)(?:w ?/? ?o|without) w(?:ith)?(?!\w)"
    r"|(?<!\w)(?:c|km|k)- ?[/&,]? ?(?:(?:c|km|k) ?\+|\+ ?(?:c|km|k)(?!\w))"
    r"|(?<!\w)pre ?/? ?post(?!\w)|前後|前后|전후"
)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """All patterns, compiled when the first text is read that needs them."""
    with_, without = _any(words.WITH), _any(words.WITHOUT)
    series = _any(words.SERIES_WORDS)
    and_ = rf"(?:{_SEP}{_any(words.AND)}{_SEP}|[\W_]{{0,2}}[&+,/][\W_]{{0,2}})"
    or_ = rf"{_SEP}{_any(words.OR)}{_SEP}"
    pre, post = r"\bpre\b", r"\bpost\b"
    planes = _any("cor | coronal | sag | sagittal | ax | axial")
    texts = {
        "harmless": _any(words.HARMLESS),
        "virtual": _any(words.VIRTUAL),
        "either": rf"{with_}{or_}{without}|{without}{or_}{with_}|\+ ?/ ?-",
        "both": rf"{with_}{and_}{without}|{without}{and_}{with_}"
        rf"|{pre}{and_}{post}|{post}{and_}{pre}|{_WITHOUT_AND_WITH}",
        # "POST 24 H" and "CONTRAST 40/80" (a display window) are not what they look like.
        "doubtful": rf"(?:{post}|(?<!\w)delay\w*)[\W_]*\d+ ?{_LATER}|contrast ?\d+ ?/ ?\d+"
        rf"|\d+ ?{_LATER}[\W_]*(?:post|delay\w*)(?!\w)",
        "not_given": _not_given(),
        "given": rf"{_any(words.ALONE)}|{_PLUS}|{_AMOUNT}|^iv$|{with_}{_SEP}iv(?!\w)",
        # "W 80 L 40" is a display window, "W/ COR" may be a reformat.
        "bare": rf"{_any(words.BARE_WITH)}[\W_]*$|(?<!\w)w(?!\w)(?![/\W]*(?:\d+|l)(?: ?[/l]|$))(?! ?/)"
        rf"(?=[\W_]+(?:\d|{series}))"
        rf"|{post}(?:[\W_]*$|(?=[\W_]*(?:\d+(?:[.,]\d+)? ?(?:mm|min|s|sec|m)?(?![^\W\d_])|{series}|;)))",
        "maybe": rf"{post}|{_any(words.MAYBE)}{_NOT_A_SPINE}|(?<!\w)(?:w|with)(?!\w) ?/? ?{planes}",
    }
    return {name: re.compile(text) for name, text in texts.items()}


def _not_given() -> str:
    """The pattern of all that says "no contrast": before and after its name, or by itself."""
    medium, filler = _any(words.MEDIUM), _any(words.FILLERS)
    without, strong = _any(words.WITHOUT), _any(words.STRONG)
    with_, series = _any(words.WITH), _any(words.SERIES_WORDS)
    more = rf"(?:{_SEP}(?:{medium}|{filler})){{0,5}}"
    # "contrast non-ionic" and "contrast 0.5 mm" do not say that none was given.
    after = rf"{_any(words.AFTER)}(?!\W{{0,2}}ioni)(?![.,]?\d)"
    return "|".join(
        (
            rf"(?:{without}|\bpre\b){_SEP}(?:{filler}{_SEP}){{0,5}}{medium}{more}",
            rf"{strong}(?: (?!{with_}|(?:pre|post)(?!\w))[^\W\d_]+){{0,2}} {medium}{more}",
            rf"{medium}(?:{_SEP}(?:{filler}|{medium})){{0,2}}{_SEP}{after}",
            rf"(?<!\w)(?:w ?[-/]? ?o|w ?/? ?out|without)(?=[\W_]*(?:$|\d|{series}))",
            rf"{strong}(?:{_SEP}iv(?!\w)|[\W_]*$)",
            _any(words.PLAIN),
            _MINUS,
            rf"{_NO_AMOUNT}(?:{_SEP}{medium})?|(?<![\w.,])0 {medium}",
        )
    )


@cache
def _quiet_words() -> frozenset[str]:
    return frozenset(words.QUIET.replace("|", " ").split())


def _quiet(folded: str) -> bool:
    """Whether nothing can be said of contrast: spares most series the patterns."""
    return not set("+-(") & set(folded) and _quiet_words().issuperset(
        re.findall(r"[^\W\d_]+", folded)
    )


@lru_cache(maxsize=1024)
def read_words(text: str) -> Said:
    """What a description says of contrast medium, in any language of the lists.

    "Without and with contrast" is contrast; "with or without" is unsure; so is what may mean
    something else, such as a bare "IV".

    Args:
        text: a series' description, or another free text.
    """
    folded = fold(text)
    if _quiet(folded):
        return Said.NOTHING
    found = _patterns()
    if found["virtual"].search(folded):
        return Said.GIVEN
    folded = found["harmless"].sub(_CUT, folded)
    if found["either"].search(folded):
        return Said.UNSURE
    if found["both"].search(folded):
        return Said.GIVEN
    folded, doubtful = found["doubtful"].subn(_CUT, folded)
    rest, plain = found["not_given"].subn(_CUT, folded)
    if found["given"].search(rest) or found["bare"].search(rest):
        return Said.GIVEN
    if plain:
        return Said.NOT_GIVEN
    return Said.UNSURE if doubtful or found["maybe"].search(rest) else Said.NOTHING


def says_contrast(text: str) -> bool:
    """Whether a description says that contrast medium was given."""
    return read_words(text) is Said.GIVEN


def is_bare(text: str) -> bool:
    """Whether it only says so by a word that leaves out of what: "HEAD POST", "BRAIN WITH"."""
    if not says_contrast(text):
        return False
    found = _patterns()
    rest = found["harmless"].sub(_CUT, fold(text))
    return not any(found[name].search(rest) for name in ("virtual", "both", "given"))


@cache
def _agent_patterns() -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    """For each meaning: a word that it needs, and all that may stand in such a text."""
    around = rf"{_any(words.FILLERS, words.MEDIUM)}|[\W_\d]+|\b(?:only|nur|seul\w*|solo|ml|cc)\b"
    swallowed = _any(words.ORAL)
    texts = {
        "none": (rf"{_any(words.NONE)}", rf"{_any(words.NONE, words.NONE_GIVEN)}|{around}"),
        "zero": (r"0", r"\b(?:ml|cc|mg|g|l|s|sec|i|mgi)\b|0+(?:[.,]0*)?(?![\d.,])|[\W_]+"),
        "swallowed": (swallowed, rf"{swallowed}|{around}"),
        "unknown": (r"", rf"{_any(words.UNKNOWN)}|[\W_]+"),
    }
    return {name: (re.compile(one), re.compile(rest)) for name, (one, rest) in texts.items()}


@lru_cache(maxsize=1024)
def read_agent(text: str) -> Said:
    """What the text of an agent's tag says: any text names one, unless it says that none was given.

    "keine", "0 ML", "without contrast" were not given; "UNKNOWN" and contrast medium that was
    swallowed say nothing.
    """
    folded = fold(text)
    meant = {
        name
        for name, (needed, all_) in _agent_patterns().items()
        if needed.search(folded) and not all_.sub("", folded)
    }
    if "unknown" in meant or ("swallowed" in meant and not _IN_THE_VEIN.search(folded)):
        return Said.NOTHING
    if meant & {"none", "zero"} or read_words(text) is Said.NOT_GIVEN:
        return Said.NOT_GIVEN
    return Said.GIVEN


_IN_THE_VEIN = re.compile(r"\b(?:[ie]v|(?:intra|endo)v\w*)\b")


def read_route(text: str) -> bool:
    """Whether a route leads to the head: not by mouth, not "none"."""
    return read_agent(text) is Said.GIVEN

"""Two person names compared: as people type, shorten, romanise and marry; and stand-ins that name nobody.

A DICOM name has up to three groups, alphabetic=ideographic=phonetic (PS3.5 6.2.1.2), but many systems put
any script into any group: groups are compared by the script that they are written in.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from enum import IntEnum
from functools import lru_cache
from itertools import permutations

from hemx_core.imaging.folding import fold

HONORIFICS = frozenset(
    {
        "様",
        "さま",
        "殿",
        "氏",
        "君",
        "先生",
        "さん",
        "mr",
        "mrs",
        "ms",
        "miss",
        "dr",
        "prof",
        "herr",
        "frau",
    }
)
_STAND_IN_WORDS = frozenset(
    map(
        fold,
        (
            *("anonymous", "anon", "anonym", "anonyme", "anonymus", "anonymized", "anonymised"),
            *("anonimo", "anonimizado", "anonimizzato", "unknown", "unk", "unnamed", "noname"),
            *("unidentified", "unspecified", "undefined", "test", "tester", "testpatient", "dummy"),
            *("removed", "deleted", "redacted", "deidentified", "unbekannt", "namenlos", "inconnu"),
            *(
                "desconocido",
                "desconhecido",
                "sconosciuto",
                "ismeretlen",
                "неизвестный",
                "неизвестно",
            ),
            *(
                "аноним",
                "匿名",
                "匿名化",
                "匿名希望",
                "不明",
                "氏名不明",
                "氏名不詳",
                "不詳",
                "身元不明",
            ),
            *(
                "名無し",
                "名前なし",
                "無名",
                "テスト",
                "无名",
                "無名氏",
                "无名氏",
                "未知",
                "测试",
                "測試",
            ),
            *("익명", "미상", "불명", "무명", "테스트"),
        ),
    )
)
"""A name or an ID with such a word names nobody."""
_STAND_INS = _STAND_IN_WORDS | set(
    map(
        fold,
        (
            *(
                "na",
                "nil",
                "none",
                "null",
                "noid",
                "name",
                "patient",
                "private",
                "hidden",
                "sample",
            ),
            *(
                "deid",
                "phantom",
                "notavailable",
                "nopatient",
                "なし",
                "無し",
                "ナシ",
                "无",
                "無",
                "없음",
            ),
        ),
    )
)
"""One that is nothing else does not either; as a part some of these are names."""


_MOST_REPEATED = 3


class Likeness(IntEnum):
    """How alike two names are, the least first."""

    DIFFERENT = 0
    SHARED = 1
    """They share a part: a family, or one person before and after marriage."""
    NEAR = 2
    """One letter apart, or alike by sound but in other characters."""
    ALIKE = 3
    """A part is missing or an initial."""
    SAME = 4
    """But for case, accents, width, order, blanks and usual ways to romanise."""


@lru_cache(maxsize=4096)
def names_somebody(value: str) -> bool:
    """Whether a name or an ID is one: not empty, no stand-in, not one sign repeated."""
    words = [word for word in _words(value) if word not in HONORIFICS]
    joined = "".join(words)
    repeated = set(joined) in ({"0"}, {"x"}) or len(set(joined)) == 1 < _MOST_REPEATED < len(joined)
    stands_in = joined in _STAND_INS or any(word in _STAND_IN_WORDS for word in words)
    return bool(joined) and not repeated and not stands_in


def likeness(one: str, other: str) -> Likeness | None:
    """How alike two names are; None where either names nobody, or they share no script."""
    groups, others = _groups(one), _groups(other)
    by_script = {
        script: _compare(groups[script], others[script]) for script in groups if script in others
    }
    if not by_script:
        return None
    if "han" in by_script:
        sounds = [alike for script, alike in by_script.items() if script != "han"]
        return _by_characters(by_script["han"], max(sounds, default=Likeness.DIFFERENT))
    return max(by_script.values())


def _by_characters(written: Likeness, sounded: Likeness) -> Likeness:
    """Chinese characters tell homonyms apart; where only they differ, they may be a form unknown here."""
    if written is Likeness.SAME:
        return Likeness.SAME
    return max(written, min(sounded, Likeness.NEAR))


@lru_cache(maxsize=4096)
def _groups(name: str) -> dict[str, tuple[str, ...]]:
    """Words of each group by its script, without honorifics; none of a group that names nobody."""
    groups: dict[str, tuple[str, ...]] = {}
    for group in name.split("="):
        if names_somebody(group):
            words = tuple(word for word in _words(group) if word not in HONORIFICS)
            groups.setdefault(_script("".join(words)), words)
    return groups


def _words(text: str) -> list[str]:
    """Folded words; an apostrophe parts none, and 様 behind a name goes."""
    plain = re.sub(r"['’`´]", "", fold(text))
    found = re.findall(r"(?:[^\W_]|[\u3099\u309a])+", plain)
    return [re.sub(r"(?<=.)(?:様|さま|殿)$", "", word) for word in found]


def _script(letters: str) -> str:
    """The script of folded letters: Chinese characters among kana make Japanese writing."""
    scripts = {unicodedata.name(letter, "?").split()[0] for letter in letters if letter.isalpha()}
    if "CJK" in scripts:
        return "han"
    return min(scripts, default="digits").lower()


def _compare(one: tuple[str, ...], other: tuple[str, ...]) -> Likeness:
    """Two groups of one script."""
    plain = [tuple(map(_loose, words)) for words in (one, other)]
    if _joined(one) & _joined(other) or _joined(plain[0]) & _joined(plain[1]):
        return Likeness.SAME
    if _abbreviates(one, other) or _abbreviates(*plain):
        return Likeness.ALIKE
    common = Counter(plain[0]) & Counter(plain[1])
    left, right = (list((Counter(words) - common).elements()) for words in plain)
    if len(left) == len(right) == 1 and _one_letter_apart(left[0], right[0]):
        return Likeness.NEAR
    return Likeness.SHARED if any(len(word) > 1 for word in common) else Likeness.DIFFERENT


_MOST_ORDERED = 5


def _joined(words: tuple[str, ...]) -> set[str]:
    """The words in any order without blanks; very many of them only sorted."""
    if len(words) > _MOST_ORDERED:
        return {"".join(sorted(words))}
    return {"".join(order) for order in permutations(words)}


def _abbreviates(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether each word of the shorter name is one of the longer's or its initial, one at least whole."""
    short, long = sorted((one, other), key=lambda words: (len(words), sum(map(len, words))))
    rest, whole = list(long), 0
    for word in sorted(short, key=len, reverse=True):
        found = next((one for one in rest if one == word), None)
        whole += found is not None and len(word) > 1
        if found is None:
            found = next(
                (one for one in rest if 1 in (len(one), len(word)) and one[0] == word[0]), None
            )
        if found is None:
            return False
        rest.remove(found)
    return whole > 0


_LONG_ENOUGH = 5


def _one_letter_apart(one: str, other: str) -> bool:
    """Whether a letter was missed, added, mistyped, or two exchanged, in a long word."""
    short, long = sorted((one, other), key=len)
    if len(short) < _LONG_ENOUGH or len(long) - len(short) > 1:
        return False
    same = next(
        (place for place, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]),
        len(short),
    )
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    tail, others = short[same:], long[same:]
    return tail[1:] == others[1:] or (tail[1::-1] == others[:2] and tail[2:] == others[2:])


_SPELLINGS = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        # Umlauts written out
        ("ae", "a"), ("oe", "o"), ("ue", "u"),
        # Japanese long vowels, and Hepburn as Kunrei
        (r"o(?:h|u|o)(?![aeiouy])", "o"), ("uu", "u"), ("shi", "si"), ("sh", "sy"), ("chi", "ti"),
        ("ch", "ty"), ("tsu", "tu"), ("ji", "zi"), ("j", "zy"), ("fu", "hu"), ("m(?=[bp])", "n"),
        # The katakana sign of a long vowel
        ("ー", ""),
    )
)  # fmt: skip


@lru_cache(maxsize=4096)
def _loose(word: str) -> str:
    """A word in one of its usual spellings, the same for all of them; for comparison alone."""
    for pattern, plain in _SPELLINGS:
        word = pattern.sub(plain, word)
    return word

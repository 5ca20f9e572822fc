"""Folded text: as two people would type the same name."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans(
    {
        "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",
        # Forms of one Chinese character that registers and keyboards exchange in names.
        "髙": "高", "﨑": "崎", "碕": "崎", "嵜": "崎", "邊": "辺", "邉": "辺", "齋": "斎", "齊": "斉",
        "澤": "沢", "廣": "広", "國": "国", "櫻": "桜", "濱": "浜", "濵": "浜", "眞": "真", "惠": "恵",
        "龍": "竜", "嶋": "島", "嶌": "島", "𠮷": "吉", "德": "徳", "榮": "栄", "圓": "円", "應": "応",
        "學": "学", "實": "実", "條": "条", "淺": "浅", "瀨": "瀬", "瀧": "滝", "黑": "黒", "豐": "豊",
        "藏": "蔵", "樂": "楽", "關": "関", "壽": "寿", "靜": "静", "槇": "槙", "曾": "曽", "桒": "桑",
        "彌": "弥", "禮": "礼", "假": "仮", "冨": "富", "埜": "野", "晧": "皓", "穗": "穂",
    }
)  # fmt: skip


def fold(text: str) -> str:
    """A text without differences of case, width, accents, kana, and forms of one Chinese character.

    Hiragana stands for katakana of either width; a sound mark is a character of its own.
    """
    return "".join(map(fold_character, text))


@lru_cache(maxsize=8192)
def fold_character(character: str) -> str:
    """One character folded: none, one or several."""
    compatible = unicodedata.normalize("NFKC", character).casefold()
    if not "\uac00" <= compatible[:1] <= "\ud7a3":  # hangul would fall apart into its letters
        compatible = unicodedata.normalize("NFKD", compatible)
    plain = compatible.translate(_LETTERS)
    return "".join(map(_kana, (one for one in plain if not "\u0300" <= one <= "\u036f")))


def _kana(character: str) -> str:
    return chr(ord(character) - 0x60) if "\u30a1" <= character <= "\u30f6" else character

"""Every string of the screens, English and Japanese; results use those of the referral.

One module a screen, each with its `STRINGS`; this one merges them. English stands first. Plain tables and not
gettext: the tablet needs no compiled catalogue.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from importlib import import_module

LANGUAGES: tuple[str, ...] = ("en", "ja")
"""As `hemx_core.words.report` has them; a test holds the two together."""

Table = Mapping[str, tuple[str, str]]


def merged(tables: Iterable[Table]) -> dict[str, tuple[str, str]]:
    """All tables as one.

    Raises:
        ValueError: a key stands in two of them.
    """
    strings: dict[str, tuple[str, str]] = {}
    for table in tables:
        if twice := strings.keys() & table.keys():
            raise ValueError(f"strings that stand in two modules: {', '.join(sorted(twice))}")
        strings |= table
    return strings


def _tables() -> Iterable[Table]:
    for module in pkgutil.iter_modules(__path__):
        yield getattr(import_module(f"{__name__}.{module.name}"), "STRINGS", {})


STRINGS: dict[str, tuple[str, str]] = merged(_tables())


def text(language: str, key: str, **named: object) -> str:
    """The string of a key in a language, its placeholders filled.

    Raises:
        ValueError: no such language.
        KeyError: no such string.
    """
    return STRINGS[key][LANGUAGES.index(language)].format(**named)

"""Text that a search finds however it was typed."""

from __future__ import annotations

import unicodedata

from hemx_core.imaging.volume import SeriesIdentity


def search_text(identity: SeriesIdentity) -> str:
    """What a search looks through; the name also with its carets and equals signs as blanks."""
    acquired = identity.acquired_at
    parts = (
        identity.patient_name.replace("^", " ").replace("=", " "),
        identity.patient_id,
        identity.series_description,
        identity.site,
        acquired.strftime("%Y-%m-%d") if acquired else "",
    )
    return folded(" ".join(parts))


def folded(text: str) -> str:
    """Text without differences of case, width (full-width Latin, half-width kana) and Latin accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    # Only Latin's: the marks of kana are combining too, and tell sounds apart.
    kept = "".join(one for one in plain if not "\u0300" <= one <= "\u036f")
    return unicodedata.normalize("NFC", kept)


def literal(word: str) -> str:
    """A word for LIKE in which `%` and `_` mean themselves."""
    return "".join(f"!{one}" if one in "!%_" else one for one in word)

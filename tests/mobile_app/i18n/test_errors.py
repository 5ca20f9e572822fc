from __future__ import annotations

import inspect

import pytest

import hemx_core.errors
import mobile_app.errors
from hemx_core.errors import HemxError
from mobile_app.i18n.errors import words

KINDS = sorted(
    name
    for module in (hemx_core.errors, mobile_app.errors)
    for name, one in inspect.getmembers(module, inspect.isclass)
    if issubclass(one, HemxError)
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_words_in_both_languages(kind: str) -> None:
    for language in ("en", "ja"):
        plain, remedy = words(language, kind)
        assert plain
        assert remedy
    assert words("ja", kind)[0] != words("en", kind)[0]


def test_an_error_without_words_of_its_own_takes_its_ancestors() -> None:
    assert words("en", "UnknownKeyError") == words("en", "SignatureError")
    assert words("en", "DatasetError") == words("en", "HemxError")
    assert words("en", "NoSuchClass") == words("en", "HemxError")

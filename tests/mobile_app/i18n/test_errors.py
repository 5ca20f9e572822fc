from __future__ import annotations

import inspect

import pytest

import hemx_core.errors
import mobile_app.errors
from hemx_core.errors import HemxError, TooFewSlicesError
from mobile_app.i18n.errors import explained, words

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


def test_an_error_is_explained_in_japanese_with_its_figures() -> None:
    error = TooFewSlicesError("too_few_slices", series="4", found=3, needed=5)
    plain, found, expected, remedy = explained("ja", "TooFewSlicesError", error.code, error.values)
    assert plain == words("ja", "TooFewSlicesError")[0]
    assert found == "4：読み込めるスライスは3枚だけです"
    assert expected == "5スライス以上"
    assert remedy == "シリーズをコピーし直すか、再度出力してください"
    assert explained("en", "TooFewSlicesError", error.code, error.values)[1] == error.found


def test_a_stored_sentence_takes_the_remedy_of_its_class_in_japanese() -> None:
    values = {"expected": "a head", "remedy": "choose the head"}
    assert explained("en", "NotHeadError", "a knee", values)[3] == "choose the head"
    plain, found, _, remedy = explained("ja", "NotHeadError", "a knee", values)
    assert (plain, remedy) == words("ja", "NotHeadError")
    assert found == "a knee"

"""An error is a code with values, or a developer's sentence."""

from __future__ import annotations

import errno
import os
import pickle

import pytest

from hemx_core.errors import DatasetError, NotHeadError, TooFewSlicesError, cause
from hemx_core.notes import Phrase
from hemx_core.words import tell


def test_a_code_is_told_in_both_languages_with_its_figures() -> None:
    error = NotHeadError("no_brain", brains=1, inspected=15)
    assert str(error) == (
        "only 1 of 15 inspected slices show tissue of brain density enclosed by a skull. Expected: "
        "brain (about 0 to 80 HU) inside bone on several slices. What to do: give a non-contrast head "
        "CT of a patient; phantoms and other body parts are refused."
    )
    assert error.found == tell(error.phrase)
    assert "15スライス中" in error.told("ja")[0]
    assert error.values == {"brains": 1, "inspected": 15}


def test_a_sentence_stays_one() -> None:
    error = DatasetError("two studies", expected="one", remedy="mend it")
    assert str(error) == "two studies. Expected: one. What to do: mend it."
    assert error.told("ja") == ("two studies", "one", "mend it")
    assert tell(error.phrase, "ja") == "two studies"
    assert str(DatasetError("two studies")) == "two studies."


def test_a_missing_value_is_noticed_where_the_error_is_made() -> None:
    with pytest.raises(KeyError, match="needed"):
        TooFewSlicesError("too_few_slices", series="4", found=3)


def test_an_error_is_pickled_with_its_code() -> None:
    error = NotHeadError("no_brain", brains=1, inspected=15)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is NotHeadError
    assert (again.code, dict(again.values), str(again)) == (
        error.code,
        dict(error.values),
        str(error),
    )


def test_what_the_system_says_is_told_in_both_languages_where_it_is_known() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert cause(full) == Phrase("os.ENOSPC")
    assert tell(Phrase("os.ENOSPC")) == os.strerror(errno.ENOSPC)
    assert cause(OSError(errno.EIO, "the provider failed")) == "the provider failed"
    assert cause(ValueError("odd")) == "odd"
    assert cause(ValueError()) == "ValueError"

"""A reader's answers in words, on the Reading and the Result screen."""

from __future__ import annotations

from hemx_core.labels.answers import OUTLINE, Answer, Reading
from hemx_core.words.report import Texts
from mobile_app.i18n import text


def question_name(language: str, code: str) -> str:
    """What is asked."""
    return text(language, "reading.ask.outline") if code == OUTLINE else Texts(language).sign(code)


def answer_name(language: str, code: str, answer: Answer | None) -> str:
    """An answer in words; those to the outline are other ones."""
    if answer is None:
        return text(language, "reading.answer.none")
    kind = "outline" if code == OUTLINE else "marker"
    return text(language, f"reading.answer.{kind}.{answer}")


def answer_told(language: str, reading: Reading, code: str) -> str:
    """An answer with the slices named."""
    named = reading.slices.get(code, ())
    told = answer_name(language, code, reading.answers.get(code))
    if not named:
        return told
    numbers = text(language, "reading.list").join(str(index + 1) for index in named)
    return text(language, "reading.answer.slices", answer=told, numbers=numbers)


def answer_line(language: str, reading: Reading, code: str) -> str:
    """A question with its answer and the slices named."""
    question, answer = question_name(language, code), answer_told(language, reading, code)
    return text(language, "reading.answer.line", question=question, answer=answer)

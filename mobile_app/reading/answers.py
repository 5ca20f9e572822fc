"""The reader's answers to the markers of the open study: one question after the other, kept at once."""

from __future__ import annotations

from dataclasses import replace

from kivy.event import EventDispatcher
from kivy.properties import NumericProperty, ObjectProperty

from hemx_core.errors import HemxError
from hemx_core.labels.answers import OUTLINE, QUESTIONS, Answer, Reading
from mobile_app.context import AppContext
from mobile_app.work.answer_words import answer_line

SHOWS = (Answer.YES, Answer.POSSIBLE)
"""Answers that slices may be named with."""


class MarkerAnswers(EventDispatcher):
    """Holds the present reader's answers; every answer is in the store when the button comes up again.

    Events:
        on_answers: an answer, a slice or the question is another one.
    """

    question = NumericProperty(0)
    reading = ObjectProperty(None, allownone=True)
    """None where no study is open."""

    __events__ = ("on_answers",)

    def __init__(self, context: AppContext, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._context = context
        self._study_id: int | None = None
        for name in ("question", "reading"):
            self.fbind(name, lambda *_: self.dispatch("on_answers"))

    @property
    def code(self) -> str:
        """What is asked: a marker code, or `OUTLINE`."""
        return QUESTIONS[int(self.question)]

    @property
    def answer(self) -> Answer | None:
        """What was answered to it."""
        return None if self.reading is None else self.reading.answers.get(self.code)

    @property
    def takes_slices(self) -> bool:
        """Whether a slice may be named for it."""
        return self.code != OUTLINE and self.answer in SHOWS

    def open(self) -> None:
        """Take what the present reader answered for the open study, and the first open question."""
        context = self._context
        study_id = context.study_id
        if study_id is None or context.volume is None:
            self._study_id, self.reading = None, None
            return
        try:
            known = context.store.readings.of_study(int(study_id))
        except HemxError as error:
            context.show_error(error)
            self._study_id, self.reading = None, None
            return
        actor = context.store.actor
        own = next((one.reading for one in known if one.made_by == actor), Reading())
        self._study_id = int(study_id)
        self.reading = own
        self.question = next(
            (at for at, code in enumerate(QUESTIONS) if code not in own.answers), 0
        )

    def give(self, answer: Answer) -> None:
        """Answer the question; the same answer again takes it back. Then the next open one is asked."""
        if self.reading is None:
            return
        code, answers = self.code, dict(self.reading.answers)
        taken_back = answers.get(code) is answer
        if taken_back:
            del answers[code]
        else:
            answers[code] = answer
        slices = dict(self.reading.slices)
        if answers.get(code) not in SHOWS:
            slices.pop(code, None)
        kept = self._keep(replace(self.reading, answers=answers, slices=slices))
        # Slices are named after "yes": then the question stays.
        if kept and not taken_back and not self.takes_slices:
            self.ask_next()

    def ask_next(self) -> None:
        """Go to the next question."""
        self.question = (int(self.question) + 1) % len(QUESTIONS)

    def mark(self, index: int) -> None:
        """Name a slice that shows the marker, or take it back."""
        if self.reading is None or not self.takes_slices:
            return
        named = set(self.reading.slices.get(self.code, ())) ^ {index}
        slices = {**self.reading.slices, self.code: tuple(sorted(named))}
        if not named:
            del slices[self.code]
        self._keep(replace(self.reading, slices=slices))

    def is_marked(self, index: int) -> bool:
        """Whether a slice is named for the question."""
        return self.reading is not None and index in self.reading.slices.get(self.code, ())

    def told(self, language: str) -> str:
        """All questions with their answers, a line each."""
        if self.reading is None:
            return ""
        return "\n".join(answer_line(language, self.reading, code) for code in QUESTIONS)

    def _keep(self, reading: Reading) -> bool:
        context, correction = self._context, self._context.correction
        try:
            context.store.readings.save(
                int(self._study_id or 0),
                reading,
                result_id=context.result_id,
                correction_id=None if correction is None else correction.id,
            )
        except HemxError as error:
            context.show_error(error)
            return False
        self.reading = reading
        return True

    def on_answers(self) -> None:
        """Nothing by default."""

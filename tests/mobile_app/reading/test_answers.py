from __future__ import annotations

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from hemx_core.labels.answers import QUESTIONS, Answer
from mobile_app import settings
from tests.mobile_app.reading.reading_case import ReadingCase


class TestAnswers(ReadingCase):
    def kept(self) -> dict[str, Answer]:
        (newest, *_) = self.store.readings.of_study(2) or (None,)
        return {} if newest is None else dict(newest.reading.answers)

    def test_every_answer_is_stored_at_once_and_the_next_question_comes(self) -> None:
        self.tap("answer")
        assert self.buttons["question"].text == "1/5 Hypodensity"
        self.tap("no")
        assert self.kept() == {"hypodensity": Answer.NO}
        assert self.buttons["question"].text.startswith("2/5")
        self.tap("cannot_tell")
        assert self.kept()["irregular"] is Answer.CANNOT_TELL
        assert "Hypodensity: No" in self.screen.readings
        assert self.store.audit.entries()[0].action == "reading.saved"

    def test_after_yes_slices_are_named(self) -> None:
        self.tap("answer")
        assert self.buttons["here"].disabled
        self.tap("yes")
        assert self.buttons["question"].text.startswith("1/5")
        self.viewer.index = 3
        self.advance_frames(2)
        self.tap("here")
        assert self.buttons["here"].state == "down"
        self.viewer.index = 2
        self.advance_frames(2)
        assert self.buttons["here"].state == "normal"
        self.tap("here")
        (stored,) = self.store.readings.of_study(2)
        assert stored.reading.slices == {"hypodensity": (2, 3)}
        assert "Hypodensity: Yes (3, 4)" in self.screen.readings
        # Another answer drops the slices; the same again takes it back.
        self.tap("no")
        assert self.store.readings.of_study(2)[0].reading.slices == {}
        self.tap("question")
        for _ in QUESTIONS[2:]:
            self.tap("question")
        self.tap("no")
        assert self.kept() == {}

    def test_the_outline_is_the_last_question_and_says_whose_it_was(self) -> None:
        self.tap("answer")
        for _ in QUESTIONS[1:]:
            self.tap("question")
        assert self.buttons["question"].text == "5/5 Outline"
        assert self.buttons["yes"].text == "Right"
        self.tap("yes")
        assert self.buttons["here"].disabled
        (stored,) = self.store.readings.of_study(2)
        assert (stored.result_id, stored.correction_id) == (self.context.result_id, None)
        assert stored.made_by == "Dr A"

    def test_another_reader_begins_anew_and_the_first_goes_on(self) -> None:
        self.tap("answer")
        self.tap("no")
        settings.set_actor(self.store, "Dr B")
        self.screen.on_show()
        self.advance_frames(2)
        assert self.buttons["question"].text.startswith("1/5")
        assert self.buttons["no"].state == "normal"
        settings.set_actor(self.store, "Dr A")
        self.screen.on_show()
        self.advance_frames(2)
        assert self.buttons["question"].text.startswith("2/5")

    def test_without_a_study_nothing_can_be_answered(self) -> None:
        self.tap("answer")
        self.context.result = self.context.volume = None
        self.context.study_id = None
        self.advance_frames(3)
        assert all(self.buttons[name].disabled for name in ("question", "yes", "no", "here"))
        self.context.language = "ja"
        self.advance_frames(2)
        assert self.buttons["yes"].text == "あり"

from __future__ import annotations

import string
import time

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.base import EventLoop
from kivy.tests.common import GraphicUnitTest

from mobile_app import demo
from mobile_app.app import HemxApp
from mobile_app.i18n import STRINGS
from mobile_app.jobs import JobState
from tests.factories import ThresholdModels, simple_head

ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


def test_both_languages_fill_the_same_placeholders() -> None:
    def names(told: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(told) if name}

    for key, (english, japanese) in STRINGS.items():
        assert english, key
        assert names(english) == names(japanese), key


class TestApp(GraphicUnitTest):
    framecount = 0

    def run_demo(self, *, cancels: bool) -> HemxApp:
        patch = pytest.MonkeyPatch()
        patch.setattr(demo, "phantom_volume", lambda: simple_head(clot_mm=20))
        app = HemxApp(demo=True, models=ThresholdModels)
        try:
            app.root = app.build()
            self.render(app.root)
            app.open(None)
            if cancels:
                app.job.cancel()
            ends_at = time.monotonic() + 20
            while app.job.state not in ENDED:
                assert time.monotonic() < ends_at
                EventLoop.idle()
        finally:
            patch.undo()
            app.on_stop()
        return app

    def test_demo_triages_and_shows(self) -> None:
        app = self.run_demo(cancels=False)
        assert app.job.state is JobState.DONE
        assert app.result.result.haematoma_volume_ml > 1
        assert app.reading.result is app.result.result
        english = app.status.text
        app.tabs["other_language"].dispatch("on_release")
        assert app.tabs["result"].text == "結果"
        assert app.status.text != english
        app.tabs["result"].dispatch("on_release")
        assert app.place.children == [app.result]

    def test_cancelled_leaves_no_result(self) -> None:
        app = self.run_demo(cancels=True)
        assert app.job.state is JobState.CANCELLED
        assert app.result.result is None
        assert "no result" in app.status.text

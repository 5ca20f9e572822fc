from __future__ import annotations

import threading
from functools import partial
from io import BytesIO
from typing import Any

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.core.window import Window
from kivy.uix.button import Button

from mobile_app import theme
from mobile_app.app import ESCAPE
from mobile_app.errors import StoreError
from mobile_app.store import Store, StudyState
from mobile_app.studies import demo
from tests.factories import ThresholdModels, simple_head, write_ct_series
from tests.mobile_app.driving import (
    LANDSCAPE,
    PORTRAIT,
    AppTest,
    FakeDeviceModels,
    below,
    popups,
    texts,
)


class SlowModels(ThresholdModels):
    """Segments only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def segment(self, image: Any) -> Any:
        self.begun.set()
        assert self.go_on.wait(20)
        return super().segment(image)


class TestFrame(AppTest):
    def test_bar_below_in_portrait_and_rail_left_in_landscape(self) -> None:
        app = self.start(PORTRAIT)
        bar = app.navigation
        assert (bar.y, bar.width) == (theme.GAP, Window.width - 2 * theme.GAP)
        assert bar.top < app.content.middle.y
        Window.size = LANDSCAPE
        self.idle(5)
        assert bar.right < app.content.middle.x
        assert bar.height == Window.height - 2 * theme.GAP

    def test_what_is_touched_is_large_enough(self) -> None:
        for size in ((600, 960), (960, 600), LANDSCAPE):
            app = self.start(size)
            self.settle()
            for name in ("studies", "settings"):
                app.show(name)
                self.idle(5)
                small = [
                    one
                    for one in below(app.content, Button)
                    if min(one.size) < theme.TARGET and not one.disabled
                ]
                assert small == [], (size, name)
            app.on_stop()
        self.app = None

    def test_every_screen_opens_by_touch_in_both_languages(self) -> None:
        app = self.start(PORTRAIT)
        for name in app.navigation.buttons:
            self.tap(app.navigation.buttons[name])
            assert app.current == name
            assert app.content.place.children == [app.screens[name]]
        english = app.content.disclaimer.text
        app.context.language = "ja"
        self.idle()
        assert app.navigation.buttons["result"].text == "結果"
        assert app.content.disclaimer.text != english

    def test_back_leads_to_the_studies_and_then_out(self) -> None:
        app = self.start()
        app.show("settings")
        assert Window.dispatch("on_keyboard", ESCAPE, 0, "", [])
        assert app.current == "studies"
        assert not app._key(Window, ESCAPE)

    def test_a_second_app_on_one_store_says_so(self) -> None:
        with Store(self.folder / "store"):
            app = self.start()
            assert app.context is None
            assert "HEMX is open already" in texts(app.root)


class TestStart(AppTest):
    def test_a_named_study_is_imported_opened_and_triaged(self) -> None:
        write_ct_series(self.folder / "ct", hu=simple_head(clot_mm=20).hu, PixelSpacing=[1.5, 1.5])
        app = self.start(study=self.folder / "ct")
        self.wait(lambda: app.context.result)
        assert app.current == "reading"
        assert app.context.result.haematoma_volume_ml > 1
        assert app.context.result_id is not None
        assert "neurosurgical centre" in app.status.told
        assert not app.status.busy
        app.context.tell("")
        assert app.status.told.startswith("Test"), "where nothing is told, whose study is open"
        self.tap(app.navigation.buttons["studies"])
        self.tap(app.screens["studies"].ids.names)
        assert app.status.told.startswith(f"Study {int(app.context.study_id)}")
        app.context.close_study()
        app.context.tell("")
        assert app.status.told == "No study is open."

    def test_the_demo_lies_in_a_store_of_its_own(self) -> None:
        real = self.folder / "store"
        patch = pytest.MonkeyPatch()
        patch.setattr(demo, "phantom_volume", lambda ml: simple_head(clot_mm=ml))
        try:
            app = self.start(demo=True)
            self.wait(lambda: app.context.result)
        finally:
            patch.undo()
        studies = app.context.store.studies.find()
        assert [one.identity.patient_id for one in studies] == [demo.PATIENT_ID] * 2
        assert {one.identity.patient_name for one in studies} == {demo.PATIENT_NAME}
        assert app.context.study_id == studies[0].id
        lies_in = app.context.store.folder
        app.on_stop()
        assert not lies_in.exists()
        assert not real.exists()

    def test_a_refusal_is_told_in_words(self) -> None:
        for language, word in (("en", "What to do"), ("ja", "対処方法")):
            write_ct_series(self.folder / "mr", Modality="MR")
            app = self.start(study=self.folder / "mr", language=language)
            popup = self.wait(popups)[0]
            assert word in texts(popup)
            assert "CT" in texts(popup)
            assert app.current == "studies"
            self.tap(popup.close_button)
            assert popups() == []
            app.on_stop()
        self.app = None


class TestCancel(AppTest):
    def test_cancel_by_touch_leaves_no_result(self) -> None:
        models = SlowModels()
        write_ct_series(self.folder / "ct", hu=simple_head(clot_mm=20).hu, PixelSpacing=[1.5, 1.5])
        app = self.start(
            study=self.folder / "ct", device_models=partial(FakeDeviceModels, models=models)
        )
        self.wait(models.begun.is_set)
        self.wait(lambda: app.context.volume is not None)
        assert app.context.running
        assert app.status.busy
        self.tap(app.status.ids.cancel)
        models.go_on.set()
        self.settle()
        assert app.context.result is None
        assert not app.context.running
        assert app.status.told == "Cancelled."
        study = app.context.store.studies.get(int(app.context.study_id))
        assert study.state is StudyState.IMPORTED

    def test_the_app_closes_during_a_triage(self) -> None:
        models = SlowModels()
        write_ct_series(self.folder / "ct", hu=simple_head(clot_mm=20).hu, PixelSpacing=[1.5, 1.5])
        app = self.start(
            study=self.folder / "ct", device_models=partial(FakeDeviceModels, models=models)
        )
        self.wait(models.begun.is_set)
        store = app.context.store
        number = int(app.context.study_id)
        models.go_on.set()
        app.on_stop()
        with pytest.raises(StoreError):
            store.studies.get(number)
        with Store(self.folder / "store") as again:
            assert again.interrupted == ()
            assert again.studies.get(number).state is StudyState.IMPORTED

    def test_a_lost_database_is_told_and_its_studies_are_there(self) -> None:
        with Store(self.folder / "store") as store:
            store.add_files([lambda: BytesIO(b"x")], identity=simple_head().identity, slices=6)
        (self.folder / "store" / "hemx.db").unlink()
        app = self.start()
        self.settle()
        told = "\n".join(texts(child) for child in Window.children)
        assert "1 study was found again without a result" in told
        assert len(app.context.store.studies.find()) == 1

    def test_an_app_killed_during_a_triage_says_so_at_the_next_start(self) -> None:
        with Store(self.folder / "store") as store:
            one = store.add_files(
                [lambda: BytesIO(b"x")], identity=simple_head().identity, slices=6
            )
            store.studies.set_state(one.id, StudyState.RUNNING)
        app = self.start()
        assert "ended while a study was analysed" in app.status.told
        self.settle()
        assert "Interrupted" in texts(app.screens["studies"])

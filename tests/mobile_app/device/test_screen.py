from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.modalview import ModalView
from kivy.uix.widget import Widget

from hemx_core.device.record import read_records
from hemx_core.errors import SelfTestError
from mobile_app import logs, theme
from mobile_app.context import AppContext
from mobile_app.device import benchmark as benchmarking
from mobile_app.device.screen import Device
from mobile_app.store import Store
from mobile_app.widgets.saving import ask_android, save_file, write_into
from mobile_app.work.device_models import DeviceModels
from mobile_app.work.jobs import Jobs
from mobile_app.work.memory_guard import MemoryBudget
from tests.factories import FakeBackend, write_fake_bundle, write_tested_bundle, wrong_functions
from tests.mobile_app.screens_by_touch import LANDSCAPE, PORTRAIT, ScreenTest, below, cut_off

SMALL = replace(benchmarking.app_options(1), slices=6, runs=1, matrix=128, commit="abc")


def words(widget: Widget) -> str:
    return "\n".join(str(one.text) for one in below(widget) if getattr(one, "text", ""))


class TestDevice(ScreenTest):
    """The screen on a store with a fake bundle that can be tested, and a runtime that can be broken."""

    @staticmethod
    def fill(store: Store, folder: Path) -> None:
        write_tested_bundle(folder / "bundle", size=256, crop_size=128)
        write_fake_bundle(folder / "old")

    def setUp(self) -> None:
        super().setUp()
        theme.register_font()
        self.use("bundle")
        self.functions: dict[str, Any] | None = None
        self.jobs.shutdown()
        self.jobs = Jobs(lambda call: Clock.schedule_once(call, 0))
        for name in ("self_test", "benchmark", "device_class"):
            self.store.settings.set(name, None)
        models = DeviceModels(self.store, backend=lambda _threads: FakeBackend(self.functions))
        self.context = AppContext(
            store=self.store,
            jobs=self.jobs,
            device_models=models,
            budget=MemoryBudget(base_bytes=2**40),
        )
        self.context.language = "en"
        self.told: list[str] = []
        self.context.bind(
            on_trouble=lambda _context, error: self.errors.append(error),
            on_tell=lambda _context, key, _named: self.told.append(key),
        )
        self.saved: dict[str, bytes] = {}
        self.screen = Device(context=self.context, saver=self.save)
        self.show(self.screen)

    def use(self, bundle: str) -> None:
        os.environ["HEMX_MODELS"] = str(self.folder / bundle)

    def tearDown(self, *args: object, **kwargs: object) -> None:
        os.environ.pop("HEMX_MODELS", None)
        super().tearDown(*args, **kwargs)

    def save(self, _context: Any, name: str, content: bytes) -> None:
        self.saved[name] = content

    def as_a_whole_study(self, *, study_ms: float) -> dict[str, Any]:
        """Turn the stored record into one of the budget's study, with figures that no load changes."""
        record = self.store.settings.get("benchmark")
        record["input"]["slices"] = 30
        record["timings"]["study"]["median_ms"] = study_ms
        record["timings"]["first_slice"]["first_ms"] = 500.0
        record["memory"]["above_base_mib"] = 90.0
        self.store.settings.set("benchmark", record)
        self.screen.on_show()
        self.advance_frames(6)
        return dict(record)

    def popup(self) -> Any:
        return next(one for one in Window.children if isinstance(one, ModalView))

    def test_the_self_test_by_touch_in_both_languages(self) -> None:
        card = self.screen.self_test
        assert card.state.text == "Not tested yet"
        assert card.again.text == "Test now"
        self.tap(card.again)
        self.settle()
        assert card.state.text == "Passed"
        assert "2 test images" in card.more.text
        assert card.table.rows[1] == ("Blood area (1 - Dice)", "0.0000", "0.0150")
        assert len(card.table.rows) == 1 + 6 + 2
        self.context.language = "ja"
        assert card.state.text == "合格"
        assert "テスト画像2枚" in card.more.text
        assert card.again.text == "再診断"
        assert not self.errors

    def test_a_broken_runtime_is_told_and_triage_is_refused(self) -> None:
        self.context.models()
        self.functions = wrong_functions(segment=0.6)
        card = self.screen.self_test
        self.tap(card.again)
        self.settle()
        assert card.state.text.startswith("FAILED")
        assert list(card.state.color) == list(theme.ALARM)
        assert "too much" in card.table.rows[1][1]
        assert isinstance(self.errors[0], SelfTestError)
        with pytest.raises(SelfTestError):
            self.context.models()
        self.context.language = "ja"
        assert "解析できません" in card.state.text
        assert "超過" in card.table.rows[1][1]

    def test_models_without_references_are_not_called_passed(self) -> None:
        self.use("old")
        self.tap(self.screen.self_test.again)
        self.settle()
        assert self.screen.self_test.state.text == "Not tested: no references"
        assert "development" in self.screen.self_test.more.text
        assert self.screen.self_test.table.rows == ()

    def test_the_benchmark_its_verdict_and_its_file(self) -> None:
        card = self.screen.benchmark
        assert card.state.text == "Not measured yet"
        assert card.save.disabled
        with patch("mobile_app.device.benchmark.app_options", lambda threads: SMALL):
            self.tap(card.measure)
            assert card.measure.disabled
            self.settle()
        assert not self.errors, self.errors
        # Six slices are no study that the budget is meant for, and the screen says so.
        assert card.state.text == "Measured with another version: measure again"
        record = self.as_a_whole_study(study_ms=3000.0)
        assert card.state.text == "Fast and small enough as a tablet"
        assert [row[3] for row in card.verdicts.rows[1:]] == ["within"] * 4
        assert card.stages.rows[-1][0] == "Whole study"
        assert card.facts.rows[-1][1] == record["fingerprint"]
        self.tap(card.save)
        (name,) = self.saved
        path = self.folder / name
        path.write_bytes(self.saved[name])
        assert read_records(path) == [record]
        assert (record["source"], record["commit"]) == ("app", "abc")

    def test_another_class_has_another_verdict_in_words(self) -> None:
        with patch("mobile_app.device.benchmark.app_options", lambda threads: SMALL):
            self.screen.benchmark.run()
            self.settle()
        self.as_a_whole_study(study_ms=6000.0)
        card = self.screen.benchmark
        assert card.state.text == "Fast and small enough as a tablet"
        self.tap(card.classes.buttons["desk"])
        assert card.state.text == "Over the limits for a desktop computer"
        assert card.verdicts.rows[1] == ("Whole study, 30 slices", "6.0 s", "4.0 s", "too much")
        self.context.language = "ja"
        assert card.state.text == "PCの基準を満たしていません"
        assert card.verdicts.rows[1][3] == "超過"

    def test_measuring_can_be_stopped(self) -> None:
        card = self.screen.benchmark
        with patch(
            "mobile_app.device.benchmark.app_options", lambda threads: replace(SMALL, runs=50)
        ):
            self.tap(card.measure)
            self.wait(lambda: "of" in card.progress_text)
            self.tap(card.stop)
            self.settle()
        assert card.progress_text == "Stopped: nothing was measured."
        assert card.state.text == "Not measured yet"
        assert self.store.settings.get("benchmark") is None
        assert not card.measure.disabled

    def test_the_models_say_what_they_are_and_who_signed(self) -> None:
        self.wait(lambda: self.screen.models.bundle)
        told = words(self.screen.models)
        assert "fake" in told
        assert "not a released version" in told
        self.context.language = "ja"
        assert "正式版ではありません" in words(self.screen.models)

    def test_the_model_card_page_by_page(self) -> None:
        self.tap(self.screen.models.card)
        sheet = self.popup()
        assert "Model card" in sheet.told
        first = sheet.told
        assert sheet.back.disabled
        sheet.turn(1)
        self.advance_frames(2)
        assert sheet.told != first
        for _ in range(30):
            sheet.turn(1)
        assert sheet.next.disabled
        heights = [one.texture_size[1] for one in below(sheet) if hasattr(one, "texture_size")]
        assert max(heights) < 4096, "a texture that some tablets cannot hold"
        self.tap(sheet.close_button)
        assert not [one for one in Window.children if isinstance(one, ModalView)]

    def test_every_licence_opens(self) -> None:
        self.tap(self.screen.models.licences)
        sheet = self.popup()
        assert len(sheet.entries) >= 12
        assert sheet.entries[0].text == "HEMX: Apache-2.0"
        self.tap(sheet.entries[0])
        page = self.popup()
        assert "Apache License" in words(page)
        self.advance_frames(3)
        heights = [one.texture_size[1] for one in below(page) if hasattr(one, "texture_size")]
        assert max(heights) < 4096

    def test_the_log_is_shown_saved_and_deleted(self) -> None:
        installed = logs.install(self.store.folder)
        try:
            logs.event("tested", number=7)
            self.tap(self.screen.log.view)
            assert "tested number=7" in self.popup().told
            self.popup().dismiss()
            self.tap(self.screen.log.save)
            assert b"tested number=7" in next(iter(self.saved.values()))
            self.tap(self.screen.log.clear)
            self.tap(self.popup().no)
            assert logs.read_log(self.store.folder)
            self.tap(self.screen.log.clear)
            self.tap(self.popup().yes)
            assert logs.read_log(self.store.folder) == ""
            assert self.told[-1] == "device.log.cleared"
        finally:
            logs.remove(installed)

    def test_nothing_is_cut_off_in_any_orientation(self) -> None:
        self.tap(self.screen.self_test.again)
        self.settle()
        with patch("mobile_app.device.benchmark.app_options", lambda threads: SMALL):
            self.screen.benchmark.run()
            self.settle()
        self.as_a_whole_study(study_ms=9000.0)
        for size in (LANDSCAPE, PORTRAIT, (600, 960)):
            for language in ("en", "ja"):
                self.context.language = language
                self.show(self.screen, size)
                assert cut_off(self.screen) == [], (size, language)


def test_a_file_never_replaces_another_and_a_failure_is_told() -> None:
    class Told:
        def __init__(self) -> None:
            self.keys: list[str] = []
            self.errors: list[Exception] = []

        def tell(self, key: str, **_named: object) -> None:
            self.keys.append(key)

        def show_error(self, error: Exception) -> None:
            self.errors.append(error)

    context = Told()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = write_into(context, folder, "a.json", b"1")
        second = write_into(context, folder, "a.json", b"2")
        assert first is not None
        assert second is not None
        assert (first.read_bytes(), second.read_bytes()) == (b"1", b"2")
        assert second.name == "a-2.json"
        assert context.keys == ["device.saved"] * 2
        assert write_into(context, folder / "none", "a.json", b"1") is None
        assert "cannot be written" in str(context.errors[0])
        assert sorted(path.name for path in folder.iterdir()) == ["a-2.json", "a.json"]


class Chooser:
    """Android's folder chooser and what the app is told of it."""

    def __init__(self, fails: bool = False) -> None:
        self.fails, self.picking = fails, False
        self.chosen: Any = None
        self.keys: list[str] = []

    def ask_folder(self, chosen: Any) -> None:
        if self.fails:
            raise RuntimeError("JVM exception occurred: no activity")
        self.chosen = chosen

    def tell(self, key: str, **_named: object) -> None:
        self.keys.append(key)


def test_androids_chooser_is_no_reason_for_the_pin_unless_it_does_not_open() -> None:
    one = Chooser()
    answers: list[Any] = []
    with patch("mobile_app.widgets.saving.Clock.schedule_once", lambda call, _wait: call(0)):
        ask_android(one, one, answers.append)
        assert one.picking
        one.chosen("tree")
    assert (one.picking, answers) == (False, ["tree"])
    broken = Chooser(fails=True)
    with pytest.raises(RuntimeError):
        ask_android(broken, broken, answers.append)
    assert not broken.picking, "or leaving the app would not lock it"


def test_on_android_a_file_goes_where_the_chooser_says() -> None:
    one = Chooser()
    delivered: list[Any] = []
    with (
        patch.dict(os.environ, {"ANDROID_ARGUMENT": "/app"}),
        patch("mobile_app.android.share.AndroidDocuments", lambda: one),
        patch("mobile_app.android.share.deliver", lambda *told: delivered.append(told)),
        patch("mobile_app.widgets.saving.Clock.schedule_once", lambda call, _wait: call(0)),
    ):
        save_file(one, "log.txt", b"1")
        assert one.picking
        one.chosen(None)
        assert (one.picking, delivered) == (False, [])
        save_file(one, "log.txt", b"1")
        one.chosen("tree")
    assert [(tree, [file.name for file in files]) for _, tree, files in delivered] == [
        ("tree", ["log.txt"])
    ]
    assert one.keys == ["device.saved"]


def test_the_app_says_what_it_was_built_from(tmp_path: Path) -> None:
    build = tmp_path / "build.json"
    build.write_text(json.dumps({"commit": "0123"}))
    with patch("mobile_app.device.benchmark.BUILD", build):
        assert benchmarking.build_commit() == "0123"
    with patch("mobile_app.device.benchmark.BUILD", tmp_path / "none.json"):
        assert benchmarking.build_commit() != "0123"

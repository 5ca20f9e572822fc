from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.uix.widget import Widget

from hemx_core.imaging.spec import HUWindow
from hemx_core.labels.answers import Answer, Reading
from mobile_app import settings
from mobile_app.lock.screen import Lock
from tests.mobile_app.driving import LANDSCAPE, PORTRAIT, AppTest, texts
from tests.mobile_app.filled import fill
from tests.mobile_app.stored import store_study


class TestSettings(AppTest):
    def opened(self, size: tuple[int, int] = LANDSCAPE, language: str = "en") -> None:
        app = self.start(size, language=language)
        self.tap(app.navigation.buttons["settings"])
        self.settle()
        self.screen = app.screens["settings"]
        self.cards = self.screen.cards
        self.store = app.context.store

    def touch(self, widget: Widget) -> None:
        """Scroll there, then touch."""
        self.idle()
        self.screen.scroll_to(widget, padding=60, animate=False)
        self.tap(widget)

    def test_language_changes_every_card_at_once_and_is_kept(self) -> None:
        self.opened(PORTRAIT)
        english = texts(self.screen)
        self.touch(self.cards["LanguageCard"].choices.buttons["ja"])
        assert self.cards["ThresholdsCard"].heading.text == "閾値"
        japanese = texts(self.screen)
        assert not set(english.splitlines()) & set(japanese.splitlines()) - {
            *"12345678",
            "English",
            "日本語",
            "PIN",
            *(line for line in japanese.splitlines() if line.isascii()),
        }
        assert settings.language(self.store) == "ja"

    def test_answers_are_exported_where_there_are_any(self) -> None:
        self.opened()
        card = self.cards["LabelsCard"]
        assert card.export_button.disabled
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            study = store_study(self.store, folder)
            self.store.readings.save(
                study, Reading(answers={"blend": Answer.NO}), result_id=None, correction_id=None
            )
            self.screen.on_show()
            self.touch(card.export_button)
            assert "can show a face" in texts(card.sheet)
            card.sheet.dismiss()
            card.export(folder)
            self.settle()
            (written,) = folder.glob("hemx-labels-*.zip")
            assert card.told.text == f"1 studies written: {written.name}"
            assert written.stat().st_mode & 0o077 == 0

    def test_another_window_warns_and_goes_back(self) -> None:
        self.opened()
        card = self.cards["WindowCard"]
        assert card.in_use.text == "In use: 0 to 80 HU, the models' own."
        self.touch(card.presets.buttons["-10,90"])
        assert self.app.context.window == HUWindow(-10, 90)
        assert "-10 to 90 HU. The models were trained with 0 to 80" in card.in_use.text
        self.touch(card.own)
        assert self.app.context.window is None
        assert self.store.settings.get(settings.WINDOW) is None

    def test_a_window_as_typed(self) -> None:
        self.opened(language="ja")
        card = self.cards["WindowCard"]
        for lower, upper in (("90", "10"), ("", "80"), ("x", "y"), ("nan", "80")):
            card.lower.text, card.upper.text = lower, upper
            self.touch(card.use)
            assert "-1024" in card.told.text
            assert self.app.context.window is None
        for lower, upper in (("-5000", "80"), ("40", "80")):
            card.lower.text, card.upper.text = lower, upper
            self.touch(card.use)
            assert "0,80" in card.told.text
            assert self.app.context.window is None
        card.lower.text, card.upper.text = "５", "８０"
        self.touch(card.use)
        assert self.app.context.window == HUWindow(5, 80)

    def test_the_models_own_window_is_no_window_of_the_site(self) -> None:
        self.opened()
        self.touch(self.cards["WindowCard"].presets.buttons["0,80"])
        assert self.app.context.window is None

    def test_threads_apply_when_the_models_load_again(self) -> None:
        self.opened()
        choices = self.cards["ThreadsCard"].choices
        other = "1" if choices.current != "1" else "2"
        if other not in choices.buttons:
            pytest.skip("one core")
        self.touch(choices.buttons[other])
        self.settle()
        assert self.app.context.threads == int(other)
        assert self.app.context._device_models.closed == 1

    def test_thresholds_come_from_the_bundle_and_have_no_field(self) -> None:
        self.opened()
        card = self.cards["ThresholdsCard"]
        for marker in self.screen.manifest.markers:
            assert f"{marker.threshold:.2f}" in card.values.text
        assert "cannot be changed here" in texts(card)
        assert all(one.__class__.__name__ in {"Heading", "Wrapped"} for one in card.children)

    def test_the_actor_stands_in_the_audit_trail(self) -> None:
        self.opened()
        card = self.cards["ActorCard"]
        card.name.text = "  Dr  Sato "
        self.touch(card.button)
        self.store.audit.note("test.done")
        assert self.store.audit.entries()[0].actor == "Dr Sato"

    def test_pin_set_lock_and_clear(self) -> None:
        self.opened()
        card = self.cards["PinCard"]
        card.new.text, card.again.text = "135790", "135791"
        self.touch(card.set_button)
        assert card.told.text == "The two new PINs are not the same."
        card.new.text = card.again.text = "111111"
        self.touch(card.set_button)
        self.settle()
        assert "Not accepted" in card.told.text
        card.new.text = card.again.text = "135790"
        self.touch(card.set_button)
        self.settle()
        assert card.pin.is_set
        assert (card.old.text, card.new.text, card.again.text) == ("", "", "")
        self.touch(card.lock_button)
        lock = self.app.frame.children[0]
        assert isinstance(lock, Lock)
        lock.ids.pin.text = "135790"
        self.tap(lock.ids.unlock)
        self.settle()
        card.old.text = "135790"
        self.touch(card.clear_button)
        self.settle()
        assert not card.pin.is_set

    def test_backup_restore_and_what_was_set_aside(self) -> None:
        self.opened()
        fill(self.store)
        card = self.cards["StorageCard"]
        self.touch(card.backup_button)
        assert "names patients and is not encrypted" in texts(card.sheet)
        card.sheet.dismiss()
        card.back_up(self.folder)
        self.settle()
        (backup,) = self.folder.glob("hemx-backup-*.zip")
        assert card.told.text == f"Backed up 6 studies: {backup.name}"
        self.store.studies.delete(1)
        card.restore(backup)
        self.settle()
        assert card.told.text == "1 studies added, 5 were here already."
        assert len(self.store.studies.find()) == 6
        card.restore(self.folder / "nothing.zip")
        self.settle()
        assert card.told.text == ""
        assert card.clear_button.disabled
        aside = self.store.folder / "set_aside"
        aside.mkdir()
        (aside / "hemx.db").write_bytes(bytes(2_000_000))
        card.show()
        assert "2.0 MB" in card.aside.text
        card.clear()
        self.settle()
        assert not aside.exists()
        assert card.clear_button.disabled

    def test_what_protects_the_data_is_said(self) -> None:
        self.opened(PORTRAIT)
        told = texts(self.cards["ProtectionCard"])
        assert "The PIN encrypts nothing" in told
        assert str(self.store.folder) in told

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from hemx_core.report.render import page_picture
from mobile_app.compare.comparing import compare_studies
from mobile_app.report import cards as report_cards
from mobile_app.report import exporting
from mobile_app.report.exporting import EXPORTED, Form
from mobile_app.report.screen import Report
from mobile_app.report.subject import draw_preview
from mobile_app.store import Store
from tests.mobile_app.android.test_share import FakeDocuments
from tests.mobile_app.screens_by_touch import (
    LANDSCAPE,
    PORTRAIT,
    ScreenTest,
    cut_off,
    small_targets,
)
from tests.mobile_app.stored import at_once, correct, store_study

ALONE, EARLIER, LATER, CORRECTED = range(1, 5)


class TestReport(ScreenTest):
    @staticmethod
    def fill(store: Store, folder: Path) -> None:
        store_study(store, folder, patient="ID-4711")
        store_study(store, folder, patient="P2", clot_mm=12)
        store_study(store, folder, patient="P2", clot_mm=20, hours=5)
        correct(store, store_study(store, folder, patient="P3"), grow=30)
        at_once(compare_studies(store, EARLIER, LATER))

    def setUp(self) -> None:
        super().setUp()
        self.screen = Report(context=self.context)
        self.to = self.folder / f"out {self._testMethodName}"
        self.to.mkdir()

    def begin(self, study_id: int, size: tuple[int, int] = LANDSCAPE) -> None:
        self.open(study_id)
        self.show(self.screen, size)

    def touch(self, name: str) -> None:
        self.tap(self.screen.buttons[name])
        self.settle()

    def save(self) -> list[str]:
        """Save into the folder through the chooser; what lies there then."""
        self.touch("save")
        self.screen.sheet.view.folder = str(self.to)
        self.settle()
        assert f"“{self.to.name}”" in self.screen.sheet.take_text
        self.tap(self.screen.sheet.ids.take)
        self.settle()
        return sorted(one.name for one in self.to.iterdir())

    def shown(self) -> np.ndarray:
        """The preview's pixels, RGB, top row first."""
        texture = self.screen.preview.image.texture
        pixels = np.frombuffer(texture.pixels, np.uint8)
        return pixels.reshape(texture.height, texture.width, 4)[..., :3]

    def page(self, *, identify: bool, language: str = "en") -> np.ndarray:
        page = draw_preview(self.screen.subject, language=language, identify=identify)
        return np.asarray(page_picture(page))

    def same_page(self, page: np.ndarray) -> bool:
        """Whether the preview is a page, but for the line that tells when it was made."""
        return bool((self.shown()[90:] == page[90:]).all())

    def test_the_preview_is_the_page_in_both_languages(self) -> None:
        self.begin(ALONE)
        assert self.same_page(self.page(identify=False))
        self.context.language = "ja"
        self.settle()
        assert self.same_page(self.page(identify=False, language="ja"))
        assert not self.same_page(self.page(identify=False))

    def test_words_fit_in_both_languages_and_orientations(self) -> None:
        self.begin(ALONE)
        for size in (LANDSCAPE, PORTRAIT):
            self.show(self.screen, size)
            for language, word in (("en", "What is reported"), ("ja", "報告する内容")):
                self.context.language = language
                self.settle()
                assert word in self.screen.told
                assert cut_off(self.screen) == []
                assert small_targets(self.screen) == []
            preview, choices = self.screen.preview, self.screen.scroll
            assert (preview.right <= choices.x) is (size == LANDSCAPE)
            assert (preview.y >= choices.top) is (size == PORTRAIT)

    def test_a_page_is_saved_without_names_and_told_where(self) -> None:
        self.begin(ALONE)
        names = self.save()
        assert len(names) == 1
        assert names[0].endswith("-referral.pdf")
        assert f"Saved in {self.to}" in self.screen.told
        assert names[0] in self.screen.told
        (entry,) = self.store.audit.entries(newest=1)
        assert (entry.action, entry.study_id) == (EXPORTED, ALONE)
        assert entry.detail["identified"] is False

    def test_names_are_written_by_choice_and_the_choice_ends_with_the_export(self) -> None:
        self.begin(ALONE)
        self.touch("pdf")
        self.touch("json")
        assert "LEFT OUT" in self.screen.told
        assert "Yamada" not in self.screen.told
        self.touch("names")
        assert (
            "These will be written into the files: Patient: Yamada Tarou; ID: ID-4711"
            in self.screen.told
        )
        assert self.screen.buttons["save"].text == "Save WITH NAMES …"
        assert self.same_page(self.page(identify=True))
        names = self.save()
        document = json.loads((self.to / names[0]).read_text(encoding="utf-8"))
        assert document["input"]["identity"]["patient_id"] == "ID-4711"
        assert not self.screen.identify
        assert "LEFT OUT" in self.screen.told
        assert self.same_page(self.page(identify=False))
        assert self.store.audit.entries(newest=1)[0].detail["identified"] is True

    def test_names_are_off_whenever_the_screen_is_shown(self) -> None:
        self.begin(ALONE)
        self.context.language = "ja"
        self.settle()
        self.touch("names")
        assert "山田 太郎（やまだ たろう）" in self.screen.told
        self.screen.on_hide()
        assert not self.screen.identify
        self.screen.on_show()
        self.settle()
        assert "山田" not in self.screen.told
        assert self.same_page(self.page(identify=False, language="ja"))

    def test_all_files_at_once(self) -> None:
        self.begin(LATER)
        for name in ("png", "json", "dicom"):
            self.touch(name)
        assert "DICOM files are of the later study." in self.screen.told
        assert [name.split("-")[-1] for name in self.save()] == [
            "comparison.json",
            "haematoma_seg.dcm",
            "referral.pdf",
            "referral.png",
            "triage_sr.dcm",
        ]

    def test_the_comparison_is_offered_first_and_can_be_left_out(self) -> None:
        self.begin(LATER)
        assert self.screen.subject.comparison is not None
        with_comparison = self.shown().copy()
        assert "With the comparison: +" in self.screen.told
        self.touch("alone")
        assert self.screen.subject.comparison is None
        assert (self.shown() != with_comparison).any()
        assert self.screen.buttons["alone"].state == "down"
        self.touch("comparison 1")
        assert self.screen.subject.comparison_id == 1
        self.begin(EARLIER)
        self.screen.on_show()
        self.settle()
        assert self.screen.subject.comparison is None, "it is not the earlier study's"

    def test_a_correction_is_told(self) -> None:
        self.begin(CORRECTED)
        assert "corrected by hand is reported" in self.screen.told
        self.touch("pdf")
        self.touch("json")
        document = json.loads((self.to / self.save()[0]).read_text(encoding="utf-8"))
        assert document["versions"]["correction"] == "1"

    def test_nothing_chosen_cannot_be_saved(self) -> None:
        self.begin(ALONE)
        self.touch("pdf")
        assert self.screen.buttons["save"].disabled

    def test_without_highdicom_its_button_says_why(self) -> None:
        present = report_cards.can_write_dicom
        report_cards.can_write_dicom = lambda: False
        try:
            self.begin(ALONE)
        finally:
            report_cards.can_write_dicom = present
        assert self.screen.buttons["dicom"].disabled
        assert "highdicom) is not installed" in self.screen.told

    def test_what_cannot_be_written_leaves_nothing_and_is_told(self) -> None:
        self.begin(ALONE)
        self.touch("json")
        self.to.chmod(0o500)
        full = OSError(28, "No space left on device")
        try:
            with patch.object(Path, "replace", side_effect=full):
                names = self.save()
        finally:
            self.to.chmod(0o700)
        assert names == []
        assert "Nothing was saved." in self.screen.told
        assert "No space left" in str(self.errors[0])
        failed, begun = self.store.audit.entries(newest=2)
        assert (begun.action, failed.action) == (EXPORTED, exporting.FAILED)

    def test_on_android_the_systems_chooser_gives_the_place(self) -> None:
        documents = FakeDocuments(self.to)
        self.screen = Report(context=self.context, documents=documents)
        self.begin(ALONE)
        self.touch("png")
        self.touch("save")
        assert sorted(mime for mime, _name in documents.made) == ["application/pdf", "image/png"]
        assert "Saved in the chosen folder" in self.screen.told
        assert not self.context.picking
        assert self.store.audit.entries(newest=1)[0].detail["to"] == "document_tree"

    def test_going_back_from_androids_chooser_saves_nothing(self) -> None:
        documents = FakeDocuments(self.to)
        asked: list[Callable[[Any], None]] = []
        documents.ask_folder = asked.append
        self.screen = Report(context=self.context, documents=documents)
        self.begin(ALONE)
        self.touch("save")
        assert self.context.picking
        asked[0](None)
        self.settle()
        assert not self.context.picking
        assert documents.made == []
        assert "Nothing was saved." in self.screen.told

    def test_without_a_result_there_is_nothing_to_report(self) -> None:
        self.show(self.screen)
        assert "nothing to report yet" in self.screen.told
        assert self.screen.buttons == {}
        assert set(self.screen.forms) == {Form.PDF}

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.base import EventLoop
from kivy.tests.common import UnitTestTouch

from mobile_app import settings
from mobile_app.store import Store
from mobile_app.studies.import_flow import ImportFlow, SeriesSheet
from mobile_app.studies.screen import StudyRow
from mobile_app.widgets.chooser import FileSheet, FolderRow
from mobile_app.work.jobs import Report
from tests.factories import simple_head, write_ct_series
from tests.mobile_app.android.test_files import FakeResolver
from tests.mobile_app.driving import (
    LANDSCAPE,
    PORTRAIT,
    AppTest,
    below,
    popups,
    texts,
)
from tests.mobile_app.filled import add_many, fill


class StudiesTest(AppTest):
    """The list, filled before the app starts."""

    def filled(self, size: tuple[int, int] = LANDSCAPE, language: str = "en") -> dict[str, int]:
        with Store(self.folder / "store") as store:
            ids = fill(store)
        self.start(size, language=language)
        self.settle()
        self.studies = self.app.screens["studies"]
        return ids

    def rows(self) -> list[StudyRow]:
        """Rows on the screen, from above."""
        return sorted(below(self.studies.table, StudyRow), key=lambda one: -one.y)

    def row(self, study_id: int) -> StudyRow:
        return next(one for one in self.rows() if one.study_id == study_id)


class TestList(StudiesTest):
    def test_rows_say_state_and_result_in_both_languages_and_turns(self) -> None:
        ids = self.filled(PORTRAIT, "ja")
        row = self.row(ids["call"])
        assert "山田 太郎" in row.patient
        assert "脳神経外科施設" in row.advice
        assert row.state_words == "解析済み"
        # The app that was running is gone: the study says that it was interrupted.
        assert self.row(ids["running"]).state_words == "中断"
        self.app.context.language = "en"
        self.settle()
        assert self.row(ids["call"]).advice == "Call a neurosurgical centre now."
        assert self.row(ids["refused"]).state_words == "Refused"

    def test_nothing_of_a_row_is_cut_off_on_a_small_tablet(self) -> None:
        self.filled((600, 960), "ja")
        for row in self.rows():
            labels = [one for one in row.walk() if getattr(one, "max_lines", 0) == 2]
            assert labels
            for one in labels:
                assert one.texture_size[1] <= one.height + 1, one.text

    def test_search_as_it_is_typed(self) -> None:
        ids = self.filled()
        self.studies.ids.search.text = "tanaka"
        self.wait(lambda: len(self.studies.rows) == 2)
        assert {one.study_id for one in self.studies.rows} == {ids["discuss"], ids["new"]}
        self.studies.ids.search.text = "nobody"
        self.wait(lambda: not self.studies.rows)
        self.idle()
        assert "No study matches “nobody”." in texts(self.studies)
        self.tap(self.studies.empty.ids.act)
        self.wait(lambda: len(self.studies.rows) == 6)
        assert self.studies.ids.search.text == ""

    def test_names_hide_by_touch_and_stay_hidden(self) -> None:
        ids = self.filled()
        self.tap(self.studies.ids.names)
        self.settle()
        assert self.row(ids["call"]).patient == f"Study {ids['call']}"
        assert "Yamada" not in texts(self.app.root)
        assert self.studies.ids.names.text == "Show names"
        assert settings.hides_names(self.app.context.store)

    def test_an_empty_list_tells_a_newcomer_what_to_do(self) -> None:
        for language, word in (("en", "No studies yet"), ("ja", "検査がまだありません")):
            app = self.start(language=language)
            self.settle()
            empty = app.screens["studies"].empty
            assert word in texts(empty)
            self.tap(empty.ids.act)
            assert [type(one) for one in popups()] == [FileSheet]
            popups()[0].dismiss()
            app.on_stop()
        self.app = None


class TestRow(StudiesTest):
    def test_state_and_delete_end_at_one_edge(self) -> None:
        ids = self.filled()
        row = self.row(ids["call"])
        delete = row.ids.delete
        state = next(one for one in row.walk() if getattr(one, "text", "") == "Analysed")
        assert state.right == delete.right
        assert delete.top <= state.y, "neither covers the other"


class TestDelete(StudiesTest):
    def test_delete_asks_first_and_then_deletes(self) -> None:
        ids = self.filled()
        store = self.app.context.store
        folder = store.studies.path(store.studies.get(ids["call"]))
        self.tap(self.row(ids["call"]).ids.delete)
        popup = popups()[0]
        assert "Yamada Taro" in texts(popup)
        self.tap(popup.no)
        assert popups() == []
        assert folder.exists()
        self.tap(self.row(ids["call"]).ids.delete)
        self.tap(popups()[0].yes)
        self.settle()
        assert ids["call"] not in {one.study_id for one in self.studies.rows}
        assert not folder.exists()
        assert self.app.status.told == "Deleted."

    def test_deleting_the_open_study_closes_it(self) -> None:
        self.filled()
        number = _import(self, _head(self.folder))
        self.studies.delete(number)
        self.settle()
        context = self.app.context
        assert (context.study_id, context.volume, context.result) == (None, None, None)
        assert number not in {one.study_id for one in self.studies.rows}


class TestLongList(StudiesTest):
    def test_500_studies_scroll_smoothly(self) -> None:
        with Store(self.folder / "store") as store:
            add_many(store, 500)
        self.start()
        self.settle()
        self.studies = self.app.screens["studies"]
        assert len(self.studies.rows) == 500
        assert len(self.rows()) < 20, "only what is in sight may be widgets"
        table, slowest = self.studies.table, []
        table.scroll_y = 0
        last = self.studies.rows[-1].study_id
        self.wait(lambda: last in {one.study_id for one in self.rows()}, seconds=5)
        table.scroll_y = 1
        self.idle()
        touch = UnitTestTouch(*table.to_window(table.center_x, table.y + 40))
        touch.touch_down()
        for step in range(30):
            touch.touch_move(touch.x, table.y + 40 + 15 * step)
            begun = time.perf_counter()
            EventLoop.idle()
            slowest.append(time.perf_counter() - begun)
        touch.touch_up()
        assert table.scroll_y < 1
        assert sorted(slowest)[len(slowest) // 2] < 0.1, slowest


class TestImport(StudiesTest):
    def test_a_folder_by_touch_from_chooser_to_result(self) -> None:
        _head(self.folder / "cd" / "ST0")
        self.start(PORTRAIT, language="ja")
        self.studies = self.app.screens["studies"]
        settings.set_import_folder(self.app.context.store, self.folder / "cd")
        self.tap(self.studies.ids.import_button)
        sheet = popups()[0]
        self.settle()
        for name in ("cd", "ST0"):
            row = next(one for one in below(sheet, FolderRow) if one.name == name)
            self.tap(row)
            self.settle()
        assert sheet.ids.take.text == "このフォルダを取り込む：ST0"
        self.tap(sheet.ids.take)
        self.wait(lambda: self.app.context.result)
        assert self.app.current == "reading"
        self.settle()
        assert [one.state for one in self.studies.rows] == ["解析済み"]
        # What is kept of where it came from is the folder above, never the study's own name.
        assert settings.import_folder(self.app.context.store).name == "cd"

    def test_a_zip_is_chosen_as_a_file(self) -> None:
        shutil.make_archive(str(self.folder / "in" / "study"), "zip", _head(self.folder / "ct"))
        self.start()
        settings.set_import_folder(self.app.context.store, self.folder / "in" / "study.zip")
        self.studies = self.app.screens["studies"]
        self.studies.import_study()
        sheet = popups()[0]
        sheet.view.folder = str(self.folder / "in")
        self.settle()
        self.tap(next(below(sheet, FolderRow)))
        assert sheet.ids.take.text == "Import this file: study.zip"
        self.tap(sheet.ids.take)
        self.wait(lambda: self.app.context.result)

    def test_several_series_are_listed_with_reasons(self) -> None:
        _several(self.folder / "ct")
        self.start()
        flow = self.app.screens["studies"].flow
        flow.chosen(self.folder / "ct")
        sheet = self.wait(lambda: [one for one in popups() if isinstance(one, SeriesSheet)])[0]
        told = [one.text for one in sheet.buttons.values()]
        assert told[0].startswith("Chosen: Head 5 mm")
        assert "Suitable" in told[0]
        assert any("Not suitable: a localizer" in one for one in told)
        contrast = next(one for one in sheet.buttons.values() if "contrast medium" in one.text)
        scout = next(one for one in sheet.buttons.values() if "localizer" in one.text)
        assert scout.disabled
        best = sheet.key
        self.tap(contrast)
        assert sheet.key != best
        assert contrast.text.startswith("Chosen: ")
        self.tap(next(iter(sheet.buttons.values())))
        self.tap(sheet.take)
        self.wait(lambda: self.app.context.result)
        identity = self.app.context.result.identity
        assert identity.series_description == "Head 5 mm"

    def test_cancelled_choice_imports_nothing(self) -> None:
        _several(self.folder / "ct")
        self.start(PORTRAIT, language="ja")
        flow = self.app.screens["studies"].flow
        flow.chosen(self.folder / "ct")
        sheet = self.wait(lambda: [one for one in popups() if isinstance(one, SeriesSheet)])[0]
        assert "位置決め画像です" in texts(sheet)
        self.tap(sheet.cancel)
        self.settle()
        assert self.app.context.store.studies.find() == ()

    def test_the_same_files_again_open_what_is_there(self) -> None:
        self.start()
        self.studies = self.app.screens["studies"]
        first = _import(self, _head(self.folder / "ct"))
        made = self.app.context.result_id
        assert _import(self, self.folder / "ct") == first
        assert self.app.context.result_id == made

    def test_cancel_during_the_copy_leaves_nothing(self) -> None:
        self.start()
        flow, context = self.app.screens["studies"].flow, self.app.context
        tell = Report.progress

        def cancelled(report: Report, stage: str, done: int, total: int) -> None:
            if stage == "copy" and done == 2:
                context.cancel()
            tell(report, stage, done, total)

        patch = pytest.MonkeyPatch()
        patch.setattr(Report, "progress", cancelled)
        try:
            flow.chosen(_head(self.folder / "ct"))
            self.settle()
            self.wait(lambda: not context.busy)
        finally:
            patch.undo()
        assert context.store.studies.find() == ()
        assert list((context.store.folder / "studies").glob("*")) == []
        assert self.app.status.told == "Cancelled."

    def test_a_folder_without_dicom_is_refused_in_words(self) -> None:
        (self.folder / "letters").mkdir()
        (self.folder / "letters" / "note.txt").write_text("x")
        self.start(language="ja")
        self.app.screens["studies"].flow.chosen(self.folder / "letters")
        popup = self.wait(popups)[0]
        assert "対処方法: CT検査のフォルダ" in texts(popup)


def _head(folder: Path, **kwargs: object) -> Path:
    hu = simple_head(clot_mm=20).hu
    write_ct_series(folder, hu=hu, PixelSpacing=[1.5, 1.5], **kwargs)
    return folder


def _several(folder: Path) -> None:
    _head(folder / "a", series="2")
    make = partial(write_ct_series, hu=simple_head().hu, PixelSpacing=[1.5, 1.5])
    make(folder / "b", series="3", SeriesDescription="Head +C", ContrastBolusAgent="IOPAMIDOL")
    scout = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    make(folder / "c", series="1", SeriesDescription="Scout", ImageType=scout)


def _import(test: StudiesTest, folder: Path) -> int:
    """Import without a chooser; wait for the result."""
    context = test.app.context
    context.close_study()
    test.studies.flow.chosen(folder)
    test.wait(lambda: context.result)
    return int(context.study_id)


class FakeDocuments:
    """Android's pickers over a real folder; `answer` is what the user picks."""

    def __init__(self, resolver: FakeResolver, cache: Path) -> None:
        self.resolver, self.cache = resolver, cache
        self.asked: list[bool] = []
        self.on_picked: Callable[[str | None], None] | None = None

    def pick(self, *, tree: bool, on_picked: Callable[[str | None], None]) -> None:
        self.asked.append(tree)
        self.on_picked = on_picked

    def make_folder(self) -> str:
        self.cache.mkdir()
        return str(self.cache)


class TestAndroid(StudiesTest):
    def test_a_picked_folder_is_copied_imported_and_the_copy_deleted(self) -> None:
        top = _head(self.folder / "card")
        documents = FakeDocuments(FakeResolver(top), self.folder / "cache")
        self.start(PORTRAIT)
        context = self.app.context
        flow = ImportFlow(context, documents)
        flow.start()
        self.tap(flow.sheet.buttons["folder"])
        assert documents.asked == [True]
        assert context.picking
        documents.on_picked("content://0")
        assert not context.picking
        self.wait(lambda: context.result)
        self.settle()
        assert not documents.cache.exists()
        assert len(context.store.studies.find()) == 1

    def test_going_back_from_the_picker_leaves_everything_as_it_was(self) -> None:
        documents = FakeDocuments(FakeResolver(self.folder), self.folder / "cache")
        self.start()
        flow = ImportFlow(self.app.context, documents)
        flow.start()
        self.tap(flow.sheet.buttons["file"])
        assert documents.asked == [False]
        documents.on_picked(None)
        self.settle()
        assert not documents.cache.exists()
        assert popups() == []
        assert not self.app.context.busy

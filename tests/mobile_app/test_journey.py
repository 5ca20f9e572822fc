"""The whole way of a patient through the real app, by touch: two studies in, a report out, both deleted."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("kivy", reason="the app's extra is not installed")

from kivy.core.window import Window
from kivy.tests.common import UnitTestTouch
from pydicom import dcmread
from pypdf import PdfReader

from hemx_core.imaging.volume import HUVolume
from hemx_core.phantoms import make_phantom, random_spec
from hemx_core.phantoms.dicom import make_uids, write_dicom_series
from mobile_app import settings
from mobile_app.i18n import text
from mobile_app.lock.pin import PinLock
from mobile_app.lock.screen import seconds_going_on
from mobile_app.report.exporting import can_write_dicom
from mobile_app.store import Store
from mobile_app.studies import demo
from mobile_app.studies.screen import StudyRow
from mobile_app.widgets.chooser import FolderRow
from mobile_app.widgets.picture import PRESETS
from mobile_app.work.device_models import DeviceModels
from mobile_app.work.self_test import last_self_test
from tests.factories import simple_head
from tests.mobile_app.driving import (
    LANDSCAPE,
    PORTRAIT,
    AppTest,
    below,
    popups,
    texts,
)

EARLIER, LATER = datetime(2026, 11, 24, 8, 15), datetime(2026, 11, 24, 14, 15)
NAME, PATIENT, SITE = "Yamada^Tarou=山田^太郎=やまだ^たろう", "ID-4711", "Clinic 12"
NAMED = ("Yamada", "Tarou", "山田", "太郎", "やまだ", PATIENT, SITE)

VolumeOf = Callable[[float], HUVolume]
"""A head with so much blood, in the unit of its maker."""


@dataclass(frozen=True)
class Way:
    """One journey: the language, how the tablet is held at first and after the turn, and words to be met."""

    language: str
    begins: tuple[int, int]
    turns_to: tuple[int, int]
    grown: str
    corrected: str
    hidden: str
    deleted: str


ENGLISH = Way("en", LANDSCAPE, PORTRAIT, "Growth", "Corrected by hand", "LEFT OUT", "Deleted.")
JAPANESE = Way("ja", PORTRAIT, LANDSCAPE, "血腫の変化", "手動修正後", "含めない", "削除しました。")


def write_patient(folder: Path, volume_of: VolumeOf, sizes: tuple[float, float]) -> None:
    """Two studies of a patient, six hours apart, as DICOM in `folder`/earlier and `folder`/later."""
    for name, at, size in zip(("earlier", "later"), (EARLIER, LATER), sizes, strict=True):
        volume = volume_of(size)
        identity = replace(
            make_uids(len(volume.hu), "journey", name),
            patient_name=NAME,
            patient_id=PATIENT,
            series_description="Head 5 mm",
            acquired_at=at,
            site=SITE,
        )
        write_dicom_series(replace(volume, identity=identity), folder / name)


def small_phantom(volume_ml: float) -> HUVolume:
    """14 slices of a head with blood in the putamen; the same head for every volume."""
    spec = random_spec(
        np.random.default_rng([7, 0]),
        matrix=256,
        slices=14,
        markers=dict.fromkeys(("hypodensity", "irregular"), True),
        location="putamen",
        volume_ml=volume_ml,
    )
    return make_phantom(spec).volume


class JourneyTest(AppTest):
    """The steps; each is what a person does and then looks at."""

    way: Way

    def begin(self, way: Way, **kwargs: Any) -> None:
        self.way = way
        self.start(way.begins, language=way.language, **kwargs)
        self.context = self.app.context
        settings.set_import_folder(self.context.store, self.folder / "cd" / "earlier")

    def go(self, name: str) -> Any:
        """Touch a screen's button in the navigation; the screen."""
        self.tap(self.app.navigation.buttons[name])
        self.settle()
        assert self.app.current == name
        return self.app.screens[name]

    def take_in(self, name: str) -> int:
        """Import a folder by the chooser; wait for the result; the study's number."""
        before = self.context.study_id
        studies = self.go("studies")
        self.tap(studies.ids.import_button)
        (sheet,) = popups()
        self.settle()
        self.tap(next(row for row in below(sheet, FolderRow) if row.name == name))
        self.settle()
        self.tap(sheet.ids.take)
        self.wait(lambda: self.context.study_id not in (None, before) and self.context.result)
        self.settle()
        assert popups() == []
        assert self.app.current == "reading"
        return int(self.context.study_id)

    def read(self) -> None:
        """Scroll, choose a window, lay the heat map over the slice."""
        reading = self.app.screens["reading"]
        viewer = reading.viewer
        assert self.context.result.mask[int(viewer.index)].any(), "it opens where the blood is"
        begin = int(viewer.index)
        x, y = viewer.to_window(*viewer.center)
        self.drag((x, y), (x, y - 60))
        assert viewer.index < begin
        reading.strip.index = begin
        self.tap(reading.buttons["window"])
        plain = self.picture()
        self.tap(reading.buttons["stroke"])
        assert viewer.window == PRESETS["stroke"]
        assert (self.picture() != plain).any()
        self.tap(reading.buttons["brain"])
        self.tap(reading.buttons["overlay"])
        shows, plain = viewer.show_heat, self.picture()
        self.tap(reading.buttons["heat"])
        assert viewer.show_heat is not shows
        assert (self.picture() != plain).any()

    def correct(self) -> float:
        """Add blood by the brush, save; the corrected volume in mL."""
        reading = self.app.screens["reading"]
        viewer = reading.viewer
        self.tap(reading.buttons["correct"])
        self.tap(reading.buttons["brush"])
        rows, columns = np.nonzero(self.context.result.mask[int(viewer.index)])
        reach = 12 / viewer.volume.geometry.pixel_spacing_mm[1]
        path = [(rows.mean(), columns.max()), (rows.mean(), columns.max() + reach)]
        self.drag(*[viewer.to_window(*viewer.to_screen(*place)) for place in path])
        assert self.way.corrected in reading.findings
        self.tap(reading.buttons["save"])
        self.settle()
        assert self.context.correction.version == 1
        found = float(self.context.correction.volume_ml)
        assert found > self.context.result.haematoma_volume_ml
        return found

    def turn(self) -> None:
        """Hold the tablet the other way; slice and correction stay."""
        viewer = self.app.screens["reading"].viewer
        index, corrected = int(viewer.index), np.array(viewer.masks[int(viewer.index)])
        Window.size = self.way.turns_to
        self.idle(6)
        bar = self.app.navigation
        upright = self.way.turns_to == PORTRAIT
        assert (bar.width > bar.height) is upright
        assert viewer.index == index
        assert np.array_equal(viewer.masks[index], corrected)
        longer, shorter = max(viewer.size), min(viewer.size)
        assert shorter > 0.45 * min(Window.size), (longer, shorter)

    def picture(self) -> np.ndarray:
        """The viewer's pixels."""
        self.idle()
        texture = self.app.screens["reading"].viewer.export_as_image().texture
        return np.frombuffer(texture.pixels, np.uint8)

    def drag(self, *path: tuple[float, float]) -> None:
        touch = UnitTestTouch(*path[0])
        touch.touch_down()
        for place in path[1:]:
            self.idle(1)
            touch.touch_move(*place)
        touch.touch_up()
        self.idle()

    def compare(self, earlier_ml: float) -> None:
        """The pair is chosen already; one touch compares it, by the corrected outline."""
        compare = self.go("compare")
        assert not compare.go.disabled
        self.tap(compare.go)
        self.wait(lambda: compare.compared)
        self.settle()
        found = compare.compared.comparison
        assert found.earlier_volume.volume_ml == pytest.approx(earlier_ml, rel=1e-6)
        assert found.growth.ml == pytest.approx(
            self.context.result.haematoma_volume_ml - earlier_ml, rel=1e-6
        )
        assert found.interval_hours == pytest.approx(6.0)
        assert self.way.grown in compare.told
        assert f"{found.growth.ml:.1f} mL" in compare.told

    def report(self) -> dict[str, bytes]:
        """Save a page, a document and, where it can be, DICOM; the files by their kind."""
        report = self.go("report")
        assert self.way.hidden in report.told
        forms = ["json", "dicom"] if can_write_dicom() else ["json"]
        for name in forms:
            self.tap(report.buttons[name])
        told = text(self.way.language, "report.uids")
        assert (told in report.told) is ("dicom" in forms)
        (self.folder / "out").mkdir()
        self.tap(report.buttons["save"])
        (sheet,) = popups()
        sheet.view.folder = str(self.folder / "out")
        self.settle()
        self.tap(sheet.ids.take)
        self.settle()
        written = sorted((self.folder / "out").iterdir())
        assert all(one.name in report.told for one in written)
        return {one.name.rsplit("-", 1)[-1]: one.read_bytes() for one in written}

    def check_nameless(self, files: dict[str, bytes]) -> None:
        """Nothing in the files names the patient or the clinic."""
        kinds = {"referral.pdf", "comparison.json"}
        dicom = {"haematoma_seg.dcm", "triage_sr.dcm"} if can_write_dicom() else set()
        assert set(files) == kinds | dicom
        pdf = PdfReader(io.BytesIO(files["referral.pdf"]))
        told = " ".join(page.extract_text() for page in pdf.pages) + str(pdf.metadata)
        own = self.context.result.identity
        document = json.loads(files["comparison.json"])
        assert document["format"] == "hemx.comparison"
        for word in (*NAMED, own.study_uid, own.series_uid):
            assert word not in told
            for name, content in files.items():
                # DICOM objects refer to their images by UID; the screen says so.
                if name not in dicom or word in NAMED:
                    assert word.encode() not in content, (name, word)
        for name in dicom:
            dataset = dcmread(io.BytesIO(files[name]))
            assert str(dataset.PatientID) != PATIENT
        if dicom:
            blood = dcmread(io.BytesIO(files["haematoma_seg.dcm"])).pixel_array
            assert np.count_nonzero(blood) == np.count_nonzero(self.context.result.mask)

    def delete(self, *numbers: int) -> None:
        """Delete the studies; nothing of them stays in the store."""
        studies = self.go("studies")
        for number in numbers:
            row = next(one for one in below(studies.table, StudyRow) if one.study_id == number)
            self.tap(row.ids.delete)
            (question,) = popups()
            self.tap(question.yes)
            self.settle()
            assert self.way.deleted in self.app.status.told
        assert studies.rows == ()
        assert self.context.result is None
        left = [one for one in self.context.store.folder.rglob("*") if one.is_file()]
        assert not any(b"DICM" in one.read_bytes() for one in left)

    def travel(self) -> None:
        """All of it."""
        first = self.take_in("earlier")
        self.read()
        corrected_ml = self.correct()
        self.turn()
        result = self.go("result")
        assert f"{corrected_ml:.1f} mL" in result.told
        second = self.take_in("later")
        self.compare(corrected_ml)
        self.check_nameless(self.report())
        self.delete(second, first)


class TestWithFakeModels(JourneyTest):
    def journey(self, way: Way) -> None:
        write_patient(self.folder / "cd", lambda mm: simple_head(clot_mm=mm), (14.0, 24.0))
        self.begin(way)
        self.travel()

    def test_in_english_begun_in_landscape(self) -> None:
        self.journey(ENGLISH)

    @pytest.mark.slow
    def test_in_english_begun_in_portrait(self) -> None:
        self.journey(replace(ENGLISH, begins=PORTRAIT, turns_to=LANDSCAPE))

    @pytest.mark.slow
    def test_in_japanese_begun_in_landscape(self) -> None:
        self.journey(replace(JAPANESE, begins=LANDSCAPE, turns_to=PORTRAIT))

    def test_in_japanese_begun_in_portrait(self) -> None:
        self.journey(JAPANESE)


@pytest.mark.slow
class TestWithTheShippedBundle(JourneyTest):
    def test_a_phantom_and_its_grown_follow_up(self) -> None:
        write_patient(self.folder / "cd", small_phantom, (12.0, 26.0))
        self.begin(JAPANESE, device_models=DeviceModels)
        self.travel()

    def test_the_demo_opens_on_a_study_and_shows_its_result(self) -> None:
        self.start(PORTRAIT, demo=True, device_models=DeviceModels)
        context = self.app.context
        self.wait(lambda: context.result or popups())
        assert popups() == [], texts(popups()[0])
        assert self.app.current == "reading"
        truth_ml = max(demo.VOLUMES_ML.values())
        assert context.result.haematoma_volume_ml == pytest.approx(truth_ml, rel=0.2)
        assert context.result.markers["hypodensity"].present
        self.tap(self.app.navigation.buttons["result"])
        self.settle()
        assert f"{context.result.haematoma_volume_ml:.1f} mL" in self.app.screens["result"].told
        assert last_self_test(context.store).report.tested


class TestLeftInTheMiddle(JourneyTest):
    def left_with_a_stroke(self) -> int:
        write_patient(self.folder / "cd", lambda mm: simple_head(clot_mm=mm), (14.0, 24.0))
        self.begin(ENGLISH)
        self.take_in("earlier")
        reading = self.app.screens["reading"]
        self.tap(reading.buttons["correct"])
        self.tap(reading.buttons["brush"])
        viewer = reading.viewer
        self.drag(*[viewer.to_window(*viewer.to_screen(60, column)) for column in (60, 90)])
        assert reading.correction.editor.unsaved
        return int(self.context.result_id)

    def test_a_pause_keeps_the_stroke_and_the_way_back_saves_it_no_second_time(self) -> None:
        result_id = self.left_with_a_stroke()
        assert self.app.on_pause()
        self.app.on_resume()
        self.idle()
        self.app.on_pause()
        corrections = self.context.store.corrections
        (number,) = corrections.of_result(result_id)
        assert corrections.load(number).mask[int(self.app.screens["reading"].viewer.index), 60, 75]

    def test_a_lock_by_itself_leaves_the_stroke_as_it_is(self) -> None:
        result_id = self.left_with_a_stroke()
        PinLock(self.context.store).set("491827")
        editor = self.app.screens["reading"].correction.editor
        drawn = editor.snapshot()
        now = seconds_going_on()
        self.app.locking.clock = lambda: now + 3600
        self.app.locking.look()
        lock = self.app.locking.present
        assert lock is not None
        assert self.app.content.parent is None
        lock.ids.pin.text = "491827"
        self.tap(lock.ids.unlock)
        self.settle()
        assert self.app.content.parent is not None
        assert self.app.screens["reading"].correction.editor is editor
        assert editor.unsaved
        assert editor.snapshot().state is drawn.state
        assert self.context.store.corrections.of_result(result_id) == ()

    def test_the_end_of_the_app_keeps_the_stroke(self) -> None:
        result_id = self.left_with_a_stroke()
        self.app.on_stop()
        with Store(self.folder / "store") as again:
            (number,) = again.corrections.of_result(result_id)
            assert (
                again.corrections.load(number).mask.sum() > again.results.load(result_id).mask.sum()
            )

"""Reading: the slices with what triage found on them, while it runs and afterwards, and its correction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label

from hemx_core.imaging.volume import HUVolume
from hemx_core.markers import MARKER_CODES
from hemx_core.measure.doubts import Doubt, in_doubt
from hemx_core.report.pictures import edge_letters
from hemx_core.result import SliceUpdate
from hemx_core.words.report import Texts
from mobile_app import settings, theme
from mobile_app.context import AppContext
from mobile_app.i18n import text
from mobile_app.reading import slice_strip  # noqa: F401  (the layout names them)
from mobile_app.reading import words as reading_told
from mobile_app.reading.answers import MarkerAnswers
from mobile_app.reading.correction import MaskCorrection
from mobile_app.reading.correction_work import slices_worth_a_look
from mobile_app.reading.tools import ReadingTools
from mobile_app.widgets import slice_viewer  # noqa: F401  (the layout names them)
from mobile_app.widgets.buttons import confirm

RAIL_SHARE, RAIL_LEAST, RAIL_MOST = 0.25, theme.TARGET * 4, theme.TARGET * 5.5
"""Width of the tools in landscape."""


class CornerLabel(Label):
    """Text on the picture, with a dark rim so that it reads on bone as well."""


class Reading(BoxLayout):
    """Viewer, strip and tools; the tools below the slice in portrait, at its side in landscape.

    Args:
        context: whose open study is shown.
    """

    context = ObjectProperty()
    viewer = ObjectProperty()
    strip = ObjectProperty()
    strip_box = ObjectProperty()
    caption = StringProperty()
    findings = StringProperty()
    warns = BooleanProperty(False)
    """Whether the findings are not simply the network's."""
    readings = StringProperty()
    strip_text = StringProperty()
    left_letter = StringProperty()
    right_letter = StringProperty()

    def __init__(self, context: AppContext, **kwargs: object) -> None:
        super().__init__(context=context, **kwargs)
        viewer = self.viewer
        self.correction = MaskCorrection(context)
        self.answers = MarkerAnswers(context)
        self.tools = ReadingTools(viewer, self.correction, self.answers, language=context.language)
        self.add_widget(self.tools)
        self._load = Clock.create_trigger(self._take_result, -1)
        self._tell = Clock.create_trigger(self._tell_findings, -1)
        self._bind_parts()
        context.bind(
            volume=lambda _context, volume: self._open(volume),
            result=self._result_changed,
            correction=self._load,
            running=self._translate,
            language=self._translate,
            on_slice_update=lambda _context, update: self._update(update),
        )
        self.fbind("size", self._turn)
        self._turn()
        self._open(context.volume)
        self._load()
        self._translate()

    @property
    def buttons(self) -> dict[str, object]:
        """The tools by name."""
        return self.tools.buttons

    def on_show(self) -> None:
        """An earlier study may have been compared meanwhile."""
        self.correction.find_earlier()
        self.answers.open()  # another reader may use the app now
        self._tell_slice()
        # After the trigger that goes to the largest area.
        Clock.schedule_once(self._show_asked, 0)

    def _show_asked(self, *_ignored: object) -> None:
        """Go to the slice that another screen asked for."""
        asked, volume = self.context.slice_asked, self.viewer.volume
        if asked is not None and volume is not None:
            self.viewer.index = min(int(asked), len(volume.hu) - 1)
            self.context.slice_asked = None

    def on_hide(self) -> None:
        """Ask about a correction that is not saved: other screens show the saved one."""
        self.viewer.overlays_hidden = False
        if self.correction.may_save:
            language = self.context.language
            words = {
                name: text(language, f"reading.ask.{key}")
                for name, key in (
                    ("title", "title"),
                    ("message", "message"),
                    ("yes", "save"),
                    ("no", "later"),
                )
            }
            confirm(**words, on_yes=self.correction.save, kind="primary")

    def keep(self, *, ends: bool = False) -> None:
        """The app is left, or ends: store what is drawn."""
        self.correction.keep(ends=ends)

    def _bind_parts(self) -> None:
        viewer, strip, correction = self.viewer, self.strip, self.correction
        for name in ("index", "window", "pixel", "ruler"):
            viewer.fbind(name, self._tell_slice)
        viewer.fbind("index", lambda _viewer, index: setattr(strip, "index", index))
        strip.fbind("index", lambda _strip, index: setattr(viewer, "index", index))
        viewer.bind(on_stroke=self._stroke)
        self.tools.fbind("marker", self._choose_marker)
        self.tools.fbind("group", self._tell_slice)
        self.answers.bind(on_answers=self._tell_slice)
        correction.bind(
            on_slices=lambda _correction, indices: self._show_corrected(indices),
            on_standing=self._tell,
        )

    # What the context brings

    def _open(self, volume: HUVolume | None) -> None:
        """Show a volume before anything is known of it."""
        self.correction.close()
        count = 0
        if volume is None:
            self.viewer.close()
            self.left_letter = self.right_letter = ""
        else:
            self.viewer.open(volume)
            letters = edge_letters(volume.geometry)
            self.left_letter, self.right_letter = letters["left"], letters["right"]
            count = len(volume.hu)
        self.strip.areas = [0.0] * count
        self.strip.probabilities = [None] * count
        self.strip.threshold = None
        self.tools.keys = self.strip.keys = ()
        self.answers.open()
        self._tell_slice()
        self._tell()

    def _update(self, update: SliceUpdate) -> None:
        """Take over a slice from a running triage."""
        viewer = self.viewer
        if viewer.volume is None:
            return
        viewer.masks[update.index] = update.mask
        viewer.mask_changed(update.index)
        area = viewer.volume.geometry.pixel_area_mm2
        self.strip.areas[update.index] = float(update.mask.sum()) * area
        if update.result is not None:
            viewer.results[update.index] = update.result
            viewer.result_changed(update.index)
            self._show_probabilities()

    def _result_changed(self, _context: AppContext, result: object) -> None:
        if result is None:
            self.correction.close()
        self._load()

    def _take_result(self, *_ignored: object) -> None:
        """Show the result with its correction, when volume and result are both there."""
        result, viewer = self.context.result, self.viewer
        if result is None or viewer.volume is None:
            return
        known = self.correction.editor
        self.correction.open()
        if self.correction.editor is known:
            return
        viewer.results = {slice_.index: slice_ for slice_ in result.slices if slice_.probabilities}
        self._show_corrected(tuple(range(len(result.slices))))
        if result.markers:
            best = max(result.markers.values(), key=lambda marker: marker.probability)
            self.tools.marker = MARKER_CODES.index(best.code)
        self._choose_marker()
        areas = list(self.strip.areas)
        if max(areas) > 0:
            viewer.index = areas.index(max(areas))
        viewer.refresh()
        self._tell()

    # What the fingers do

    def _stroke(self, viewer: Any, phase: str, row: float, column: float) -> None:
        erases = viewer.mode == "erase"
        self.correction.stroke(phase, int(viewer.index), row, column, erases=erases)

    def _show_corrected(self, indices: tuple[int, ...]) -> None:
        """Show the editor's masks of these slices; key slices wait for the end of a stroke."""
        editor, viewer = self.correction.editor, self.viewer
        areas = editor.areas_mm2
        if len(indices) == 1:
            self.strip.areas[indices[0]] = float(areas[indices[0]])
        else:
            self.strip.areas = areas.tolist()
        for index in indices:
            viewer.masks[index] = editor.slice_mask(index)
            viewer.mask_changed(index)
        if not editor.drawing:
            keys = slices_worth_a_look(self.context.result, tuple(areas.tolist()))
            self.tools.keys, self.strip.keys = keys, [key.index for key in keys]

    def _choose_marker(self, *_ignored: object) -> None:
        self.viewer.marker = self.tools.marker
        self._show_probabilities()
        self._tell()

    def _show_probabilities(self) -> None:
        place, known = int(self.viewer.marker), self.viewer.results
        self.strip.probabilities = [
            known[index].probabilities[place] if index in known else None
            for index in range(len(self.strip.areas))
        ]
        result = self.context.result
        marker = result.markers.get(MARKER_CODES[place]) if result else None
        self.strip.threshold = marker.threshold if marker else None

    # What is told

    def _turn(self, *_ignored: object) -> None:
        landscape = self.width > self.height
        self.orientation = "horizontal" if landscape else "vertical"
        self.tools.landscape = landscape
        if landscape:
            self.tools.size_hint_x = None
            self.tools.width = min(RAIL_MOST, max(RAIL_LEAST, self.width * RAIL_SHARE))
        else:
            self.tools.size_hint_x = 1

    def _translate(self, *_ignored: object) -> None:
        self.tools.language = self.context.language
        self._tell_slice()
        self._tell()

    def _tell_slice(self, *_ignored: object) -> None:
        viewer, language = self.viewer, self.context.language
        volume = viewer.volume
        if volume is None:
            opens = "unread" if self.context.study_id is not None else "no_study"
            self.caption = text(language, f"reading.{'loading' if self.context.running else opens}")
            self.readings = ""
            return
        self.caption = reading_told.caption(
            language,
            volume.identity,
            index=int(viewer.index),
            count=len(volume.hu),
            window=viewer.window,
            names=not settings.hides_names(self.context.store),
        )
        measured = reading_told.measured(language, viewer.pixel_hu(), viewer.ruler_mm())
        answered = self.answers.told(language) if self.tools.group == "answer" else ""
        self.readings = "\n".join(filter(None, (answered, measured)))

    def _tell_findings(self, *_ignored: object) -> None:
        context, language, editor = self.context, self.context.language, self.correction.editor
        corrected = editor is not None and editor.corrected
        marker = Texts(language).sign(MARKER_CODES[int(self.viewer.marker)])
        key = "reading.strip_corrected" if corrected else "reading.strip"
        self.strip_text = text(language, key, marker=marker)
        self.warns = corrected or editor is None or editor.unsaved
        if self.viewer.volume is None:
            self.findings = ""
        elif editor is None:
            key = "provisional" if context.running else "no_result"
            self.findings = text(language, f"reading.{key}")
        else:
            self.findings = reading_told.findings(
                language,
                editor,
                automatic_ml=context.result.haematoma_volume_ml,
                growth=self.correction.growth,
                earlier=self.correction.earlier,
                doubtful=Doubt.PICTURE in in_doubt(context.result.notes),
            )


Builder.load_file(str(Path(__file__).with_suffix(".kv")))

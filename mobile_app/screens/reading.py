"""Reading: the slices with what triage found on them, while it runs and afterwards."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from kivy.lang import Builder
from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.button import Button
from kivy.uix.label import Label
from kivy.uix.togglebutton import ToggleButton

from hemx_core.imaging.volume import HUVolume
from hemx_core.markers import MARKER_CODES
from hemx_core.report.drawing import edge_letters
from hemx_core.report.key_slices import key_slices
from hemx_core.report.texts import Texts
from hemx_core.result import SliceUpdate, TriageResult
from mobile_app.i18n import text
from mobile_app.widgets import slice_strip, slice_viewer  # noqa: F401  (the layout names them)
from mobile_app.widgets.picture import PRESETS

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class Reading(BoxLayout):
    """Viewer, strip, slices worth a look, and tools."""

    viewer = ObjectProperty()
    strip = ObjectProperty()
    language = StringProperty("en")
    caption = StringProperty()
    readings = StringProperty()
    strip_text = StringProperty()
    left_letter = StringProperty()
    right_letter = StringProperty()

    def __init__(self, **kwargs: object) -> None:
        self.buttons: dict[str, Button] = {}
        self.result: TriageResult | None = None
        super().__init__(**kwargs)
        self._make_tools()
        for name in ("index", "window", "pixel", "ruler", "volume"):
            self.viewer.fbind(name, self._tell)
        self.viewer.fbind("index", lambda _viewer, index: setattr(self.strip, "index", index))
        self.strip.fbind("index", lambda _strip, index: setattr(self.viewer, "index", index))
        self.fbind("language", self._translate)
        self._translate()

    def open(self, volume: HUVolume) -> None:
        """Show a volume before anything is known of it."""
        self.result = None
        self.viewer.open(volume)
        letters = edge_letters(volume.geometry)
        self.left_letter, self.right_letter = letters["left"], letters["right"]
        self.strip.areas = [0.0] * len(volume.hu)
        self.strip.probabilities = [None] * len(volume.hu)
        self._show_keys()
        self._tell()

    def update(self, one: SliceUpdate) -> None:
        """Take over a slice from a running triage."""
        area = self.viewer.volume.geometry.pixel_area_mm2
        self.viewer.masks[one.index] = one.mask
        self.strip.areas[one.index] = float(one.mask.sum()) * area
        if one.result is not None:
            self.viewer.results[one.index] = one.result
            self._show_probabilities()
        self.viewer.refresh()

    def finish(self, result: TriageResult) -> None:
        """Show the final masks; specks are gone. Go to the slice of the largest area."""
        self.result = result
        self.viewer.masks = dict(enumerate(result.mask))
        self.viewer.results = {one.index: one for one in result.slices if one.probabilities}
        self.strip.areas = [one.blood_area_mm2 for one in result.slices]
        self._choose_marker()
        self._show_keys()
        if max(self.strip.areas) > 0:
            self.viewer.index = self.strip.areas.index(max(self.strip.areas))
        self.viewer.refresh()

    def _choose_marker(self) -> None:
        """The map and line of the marker that is most probable."""
        if self.result.markers:
            best = max(self.result.markers.values(), key=lambda one: one.probability)
            self._marker(MARKER_CODES.index(best.code))

    def _marker(self, place: int) -> None:
        self.viewer.marker = place
        self._show_probabilities()
        self._translate()

    def _show_probabilities(self) -> None:
        place, known = int(self.viewer.marker), self.viewer.results
        self.strip.probabilities = [
            known[index].probabilities[place] if index in known else None
            for index in range(len(self.strip.areas))
        ]
        marker = self.result.markers.get(MARKER_CODES[place]) if self.result else None
        self.strip.threshold = marker.threshold if marker else None

    def _make_tools(self) -> None:
        viewer = self.viewer
        for name, window in PRESETS.items():
            self._tool(name, Button(), lambda *_, window=window: setattr(viewer, "window", window))
        for name in ("scroll", "free", "measure"):
            button = ToggleButton(group=f"mode{id(self)}", allow_no_selection=False)
            self._tool(name, button, lambda *_, name=name: setattr(viewer, "mode", name))
        self.buttons["scroll"].state = "down"
        for name in ("outline", "heat"):
            button = ToggleButton(state="down" if getattr(viewer, f"show_{name}") else "normal")
            self._tool(name, button)
            button.fbind("state", partial(self._toggle, f"show_{name}"))
        # A tap on it chooses the next marker's map and line.
        self._tool(
            "marker",
            Button(),
            lambda *_: self._marker((int(viewer.marker) + 1) % len(MARKER_CODES)),
        )
        hide = Button()
        self._tool("hide", hide)
        hide.fbind("state", partial(self._toggle, "overlays_hidden"))
        self._tool("fit", Button(), lambda *_: viewer.fit())

    def _toggle(self, name: str, _button: Button, state: str) -> None:
        setattr(self.viewer, name, state == "down")

    def _tool(self, name: str, button: Button, pressed: object = None) -> None:
        if pressed is not None:
            button.bind(on_press=pressed)
        self.buttons[name] = button
        self.ids.tools.add_widget(button)

    def _show_keys(self) -> None:
        row = self.ids.key_row
        row.clear_widgets()
        if self.result is None:
            return
        row.add_widget(Label(text=text(self.language, "key_label")))
        for one in key_slices(self.result):
            button = Button(text=str(one.index + 1))
            button.bind(on_press=lambda *_, index=one.index: setattr(self.viewer, "index", index))
            row.add_widget(button)

    def _translate(self, *_ignored: object) -> None:
        marker = Texts(self.language).sign(MARKER_CODES[int(self.viewer.marker)])
        for name, button in self.buttons.items():
            button.text = marker if name == "marker" else text(self.language, name)
        self.strip_text = text(self.language, "strip", marker=marker)
        self._show_keys()
        self._tell()

    def _tell(self, *_ignored: object) -> None:
        viewer = self.viewer
        if viewer.volume is None:
            self.caption = text(self.language, "no_study")
            return
        window = viewer.window
        number = text(
            self.language, "slice", number=int(viewer.index) + 1, count=len(viewer.volume.hu)
        )
        width, level = window.upper - window.lower, (window.upper + window.lower) / 2
        self.caption = f"{number}\n{text(self.language, 'window', width=width, level=level)}"
        told = []
        if viewer.pixel is not None:
            told.append(text(self.language, "hu", hu=viewer.pixel_hu()))
        if viewer.ruler is not None:
            told.append(text(self.language, "length", mm=viewer.ruler_mm()))
        self.readings = "   ".join(told)

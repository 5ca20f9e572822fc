"""Result: the recommendation and what it rests on, in the referral's words."""

from __future__ import annotations

from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label
from kivy.uix.scrollview import ScrollView

from hemx_core.report.texts import Texts
from hemx_core.result import MarkerResult, Recommendation, SignResult, TriageResult
from mobile_app import theme
from mobile_app.i18n import text

Color = tuple[float, float, float, float]


class Result(ScrollView):
    """A list of lines, made anew when result or language change."""

    language = StringProperty("en")
    result = ObjectProperty(None, allownone=True)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._lines = BoxLayout(
            orientation="vertical", size_hint_y=None, padding=theme.GAP * 2, spacing=theme.GAP
        )
        self._lines.bind(minimum_height=self._lines.setter("height"))
        self.add_widget(self._lines)
        for name in ("language", "result"):
            self.fbind(name, self._write)
        self._write()

    @property
    def told(self) -> str:
        """All lines."""
        return "\n".join(one.text for one in reversed(self._lines.children))

    def _line(self, told: str, size: float = theme.BODY, ink: Color = theme.TEXT) -> None:
        label = Label(text=told, font_size=size, color=ink, size_hint_y=None, halign="left")
        label.bind(width=lambda one, width: setattr(one, "text_size", (width, None)))
        label.bind(texture_size=lambda one, size: setattr(one, "height", size[1]))
        self._lines.add_widget(label)

    def _write(self, *_ignored: object) -> None:
        self._lines.clear_widgets()
        result, texts = self.result, Texts(self.language)
        if result is None:
            self._line(text(self.language, "no_study"), ink=theme.MUTED)
            return
        calls = result.recommendation is Recommendation.CALL_NOW
        self._line(
            texts(str(result.recommendation)), theme.LARGE, theme.ALARM if calls else theme.TEXT
        )
        self._line(texts("disclaimer"), theme.SMALL, theme.CAUTION)
        self._write_volume(result, texts)
        self._heading(texts("markers"))
        for marker in result.markers.values():
            self._line(_marker(marker, texts), ink=theme.ALARM if marker.present else theme.TEXT)
        if not result.markers:
            self._line(texts("not_judged"))
        self._heading(texts("signs"))
        for sign in result.signs:
            self._line(_sign(sign, texts), ink=theme.CAUTION if sign.present else theme.TEXT)
        self._heading(texts("notes"))
        for note in result.notes:
            self._line(texts.note(note), theme.SMALL)
        if not result.notes:
            self._line(texts("no_notes"), theme.SMALL)

    def _write_volume(self, result: TriageResult, texts: Texts) -> None:
        blood = result.haematoma
        self._heading(texts("measurements"))
        self._line(f"{texts('volume')}: {blood.volume_ml:.1f} mL")
        self._line(f"{texts('abc2')}: {blood.abc2_volume_ml:.1f} mL")
        self._line(f"{texts('diameter')}: {blood.max_diameter_mm:.0f} mm")

    def _heading(self, told: str) -> None:
        self._line(told, theme.SMALL, theme.MUTED)


def _marker(one: MarkerResult, texts: Texts) -> str:
    answer = texts("at_or_above" if one.present else "below")
    limit = texts("threshold", value=f"{one.threshold:.2f}")
    where = texts("slice", number=one.slice_index + 1)
    return f"{texts.sign(one.code)}: {one.probability:.2f} ({limit}) {answer}, {where}"


def _sign(one: SignResult, texts: Texts) -> str:
    answer = {True: "yes", False: "no", None: "undecided"}[one.present]
    return f"{texts.sign(one.code)}: {texts(answer)}"

"""The site's window: limits, presets, and the way back to the models' own."""

from __future__ import annotations

from typing import Any

from kivy.properties import ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.textinput import TextInput

from hemx_core.errors import VolumeError
from mobile_app import settings, theme
from mobile_app.i18n.formats import number
from mobile_app.widgets.choices import Choices
from mobile_app.widgets.setting_cards import SettingCard

PRESETS_HU = ((0, 80), (0, 100), (-10, 90), (10, 70))


class WindowCard(SettingCard):
    """Says at once where a window differs from the one the models were trained with."""

    title = "window"
    manifest = ObjectProperty(None, allownone=True)

    def build(self) -> None:
        """Text, presets, two numbers, two buttons."""
        self.explanation = self.hint()
        self.in_use = self.line()
        self.presets = Choices({f"{lower},{upper}": "" for lower, upper in PRESETS_HU})
        self.presets.bind(on_chosen=self._preset)
        self.add_widget(self.presets)
        row = BoxLayout(size_hint_y=None, height=theme.TARGET, spacing=theme.GAP)
        self.lower, self.upper = (TextInput(input_type="number") for _ in range(2))
        for typed in (self.lower, self.upper):
            row.add_widget(typed)
        self.add_widget(row)
        self.use = self.action(self.save)
        self.own = self.action(lambda: self.choose(None))
        self.told = self.line(color=theme.ACCENT)

    def show(self) -> None:
        """Words, the window in use, and a warning where it is not the models'."""
        super().show()
        language = self.context.language
        self.explanation.text = self.say("window_hint")
        self.lower.hint_text, self.upper.hint_text = self.say("lower"), self.say("upper")
        self.use.text, self.own.text = self.say("use_window"), self.say("use_own")
        self.presets.label(
            {
                f"{lower},{upper}": self.say(
                    "preset", lower=number(language, lower), upper=number(language, upper)
                )
                for lower, upper in PRESETS_HU
            }
        )
        self.told.text = ""
        self._show_in_use()

    def save(self) -> None:
        """Use what was typed."""
        from hemx_core.imaging.spec import HUWindow

        try:
            limits = [_number(typed.text) for typed in (self.lower, self.upper)]
            self.choose(HUWindow(*limits))
        except (ValueError, VolumeError):
            self.told.color, self.told.text = theme.CAUTION, self.say("not_a_window")

    def choose(self, window: Any) -> None:
        """Use a window; None is the models' own. One that equals it is kept as None.

        Raises:
            VolumeError: it reaches beyond what CT holds.
        """
        own = self.manifest.preprocessing.window if self.manifest else None
        settings.set_window(self.context.store, None if window == own else window)
        self.lower.text = self.upper.text = ""
        self.show()
        self.told.color = theme.ACCENT
        self.told.text = f"{self.say('saved')} {self.say('next_time')}"

    def _preset(self, _choices: Choices, key: str) -> None:
        from hemx_core.imaging.spec import HUWindow

        lower, upper = key.split(",")
        self.choose(HUWindow(float(lower), float(upper)))

    def _show_in_use(self) -> None:
        site = self.context.window
        own = self.manifest.preprocessing.window if self.manifest else None
        used = site or own
        self.presets.current = f"{used.lower:g},{used.upper:g}" if used else ""
        self.own.disabled = site is None
        self.in_use.color = theme.TEXT if site is None else theme.CAUTION
        if used is None or own is None:
            self.in_use.text = self.say("window_unknown")
            return
        limits = self._limits(used)
        if site is None:
            self.in_use.text = self.say("window_own", **limits)
        else:
            trained = {f"own_{name}": value for name, value in self._limits(own).items()}
            self.in_use.text = self.say("window_changed", **limits, **trained)

    def _limits(self, window: Any) -> dict[str, str]:
        language = self.context.language
        return {
            name: number(
                language,
                getattr(window, name),
                0 if float(getattr(window, name)).is_integer() else 1,
            )
            for name in ("lower", "upper")
        }


def _number(typed: str) -> float:
    """A number as people type it: full-width digits and a true minus sign, too."""
    import unicodedata

    value = float(unicodedata.normalize("NFKC", typed).replace("−", "-").replace("ー", "-"))
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(typed)
    return value

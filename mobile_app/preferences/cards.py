"""The cards of the settings: language, cores, who uses the app, the site's window, and the PIN."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

from kivy.properties import ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.textinput import TextInput

from hemx_core.errors import VolumeError
from hemx_core.markers import MARKERS
from mobile_app import settings, theme
from mobile_app.i18n import number, text
from mobile_app.lock.pin import PinLock
from mobile_app.widgets.buttons import ActionButton, Card, Choices, Heading, Wrapped

MOST_THREADS = 8
"""More are not offered: one slice does not go faster."""


class SettingCard(Card):
    """A heading and what is set below it.

    Args:
        context: the app's.
    """

    context = ObjectProperty()
    title = ""
    """Key of the heading."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.heading = Heading()
        self.add_widget(self.heading)
        self.build()

    def build(self) -> None:
        """Make the widgets below the heading."""

    def show(self) -> None:
        """Write everything in the present language and state."""
        self.heading.text = self.say(self.title)

    def say(self, key: str, **named: object) -> str:
        """A string of the settings."""
        return text(self.context.language, f"settings.{key}", **named)

    def line(self, **kwargs: object) -> Wrapped:
        """Add a line of text."""
        label = Wrapped(**kwargs)
        self.add_widget(label)
        return label

    def hint(self) -> Wrapped:
        """Add a line of explanation."""
        return self.line(color=theme.MUTED, font_size=theme.SMALL)

    def action(self, act: Any, kind: str = "plain") -> ActionButton:
        """Add a button."""
        button = ActionButton(kind=kind)
        button.bind(on_release=lambda *_: act())
        self.add_widget(button)
        return button

    def field(self, **kwargs: object) -> TextInput:
        """Add a line to type into."""
        typed = TextInput(**kwargs)
        self.add_widget(typed)
        return typed


class LanguageCard(SettingCard):
    """English or Japanese, at once."""

    title = "language"

    def build(self) -> None:
        """One button a language, each in its own words."""
        labels = {code: text(code, f"settings.{code}") for code in settings.LANGUAGES}
        self.choices = Choices(labels)
        self.choices.bind(on_chosen=lambda _choices, code: setattr(self.context, "language", code))
        self.add_widget(self.choices)

    def show(self) -> None:
        """The present one is down."""
        super().show()
        self.choices.current = self.context.language


class NamesCard(SettingCard):
    """Names and IDs of patients in the list."""

    title = "names"

    def build(self) -> None:
        """Shown or hidden."""
        self.choices = Choices({"shown": "", "hidden": ""})
        self.choices.bind(on_chosen=self._chosen)
        self.add_widget(self.choices)

    def show(self) -> None:
        """The present state is down."""
        super().show()
        self.choices.label({key: self.say(f"names_{key}") for key in ("shown", "hidden")})
        hidden = settings.hides_names(self.context.store)
        self.choices.current = "hidden" if hidden else "shown"

    def _chosen(self, _choices: Choices, key: str) -> None:
        settings.set_hides_names(self.context.store, key == "hidden")
        self.context.studies_changed()


class ActorCard(SettingCard):
    """Who uses the app, for the audit trail."""

    title = "actor"

    def build(self) -> None:
        """A name and a button."""
        self.explanation = self.hint()
        self.name = self.field(text=settings.actor(self.context.store))
        self.name.bind(on_text_validate=lambda *_: self.save())
        self.button = self.action(self.save)
        self.told = self.line(color=theme.ACCENT)

    def show(self) -> None:
        """Words only; what is being typed stays."""
        super().show()
        self.explanation.text = self.say("actor_hint")
        self.name.hint_text, self.button.text = self.say("actor_field"), self.say("save")
        self.told.text = ""

    def save(self) -> None:
        """Keep the name."""
        settings.set_actor(self.context.store, self.name.text)
        self.name.text = settings.actor(self.context.store)
        self.told.text = self.say("saved")


class ThreadsCard(SettingCard):
    """Threads of the models' runtime."""

    title = "threads"

    def build(self) -> None:
        """One button a number."""
        counts = range(1, min(settings.cores(), MOST_THREADS) + 1)
        self.explanation = self.hint()
        self.choices = Choices({str(count): str(count) for count in counts})
        self.choices.bind(on_chosen=self._chosen)
        self.add_widget(self.choices)

    def show(self) -> None:
        """The present number is down."""
        super().show()
        self.explanation.text = self.say("threads_hint")
        self.choices.current = str(self.context.threads)

    def _chosen(self, _choices: Choices, key: str) -> None:
        if int(key) != self.context.threads:
            settings.set_threads(self.context.store, int(key))
            self.context.forget_models()


class ThresholdsCard(SettingCard):
    """The bundle's thresholds: to be read, not to be changed."""

    title = "thresholds"
    manifest = ObjectProperty(None, allownone=True)

    def build(self) -> None:
        """Two lines of text."""
        self.explanation = self.hint()
        self.values = self.line(line_height=1.25)

    def show(self) -> None:
        """One line a marker, and the mask's."""
        super().show()
        self.explanation.text = self.say("thresholds_hint")
        if self.manifest is None:
            self.values.text = ""
            return
        language = self.context.language
        names = {
            marker.code: marker.name_ja if language == "ja" else marker.name_en
            for marker in MARKERS
        }
        lines = [
            self.say(
                "threshold", marker=names[marker.code], value=number(language, marker.threshold, 2)
            )
            for marker in self.manifest.markers
        ]
        mask = number(language, self.manifest.mask_threshold, 2)
        self.values.text = "\n".join([*lines, self.say("mask_threshold", value=mask)])


class ProtectionCard(SettingCard):
    """What protects the studies: docs/privacy.md in five sentences."""

    title = "protection"

    def build(self) -> None:
        """Five lines, and where the folder is."""
        self.lines = [self.line() for _ in range(5)]
        self.folder = self.hint()

    def show(self) -> None:
        """Words only."""
        super().show()
        for place, line in enumerate(self.lines, start=1):
            line.text = f"• {self.say(f'protection_{place}')}"
        self.folder.text = self.say("folder", folder=self.context.store.folder)


PRESETS_HU = ((0, 80), (0, 90), (-10, 90), (5, 75))


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
        except VolumeError as error:
            told = self.say("not_a_window")
            if error.code == "window_far":
                stop = "。" if self.context.language == "ja" else ". "
                told = "".join(
                    f"{part}{stop}" for part in error.told(self.context.language)
                ).strip()
            self.told.color, self.told.text = theme.CAUTION, told
        except ValueError:
            self.told.color, self.told.text = theme.CAUTION, self.say("not_a_window")

    def choose(self, window: Any) -> None:
        """Use a window; None is the models' own. One that equals it is kept as None.

        Raises:
            VolumeError: it reaches beyond what CT holds, or lies too far from the models' own.
        """
        from hemx_core.imaging.spec import check_window

        own = self.manifest.preprocessing.window if self.manifest else None
        if window is not None and own is not None:
            check_window(window, own)
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


class PinCard(SettingCard):
    """Fields are emptied after every try: no PIN stays on the screen."""

    title = "pin"

    def build(self) -> None:
        """State, three fields, three buttons, and when it locks by itself."""
        self.pin = PinLock(self.context.store)
        self.state = self.line()
        self.old, self.new, self.again = (self.field(password=True) for _ in range(3))
        self.set_button = self.action(self.set, kind="primary")
        self.clear_button = self.action(self.clear)
        self.lock_button = self.action(lambda: self.context.dispatch("on_lock"))
        self.after = self.line()
        self.minutes = Choices({str(minutes): "" for minutes in settings.MINUTES})
        self.minutes.bind(on_chosen=self._chosen)
        self.add_widget(self.minutes)
        self.told = self.line(color=theme.CAUTION)
        self.forgotten = self.hint()

    def show(self) -> None:
        """Words, and only the fields that are of use."""
        super().show()
        is_set = self.pin.is_set
        self.state.text = self.say("pin_on" if is_set else "pin_off")
        self.old.hint_text = self.say("pin_old")
        self.new.hint_text, self.again.hint_text = self.say("pin_new"), self.say("pin_again")
        self.set_button.text = self.say("pin_change" if is_set else "pin_set")
        self.clear_button.text, self.lock_button.text = self.say("pin_clear"), self.say("lock_now")
        self.after.text = self.say("lock_after")
        self.minutes.label(
            {str(minutes): self.say("minutes", count=minutes) for minutes in settings.MINUTES}
        )
        self.minutes.current = str(settings.lock_minutes(self.context.store))
        self.forgotten.text = self.say("pin_forgotten")
        self.told.text = ""
        self._offer(is_set)

    def _offer(self, is_set: bool) -> None:
        """Without a PIN there is none to type, to remove or to lock with."""
        wanted = [self.new, self.again, self.set_button]
        if is_set:
            wanted = [self.old, *wanted, self.clear_button, self.lock_button]
        after = [self.after, self.minutes] if is_set else []
        wanted = [self.heading, self.state, *wanted, self.told, *after, self.forgotten]
        if self.children[::-1] != wanted:
            self.clear_widgets()
            for widget in wanted:
                self.add_widget(widget)
        self.set_button.disabled = self.clear_button.disabled = False

    def set(self) -> None:
        """Set or change it."""
        old, new = self.old.text, self.new.text
        if new != self.again.text:
            self._tell(self.say("pin_differs"))
            return
        self._run(lambda: self.pin.set(new, old=old), "pin_is_set")

    def clear(self) -> None:
        """Ask for none any more."""
        old = self.old.text
        self._run(lambda: self.pin.clear(old), "pin_is_cleared")

    def _run(self, act: Callable[[], None], done_key: str) -> None:
        for button in (self.set_button, self.clear_button):
            button.disabled = True

        def done(outcome: Any) -> None:
            for field in (self.old, self.new, self.again):
                field.text = ""
            self.show()
            if outcome.error is None:
                self.context.dispatch("on_pin")
                self._tell(self.say(done_key), theme.ACCENT)
            elif wait := ceil(self.pin.wait_seconds()):
                self._tell(self.say("pin_too_early", seconds=wait))
            else:
                self._tell(self.say("pin_refused"))

        self.context.quick.run(lambda _report: act(), on_done=done)

    def _chosen(self, _choices: Choices, minutes: str) -> None:
        settings.set_lock_minutes(self.context.store, int(minutes))

    def _tell(self, told: str, ink: Any = theme.CAUTION) -> None:
        self.told.color, self.told.text = ink, told

"""The cards of the settings; those of the window and of the PIN have modules of their own."""

from __future__ import annotations

from typing import Any

from kivy.properties import ObjectProperty
from kivy.uix.textinput import TextInput

from hemx_core.markers import MARKERS
from mobile_app import settings, theme
from mobile_app.i18n import text
from mobile_app.i18n.formats import number
from mobile_app.widgets.buttons import ActionButton, Card, Heading, Wrapped
from mobile_app.widgets.choices import Choices

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
        names = {one.code: one.name_ja if language == "ja" else one.name_en for one in MARKERS}
        lines = [
            self.say("threshold", marker=names[one.code], value=number(language, one.threshold, 2))
            for one in self.manifest.markers
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

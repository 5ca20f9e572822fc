"""Settings: language, window, cores, who uses the app, PIN; and what protects the data, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import ObjectProperty
from kivy.uix.scrollview import ScrollView

from mobile_app.preferences.cards import (
    ActorCard,
    LanguageCard,
    NamesCard,
    PinCard,
    ProtectionCard,
    ThreadsCard,
    ThresholdsCard,
    WindowCard,
)
from mobile_app.preferences.labels import LabelsCard
from mobile_app.preferences.storage import StorageCard

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

CARDS = (
    LanguageCard,
    NamesCard,
    ActorCard,
    PinCard,
    ThreadsCard,
    WindowCard,
    ThresholdsCard,
    StorageCard,
    LabelsCard,
    ProtectionCard,
)


class SettingsScreen(ScrollView):
    """A column of cards.

    Args:
        context: the app's.
    """

    context = ObjectProperty()

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.manifest: Any = None
        self.cards = {card.__name__: card(context=self.context) for card in CARDS}
        for card in self.cards.values():
            self.ids.cards.add_widget(card)
        self.context.bind(language=self._show)
        self._show()
        self._read_manifest()

    def on_show(self) -> None:
        """Other screens change settings, too."""
        self._show()

    def _show(self, *_ignored: object) -> None:
        for card in self.cards.values():
            card.show()

    def _read_manifest(self) -> None:
        """The models' own window and thresholds."""

        def work(_report: Any) -> Any:
            from hemx_core.bundle.load import default_bundle
            from hemx_core.manifest import ModelManifest

            return ModelManifest.load(default_bundle())

        def done(outcome: Any) -> None:
            self.manifest = outcome.value
            for name in ("WindowCard", "ThresholdsCard"):
                self.cards[name].manifest = self.manifest
            self._show()

        self.context.quick.run(work, on_done=done)

"""Device: do the models compute right here, how fast, what are they, who made what, and what went wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.properties import ObjectProperty
from kivy.uix.boxlayout import BoxLayout

import hemx_core
from mobile_app.device.cards import BenchmarkCard, DeviceCard, SelfTestCard
from mobile_app.device.figures import ChoiceSheet, PageSheet, Table, block_pages, scrolled
from mobile_app.device.markdown import Block, Kind, blocks, pages
from mobile_app.device.words import bundle_rows, licence_list
from mobile_app.i18n import text
from mobile_app.widgets.buttons import ActionButton, Sheet, confirm
from mobile_app.widgets.saving import Saver, save_file

if TYPE_CHECKING:
    from hemx_core.bundle.load import VerifiedBundle

CARD = Path(hemx_core.__file__).parent / "weights" / "MODEL_CARD.md"
LICENCES = Path(__file__).parents[1] / "assets" / "licences.json"


class ModelsCard(DeviceCard):
    """What the manifest says, the model card and the licences."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(title="models.title", **kwargs)
        self.bundle: VerifiedBundle | None = None
        self.table = Table(header=False)
        self.add_widget(self.table)
        self.card, self.licences = ActionButton(), ActionButton()
        self.card.bind(on_release=lambda *_: self.open_card())
        self.licences.bind(on_release=lambda *_: self.open_licences())
        self.actions(self.card, self.licences)

    def read(self) -> None:
        """Verify the bundle beside the interface and show its facts."""

        def work(_report: Any) -> VerifiedBundle:
            from hemx_core.bundle.load import default_bundle, verify_bundle

            return verify_bundle(default_bundle())

        def done(outcome: Any) -> None:
            self.bundle = outcome.value
            self.show()

        self.context.quick.run(work, on_error=self.context.show_error, on_done=done)

    def show(self) -> None:
        """Write everything in the present language."""
        super().show()
        language = self.context.language
        self.table.show(bundle_rows(language, self.bundle) if self.bundle else ())
        self.card.text = self.say("models.card")
        self.licences.text = self.say("licences")

    def open_card(self) -> PageSheet:
        """Show the model card."""
        page = blocks(CARD.read_text(encoding="utf-8"))
        note = Block(Kind.ROW, self.say("models.card_language"))
        sheet = PageSheet(
            language=self.context.language,
            title=self.say("models.card"),
            pages=block_pages([note, *page]),
        )
        sheet.open()
        return sheet

    def open_licences(self) -> ChoiceSheet:
        """Show what the app is made of."""
        found = licence_list(LICENCES)
        sheet = ChoiceSheet(
            language=self.context.language,
            title=self.say("licences"),
            entries=[f"{licence['name']}: {licence['licence']}" for licence in found],
            on_chosen=lambda number: self.open_licence(found[number]),
        )
        sheet.open()
        return sheet

    def open_licence(self, licence: dict[str, str]) -> PageSheet:
        """Show one licence in full."""
        head = licence["licence"]
        if licence["version"]:
            head = self.say("licence.version", licence=head, version=licence["version"])
        cut = [[Block(Kind.TEXT, page)] for page in pages(licence["text"])]
        cut[0] = [Block(Kind.ROW, head), *cut[0]]
        sheet = PageSheet(language=self.context.language, title=licence["name"], pages=cut)
        sheet.open()
        return sheet


class LogCard(DeviceCard):
    """The log without patient data.

    Args:
        folder: where it lies.
        saver: takes a file out of the app.
    """

    def __init__(self, *, folder: Path, saver: Saver, **kwargs: object) -> None:
        super().__init__(title="log.title", **kwargs)
        self._folder, self._saver = folder, saver
        self.hint = self.line()
        self.view, self.save = ActionButton(), ActionButton()
        self.clear = ActionButton(kind="danger")
        self.view.bind(on_release=lambda *_: self.open_log())
        self.save.bind(on_release=lambda *_: self.export())
        self.clear.bind(on_release=lambda *_: self.ask_to_clear())
        self.actions(self.view, self.save, self.clear)

    def show(self) -> None:
        """Write everything in the present language."""
        super().show()
        self.hint.text = self.say("log.hint")
        for button, name in ((self.view, "view"), (self.save, "export"), (self.clear, "clear")):
            button.text = self.say(f"log.{name}")

    def open_log(self) -> PageSheet:
        """Show the log, the newest page first."""
        told = self._read() or self.say("log.empty")
        cut = [[Block(Kind.TEXT, page)] for page in pages(told)]
        sheet = PageSheet(
            language=self.context.language, title=self.say("log.title"), pages=cut[::-1]
        )
        sheet.open()
        return sheet

    def export(self) -> None:
        """Save it outside the app."""
        name = f"hemx-log-{datetime.now():%Y%m%d-%H%M%S}.txt"
        self._saver(self.context, name, self._read().encode("ascii", "replace"))

    def ask_to_clear(self) -> Sheet:
        """Delete it if the user agrees."""
        return confirm(
            title=self.say("log.clear_title"),
            message=self.say("log.clear_message"),
            yes=self.say("log.clear"),
            no=self.say("log.keep"),
            on_yes=self._clear,
        )

    def _clear(self) -> None:
        from mobile_app.logs import clear_log

        clear_log(self._folder)
        self.context.tell("device.log.cleared")

    def _read(self) -> str:
        from mobile_app.logs import read_log

        return read_log(self._folder)


class Device(BoxLayout):
    """A column of cards.

    Args:
        context: the app's.
        saver: takes a file out of the app.
    """

    context = ObjectProperty()

    def __init__(self, *, saver: Saver = save_file, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._saver = saver
        self.self_test = SelfTestCard(context=self.context)
        self.benchmark = BenchmarkCard(context=self.context)
        self.benchmark.save.bind(on_release=lambda *_: self.export_record())
        self.models = ModelsCard(context=self.context)
        self.log = LogCard(context=self.context, folder=self.context.store.folder, saver=saver)
        self.cards = (self.self_test, self.benchmark, self.models, self.log)
        self.scroll = scrolled(*self.cards)
        self.add_widget(self.scroll)
        self.context.bind(language=self._show)
        self._show()
        self.models.read()

    def on_show(self) -> None:
        """A triage may have run the self-test meanwhile."""
        self._show()

    def export_record(self) -> None:
        """Save the last benchmark's record: one line of JSON, as `python -m benchmarks` reads it."""
        from hemx_core.device.record import to_line

        if self.benchmark.record is not None:
            name = f"hemx-benchmark-{datetime.now():%Y%m%d-%H%M%S}.json"
            self._saver(self.context, name, to_line(self.benchmark.record).encode("utf-8"))

    def say(self, key: str) -> str:
        """A string of the screen."""
        return text(self.context.language, f"device.{key}")

    def _show(self, *_ignored: object) -> None:
        for card in self.cards:
            card.show()

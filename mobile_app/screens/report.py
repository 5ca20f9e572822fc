"""Report: the referral page as it will look, and the files that may leave the app, nameless by default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.properties import BooleanProperty, ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.gridlayout import GridLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.togglebutton import ToggleButton

from mobile_app import theme
from mobile_app.android_share import AndroidDocuments, Documents, deliver
from mobile_app.context import AppContext
from mobile_app.device_models import on_android
from mobile_app.expansion import Expansion
from mobile_app.exporting import ExportFile, Form, can_write_dicom, export, write_folder
from mobile_app.i18n import text
from mobile_app.i18n.formats import date_time
from mobile_app.jobs import Outcome
from mobile_app.reporting import Subject, draw_preview, load_subject, named_in_files, reportable
from mobile_app.screens.result import ordered_widgets
from mobile_app.screens.result_cards import heading, signed, small
from mobile_app.widgets.buttons import ActionButton, Card, Wrapped
from mobile_app.widgets.page_preview import PagePreview

Loaded = tuple[tuple[Expansion, ...], Subject]
Delivered = tuple[tuple[ExportFile, ...], Any]


class Report(BoxLayout):
    """Preview beside the choices, or above them in portrait.

    Args:
        context: the app's.
        documents: Android's folder chooser; made here where the app runs on Android, None elsewhere.
    """

    context: AppContext = ObjectProperty()
    identify = BooleanProperty(False)
    """Names are written; goes off again whenever the screen is shown, and after every export."""

    def __init__(self, *, documents: Documents | None = None, **kwargs: object) -> None:
        super().__init__(spacing=theme.GAP * 2, **kwargs)
        self.subject: Subject | None = None
        self.forms = {Form.PDF}
        self.message = ""
        self._documents = documents or (AndroidDocuments() if on_android() else None)
        self._options: tuple[Expansion, ...] = ()
        self._asked = self._drawn = 0
        self.buttons: dict[str, ActionButton | ToggleButton] = {}
        self.preview = PagePreview()
        self.controls = BoxLayout(orientation="vertical", size_hint_y=None, spacing=theme.GAP * 2)
        self.controls.bind(minimum_height=self.controls.setter("height"))
        self.scroll = ScrollView(do_scroll_x=False, bar_width=theme.GAP)
        self.scroll.add_widget(self.controls)
        self._rewrite = Clock.create_trigger(self._write, -1)
        self._redraw = Clock.create_trigger(self._draw, -1)
        for changed in (self._rewrite, self._redraw):
            self.context.fbind("language", changed)
            self.fbind("identify", changed)
        self.fbind("size", self._turn)
        self._turn()

    def on_show(self) -> None:
        """Names are left out anew; the open study's newest state is loaded."""
        self.identify, self.message = False, ""
        self._load()

    def on_hide(self) -> None:
        """Nothing of the page stays behind."""
        self.identify = False
        self.subject = None
        self.preview.show(None)

    @property
    def told(self) -> str:
        """All words, in order."""
        return "\n".join(one.text for one in ordered_widgets(self) if getattr(one, "text", ""))

    # What is reported

    def _load(self, comparison_id: int | None = None, *, alone: bool = False) -> None:
        """Load the study, with a comparison: the given one, else the newest there is."""
        context = self.context
        self._asked += 1
        asked, study_id = self._asked, context.study_id
        self.subject, self._options = None, ()
        self.preview.show(None)
        self._rewrite()
        if study_id is None or context.result is None:
            return
        volume = context.volume

        def work(report: Any) -> Loaded:
            options = reportable(context.store, int(study_id))
            chosen = comparison_id
            if chosen is None and options and not alone:
                chosen = options[0].stored.id
            loaded = load_subject(
                context.store,
                int(study_id),
                comparison_id=chosen,
                volume=volume,
                budget=context.budget,
            )
            return options, loaded(report)

        def done(outcome: Outcome[Loaded]) -> None:
            if asked == self._asked and outcome.value is not None:
                self._options, self.subject = outcome.value
                self._write()
                self._draw()

        context.run(work, on_done=done)

    def _draw(self, *_ignored: object) -> None:
        """Draw the page beside the interface; the newest one asked for is shown."""
        if self.subject is None:
            return
        self._drawn += 1
        drawn, subject = self._drawn, self.subject
        language, identify = self.context.language, self.identify

        def done(outcome: Outcome[Any]) -> None:
            if drawn == self._drawn and self.subject is subject and outcome.value is not None:
                self.preview.show(outcome.value.image)

        # What is on the screen must never show more than will be written.
        self.preview.show(None)
        self.context.quick.run(
            lambda _report: draw_preview(subject, language=language, identify=identify),
            on_error=self.context.show_error,
            on_done=done,
        )

    # The choices

    def _write(self, *_ignored: object) -> None:
        language = self.context.language
        self.controls.clear_widgets()
        self.buttons = {}
        if self.subject is None:
            card = Card()
            key = "no_result" if self.context.result is None else "drawing"
            card.add_widget(Wrapped(text=text(language, f"report.{key}")))
            self.controls.add_widget(card)
            return
        for card in (
            self._subject_card(language, self.subject),
            self._names_card(language, self.subject),
            self._files_card(language, self.subject),
        ):
            self.controls.add_widget(card)

    def _subject_card(self, language: str, subject: Subject) -> Card:
        card = Card()
        card.add_widget(heading(text(language, "report.what")))
        if self._options:
            for one in self._options:
                growth = f"{signed(language, one.growth.ml, 1)} mL"
                at = date_time(language, one.earlier_at)
                told = text(language, "report.with", growth=growth, at=at)
                number = one.stored.id
                chosen = subject.comparison_id == number
                self._choice(card, f"comparison {number}", told, chosen, self._reload(number))
            told = text(language, "report.alone")
            self._choice(card, "alone", told, subject.comparison_id is None, self._reload(None))
        key = "corrected" if subject.corrected else "automatic"
        ink = theme.CAUTION if subject.corrected else theme.MUTED
        card.add_widget(small(text(language, f"report.{key}"), ink))
        return card

    def _reload(self, comparison_id: int | None) -> Callable[[], None]:
        return lambda: self._load(comparison_id, alone=comparison_id is None)

    def _choice(
        self, card: Card, name: str, told: str, chosen: bool, act: Callable[[], None]
    ) -> None:
        group = f"subject{id(self)}"
        button = ToggleButton(text=told, group=group, allow_no_selection=False)
        button.state = "down" if chosen else "normal"
        button.bind(on_release=lambda *_: act())
        button.bind(
            texture_size=lambda one, size: setattr(
                one, "height", max(theme.TARGET, size[1] + theme.GAP * 2)
            )
        )
        card.add_widget(button)
        self.buttons[name] = button

    def _names_card(self, language: str, subject: Subject) -> Card:
        card = Card(fill=(0.24, 0.18, 0.07, 1) if self.identify else theme.SURFACE)
        card.add_widget(heading(text(language, "report.names")))
        key = "names_on" if self.identify else "names_off"
        button = ActionButton(text=text(language, f"report.{key}"))
        button.kind = "danger" if self.identify else "plain"
        button.bind(on_release=lambda *_: setattr(self, "identify", not self.identify))
        card.add_widget(button)
        self.buttons["names"] = button
        for told in self._names_told(language, subject):
            ink = theme.CAUTION if self.identify else theme.MUTED
            card.add_widget(Wrapped(text=told, color=ink, font_size=theme.SMALL))
        return card

    def _names_told(self, language: str, subject: Subject) -> list[str]:
        """What will be written, in words."""
        dicom = Form.DICOM in self.forms
        if not self.identify:
            told = [text(language, "report.names_none")]
            return [*told, text(language, "report.uids")] if dicom else told
        named = named_in_files(subject.result.identity, language)
        listed = "; ".join(f"{key}: {value}" for key, value in named)
        told = [text(language, "report.names_will", named=listed)]
        more = {Form.JSON: "names_json", Form.DICOM: "names_dicom"}
        return told + [
            text(language, f"report.{key}") for form, key in more.items() if form in self.forms
        ]

    def _files_card(self, language: str, subject: Subject) -> Card:
        card, dicom = Card(), can_write_dicom()
        card.add_widget(heading(text(language, "report.files")))
        grid = GridLayout(cols=2, size_hint_y=None, spacing=theme.GAP)
        grid.bind(minimum_height=grid.setter("height"))
        for form in Form:
            button = ToggleButton(text=text(language, f"report.form.{form}"))
            button.state = "down" if form in self.forms else "normal"
            button.disabled = form is Form.DICOM and not dicom
            button.bind(on_release=lambda *_, form=form: self._toggle(form))
            grid.add_widget(button)
            self.buttons[form.value] = button
        card.add_widget(grid)
        if not dicom:
            card.add_widget(small(text(language, "report.no_dicom"), theme.CAUTION))
        elif subject.comparison is not None and Form.DICOM in self.forms:
            card.add_widget(small(text(language, "report.dicom_later")))
        key = "save_named" if self.identify else "save"
        save = ActionButton(text=text(language, f"report.{key}"), kind="primary")
        save.kind = "danger" if self.identify else "primary"
        save.disabled = not self.forms
        save.bind(on_release=lambda *_: self._choose_place())
        card.add_widget(save)
        self.buttons["save"] = save
        if self.message:
            card.add_widget(Wrapped(text=self.message, color=theme.ACCENT))
        return card

    def _toggle(self, form: Form) -> None:
        self.forms ^= {form}
        self.message = ""
        self._rewrite()

    # The way out

    def _choose_place(self) -> None:
        """Ask where to; what was chosen now is what will be written."""
        subject, forms, identify = self.subject, frozenset(self.forms), self.identify
        if self._documents is None:
            from mobile_app.widgets.folder_sheet import FolderSheet

            def chosen(folder: Path) -> None:
                self._export(
                    subject, forms, identify, lambda files: write_folder(files, folder), str(folder)
                )

            self.sheet = FolderSheet(context=self.context, on_path=chosen)
            self.sheet.open()
            return
        documents = self._documents

        def answered(tree: Any | None) -> None:
            self.context.picking = False
            if tree is None:
                self._say("not_saved")
            else:
                self._export(
                    subject, forms, identify, lambda files: deliver(documents, tree, files), ""
                )

        self.context.picking = True
        # The answer comes on Android's thread.
        documents.ask_folder(lambda tree: Clock.schedule_once(lambda _seconds: answered(tree), 0))

    def _export(
        self,
        subject: Subject,
        forms: frozenset[Form],
        identify: bool,
        deliver_files: Callable[[Sequence[ExportFile]], Any],
        folder: str,
    ) -> None:
        context = self.context

        def done(outcome: Outcome[Delivered]) -> None:
            self.identify = False
            if outcome.value is None:
                self._say("not_saved")
                return
            names = "\n".join(one.name for one in outcome.value[0])
            self._say("saved" if folder else "saved_android", folder=folder, names=names)

        work = export(
            context.store,
            subject,
            forms,
            deliver_files,
            language=context.language,
            identify=identify,
            to="folder" if folder else "document_tree",
        )
        self._say("saving")
        context.run(work, on_done=done)

    def _say(self, key: str, **named: object) -> None:
        self.message = text(self.context.language, f"report.{key}", **named)
        self._write()

    def _turn(self, *_ignored: object) -> None:
        """Landscape: page left, choices right; portrait: page above choices."""
        upright = self.width < self.height
        self.clear_widgets()
        self.orientation = "vertical" if upright else "horizontal"
        self.preview.size_hint = (1, 1) if upright else (1.25, 1)
        for part in (self.preview, self.scroll):
            self.add_widget(part)
        self._rewrite()

"""Report: the referral page as it will look, and the files that may leave the app, nameless by default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kivy.clock import Clock
from kivy.graphics.texture import Texture
from kivy.properties import BooleanProperty, ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.image import Image
from kivy.uix.scrollview import ScrollView
from kivy.uix.togglebutton import ToggleButton

from hemx_core.device.machine import on_android
from hemx_core.report.render import page_picture
from mobile_app import theme
from mobile_app.android.share import AndroidDocuments, Documents
from mobile_app.context import AppContext
from mobile_app.i18n import text
from mobile_app.report.cards import files_card, names_card, subject_card
from mobile_app.report.exporting import Form
from mobile_app.report.saving import ReportSaving, Wanted
from mobile_app.report.subject import Subject, draw_preview, load_subject, reportable
from mobile_app.result.expansion import Expansion
from mobile_app.result.screen import ordered_widgets
from mobile_app.widgets.buttons import ActionButton, Card, Wrapped
from mobile_app.work.jobs import Outcome

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from mobile_app.widgets.chooser import FolderSheet


class PagePreview(ScrollView):
    """Shows a picture; empty until it has one."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(do_scroll_x=False, bar_width=theme.GAP, **kwargs)
        self.image = Image(size_hint_y=None, fit_mode="fill", opacity=0)
        self.add_widget(self.image)
        self.fbind("width", self._fit)

    def show(self, picture: Picture | None) -> None:
        """Show a page, RGB; None shows nothing."""
        if picture is None:
            self.image.texture, self.image.opacity = None, 0
            return
        texture = Texture.create(size=picture.size, colorfmt="rgb")
        texture.blit_buffer(picture.tobytes(), colorfmt="rgb", bufferfmt="ubyte")
        texture.flip_vertical()
        texture.min_filter = "linear"
        self.image.texture, self.image.opacity = texture, 1
        self._fit()

    def _fit(self, *_ignored: object) -> None:
        texture = self.image.texture
        if texture is not None:
            self.image.height = self.width * texture.height / texture.width


Loaded = tuple[tuple[Expansion, ...], Subject]


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
        self._saving = ReportSaving(
            self.context,
            documents or (AndroidDocuments() if on_android() else None),
            tell=self.tell,
            on_end=self._ended,
        )
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
        """Reset to a referral without names, and load the open study's newest state."""
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
        return "\n".join(
            widget.text for widget in ordered_widgets(self) if getattr(widget, "text", "")
        )

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
                self.preview.show(outcome.value)

        # What is on the screen must never show more than will be written.
        self.preview.show(None)
        self.context.quick.run(
            lambda _report: page_picture(
                draw_preview(subject, language=language, identify=identify)
            ),
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
        cards = (
            subject_card(language, self.subject, self._options, self._choose),
            names_card(
                language, self.subject, self.forms, identify=self.identify, turn=self._turn_names
            ),
            files_card(
                language,
                self.subject,
                self.forms,
                identify=self.identify,
                message=self.message,
                toggle=self._toggle,
                save=self._save,
            ),
        )
        for card in cards:
            self.controls.add_widget(card)
            self.buttons |= card.buttons

    def _choose(self, comparison_id: int | None) -> None:
        self._load(comparison_id, alone=comparison_id is None)

    def _turn_names(self) -> None:
        self.identify = not self.identify

    def _toggle(self, form: Form) -> None:
        self.forms ^= {form}
        self.message = ""
        self._rewrite()

    # The way out

    @property
    def sheet(self) -> FolderSheet | None:
        """The desktop's folder chooser that was opened last."""
        sheet: FolderSheet | None = self._saving.sheet
        return sheet

    def _save(self) -> None:
        """What is chosen now is what will be written."""
        if self.subject is not None:
            forms = frozenset(self.forms)
            self._saving.save(Wanted(subject=self.subject, forms=forms, identify=self.identify))

    def _ended(self) -> None:
        self.identify = False

    def tell(self, key: str, **named: object) -> None:
        """Show the export's progress below its button."""
        self.message = text(self.context.language, key, **named)
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

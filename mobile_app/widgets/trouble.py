"""An error as a clinician reads it: what it means, what to do, and the details below."""

from __future__ import annotations

from kivy.uix.widget import Widget

from hemx_core.errors import HemxError
from mobile_app import theme
from mobile_app.i18n import text
from mobile_app.i18n.errors import words
from mobile_app.widgets.buttons import ActionButton, Heading, Sheet, Wrapped


def trouble_widgets(
    language: str, error: HemxError, *, title: str = "app.trouble"
) -> tuple[Widget, ...]:
    """Heading, plain words, what to do, and what exactly was found."""
    plain, remedy = words(language, type(error).__name__)
    detail = " ".join(
        f"{text(language, key)}: {told}"
        for key, told in (("app.found", error.found), ("app.expected", error.expected))
        if told
    )
    if language == "en":
        remedy = error.remedy or remedy
    return (
        Heading(text=text(language, title)),
        Wrapped(text=plain),
        Wrapped(text=f"{text(language, 'app.remedy')}: {remedy}", color=theme.CAUTION),
        Wrapped(
            text=f"{text(language, 'app.details')}: {detail}",
            font_size=theme.SMALL,
            color=theme.MUTED,
        ),
    )


class Trouble(Sheet):
    """A popup that stays until it is closed."""

    def __init__(self, language: str, error: HemxError, **kwargs: object) -> None:
        super().__init__(auto_dismiss=False, **kwargs)
        self.error = error
        for widget in trouble_widgets(language, error):
            self.body.add_widget(widget)
        self.close_button = ActionButton(text=text(language, "app.close"), kind="primary")
        self.close_button.bind(on_release=lambda *_: self.dismiss())
        self.body.add_widget(self.close_button)

"""The cards of the Report screen: each a function from what is chosen to a widget."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from kivy.uix.gridlayout import GridLayout
from kivy.uix.togglebutton import ToggleButton

from mobile_app import theme
from mobile_app.i18n import date_time, text
from mobile_app.report.exporting import Form, can_write_dicom
from mobile_app.report.subject import Subject, named_in_files
from mobile_app.result.cards import FILLS, heading, signed, small
from mobile_app.result.expansion import Expansion
from mobile_app.widgets.buttons import ActionButton, Card, Wrapped


class ReportCard(Card):
    """A card and its buttons by name."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.buttons: dict[str, ActionButton | ToggleButton] = {}


def subject_card(
    language: str,
    subject: Subject,
    options: Iterable[Expansion],
    choose: Callable[[int | None], None],
) -> ReportCard:
    """What is reported: the study with one of its comparisons, or alone.

    Args:
        language: of the words.
        subject: what is chosen now.
        options: comparisons with earlier studies, newest first.
        choose: told the comparison's number, or None for the study alone.
    """
    card = ReportCard()
    card.add_widget(heading(text(language, "report.what")))
    choices: dict[int | None, str] = {}
    for option in options:
        growth = f"{signed(language, option.growth.ml, 1)} mL"
        at = date_time(language, option.earlier_at)
        choices[option.stored.id] = text(language, "report.with", growth=growth, at=at)
    if choices:
        choices[None] = text(language, "report.alone")
    for number, told in choices.items():
        name = "alone" if number is None else f"comparison {number}"
        button = _choice(card, told, chosen=subject.comparison_id == number)
        button.bind(on_release=lambda *_, number=number: choose(number))
        card.buttons[name] = button
    key = "corrected" if subject.corrected else "automatic"
    ink = theme.CAUTION if subject.corrected else theme.MUTED
    card.add_widget(small(text(language, f"report.{key}"), ink))
    return card


def _choice(card: ReportCard, told: str, *, chosen: bool) -> ToggleButton:
    button = ToggleButton(text=told, group=f"subject{id(card)}", allow_no_selection=False)
    button.state = "down" if chosen else "normal"
    button.bind(
        texture_size=lambda label, size: setattr(
            label, "height", max(theme.TARGET, size[1] + theme.GAP * 2)
        )
    )
    card.add_widget(button)
    return button


def names_card(
    language: str,
    subject: Subject,
    forms: Collection[Form],
    *,
    identify: bool,
    turn: Callable[[], None],
) -> ReportCard:
    """Whether the patient is named, and what exactly will be written then.

    Args:
        language: of the words.
        subject: what is reported.
        forms: of the files.
        identify: names are written.
        turn: on or off.
    """
    card = ReportCard(fill=FILLS["caution"] if identify else theme.SURFACE)
    card.add_widget(heading(text(language, "report.names")))
    key = "names_on" if identify else "names_off"
    button = ActionButton(text=text(language, f"report.{key}"))
    button.kind = "danger" if identify else "plain"
    button.bind(on_release=lambda *_: turn())
    card.add_widget(button)
    card.buttons["names"] = button
    for told in _names_told(language, subject, forms, identify=identify):
        card.add_widget(small(told, theme.CAUTION if identify else theme.MUTED))
    return card


def _names_told(
    language: str, subject: Subject, forms: Collection[Form], *, identify: bool
) -> list[str]:
    """What will be written, in words."""
    if not identify:
        told = [text(language, "report.names_none")]
        return [*told, text(language, "report.uids")] if Form.DICOM in forms else told
    named = named_in_files(subject.result.identity, language)
    listed = "; ".join(f"{key}: {value}" for key, value in named)
    told = [text(language, "report.names_will", named=listed)]
    more = {Form.JSON: "names_json", Form.DICOM: "names_dicom"}
    return told + [text(language, f"report.{key}") for form, key in more.items() if form in forms]


def files_card(
    language: str,
    subject: Subject,
    forms: Collection[Form],
    *,
    identify: bool,
    message: str,
    toggle: Callable[[Form], None],
    save: Callable[[], None],
) -> ReportCard:
    """Which files are written, the button that writes them, and how that went.

    Args:
        language: of the words.
        subject: what is reported.
        forms: those that are chosen.
        identify: names are written.
        message: how the last export went; may be empty.
        toggle: told a form that is to be written, or not any more.
        save: asks where to.
    """
    card, dicom = ReportCard(), can_write_dicom()
    card.add_widget(heading(text(language, "report.files")))
    grid = GridLayout(cols=2, size_hint_y=None, spacing=theme.GAP)
    grid.bind(minimum_height=grid.setter("height"))
    for form in Form:
        button = ToggleButton(text=text(language, f"report.form.{form}"))
        button.state = "down" if form in forms else "normal"
        button.disabled = form is Form.DICOM and not dicom
        button.bind(on_release=lambda *_, form=form: toggle(form))
        grid.add_widget(button)
        card.buttons[form.value] = button
    card.add_widget(grid)
    if not dicom:
        card.add_widget(small(text(language, "report.no_dicom"), theme.CAUTION))
    elif subject.comparison is not None and Form.DICOM in forms:
        card.add_widget(small(text(language, "report.dicom_later")))
    key = "save_named" if identify else "save"
    button = ActionButton(text=text(language, f"report.{key}"))
    button.kind = "danger" if identify else "primary"
    button.disabled = not forms
    button.bind(on_release=lambda *_: save())
    card.add_widget(button)
    card.buttons["save"] = button
    if message:
        card.add_widget(Wrapped(text=message, color=theme.ACCENT))
    return card

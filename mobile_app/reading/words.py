"""What the Reading screen writes on the picture, in words; no Kivy."""

from __future__ import annotations

from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import SeriesIdentity
from hemx_core.measure.expansion import Growth
from hemx_core.report.fonts import is_in_first_font
from hemx_core.report.names import shown_name
from mobile_app.i18n import date_time, number, text
from mobile_app.reading.correction_work import Earlier, overall
from mobile_app.reading.mask_editor import MaskEditor


def caption(
    language: str,
    identity: SeriesIdentity,
    *,
    index: int,
    count: int,
    window: HUWindow,
    names: bool,
) -> str:
    """Which slice in which window, and of whom and when.

    Args:
        index: of the slice, from 0.
        count: of slices.
        names: whether the patient may be named.
    """
    width, level = window.upper - window.lower, (window.upper + window.lower) / 2
    lines = [
        text(language, "reading.slice", number=index + 1, count=count),
        text(
            language,
            "reading.wl",
            width=number(language, width),
            level=number(language, level),
        ),
    ]
    if names:
        name = shown_name(identity.patient_name, language, can_show=is_in_first_font)
        lines += [part for part in (name, identity.patient_id) if part]
    if identity.acquired_at is not None:
        lines.append(date_time(language, identity.acquired_at))
    return "\n".join(lines)


def measured(language: str, hu: int | None, mm: float | None) -> str:
    """The tapped pixel and the measured distance, where there are any."""
    told = []
    if hu is not None:
        told.append(text(language, "reading.hu", hu=number(language, hu)))
    if mm is not None:
        told.append(text(language, "reading.length", mm=number(language, mm, 1)))
    return "   ".join(told)


def findings(
    language: str,
    editor: MaskEditor,
    *,
    automatic_ml: float,
    growth: Growth | None,
    earlier: Earlier | None,
    doubtful: bool = False,
) -> str:
    """The volume, corrected or not, and the growth since the earlier study.

    Args:
        editor: the mask as it stands.
        automatic_ml: the network's volume.
        growth, earlier: None where there is no earlier study.
        doubtful: whether the pictures may hide blood where none was found.
    """
    ml = number(language, editor.volume_ml, 1)
    if editor.corrected:
        lines = [
            text(language, "reading.corrected", ml=ml),
            text(language, "reading.automatic", ml=number(language, automatic_ml, 1)),
        ]
    else:
        none = "cannot_tell" if doubtful else "no_blood"
        key = "volume" if editor.volume_ml > 0 else none
        lines = [text(language, f"reading.{key}", ml=ml)]
    if editor.unsaved:
        lines.append(text(language, "reading.not_saved"))
    if growth is not None and earlier is not None:
        lines += _growth(language, growth, earlier)
    return "\n".join(lines)


def _growth(language: str, growth: Growth, earlier: Earlier) -> list[str]:
    ml, percent = signed(language, growth.ml, 1), growth.percent
    if percent is None:
        grown = text(language, "reading.growth", ml=ml)
    else:
        told = signed(language, percent, 0)
        grown = text(language, "reading.growth_percent", ml=ml, percent=told)
    key = "reading.earlier_corrected" if earlier.corrected else "reading.earlier"
    before = number(language, earlier.volume.volume_ml, 1)
    return [
        grown,
        text(language, f"reading.expansion.{overall(growth)}"),
        text(language, key, ml=before, at=date_time(language, earlier.acquired_at)),
    ]


def signed(language: str, value: float, digits: int) -> str:
    """A difference: with its sign, but for nothing."""
    told = number(language, value, digits)
    return f"+{told}" if round(value, digits) > 0 else told

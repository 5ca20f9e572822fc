from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import SeriesIdentity, VolumeGeometry
from hemx_core.measure.expansion import Answer, Growth, judge_growth
from mobile_app.reading.correction_work import Earlier, overall
from mobile_app.reading.mask_editor import MaskEditor
from mobile_app.reading.words import caption, findings, measured, signed
from tests.factories import GROWTH_INTERVAL

GEOMETRY = VolumeGeometry.axial(8, spacing_mm=(5.0, 1.0, 1.0))


def editor(size: int) -> MaskEditor:
    mask = np.zeros((8, 60, 60), bool)
    mask[2:6, 10 : 10 + size, 10 : 10 + size] = True
    return MaskEditor(mask, GEOMETRY)


def earlier(size: int, *, corrected: bool = False) -> Earlier:
    at = datetime(2026, 11, 24, 8, 15)
    return Earlier(volume=editor(size).estimate(), corrected=corrected, acquired_at=at)


def told(language: str, now: MaskEditor, before: Earlier | None = None) -> list[str]:
    growth = (
        None
        if before is None
        else judge_growth(before.volume, now.estimate(), measured=GROWTH_INTERVAL)
    )
    return findings(language, now, automatic_ml=8.0, growth=growth, earlier=before).splitlines()


def test_the_automatic_volume_stands_alone() -> None:
    assert told("en", editor(20)) == ["Haematoma 8.0 mL"]
    assert told("ja", editor(20)) == ["血腫量 8.0 mL"]
    assert told("en", editor(0)) == ["No haematoma found"]


def test_none_found_is_not_said_of_pictures_that_may_hide_blood() -> None:
    for language, expected in (
        ("en", "Cannot tell: see Result"),
        ("ja", "判定できません（「結果」を参照）"),
    ):
        lines = findings(
            language, editor(0), automatic_ml=0.0, growth=None, earlier=None, doubtful=True
        )
        assert lines == expected


def test_a_corrected_volume_is_called_so_beside_the_automatic_one() -> None:
    now = editor(20)
    now.begin(0, (40, 40), radius_mm=8.0, erases=False)
    now.end()
    assert told("en", now) == [
        f"Corrected by hand {now.volume_ml:.1f} mL",
        "automatic: 8.0 mL",
        "Correction not saved",
    ]
    now.mark_saved(now.snapshot())
    assert told("ja", now) == [
        f"手動修正後の血腫量 {now.volume_ml:.1f} mL",
        "自動計測：8.0 mL",
    ]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [(20, 40, "Expanded"), (20, 20, "Not expanded"), (20, 23, "Expansion: cannot be told")],
)
def test_growth_with_its_answer(before: int, now: int, expected: str) -> None:
    lines = told("en", editor(now), earlier(before))
    assert expected in lines
    assert lines[-2:] == ["earlier CT: 8.0 mL", "24 Nov 2026, 08:15"]


def test_growth_from_nothing_has_no_per_cent_and_a_loss_a_minus() -> None:
    assert "Growth +8.0 mL" in told("en", editor(20), earlier(0))
    assert "Growth -6.0 mL (-75 %)" in told("en", editor(10), earlier(20))
    assert "前回CT（修正後）：8.0 mL" in told("ja", editor(20), earlier(20, corrected=True))


def test_signs_of_differences() -> None:
    assert [signed("en", one, 1) for one in (1.26, 0.0, 0.04, -0.04, -2.0)] == [
        "+1.3",
        "0.0",
        "0.0",
        "0.0",
        "-2.0",
    ]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (("yes", "no", "indeterminate"), Answer.YES),
        (("no", "no", "no"), Answer.NO),
        (("no", "indeterminate", "no"), Answer.INDETERMINATE),
    ],
)
def test_one_answer_for_all_definitions(answers: tuple[str, ...], expected: Answer) -> None:
    given = {f"he_{place}": Answer(one) for place, one in enumerate(answers)}
    growth = Growth(
        ml=1.0, ml_interval=(0.0, 2.0), percent=None, percent_interval=None, answers=given
    )
    assert overall(growth) is expected


def test_the_caption_names_the_patient_only_where_it_may() -> None:
    identity = SeriesIdentity(
        patient_id="P7",
        patient_name="Yamada^Tarou=山田^太郎",
        acquired_at=datetime(2026, 11, 24, 14, 20),
    )
    given = {"index": 3, "count": 30, "window": HUWindow(-20, 180)}
    assert caption("en", identity, names=True, **given).splitlines() == [
        "Slice 4 of 30",
        "W 200  L 80 HU",
        "Yamada Tarou",
        "P7",
        "24 Nov 2026, 14:20",
    ]
    shown = caption("ja", identity, names=False, **given)
    assert shown.splitlines() == ["スライス 4 / 30", "WW 200  WL 80 HU", "2026年11月24日 14:20"]


def test_readings() -> None:
    assert measured("en", None, None) == ""
    assert measured("en", -7, None) == "-7 HU"
    assert measured("ja", 62, 31.26) == "CT値 62 HU   31.3 mm"

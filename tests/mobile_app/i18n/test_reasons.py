"""Each reason that the reader has against a series, from a real series, in Japanese."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemx_core.imaging.reader import list_series
from mobile_app.i18n.studies import REASONS_JA, reason_words
from tests.factories import ct_pixels, write_ct_series

AXIAL = ["ORIGINAL", "PRIMARY", "AXIAL"]
SERIES: dict[str, dict[str, object]] = {
    "冠状断です": {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]},
    "矢状断です": {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]},
    "軸位断が3枚しかありません": {"hu": ct_pixels(slices=3)},
    "CTではありません（MR）": {"Modality": "MR"},
    "位置決め画像です": {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
    "投影画像（MIPなど）で、組織のCT値ではありません": {
        "ImageType": ["DERIVED", "SECONDARY", "PROJECTION IMAGE"]
    },
    "値がCT値（HU）ではありません（Z_EFF）": {"RescaleType": "Z_EFF"},
    "必要な情報がないか不正です（PixelSpacing）": {"PixelSpacing": None},
    "造影剤が使用されています": {"ContrastBolusAgent": "IOPAMIDOL"},
    "加工された画像です": {"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]},
}


@pytest.mark.parametrize("told", SERIES)
def test_reasons(tmp_path: Path, told: str) -> None:
    elements = dict(SERIES[told])
    if "ImageOrientationPatient" in elements:
        step = (0.0, 5.0, 0.0) if "冠" in told else (5.0, 0.0, 0.0)
        elements["positions_mm"] = [[index * one for one in step] for index in range(6)]
    write_ct_series(tmp_path, **elements)
    (summary,) = list_series(tmp_path)
    assert not summary.usable
    assert reason_words("ja", summary.reason) == told
    assert reason_words("en", summary.reason) == summary.reason


def test_what_is_no_picture_of_hu() -> None:
    reason = "a screenshot, report or colour picture, without Hounsfield units"
    assert "CT値" in reason_words("ja", reason)


def test_a_reason_without_a_pattern_stays_as_it_is() -> None:
    assert reason_words("ja", "something new") == "something new"
    assert len(REASONS_JA) == 12

"""How sentences are filled."""

from __future__ import annotations

import pytest

from hemx_core.notes import Note, Phrase, Reason, Refusal, Severity
from hemx_core.words import fill, placeholders, required, tell, tell_labelled


@pytest.mark.parametrize(
    ("template", "values", "told"),
    [
        ("{count} {count:slice|slices}", {"count": 1}, "1 slice"),
        ("{count} {count:slice|slices}", {"count": 0}, "0 slices"),
        ("a[ of {x}]", {}, "a"),
        ("a[ of {x}]", {"x": ""}, "a"),
        ("a[ of {x}]", {"x": ()}, "a"),
        ("a[ of {x}]", {"x": 0}, "a of 0"),
        ("a [[b]", {}, "a [b]"),
        ("{x}", {"x": ("a", "b")}, "a, b"),
        ("{x:; }", {"x": ("a", "b")}, "a; b"),
        ("{x} {x:.2f}", {"x": 5.0}, "5 5.00"),
        ("{plane:term}", {"plane": "axial"}, "axial"),
        ("{met:term}", {"met": ("he_30", "he_12_5ml")}, "30 % or more, 12.5 mL or more"),
        ("{why:first}.", {"why": Phrase("localizer")}, "A localizer (scout)."),
        ("{name!r}", {"name": "a b"}, "'a b'"),
    ],
)
def test_templates(template: str, values: dict[str, object], told: str) -> None:
    assert fill(template, values, "en") == told


def test_values_that_a_template_needs() -> None:
    assert placeholders("{a}[ {b}] {c:.1f}") == {"a", "b", "c"}
    assert required("{a}[ {b}] {c:.1f}") == {"a", "c"}
    with pytest.raises(KeyError):
        fill("{a}", {}, "en")


def test_a_note_is_told_with_its_figures_in_both_languages() -> None:
    gap = Phrase("gap", count=2, below=4, above=5, offset_mm=15.0, step_mm=15.04)
    note = Note("missing_slices", Severity.CAUTION, count=2, places=(gap,))
    assert tell(note) == (
        "2 slices are missing. What lies there is not seen. Missing: 2 between slices 4 and 5, "
        "15.0 mm above the first slice, where 15.0 mm lie between neighbours."
    )
    assert tell_labelled(note, "ja") == (
        "注意：スライスが2枚欠落しています。その部分は評価されていません。"
        "欠落：スライス4と5の間に2枚、最下端から15.0 mm上、間隔15.0 mm。"
    )


def test_a_reason_is_told_in_both_languages() -> None:
    reason = Reason("haematoma_expanded", ml=12.53, percent=41.2, met=("he_30", "he_33_or_6ml"))
    assert tell(reason) == (
        "The haematoma has expanded: +12.5 mL, +41 % (30 % or more, 33 % or 6 mL or more)."
    )
    assert "＋" not in tell(reason, "ja")
    assert "30 %以上、33 %以上または6 mL以上" in tell(reason, "ja")
    assert "mL (" in tell(Reason("haematoma_expanded", ml=1.0, met=("he_30",)))


@pytest.mark.parametrize(
    ("refusal", "japanese"),
    [
        (Refusal("not_axial", plane="coronal"), "軸位断ではありません（冠状断）"),
        (Refusal("few_positions", count=3), "軸位断が3枚しかありません"),
        (Refusal("not_ct", modality="MR"), "CTではありません（MR）"),
        (
            Refusal("no_geometry", missing=("Rows", "PixelSpacing")),
            "必要な情報がないか不正です（Rows、PixelSpacing）",
        ),
    ],
)
def test_a_refusal_is_told_in_japanese(refusal: Refusal, japanese: str) -> None:
    assert tell(refusal, "ja") == japanese


def test_a_stored_sentence_is_told_as_it_is_and_in_japanese_by_its_code() -> None:
    old = Note.from_json({"code": "gantry_tilt", "message": "Tilted by 12 degrees."})
    assert tell(old) == "Tilted by 12 degrees."
    assert tell(old, "ja") == "スライスはガントリ傾斜を伴います。距離は法線方向に計測しました。"
    unknown = Note.from_json({"code": "unknown", "message": "Something."})
    assert tell(unknown, "ja") == tell(unknown) == "Something."
    grave = Note.from_json({"code": "contrast", "message": "WARNING: contrast medium."})
    assert tell_labelled(grave) == "WARNING: contrast medium."
    assert tell(Reason.from_json("It is large."), "ja") == "It is large."

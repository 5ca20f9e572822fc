from __future__ import annotations

import pytest

from hemx_core.imaging.folding import fold
from hemx_core.imaging.names import Likeness, likeness, names_somebody


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ヤマダ", "やまだ"), ("ﾔﾏﾀﾞ", "ヤマダ"), ("ＤＥＭＯ", "demo"), ("Müller", "MULLER"), ("Łódź", "lodz"),
        ("髙橋", "高橋"), ("渡邉", "渡辺"), ("ﾊﾞﾊﾟ", "ばぱ"), ("Straße", "STRASSE"), ("김", "김"),
    ],
)  # fmt: skip
def test_what_people_type_alike_folds_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_sound_marks_tell_sounds_apart() -> None:
    assert len({fold(kana) for kana in "ハバパ"}) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Demo^Hanako", "DEMO HANAKO"), ("Demo^Hanako", "Hanako^Demo"), ("山田^太郎", "山田太郎"),
        ("Yamada^Taro=山田^太郎", "山田　太郎"), ("==ヤマダ^タロウ", "ﾔﾏﾀﾞ^ﾀﾛｳ"), ("山田^太郎様", "山田^太郎"),
        ("Müller^Jörg", "Mueller^Joerg"), ("O'Brien^Pat", "OBRIEN^PAT"), ("De La Cruz^Ana", "DeLaCruz^Ana"),
        ("Garcia-Lopez^Ana", "Garcia Lopez^Ana"), ("Satou^Yuuko", "Sato^Yuko"),
        ("Ohno^Shinichi", "Ono^Sinichi"),
        ("Yamada^Tarou", "Yamada^Taro=山田^太郎"), ("Smith^John^^Mr", "Smith^John"), ("渡邊^一", "渡辺^一"),
        ("ИВАНОВ^ПЁТР", "Иванов Петр"), ("김^철수", "김철수"), ("Doe^Jane=ドウ^ジェーン", "ドウ^ジェーン"),
    ],
)  # fmt: skip
def test_one_name_in_several_ways_is_the_same(one: str, other: str) -> None:
    assert likeness(one, other) is likeness(other, one) is Likeness.SAME


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Smith^John", "Smith^John^Quincy", Likeness.ALIKE),
        ("Smith^J", "Smith^John", Likeness.ALIKE),
        ("Yamada", "Yamada^Taro", Likeness.ALIKE),
        ("Kowalski^Jan", "Kowalsky^Jan", Likeness.NEAR),
        ("Kowalski^Jan", "Kowlaski^Jan", Likeness.NEAR),
        ("Kowalski^Jan", "Kowalskii^Jan", Likeness.NEAR),
        ("Sato^Yuko=佐藤^優子", "Sato^Yuko=佐藤^裕子", Likeness.NEAR),
        ("Suzuki^Hanako", "Sato^Hanako", Likeness.SHARED),
        ("Yamada^Taro", "Yamada^Jiro", Likeness.SHARED),
        ("山田^太郎", "山田^次郎", Likeness.SHARED),
        ("Hara^Rei", "Hare^Rei", Likeness.SHARED),
        ("Doe^Jane", "Yamada^Taro", Likeness.DIFFERENT),
        ("Li^A", "Wu^A", Likeness.DIFFERENT),
    ],
)
def test_how_alike_two_names_are(one: str, other: str, expected: Likeness) -> None:
    assert likeness(one, other) is likeness(other, one) is expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Demo^Hanako", "試験^花子"),
        ("", "Demo"),
        ("ANONYMOUS", "ANONYMOUS"),
        ("匿名", "匿名"),
        ("Anon^1", "Demo"),
    ],
)
def test_nothing_is_said_of_names_that_name_nobody_or_share_no_script(one: str, other: str) -> None:
    assert likeness(one, other) is None


@pytest.mark.parametrize(
    "value",
    [
        "", "^^", "ANONYMOUS", "anon", "Unknown^Male", "XXXX", "x", "0", "0000", "none", "N/A", "TEST",
        "Test^Patient", "匿名", "氏名 不詳", "不明", "ＡＮＯＮ", "Patient", "9999", "-----", "익명", "无名",
        "テスト", "De-Identified", "null",
    ],
)  # fmt: skip
def test_stand_ins_name_nobody(value: str) -> None:
    assert not names_somebody(value)


@pytest.mark.parametrize(
    "value",
    ["P1", "1", "11", "12345678", "ANON001", "Li^Na", "林", "Null^Ann", "Testa^A", "Doe^John"],
)
def test_names_and_ids_name_somebody(value: str) -> None:
    assert names_somebody(value)

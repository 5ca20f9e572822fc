"""Which group of a person's name is shown."""

import pytest

from hemx_core.report.names import shown_name


@pytest.mark.parametrize(
    ("name", "en", "ja"),
    [
        ("Doe^Jane^^Dr", "Doe Jane Dr", "Doe Jane Dr"),
        ("=山田^太郎", "山田 太郎", "山田 太郎"),
        ("Yamada^Taro=山田^太郎=やまだ^たろう", "Yamada Taro", "山田 太郎（やまだ たろう）"),
        ("Yamada^Taro==やまだ", "Yamada Taro", "Yamada Taro"),
        ("Yamazaki^Ichiro=山﨑^一郎=やまざき^いちろう", "Yamazaki Ichiro", "やまざき いちろう"),
        ("Liu^Yang=刘^洋", "Liu Yang", "Liu Yang"),
        ("김^민준=金^民俊", "金 民俊", "金 民俊"),
        ("Łukasz^Đặng", "Łukasz Đặng", "Łukasz Đặng"),
        ("=山﨑^一郎", "", "山〓 一郎"),
        ("=刘^东升", "", ""),
        ("김^민준", "", ""),
        ("", "", ""),
    ],
)
def test_person_names(name: str, en: str, ja: str) -> None:
    assert (shown_name(name, "en"), shown_name(name, "ja")) == (en, ja)


def test_who_shows_it_says_what_it_can_show() -> None:
    assert shown_name("Иванов=山田", "en", can_show=str.isascii) == ""
    assert shown_name("Ivanov=Иванов", "ja", can_show=str.isascii) == "Ivanov"

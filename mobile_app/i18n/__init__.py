"""Every string of the screens, English and Japanese, in one table; results take the referral's.

English stands first. A plain table and not gettext: the tablet needs no compiled catalogue.
"""

from __future__ import annotations

from hemx_core.report.texts import LANGUAGES

STRINGS: dict[str, tuple[str, str]] = {
    "reading": ("Reading", "読影"),
    "result": ("Result", "結果"),
    "other_language": ("日本語", "English"),
    "not_a_device": (
        "Research software, not a medical device",
        "研究用ソフトウェア（医療機器ではありません）",
    ),
    "no_study": ("No study is open.", "検査が開かれていません。"),
    "cancel": ("Cancel", "中止"),
    "cancelled": ("Cancelled: there is no result.", "中止しました。結果はありません。"),
    "failed": ("Triage failed: {message}", "解析に失敗しました：{message}"),
    "making": ("Reading the study", "検査を読み込み中"),
    "loading": ("Loading the models", "モデルを読み込み中"),
    "stage.read": ("Reading the study", "検査を読み込み中"),
    "stage.segment": ("Looking for blood", "血腫を検索中"),
    "stage.classify": ("Judging the markers", "マーカーを判定中"),
    "progress": ("{stage}: {done} of {total}", "{stage}：{done} / {total}"),
    "slice": ("Slice {number} of {count}", "スライス {number} / {count}"),
    "window": ("W {width:.0f}  L {level:.0f} HU", "W {width:.0f}  L {level:.0f} HU"),
    "hu": ("{hu} HU", "{hu} HU"),
    "length": ("{mm:.1f} mm", "{mm:.1f} mm"),
    "brain": ("Brain", "脳"),
    "subdural": ("Subdural", "硬膜下"),
    "stroke": ("Stroke", "脳梗塞"),
    "bone": ("Bone", "骨"),
    "scroll": ("Scroll", "送り"),
    "free": ("Window", "階調"),
    "measure": ("Measure", "計測"),
    "outline": ("Outline", "輪郭"),
    "heat": ("Heat map", "着目領域"),
    "hide": ("Hold to hide", "長押しで隠す"),
    "fit": ("Fit", "全体"),
    "key_label": ("Worth a look:", "代表スライス："),
    "strip": ("Blood area, and {marker} per slice", "血腫面積と{marker}（スライス別）"),
}


def text(language: str, key: str, **named: object) -> str:
    """The string of a key in a language, its placeholders filled.

    Raises:
        ValueError: no such language.
        KeyError: no such string.
    """
    return STRINGS[key][LANGUAGES.index(language)].format(**named)

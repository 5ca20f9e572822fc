"""Every string of the referral report, English and Japanese, in one table.

English stands first. Placeholders are `str.format`'s; numbers are formatted by the caller. The font
(BIZ UDPGothic) has no arrows, no "at least" sign and no check marks: a test holds the table to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from hemx_core.markers import MARKERS
from hemx_core.notes import Note
from hemx_core.words import LANGUAGES, tell_labelled

TEXTS: dict[str, tuple[str, str]] = {
    "title": ("Head CT referral", "頭部CT 紹介用レポート"),
    "subtitle": (
        "Automatic analysis of a non-contrast head CT by HEMX",
        "単純頭部CTの自動解析（HEMX）",
    ),
    "not_a_device": (
        "Research software, not a medical device",
        "研究用ソフトウェアであり、医療機器ではありません",
    ),
    "disclaimer": (
        "Research software, not a medical device. Not for diagnosis or treatment: a clinician must "
        "read the study and decide.",
        "研究用ソフトウェアであり、医療機器ではありません。診断・治療の目的には使用できません。"
        "必ず医師が画像を読影し、判断してください。",
    ),
    "made": ("Report made {at}", "作成日時 {at}"),
    "moment": ("{0:%Y-%m-%d %H:%M} {1}", "{0.year}年{0.month}月{0.day}日 {0:%H:%M} {1}"),
    # Patient and study
    "name": ("Patient", "患者氏名"),
    "name_not_shown": (
        "in letters that are not printed here: see the ID",
        "印字できない文字です（IDを参照）",
    ),
    "patient_id": ("ID", "患者ID"),
    "acquired": ("CT of", "撮影日時"),
    "site": ("Site", "施設"),
    "by_hand": ("De-identified: fill in by hand", "匿名化済み：手書きで記入"),
    "series": ("Series", "シリーズ"),
    "slices": ("{count} slices of {thickness} mm", "{count}スライス、厚さ{thickness} mm"),
    "tilt": ("gantry tilt {tilt} degrees", "ガントリ傾斜 {tilt}度"),
    "study_code": ("study code {code}", "検査コード {code}"),
    # Recommendation
    "recommendation": ("Recommendation", "推奨"),
    "no_haematoma_found": (
        "No haematoma was found; this does not rule out haemorrhage.",
        "血腫は検出されませんでした（出血を否定するものではありません）。",
    ),
    "cannot_tell": (
        "Cannot tell: look at the pictures now, or scan again.",
        "判定できません。ただちに画像を確認するか、再撮影してください。",
    ),
    "discuss_with_neurosurgical_centre": (
        "Discuss this patient with a neurosurgical centre.",
        "脳神経外科施設に相談してください。",
    ),
    "call_neurosurgical_centre_now": (
        "Call a neurosurgical centre now.",
        "直ちに脳神経外科施設へ連絡してください。",
    ),
    "why_none": (
        "A clinician must read the study whatever this report says.",
        "本レポートの内容にかかわらず、医師による読影が必要です。",
    ),
    "why_cannot_tell": (
        "No haematoma was found, but these pictures may hide one: see the warnings.",
        "血腫は検出されませんでしたが、見落としの可能性があります（警告を参照）。",
    ),
    "cannot_judge": ("Cannot tell: see the warnings.", "判定できません（警告を参照）。"),
    "at_least": ("at least {volume}", "{volume}以上"),
    "why_haematoma": ("Haematoma of {volume} mL", "血腫 {volume} mL"),
    "why_large": ("30 mL or more", "30 mL以上"),
    "why_markers": (
        "expansion markers at or above threshold: {markers}",
        "閾値以上の血腫増大マーカー：{markers}",
    ),
    "why_no_markers": (
        "no expansion marker reached its threshold",
        "閾値に達した血腫増大マーカーなし",
    ),
    "why_no_validated": (
        "no validated expansion marker reached its threshold",
        "閾値に達した検証済みの血腫増大マーカーなし",
    ),
    "why_not_validated": (
        "at or above threshold, but not validated and not counted: {markers}",
        "閾値以上だが未検証のため判定に含めないマーカー：{markers}",
    ),
    "why_expanded": (
        "Expansion since the earlier study: {definitions}.",
        "前回検査からの血腫増大あり（基準：{definitions}）。",
    ),
    "list": (", ", "、"),
    "clause": ("; ", "、"),
    "stop": (".", "。"),
    # Measurements
    "measurements": ("Haematoma", "血腫の計測"),
    "volume": ("Volume (voxels)", "体積（ボクセル法）"),
    "corrected": ("outline corrected by hand", "輪郭を手動修正"),
    "interval": ("90 % interval {low} to {high} mL", "90 %区間 {low}〜{high} mL"),
    "no_interval": ("no interval: not measured", "区間なし（未測定）"),
    "abc2": ("ABC/2 (largest part)", "ABC/2（最大成分）"),
    "filled": ("of which filled hypodensities", "うち内部低吸収域（自動補填）"),
    "components": ("Separate parts", "血腫の個数"),
    "diameter": ("Largest diameter in a slice", "スライス内最大径"),
    "density": ("Mean density", "平均CT値"),
    "bloody": ("Slices with blood", "血腫のあるスライス"),
    "of": ("{part} of {whole}", "{part} / {whole}"),
    "none_found": ("No haematoma was found.", "血腫は検出されませんでした。"),
    # Markers and signs
    "markers": (
        "Expansion markers: calibrated probability",
        "血腫増大マーカー：較正済み確率",
    ),
    "threshold": ("threshold {value}", "閾値 {value}"),
    "at_or_above": ("at or above", "閾値以上"),
    "below": ("below", "閾値未満"),
    "not_validated": ("not validated", "未検証"),
    "slice": ("slice {number}", "スライス{number}"),
    "not_judged": (
        "Not judged: no haematoma was found.",
        "血腫が検出されないため判定していません。",
    ),
    "signs": (
        "Second opinion by rules on CT values (does not enter the recommendation)",
        "CT値の規則による参考所見（推奨の判定には用いません）",
    ),
    "yes": ("yes", "あり"),
    "no": ("no", "なし"),
    "undecided": ("undecided", "判定保留"),
    "from_up": ("{value} (yes from {limit} up)", "{value}（{limit}以上で「あり」）"),
    "from_down": ("{value} (yes up to {limit})", "{value}（{limit}以下で「あり」）"),
    "not_measured": ("not measurable", "計測できません"),
    "pieces": ("", "個"),
    "sign.black_hole": ("Black hole", "ブラックホールサイン"),
    "sign.swirl": ("Swirl sign", "スワールサイン"),
    "sign.heterogeneous": ("Density heterogeneity", "濃度の不均一"),
    "sign.island": ("Island sign", "アイランドサイン"),
    "sign.satellite": ("Satellite sign", "サテライトサイン"),
    # Slices
    "key_slices": (
        "Most informative slices, feet to head; outline: haematoma as segmented; "
        "window {lower} to {upper} HU; R: patient's right",
        "代表スライス（足側から頭側）。輪郭：自動抽出した血腫。ウィンドウ {lower}〜{upper} HU。R：患者の右",
    ),
    "key_slices_corrected": (
        "Most informative slices, feet to head; outline: haematoma as CORRECTED BY HAND; "
        "window {lower} to {upper} HU; R: patient's right",
        "代表スライス（足側から頭側）。輪郭：手動で修正した血腫。ウィンドウ {lower}〜{upper} HU。R：患者の右",
    ),
    "key_slices_none": (
        "Slices through the head, feet to head; window {lower} to {upper} HU; R: patient's right",
        "頭部の代表スライス（足側から頭側）。ウィンドウ {lower}〜{upper} HU。R：患者の右",
    ),
    "slice_of": ("Slice {number} of {count}", "スライス {number} / {count}"),
    "largest_area": ("largest area", "最大面積"),
    # Comparison
    "comparison": ("Comparison with the earlier study", "前回検査との比較"),
    "earlier": ("Earlier volume", "前回の体積"),
    "later": ("Volume now", "今回の体積"),
    "growth": ("Growth", "変化"),
    "time_between": ("Time between", "検査間隔"),
    "hours": ("{hours} h", "{hours}時間"),
    "unknown": ("not known", "不明"),
    "span": ("{low} to {high}", "{low}〜{high}"),
    "range": ("({low} to {high}, 90 %)", "（{low}〜{high}、90 %）"),
    "expansion": ("Haematoma expansion, by definition", "血腫増大（定義別）"),
    "indeterminate": ("indeterminate", "判定不能"),
    "he_30": ("30 % or more", "30 %以上"),
    "he_33_or_6ml": ("33 % or 6 mL or more", "33 %以上または6 mL以上"),
    "he_12_5ml": ("12.5 mL or more", "12.5 mL以上"),
    # Notes and footer
    "notes": ("Limits and remarks", "注意事項"),
    "no_notes": ("None.", "なし。"),
    "page": ("Page {number} of {count}", "{number} / {count}ページ"),
    "earlier_note": ("Earlier study: {note}", "前回検査：{note}"),
    "read_by": ("Read by (clinician)", "読影医署名"),
    "date": ("Date, time", "日時"),
    "telephone": ("Telephone", "電話"),
    "versions": (
        "HEMX {hemx}, model {recipe}, segmenter {segmenter}, classifier {classifier}",
        "HEMX {hemx}、モデル {recipe}、領域抽出 {segmenter}、分類 {classifier}",
    ),
}


@dataclass(frozen=True, slots=True)
class Texts:
    """The strings in one language, one of `hemx_core.words.LANGUAGES`."""

    language: str

    def __call__(self, key: str, *values: object, **named: object) -> str:
        """The string of a key with its placeholders filled."""
        return TEXTS[key][LANGUAGES.index(self.language)].format(*values, **named)

    def sign(self, code: str) -> str:
        """Name of a marker or a rule-based sign."""
        for marker in MARKERS:
            if marker.code == code:
                return marker.name_ja if self.language == "ja" else marker.name_en
        return self(f"sign.{code}")

    def note(self, note: Note) -> str:
        """A note's sentence, behind the word for its severity."""
        return tell_labelled(note, self.language)

    def joined(self, parts: list[str]) -> str:
        """Parts of a list, with the language's comma."""
        return self("list").join(parts)

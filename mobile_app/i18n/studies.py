"""Strings of the list of studies, the import and the choice of a series."""

from __future__ import annotations

import re

STRINGS: dict[str, tuple[str, str]] = {
    "studies.import": ("Import a study", "検査を取り込む"),
    "studies.search": ("Search: name, ID, date (2026-11-24)", "検索：氏名・ID・日付（2026-11-24）"),
    "studies.hide_names": ("Hide names", "氏名を隠す"),
    "studies.show_names": ("Show names", "氏名を表示"),
    "studies.count": ("{count} studies", "検査 {count}件"),
    "studies.one": ("1 study", "検査 1件"),
    "studies.number": ("Study {number}", "検査 {number}"),
    "studies.no_name": ("Name not known", "氏名不明"),
    "studies.no_time": ("Time not known", "撮影日時不明"),
    "studies.slices": ("{count} slices", "{count}スライス"),
    "studies.volume": ("Blood {ml} mL", "血腫 {ml} mL"),
    "studies.corrected": (" (corrected by hand)", "（手動修正）"),
    "studies.no_markers": ("no marker reached its threshold", "閾値以上のマーカーなし"),
    "studies.not_judged": ("markers not judged", "マーカーは未判定"),
    "studies.comma": (", ", "、"),
    "studies.growth.yes": ("EXPANDED {ml} mL{percent}", "増大あり {ml} mL{percent}"),
    "studies.growth.no": ("no expansion {ml} mL{percent}", "増大なし {ml} mL{percent}"),
    "studies.growth.indeterminate": (
        "expansion uncertain {ml} mL{percent}",
        "増大は判定不能 {ml} mL{percent}",
    ),
    "studies.state.imported": ("Not analysed yet", "未解析"),
    "studies.state.queued": ("Waiting", "待機中"),
    "studies.state.running": ("Being analysed", "解析中"),
    "studies.state.done": ("Analysed", "解析済み"),
    "studies.state.refused": ("Refused", "解析不可"),
    "studies.state.failed": ("Failed", "失敗"),
    "studies.state.interrupted": ("Interrupted", "中断"),
    "studies.next.imported": ("Tap to analyse.", "タップすると解析します。"),
    "studies.next.queued": ("It begins as soon as the device is free.", "順番に解析します。"),
    "studies.next.running": ("Looking for blood …", "血腫を検索しています…"),
    "studies.next.done": ("Tap to read.", "タップすると開きます。"),
    "studies.next.refused": ("This study cannot be analysed.", "この検査は解析できません。"),
    "studies.next.failed": (
        "The analysis failed. Tap to try again.",
        "解析に失敗しました。タップすると再度解析します。",
    ),
    "studies.next.interrupted": (
        "The app ended during the analysis. Tap to analyse again.",
        "解析中にアプリが終了しました。タップすると再度解析します。",
    ),
    "studies.delete": ("Delete", "削除"),
    "studies.delete_title": ("Delete this study?", "この検査を削除しますか？"),
    "studies.delete_message": (
        "{patient}\n{facts}\n\nImages, results and corrections are deleted from this device. This cannot be "
        "undone. The original files stay where they are.",
        "{patient}\n{facts}\n\n画像・結果・修正をこの端末から削除します。元に戻せません。"
        "取り込み元のファイルは残ります。",
    ),
    "studies.keep": ("Keep it", "削除しない"),
    "studies.deleted": ("Deleted.", "削除しました。"),
    "studies.empty_title": ("No studies yet", "検査がまだありません"),
    "studies.empty_1": (
        "1.  Put the CT study on this device: a folder, a zip or a CD with a DICOMDIR.",
        "1.  CT検査（フォルダ、zip、またはDICOMDIRのあるCD）をこの端末に用意します。",
    ),
    "studies.empty_2": (
        "2.  Touch “Import a study” and choose it. It is copied; the original is not changed.",
        "2.  「検査を取り込む」を押して選択します。コピーされ、元のファイルは変更されません。",
    ),
    "studies.empty_3": (
        "3.  The slices appear at once, the result within seconds. Nothing leaves this device.",
        "3.  画像はすぐに、結果は数秒で表示されます。データは端末の外に送信されません。",
    ),
    "studies.nothing": ("No study matches “{search}”.", "「{search}」に一致する検査はありません。"),
    "studies.show_all": ("Show all studies", "すべての検査を表示"),
    # Import
    "studies.choose_title": ("Choose a study", "検査を選択"),
    "studies.choose_hint": (
        "Open the folder of the study, or touch a zip, a DICOMDIR or a DICOM file.",
        "検査のフォルダを開くか、zip・DICOMDIR・DICOMファイルを選択してください。",
    ),
    "studies.unreadable_folder": (
        "This folder cannot be read. Choose another one.",
        "このフォルダは読み取れません。別のフォルダを選択してください。",
    ),
    "studies.folder_entry": ("Folder:  {name}", "フォルダ：{name}"),
    "studies.this_folder": ("Import this folder: {name}", "このフォルダを取り込む：{name}"),
    "studies.this_file": ("Import this file: {name}", "このファイルを取り込む：{name}"),
    "studies.up": ("One folder up", "上のフォルダへ"),
    "studies.place.home": ("Home", "ホーム"),
    "studies.place.Desktop": ("Desktop", "デスクトップ"),
    "studies.place.Documents": ("Documents", "書類"),
    "studies.place.Downloads": ("Downloads", "ダウンロード"),
    "studies.a_folder": ("A folder", "フォルダ"),
    "studies.a_file": ("A zip, DICOMDIR or DICOM file", "zip・DICOMDIR・DICOMファイル"),
    "studies.a_file_hint": (
        "A DICOMDIR alone names files this app may then not read: choose its folder instead.",
        "DICOMDIRだけでは他のファイルを読めません。そのフォルダを選択してください。",
    ),
    # Choice of a series
    "studies.series_title": ("Which series?", "どのシリーズを使いますか？"),
    "studies.series_hint": (
        "The most suitable one is chosen already.",
        "最も適したシリーズを選択済みです。",
    ),
    "studies.series_none": (
        "None of them is suitable by itself.",
        "そのまま使用できるシリーズはありません。",
    ),
    "studies.series_number": ("Series {number}", "シリーズ {number}"),
    "studies.series_slices": ("{count} slices", "{count}スライス"),
    "studies.series_thickness": ("{mm} mm thick", "厚さ {mm} mm"),
    "studies.series_patient": ("patient {patient}", "患者ID {patient}"),
    "studies.plane.axial": ("axial", "軸位断"),
    "studies.plane.coronal": ("coronal", "冠状断"),
    "studies.plane.sagittal": ("sagittal", "矢状断"),
    "studies.chosen": ("Chosen", "選択中"),
    "studies.best": ("Suitable", "使用可能"),
    "studies.not_suitable": ("Not suitable: {reason}", "使用不可：{reason}"),
    "studies.by_request": (
        "Only if you know better: {reason}",
        "問題ないと確認できる場合のみ：{reason}",
    ),
    "studies.import_series": ("Import this series", "このシリーズを取り込む"),
}

REASONS_JA: tuple[tuple[str, str], ...] = (
    (r"its images are coronal", "冠状断です"),
    (r"its images are sagittal", "矢状断です"),
    (r"its images are .*", "軸位断ではありません"),
    (r"only (\d+) axial positions?", r"軸位断が{0}枚しかありません"),
    (r"not CT but (.*)", "CTではありません（{0}）"),
    (
        r"a screenshot, report or colour picture.*",
        "画面の写し・報告書・カラー画像で、CT値がありません",
    ),
    (r"a localizer.*", "位置決め画像です"),
    (r"a projection.*", "投影画像（MIPなど）で、組織のCT値ではありません"),
    (r"its values are (.*), not Hounsfield units", "値がCT値（HU）ではありません（{0}）"),
    (r"(.*) missing or impossible.*", "必要な情報がないか不正です（{0}）"),
    (r"contrast medium was given.*", "造影剤が使用されています"),
    (r"derived images.*", "加工された画像です"),
)
"""The reader's reasons against a series, by pattern; a test holds it to every one of them."""


def reason_words(language: str, reason: str) -> str:
    """Why a series is not suitable, as the reader says it; in Japanese by its pattern."""
    if language == "ja":
        for pattern, told in REASONS_JA:
            if found := re.fullmatch(pattern, reason):
                return told.format(*found.groups())
    return reason

"""Strings of what goes in and out: the list of studies, the import, the report."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    # The list of studies
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
    "studies.not_validated": ("{marker} (not validated)", "{marker}（未検証）"),
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
    "studies.damaged": ("Damaged", "破損"),
    "studies.damaged.record": (
        "The stored record is damaged: do not rely on it. Import the study again, or delete it.",
        "保存された記録が破損しています。使用せず、検査を再度取り込むか削除してください。",
    ),
    "studies.damaged.result": (
        "The stored result is damaged and not shown. Open the study and analyse it again.",
        "保存された結果が破損しているため表示しません。検査を開き、再度解析してください。",
    ),
    "studies.damaged.correction": (
        "The stored correction is damaged and not shown. Open the study and correct it again.",
        "保存された修正が破損しているため表示しません。検査を開き、再度修正してください。",
    ),
    "studies.damaged.comparison": (
        "A stored comparison is damaged: expansion may have been found. Compare again.",
        "保存された比較が破損しています。増大が示されていた可能性があります。再度比較してください。",
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
    # The report
    "report.what": ("What is reported", "報告する内容"),
    "report.alone": ("This study alone", "この検査のみ"),
    "report.with": (
        "With the comparison: {growth} since {at}",
        "比較を含む：{at} から {growth}",
    ),
    "report.corrected": (
        "The outline corrected by hand is reported, and marked as corrected.",
        "手動で修正した輪郭を報告し、修正済みと明記します。",
    ),
    "report.automatic": ("The automatic outline is reported.", "自動抽出の輪郭を報告します。"),
    "report.names": ("Patient's name and ID", "患者氏名・ID"),
    "report.names_off": ("LEFT OUT (touch to include)", "含めない（押すと含める）"),
    "report.names_on": ("INCLUDED (touch to leave out)", "含める（押すと外す）"),
    "report.names_none": (
        "De-identified: no name, ID, site or time of the CT. The page has lines to fill in by hand.",
        "匿名化：氏名・ID・施設・撮影日時は含みません。ページには手書き欄があります。",
    ),
    "report.names_will": (
        "These will be written into the files: {named}.",
        "次の情報がファイルに書き込まれます：{named}。",
    ),
    "report.names_dicom": (
        "DICOM files also take over birth date, sex and other entries from the images.",
        "DICOMファイルには生年月日・性別など画像の情報も引き継がれます。",
    ),
    "report.names_json": (
        "JSON data also holds the study's and series' UIDs.",
        "JSONデータには検査とシリーズのUIDも含まれます。",
    ),
    "report.uids": (
        "Without names, DICOM files have a study and UIDs of their own: an archive files them apart.",
        "匿名のDICOMファイルには独自の検査とUIDが付き、画像とは別の検査として保管されます。",
    ),
    "report.files": ("Files", "ファイル"),
    "report.form.pdf": ("PDF page", "PDF"),
    "report.form.png": ("PNG picture", "PNG画像"),
    "report.form.json": ("JSON data", "JSONデータ"),
    "report.form.dicom": ("DICOM SEG + SR", "DICOM SEG・SR"),
    "report.no_dicom": (
        "DICOM files cannot be written here: the program part for it (highdicom) is not installed.",
        "この端末ではDICOMファイルを作成できません（highdicomがありません）。",
    ),
    "report.dicom_later": (
        "DICOM files are of the later study.",
        "DICOMファイルは今回の検査のものです。",
    ),
    "report.save": ("Save without names …", "氏名なしで保存…"),
    "report.save_named": ("Save WITH NAMES …", "氏名を含めて保存…"),
    "report.saved": (
        "Saved in {folder}:\n{names}",
        "{folder} に保存しました：\n{names}",
    ),
    "report.saved_android": (
        "Saved in the chosen folder:\n{names}",
        "選択したフォルダに保存しました：\n{names}",
    ),
    "report.saving": ("Writing the files …", "ファイルを作成中…"),
    "report.not_saved": ("Nothing was saved.", "保存されませんでした。"),
    "report.choose_folder": ("Where to save the report", "レポートの保存先"),
    "report.choose_hint": (
        "Open the folder, then touch the button below. A stick must be plugged in first.",
        "フォルダを開き、下のボタンを押してください。USBメモリは先に接続してください。",
    ),
    "report.this_folder": ("Save in “{name}”", "「{name}」に保存"),
    "report.no_result": (
        "There is nothing to report yet: open a study and wait for its result.",
        "報告できる結果がありません。検査を開き、結果が出るまでお待ちください。",
    ),
    "report.drawing": ("Drawing the page …", "ページを作成中…"),
}

"""Strings of the Report screen."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
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
        "DICOM files keep the study's UIDs even without names: they tie them to their images.",
        "DICOMファイルは匿名でも検査のUIDを保持します（画像との対応のため）。",
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

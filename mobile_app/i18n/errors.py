"""Errors in plain words: what an error's class means, and what to do. The details stay the error's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hemx_core.errors
import mobile_app.errors
from hemx_core.words import is_error_code, tell_error

STRINGS: dict[str, tuple[str, str]] = {
    "error.HemxError": ("Something went wrong.", "問題が発生しました。"),
    "remedy.HemxError": ("Try again.", "もう一度お試しください。"),
    "error.InputError": (
        "This study cannot be used.",
        "この検査は使用できません。",
    ),
    "remedy.InputError": (
        "Export the study again from the scanner or PACS.",
        "CT装置またはPACSから検査を再度出力してください。",
    ),
    "error.NoSeriesError": (
        "There is no usable axial head CT series.",
        "使用できる頭部CTの軸位断シリーズがありません。",
    ),
    "remedy.NoSeriesError": (
        "Choose the folder of the whole CT study.",
        "CT検査全体のフォルダを選択してください。",
    ),
    "error.NotCTError": ("These images are not CT.", "CT画像ではありません。"),
    "remedy.NotCTError": ("Choose the CT study.", "CT検査を選択してください。"),
    "error.ContrastSeriesError": (
        "Contrast medium was given. The markers are defined without it.",
        "造影剤が使用されています。マーカーは単純CTで定義されています。",
    ),
    "remedy.ContrastSeriesError": (
        "Choose the non-contrast series of the study.",
        "単純CTのシリーズを選択してください。",
    ),
    "error.MissingGeometryError": (
        "The images do not say how large or where they are: volumes cannot be measured.",
        "画像の大きさや位置の情報がなく、体積を計測できません。",
    ),
    "remedy.MissingGeometryError": (
        "Export the original series, not a converted copy.",
        "変換後のコピーではなく、元のシリーズを出力してください。",
    ),
    "error.TooFewSlicesError": (
        "There are too few slices for a volume.",
        "スライス数が少なく、体積を計測できません。",
    ),
    "remedy.TooFewSlicesError": (
        "Choose the folder with the whole series, not one slice of it.",
        "1枚ではなく、シリーズ全体のフォルダを選択してください。",
    ),
    "error.UnreadablePixelsError": (
        "The images are damaged, or compressed in a way this device cannot read.",
        "画像が破損しているか、この端末で読めない圧縮形式です。",
    ),
    "remedy.UnreadablePixelsError": (
        "Copy or export the study again, uncompressed.",
        "非圧縮形式で検査を再度出力してください。",
    ),
    "error.UnsafeInputError": (
        "The file is not safe to open.",
        "安全に開けないファイルです。",
    ),
    "remedy.UnsafeInputError": (
        "Ask whoever made it for an ordinary copy of the study.",
        "作成元に通常の形式での再出力を依頼してください。",
    ),
    "error.NotHUError": (
        "The values of the images are not Hounsfield units.",
        "画像の値がCT値（HU）ではありません。",
    ),
    "remedy.NotHUError": (
        "Export the original series from the scanner or PACS, not a converted copy.",
        "変換後のコピーではなく、装置またはPACSから元のシリーズを出力してください。",
    ),
    "error.NotHeadError": (
        "This does not look like a head CT.",
        "頭部CTではないようです。",
    ),
    "remedy.NotHeadError": ("Choose the head CT.", "頭部CTを選択してください。"),
    "error.VolumeError": (
        "The images contradict each other or a value is out of range.",
        "画像の情報に矛盾があるか、値が範囲外です。",
    ),
    "remedy.VolumeError": (
        "Export the series again, or give another value.",
        "シリーズを再度出力するか、別の値を入力してください。",
    ),
    "error.ModelError": (
        "The models cannot be used on this device.",
        "この端末ではモデルを使用できません。",
    ),
    "remedy.ModelError": ("Install the app again.", "アプリを再インストールしてください。"),
    "error.SignatureError": (
        "The models are not signed by a trusted key.",
        "モデルの署名を確認できません。",
    ),
    "remedy.SignatureError": (
        "Install the app again from its source.",
        "正規の配布元からアプリを再インストールしてください。",
    ),
    "error.IntegrityError": ("The models are damaged.", "モデルが破損しています。"),
    "remedy.IntegrityError": (
        "Install the app again.",
        "アプリを再インストールしてください。",
    ),
    "error.BackendError": (
        "The program that runs the models is missing or failed.",
        "モデルの実行環境がないか、実行に失敗しました。",
    ),
    "remedy.BackendError": (
        "Start the app again; if it comes back, install it again.",
        "アプリを再起動してください。繰り返す場合は再インストールしてください。",
    ),
    "error.SelfTestError": (
        "The models do not compute right on this device. Triage is refused.",
        "この端末ではモデルが正しく動作しないため、解析を行いません。",
    ),
    "remedy.SelfTestError": (
        "Do not triage on this device. Install the app again and report the device's model.",
        "この端末で解析しないでください。再インストールし、端末の機種を報告してください。",
    ),
    "error.OutputError": ("The file could not be written.", "ファイルを書き込めませんでした。"),
    "remedy.OutputError": (
        "Check the free space, or choose another place.",
        "空き容量を確認するか、別の保存先を選択してください。",
    ),
    "error.StoreError": (
        "The app's storage cannot be used.",
        "アプリの保存領域を使用できません。",
    ),
    "remedy.StoreError": ("Start the app again.", "アプリを再起動してください。"),
    "error.StoreBusyError": (
        "HEMX is open already.",
        "HEMXはすでに起動しています。",
    ),
    "remedy.StoreBusyError": (
        "Use the window that is open, or close it first.",
        "開いている画面を使用するか、先に終了してください。",
    ),
    "error.NewerStoreError": (
        "The studies were stored by a newer version of the app.",
        "新しい版のアプリで保存されたデータです。",
    ),
    "remedy.NewerStoreError": (
        "Install the newest version; nothing was changed.",
        "最新版をインストールしてください（データは変更されていません）。",
    ),
    "error.DamagedStoreError": (
        "A stored file or result is not what was written.",
        "保存されたデータが破損しています。",
    ),
    "remedy.DamagedStoreError": (
        "Do not rely on it. Delete the study and import it again.",
        "この結果は使用せず、検査を削除して再度取り込んでください。",
    ),
    "error.RescuedStoreError": (
        "The app's storage was damaged and was put in order.",
        "保存領域が破損していたため、修復しました。",
    ),
    "remedy.RescuedStoreError": (
        "Look through the list of studies.",
        "検査一覧を確認してください。",
    ),
    "error.StoreFullError": ("The device has no room left.", "端末の空き容量がありません。"),
    "remedy.StoreFullError": (
        "Delete studies or other files.",
        "不要な検査やファイルを削除してください。",
    ),
    "error.NotStoredError": (
        "This study or result is not here any more.",
        "この検査または結果はすでに削除されています。",
    ),
    "remedy.NotStoredError": ("Go back to the list.", "検査一覧に戻ってください。"),
    "error.MemoryBudgetError": (
        "The study needs more memory than there is.",
        "メモリが不足しているため、この検査を扱えません。",
    ),
    "remedy.MemoryBudgetError": (
        "Choose a series with thicker slices, or close other apps.",
        "スライス厚の大きいシリーズを選択するか、他のアプリを終了してください。",
    ),
    "error.PinError": ("The PIN was not accepted.", "PINが受け付けられませんでした。"),
    "remedy.PinError": ("Check it and try again.", "確認してもう一度入力してください。"),
    "error.AccessError": (
        "This folder or file could not be read.",
        "このフォルダまたはファイルを読み取れませんでした。",
    ),
    "remedy.AccessError": (
        "Choose it again and allow access.",
        "選択し直し、アクセスを許可してください。",
    ),
    "error.UnexpectedError": (
        "The program failed unexpectedly.",
        "予期しないエラーが発生しました。",
    ),
    "remedy.UnexpectedError": (
        "Try again; if it comes back, report it with the app's version.",
        "もう一度お試しください。繰り返す場合は版名を添えて報告してください。",
    ),
}


def explained(
    language: str, kind: str, code: str, values: Mapping[str, Any]
) -> tuple[str, str, str, str]:
    """What an error means, what was found, what was expected, and what to do.

    Args:
        kind: see `words`.
        code, values: see `hemx_core.errors.HemxError`. A sentence stays English; what to do is then told
            by the error's class.
    """
    plain, remedy = words(language, kind)
    found, expected, do = tell_error(code, values, language)
    in_language = language == "en" or is_error_code(code)
    return plain, found, expected, (do if in_language else "") or remedy


def words(language: str, kind: str) -> tuple[str, str]:
    """What an error means and what to do, by its class's name or its nearest ancestor's.

    Args:
        kind: such as "NoSeriesError"; an unknown one is any error.
    """
    from mobile_app.i18n import text

    known = getattr(mobile_app.errors, kind, None) or getattr(hemx_core.errors, kind, None)
    ancestors = known.__mro__ if isinstance(known, type) else (hemx_core.errors.HemxError,)
    name = next(
        ancestor.__name__ for ancestor in ancestors if f"error.{ancestor.__name__}" in STRINGS
    )
    return text(language, f"error.{name}"), text(language, f"remedy.{name}")

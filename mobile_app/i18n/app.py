"""Strings of the frame: navigation, status line, errors."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "app.studies": ("Studies", "検査"),
    "app.reading": ("Reading", "読影"),
    "app.result": ("Result", "結果"),
    "app.compare": ("Compare", "比較"),
    "app.report": ("Report", "報告書"),
    "app.device": ("Device", "端末"),
    "app.settings": ("Settings", "設定"),
    "app.cancel": ("Cancel", "中止"),
    "app.close": ("Close", "閉じる"),
    "app.not_a_device": (
        "Research software, not a medical device. A clinician reads the study and decides.",
        "研究用ソフトウェア（医療機器ではありません）。必ず医師が読影し、判断してください。",
    ),
    "app.no_study": ("No study is open.", "検査が開かれていません。"),
    "app.cancelled": ("Cancelled.", "中止しました。"),
    "app.progress": ("{stage}: {done} of {total}", "{stage}：{done} / {total}"),
    "app.begun": ("{stage} …", "{stage}…"),
    "app.stage.making": ("Making the demo study", "デモ用の検査を作成中"),
    "app.stage.fetch": ("Copying from the other app", "他のアプリからコピー中"),
    "app.stage.headers": ("Looking through the files", "ファイルを確認中"),
    "app.stage.copy": ("Copying the study", "検査をコピー中"),
    "app.stage.pixels": ("Reading the images", "画像を読み込み中"),
    "app.stage.read": ("Reading the images", "画像を読み込み中"),
    "app.stage.loading": ("Loading the models", "モデルを読み込み中"),
    "app.stage.self_test": ("Testing the models on this device", "この端末でモデルを確認中"),
    "app.stage.check": ("Checking that this is a head", "頭部CTか確認中"),
    "app.stage.prepare": ("Preparing the images", "画像を準備中"),
    "app.stage.segment": ("Looking for blood", "血腫を検索中"),
    "app.stage.measure": ("Measuring", "計測中"),
    "app.stage.signs": ("Applying the rules", "規則で判定中"),
    "app.stage.classify": ("Judging the markers", "マーカーを判定中"),
    "app.stage.other": ("Working", "処理中"),
    "app.advice.no_haematoma_found": (
        "No haematoma was found; this does not rule out haemorrhage.",
        "血腫は検出されませんでした（出血を否定するものではありません）。",
    ),
    "app.advice.discuss_with_neurosurgical_centre": (
        "Discuss this patient with a neurosurgical centre.",
        "脳神経外科施設に相談してください。",
    ),
    "app.advice.call_neurosurgical_centre_now": (
        "Call a neurosurgical centre now.",
        "直ちに脳神経外科施設へ連絡してください。",
    ),
    "app.interrupted": (
        "The app ended while a study was analysed. Open the study to analyse it again.",
        "解析中にアプリが終了しました。検査を開くと再度解析します。",
    ),
    "app.demo": (
        "Demo: synthetic patients, deleted when the app closes.",
        "デモ：合成された患者データです（終了時に削除）。",
    ),
    "app.trouble": ("This did not work", "処理できませんでした"),
    "app.found": ("What was found", "検出された内容"),
    "app.expected": ("What would be right", "必要な条件"),
    "app.remedy": ("What to do", "対処方法"),
    "app.details": ("Details", "詳細"),
    "app.cannot_start": ("HEMX cannot start", "HEMXを起動できません"),
}

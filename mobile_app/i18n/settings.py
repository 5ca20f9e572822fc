"""Strings of the settings."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "settings.language": ("Language", "言語"),
    "settings.en": ("English", "English"),
    "settings.ja": ("日本語", "日本語"),
    "settings.window": ("Window of this site", "施設のウィンドウ"),
    "settings.window_hint": (
        "HU below the lower limit are black, above the upper one white, for the models and for the report. "
        "The screen has its own windows.",
        "下限未満は黒、上限超は白として、モデルとレポートに使用します。画面表示の階調とは別です。",
    ),
    "settings.lower": ("Lower limit, HU", "下限 HU"),
    "settings.upper": ("Upper limit, HU", "上限 HU"),
    "settings.window_own": (
        "In use: {lower} to {upper} HU, the models' own.",
        "使用中：{lower}〜{upper} HU（モデルの設定）",
    ),
    "settings.window_changed": (
        "In use: {lower} to {upper} HU. The models were trained with {own_lower} to {own_upper}: what they "
        "find may be wrong. Every result says so.",
        "使用中：{lower}〜{upper} HU。モデルは{own_lower}〜{own_upper} HUで学習しているため、"
        "結果が不正確になる可能性があります。すべての結果に記載されます。",
    ),
    "settings.window_unknown": (
        "The models' own window is not known: the models cannot be read.",
        "モデルを読み込めないため、モデルのウィンドウは不明です。",
    ),
    "settings.use_window": ("Use these limits", "この値を使用"),
    "settings.use_own": ("Back to the models' window", "モデルの設定に戻す"),
    "settings.preset": ("{lower} to {upper}", "{lower}〜{upper}"),
    "settings.not_a_window": (
        "Two numbers from -1024 to 3071 are needed, the lower one first.",
        "-1024〜3071の数値を、下限が上限より小さくなるように入力してください。",
    ),
    "settings.saved": ("Saved.", "保存しました。"),
    "settings.next_time": (
        "It counts from the next analysis on; results that are stored stay as they are.",
        "次の解析から適用されます。保存済みの結果は変わりません。",
    ),
    "settings.threads": ("Processor cores for the analysis", "解析に使用するCPUコア数"),
    "settings.threads_hint": (
        "More is faster and warms the device. It counts from the next analysis on.",
        "多いほど高速ですが、端末が発熱します。次の解析から適用されます。",
    ),
    "settings.actor": ("Who uses the app", "使用者"),
    "settings.actor_hint": (
        "This name stands in the audit trail and with corrections. Nobody checks it.",
        "操作履歴と修正の記録に使用します。本人確認は行いません。",
    ),
    "settings.actor_field": ("Name or initials", "氏名またはイニシャル"),
    "settings.save": ("Save", "保存"),
    "settings.names": ("Names of patients in the list", "一覧の患者氏名"),
    "settings.names_shown": ("Shown", "表示"),
    "settings.names_hidden": ("Hidden", "非表示"),
    "settings.pin": ("PIN", "PIN"),
    "settings.pin_off": (
        "No PIN is set: whoever holds the unlocked device reads the studies.",
        "PINは未設定です。端末のロックを解除した人は誰でも検査を閲覧できます。",
    ),
    "settings.pin_on": (
        "A PIN is asked for at the start, whenever the app was left, and after a time without a touch. A "
        "tablet then takes no screenshot of the app.",
        "起動時、アプリから離れた後、一定時間操作がないときにPINの入力が必要です。"
        "タブレットではスクリーンショットを撮影できません。",
    ),
    "settings.pin_old": ("Present PIN", "現在のPIN"),
    "settings.pin_new": ("New PIN, 6 to 64 characters", "新しいPIN（6〜64文字）"),
    "settings.pin_again": ("New PIN once more", "新しいPIN（確認）"),
    "settings.pin_set": ("Set the PIN", "PINを設定"),
    "settings.pin_change": ("Change the PIN", "PINを変更"),
    "settings.pin_clear": ("Remove the PIN", "PINを解除"),
    "settings.lock_now": ("Lock now", "今すぐロック"),
    "settings.lock_after": (
        "Lock when nothing was touched for:",
        "操作がないときに自動でロックするまでの時間：",
    ),
    "settings.minutes": ("{count} min", "{count}分"),
    "settings.pin_differs": (
        "The two new PINs are not the same.",
        "新しいPINが一致しません。",
    ),
    "settings.pin_refused": (
        "Not accepted: the present PIN is wrong, or the new one is too short or one character repeated.",
        "受け付けられません。現在のPINが違うか、新しいPINが短いか同じ文字の繰り返しです。",
    ),
    "settings.pin_too_early": (
        "Too many wrong PINs. Try again in {seconds} s.",
        "誤ったPINが続きました。{seconds}秒後に再度入力できます。",
    ),
    "settings.pin_is_set": ("The PIN is set.", "PINを設定しました。"),
    "settings.pin_is_cleared": ("The PIN is removed.", "PINを解除しました。"),
    "settings.pin_forgotten": (
        "A forgotten PIN cannot be recovered: the app must be removed with its studies.",
        "PINを忘れた場合、復元できません。アプリを検査ごと削除する必要があります。",
    ),
    "settings.thresholds": ("Thresholds", "閾値"),
    "settings.thresholds_hint": (
        "They come with the models, were chosen together with them, and cannot be changed here.",
        "モデルとともに決められた値で、ここでは変更できません。",
    ),
    "settings.threshold": ("{marker}: {value}", "{marker}：{value}"),
    "settings.mask_threshold": ("Blood in a pixel: {value}", "画素の血腫判定：{value}"),
    "settings.protection": ("What protects the studies", "検査データの保護"),
    "settings.protection_1": (
        "Nothing is sent anywhere: the Android app has no permission to use a network.",
        "データはどこにも送信されません。Android版にはネットワークを使用する権限がありません。",
    ),
    "settings.protection_2": (
        "On a tablet, Android encrypts the storage and keeps other apps out. This needs a screen lock: "
        "set one in the tablet's settings, and switch the tablet off for transport.",
        "タブレットではAndroidが保存領域を暗号化し、他のアプリから隔離します。"
        "端末の画面ロックを必ず設定し、持ち運ぶときは電源を切ってください。",
    ),
    "settings.protection_3": (
        "On a desktop, only this user's account can open the folder: use an encrypted disk.",
        "デスクトップでは、このユーザーだけがフォルダを開けます。暗号化したディスクを使用してください。",
    ),
    "settings.protection_4": (
        "The PIN encrypts nothing. It stops a person who picks up the unlocked device.",
        "PINはデータを暗号化しません。ロック解除済みの端末を手にした人の閲覧を防ぐものです。",
    ),
    "settings.protection_5": (
        "A deleted study is gone with its results. The audit trail keeps that it was here, without a name.",
        "削除した検査は結果とともに消去されます。操作履歴には患者名なしで記録が残ります。",
    ),
    "settings.folder": ("The studies lie in: {folder}", "保存場所：{folder}"),
}

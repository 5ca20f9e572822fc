"""Strings of the frame and of what is set up once: navigation, lock, settings, device."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    # Navigation, status line, errors
    "app.studies": ("Studies", "検査"),
    "app.reading": ("Reading", "読影"),
    "app.result": ("Result", "結果"),
    "app.compare": ("Compare", "比較"),
    "app.report": ("Report", "報告書"),
    "app.device": ("Device", "端末"),
    "app.settings": ("Settings", "設定"),
    "app.cancel": ("Cancel", "キャンセル"),
    "app.close": ("Close", "閉じる"),
    "app.not_a_device": (
        "Research software, not a medical device. A clinician reads the study and decides.",
        "研究用ソフトウェア（医療機器ではありません）。必ず医師が読影し、判断してください。",
    ),
    "app.no_study": ("No study is open.", "検査が開かれていません。"),
    "app.cancelled": ("Cancelled.", "キャンセルしました。"),
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
    "app.stage.backup": ("Backing up", "バックアップ中"),
    "app.stage.labels": ("Exporting labels", "回答を書き出し中"),
    "app.stage.restore": ("Restoring", "復元中"),
    "app.stage.other": ("Working", "処理中"),
    "app.advice.no_haematoma_found": (
        "No haematoma was found; this does not rule out haemorrhage.",
        "血腫は検出されませんでした（出血を否定するものではありません）。",
    ),
    "app.advice.cannot_tell": (
        "Cannot tell: look at the pictures now, or scan again.",
        "判定できません。ただちに画像を確認するか、再撮影してください。",
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
    # The lock and what a PIN does
    "lock.title": ("HEMX is locked", "HEMXはロックされています"),
    "lock.hint": ("PIN", "PIN"),
    "lock.unlock": ("Unlock", "ロック解除"),
    "lock.checking": ("Checking …", "確認中…"),
    "lock.wrong": ("The PIN is wrong.", "PINが違います。"),
    "lock.wait": (
        "Too many wrong PINs. Try again in {seconds} s.",
        "誤ったPINが続きました。{seconds}秒後に再度入力できます。",
    ),
    "lock.running": (
        "An analysis goes on behind the lock.",
        "ロック中も解析は続いています。",
    ),
    # Settings
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
        "Not accepted: the present PIN is wrong, or the new one is too short or easily guessed.",
        "受け付けられません。現在のPINが違うか、新しいPINが短いか推測されやすいものです。",
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
    "settings.storage": ("Backup and restore", "バックアップと復元"),
    "settings.storage_hint": (
        "A backup is one zip with all studies, results and corrections. Restoring adds what is not here; "
        "nothing is changed or deleted.",
        "バックアップは、すべての検査・結果・修正を含む1つのzipです。"
        "復元では、ここにない検査だけを追加し、既存のデータは変更・削除しません。",
    ),
    "settings.backup": ("Back up", "バックアップ"),
    "settings.backup_message": (
        "The backup names patients and is not encrypted. Keep it where only you can read it.",
        "バックアップには患者名が含まれ、暗号化されません。他の人が読めない場所に保管してください。",
    ),
    "settings.backup_go_on": ("Choose where to", "保存先を選択"),
    "settings.backup_runs": ("Backing up …", "バックアップ中…"),
    "settings.backup_done": (
        "Backed up {count} studies: {name}",
        "検査{count}件をバックアップしました：{name}",
    ),
    "settings.backup_part": (
        "Backed up {count} studies: {name}. Left out, because their files are damaged: studies {numbers}. "
        "Import them again.",
        "検査{count}件をバックアップしました：{name}。"
        "ファイルの破損により除外した検査：{numbers}。再度取り込んでください。",
    ),
    "settings.restore": ("Restore a backup", "バックアップから復元"),
    "settings.restore_runs": ("Restoring …", "復元中…"),
    "settings.restored": (
        "{added} studies added, {present} were here already.",
        "検査{added}件を追加しました（{present}件は既にあります）。",
    ),
    "settings.restored_part": (
        "{count} studies of the backup are damaged and were left out.",
        "バックアップ内の検査{count}件は破損しているため除外しました。",
    ),
    "settings.aside": (
        "Damaged data that was set aside: {mb} MB. It may name patients.",
        "別に保管している破損データ：{mb} MB。患者名を含む可能性があります。",
    ),
    "settings.aside_none": ("No damaged data is set aside.", "破損データはありません。"),
    "settings.aside_delete": ("Delete what was set aside", "破損データを削除"),
    "settings.aside_message": (
        "It cannot be undone. Somebody who knows databases may still read results out of it.",
        "元に戻せません。破損データから結果を取り出せる場合があります。",
    ),
    "settings.labels": ("Readers' answers as a data set", "読影者の回答の書き出し"),
    "settings.labels_count": (
        "{count} studies have answers.",
        "回答のある検査：{count}件",
    ),
    "settings.labels_hint": (
        "One zip in HEMX's data format, to train and score networks: images, masks and answers. "
        "Codes stand in the place of names, and dates are moved back.",
        "HEMXのデータ形式の1つのzipです（画像・血腫輪郭・回答）。学習と評価に使えます。"
        "氏名などは符号に置き換え、日付はずらします。",
    ),
    "settings.labels_export": ("Export", "書き出す"),
    "settings.labels_message": (
        "Names, IDs, dates and places are taken out. The images themselves stay: thin slices can show a "
        "face. Pass it on only where that is agreed.",
        "氏名・ID・日付・施設名は除かれますが、画像はそのままです。薄いスライスでは顔が分かることがあります。"
        "取り決めのある相手にのみ渡してください。",
    ),
    "settings.labels_go_on": ("Choose where to", "保存先を選択"),
    "settings.labels_runs": ("Exporting …", "書き出し中…"),
    "settings.labels_done": (
        "{count} studies written: {name}",
        "検査{count}件を書き出しました：{name}",
    ),
    "settings.labels_part": (
        "{count} studies written: {name}. Left out, because they cannot be read or carry text in their "
        "images: {left}.",
        "検査{count}件を書き出しました：{name}。"
        "読み込めない、または文字が焼き込まれているため除外した検査：{left}。",
    ),
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
    # The device
    "device.test.title": ("Self-test of the models", "モデルの自己診断"),
    "device.test.first": ("Test now", "診断を開始"),
    "device.test.run": ("Test again", "再診断"),
    "device.test.none": ("Not tested yet", "未診断"),
    "device.test.none_more": (
        "The models are tested before the first study is analysed.",
        "最初の検査を解析する前に自己診断を行います。",
    ),
    "device.test.untested": ("Not tested: no references", "診断不可（基準データなし）"),
    "device.test.untested_more": (
        "These models bring no reference results, so nobody can say whether they compute right on this "
        "device. For development only.",
        "このモデルには基準となる結果が含まれていないため、この端末で正しく動作するか確認できません（開発用）。",
    ),
    "device.test.passed": ("Passed", "合格"),
    "device.test.passed_more": (
        "On {when} the models gave the expected results on {slices} test images.",
        "{when}、テスト画像{slices}枚で期待どおりの結果が得られました。",
    ),
    "device.test.failed": (
        "FAILED: no analysis on this device",
        "不合格：この端末では解析できません",
    ),
    "device.test.failed_more": (
        "On {when} the models gave other results than expected on {slices} test images. Install the app "
        "again; if it stays so, do not use this device.",
        "{when}、テスト画像{slices}枚で期待と異なる結果になりました。再インストールしても続く場合は、"
        "この端末を使用しないでください。",
    ),
    "device.test.what": ("Difference in", "差"),
    "device.test.found": ("Found", "測定値"),
    "device.test.most": ("At most", "許容値"),
    "device.measure.mask": ("Blood area (1 - Dice)", "血腫領域（1 - Dice）"),
    "device.measure.probability": ("Probability per pixel", "画素ごとの確率"),
    "device.measure.features": ("Image features", "画像特徴量"),
    "device.measure.marker": ("Marker probability", "マーカー確率"),
    "device.measure.logits": ("Marker score", "マーカースコア"),
    "device.measure.cams": ("Heat map", "着目領域"),
    "device.method.segment": ("Time per image, blood", "1枚の処理時間（血腫）"),
    "device.method.classify": ("Time per image, markers", "1枚の処理時間（マーカー）"),
    "device.too_much": ("too much", "超過"),
    "device.within": ("within", "範囲内"),
    "device.bench.title": ("Speed and memory", "速度とメモリ"),
    "device.bench.hint": (
        "Analyses a synthetic study of 30 slices three times. No patient's data is used.",
        "合成データ（30スライス）を3回解析します。患者データは使用しません。",
    ),
    "device.bench.run": ("Measure", "測定開始"),
    "device.bench.cancel": ("Stop measuring", "測定中止"),
    "device.bench.running": ("{stage}: {done} of {total}", "{stage}：{done} / {total}"),
    "device.bench.cancelled": (
        "Stopped: nothing was measured.",
        "中止しました。測定結果はありません。",
    ),
    "device.bench.export": ("Save result", "結果を保存"),
    "device.bench.none": ("Not measured yet", "未測定"),
    "device.bench.other": (
        "Measured with another version: measure again",
        "別の版での測定結果です。再測定してください",
    ),
    "device.bench.passed": ("Fast and small enough as a {name}", "{name}の基準を満たしています"),
    "device.bench.failed": ("Over the limits for a {name}", "{name}の基準を満たしていません"),
    "device.bench.made": ("Measured {when}, {runs} times.", "{when}測定（{runs}回）。"),
    "device.bench.what": ("What", "項目"),
    "device.bench.found": ("Measured", "測定値"),
    "device.bench.most": ("At most", "上限"),
    "device.bench.is": ("Verdict", "判定"),
    "device.bench.stage": ("Stage (ms)", "処理（ms）"),
    "device.bench.first": ("First", "初回"),
    "device.bench.median": ("Median", "中央値"),
    "device.bench.p95": ("95 %", "95 %"),
    "device.bench.device": ("Device", "端末"),
    "device.bench.system": ("System", "OS"),
    "device.bench.runtime": ("Runtime", "実行環境"),
    "device.bench.threads": ("Threads", "スレッド数"),
    "device.bench.fingerprint": ("Result code", "結果コード"),
    "device.class.phone": ("phone", "スマートフォン"),
    "device.class.tablet": ("tablet", "タブレット"),
    "device.class.desk": ("desktop computer", "PC"),
    "device.choose.phone": ("Phone", "スマートフォン"),
    "device.choose.tablet": ("Tablet", "タブレット"),
    "device.choose.desk": ("Desktop", "PC"),
    "device.line.study_seconds": ("Whole study, 30 slices", "検査全体（30スライス）"),
    "device.line.first_slice_seconds": ("First slice", "最初のスライス"),
    "device.line.memory_mib": ("Memory", "メモリ"),
    "device.line.bundle_mb": ("Size of the models", "モデルの容量"),
    "device.stage.phantom": ("Making the test study", "テスト画像を作成中"),
    "device.stage.load": ("Loading the models", "モデルの読み込み"),
    "device.stage.self_test": ("Self-test", "自己診断"),
    "device.stage.headers": ("Reading the files", "ファイルの確認"),
    "device.stage.read": ("Reading the study", "検査の読み込み"),
    "device.stage.pixels": ("Reading the study", "検査の読み込み"),
    "device.stage.prepare": ("Preparing a slice", "1枚の前処理"),
    "device.stage.segment": ("Finding blood on a slice", "1枚の血腫検出"),
    "device.stage.measure": ("Measuring", "体積計測"),
    "device.stage.signs": ("Rules", "規則判定"),
    "device.stage.classify": ("Markers on a slice", "1枚のマーカー判定"),
    "device.stage.study": ("Whole study", "検査全体"),
    "device.stage.run": ("Runs done", "完了した測定"),
    "device.models.title": ("The models", "モデル"),
    "device.models.recipe": ("Recipe", "構成"),
    "device.models.version": ("Made with", "作成環境"),
    "device.models.schema": ("Manifest version", "マニフェスト版"),
    "device.models.size": ("Size", "容量"),
    "device.models.signed": ("Signed by", "署名"),
    "device.models.release": ("{name} ({id}), a release", "{name}（{id}）正式版"),
    "device.models.local": (
        "{name} ({id}): not a released version",
        "{name}（{id}）正式版ではありません",
    ),
    "device.models.unsigned": (
        "Nobody: for development only",
        "署名なし（開発用）",
    ),
    "device.models.licence": ("Licence", "ライセンス"),
    "device.models.data": ("Trained on", "学習データ"),
    "device.models.card": ("Model card", "モデルカード"),
    "device.models.card_language": ("In English.", "（英語のみ）"),
    "device.licences": ("Licences", "ライセンス一覧"),
    "device.licence.version": ("{licence}, version {version}", "{licence}、版 {version}"),
    "device.log.title": ("Log", "ログ"),
    "device.log.hint": (
        "What went wrong and where in the program. It holds no names, numbers or pictures of patients.",
        "不具合とプログラム内の位置のみを記録します。患者の氏名・番号・画像は含みません。",
    ),
    "device.log.view": ("Show", "表示"),
    "device.log.export": ("Save", "保存"),
    "device.log.clear": ("Delete", "削除"),
    "device.log.clear_title": ("Delete the log?", "ログを削除しますか？"),
    "device.log.clear_message": (
        "Whoever looks for a fault later will not have it.",
        "後で不具合を調べる際に参照できなくなります。",
    ),
    "device.log.keep": ("Keep it", "残す"),
    "device.log.cleared": ("The log was deleted.", "ログを削除しました。"),
    "device.log.empty": ("Nothing was logged.", "記録はありません。"),
    "device.saved": ("Saved: {name}", "保存しました：{name}"),
    "device.page": ("Page {number} of {count}", "{number} / {count}ページ"),
    "device.back": ("Back", "前へ"),
    "device.next": ("Next", "次へ"),
}

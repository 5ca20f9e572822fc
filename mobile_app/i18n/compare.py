"""Strings of the Compare screen."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "compare.earlier": ("Earlier study", "前回の検査"),
    "compare.later": ("Later study", "今回の検査"),
    "compare.choose": ("Choose a study", "検査を選択"),
    "compare.choose_earlier": ("Which study is the earlier one?", "前回の検査はどれですか？"),
    "compare.choose_later": ("Which study is the later one?", "今回の検査はどれですか？"),
    "compare.same_patient": ("Same patient ID", "同じ患者ID"),
    "compare.other_patients": (
        "Another patient ID, or none: make sure who it is",
        "患者IDが異なるか、ありません。本人か確認してください",
    ),
    "compare.no_time": ("time not known", "撮影時刻不明"),
    "compare.row": ("{patient}\n{at}   {volume} mL", "{patient}\n{at}   {volume} mL"),
    "compare.swap": ("Swap", "入れ替え"),
    "compare.go": ("Compare", "比較する"),
    "compare.anyway": ("They are the same patient: compare", "同一患者として比較"),
    "compare.back": ("Do not compare", "比較しない"),
    "compare.doubt_title": ("Is this the same patient?", "同一の患者ですか？"),
    "compare.too_few": (
        "There are not two analysed studies to compare yet. Import and open both first.",
        "比較できる解析済みの検査が2件ありません。先に両方の検査を取り込み、開いてください。",
    ),
    "compare.no_partner": (
        "There is no second analysed study with this patient ID. Choose both studies above.",
        "この患者IDの解析済み検査はほかにありません。上で2つの検査を選択してください。",
    ),
    "compare.ready": (
        "Touch “Compare” to see growth and both studies side by side.",
        "「比較する」を押すと、血腫の変化と両検査が表示されます。",
    ),
    "compare.different_patients": (
        "The two studies carry DIFFERENT patient IDs. Growth from one patient to another means nothing.",
        "2つの検査の患者IDが異なります。別の患者の画像を比べても血腫の変化は分かりません。",
    ),
    "compare.patient_unknown": (
        "A study carries no patient ID. Make sure by name, date and picture that both are of one patient.",
        "患者IDのない検査があります。氏名・日時・画像で同一患者であることを確認してください。",
    ),
    "compare.same_series": (
        "Both are the same series: choose two different studies.",
        "同じシリーズです。異なる2つの検査を選択してください。",
    ),
    "compare.order_unknown": (
        "The times do not say which study is the earlier one. Swap them if they are the wrong way round.",
        "撮影時刻から前後を判断できません。順序が逆の場合は入れ替えてください。",
    ),
    "compare.growth": ("Growth", "血腫の変化"),
    "compare.urgent": (
        "Expansion is certain by a definition: call a neurosurgical centre now.",
        "定義により確実な血腫増大あり：直ちに脳神経外科施設へ連絡してください。",
    ),
    "compare.from_to": ("{earlier} mL  to  {later} mL", "{earlier} mL から {later} mL"),
    "compare.interval": ("{hours} hours between the studies", "検査間隔 {hours}時間"),
    "compare.interval_unknown": ("Time between the studies: not known", "検査間隔：不明"),
    "compare.span": ("90 % interval {low} to {high} {unit}", "90 %区間 {low}〜{high} {unit}"),
    "compare.from_none": (
        "No per cent: no haematoma was found on the earlier study.",
        "前回検査で血腫がないため、％は計算できません。",
    ),
    "compare.definitions": ("Haematoma expansion, by definition", "血腫増大（定義別）"),
    "compare.yes": ("Yes", "あり"),
    "compare.no": ("No", "なし"),
    "compare.indeterminate": ("Cannot be told", "判定不能"),
    "compare.hint": (
        "“Cannot be told”: the uncertainty of the volumes reaches over the limit.",
        "「判定不能」：体積の不確かさが基準値をまたいでいます。",
    ),
    "compare.corrected": (
        "Measured on outlines corrected by hand: {which}.",
        "手動で修正した輪郭で計測：{which}。",
    ),
    "compare.automatic": ("Measured on the automatic outlines.", "自動抽出の輪郭で計測。"),
    "compare.chart": ("Volume in this patient", "この患者の血腫体積の推移"),
    "compare.hours": ("Hours since the first study", "初回検査からの時間（時間）"),
    "compare.days": ("Days since the first study", "初回検査からの日数（日）"),
    "compare.ml": ("mL", "mL"),
    "compare.bars": (
        "Bars: 90 % interval. Filled points: the compared studies.",
        "縦線：90 %区間。塗りつぶし：比較した検査。",
    ),
    "compare.left_out": (
        "{count} without a known time: not in the chart.",
        "時刻不明の検査 {count}件は図に含みません。",
    ),
    "compare.limits": ("Limits of this comparison", "比較の限界"),
    "compare.link": ("Linked", "連動"),
    "compare.unlinked": ("Not linked", "連動なし"),
    "compare.outline": ("Outline", "輪郭"),
    "compare.window": ("Window: {name}", "階調：{name}"),
    "compare.window.brain": ("brain", "脳"),
    "compare.window.subdural": ("subdural", "硬膜下"),
    "compare.window.stroke": ("stroke", "脳梗塞"),
    "compare.window.bone": ("bone", "骨"),
    "compare.slice": ("Slice {number} of {count}", "スライス {number} / {count}"),
    "compare.beyond": ("the other study does not reach here", "もう一方の検査の撮影範囲外"),
    "compare.anchor.frame": ("Linked by position in the scanner", "装置の座標で連動"),
    "compare.anchor.haematoma": ("Linked at the haematoma's centre", "血腫の中心の高さで連動"),
    "compare.anchor.top": ("Linked at the top slices", "最上端のスライスで連動"),
    "compare.anchor.hand": ("Linked as you set it", "手動で合わせた位置で連動"),
}

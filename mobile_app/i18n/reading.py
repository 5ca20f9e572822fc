"""Strings of the Reading screen."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "reading.no_study": (
        "No study is open. Choose one under Studies.",
        "検査が開かれていません。検査一覧から選択してください。",
    ),
    "reading.loading": ("Reading the images …", "画像を読み込み中…"),
    "reading.unread": ("The images could not be read.", "画像を読み込めませんでした。"),
    # Groups of tools
    "reading.group.view": ("View", "表示"),
    "reading.group.window": ("Window", "ウィンドウ"),
    "reading.group.overlay": ("Overlay", "重ね合わせ"),
    "reading.group.correct": ("Correct", "輪郭修正"),
    "reading.hide": ("Hold to hide", "長押しで非表示"),
    # View
    "reading.scroll": ("Scroll", "スライス送り"),
    "reading.measure": ("Distance", "距離計測"),
    "reading.fit": ("Fit", "全体表示"),
    "reading.key": ("{number}\n{shows}", "{number}\n{shows}"),
    "reading.key_in_full": ("{number}: {shows}", "{number}：{shows}"),
    "reading.key.largest_area": ("largest", "最大面積"),
    "reading.key.hypodensity": ("hypodense", "低吸収域"),
    "reading.key.irregular": ("irregular", "辺縁不整"),
    "reading.key.blend": ("blend", "ブレンド"),
    "reading.key.fluid_level": ("fluid level", "液面形成"),
    "reading.key.black_hole": ("black hole", "ブラックホール"),
    "reading.key.swirl": ("swirl", "スワール"),
    "reading.key.heterogeneous": ("uneven", "濃度不均一"),
    "reading.key.island": ("island", "アイランド"),
    "reading.key.satellite": ("satellite", "サテライト"),
    "reading.key.blood": ("blood", "血腫"),
    "reading.key.none": ("overview", "概観"),
    "reading.key.more": ("{first} +{count}", "{first} ほか{count}"),
    "reading.list": (", ", "、"),
    # Window
    "reading.brain": ("Brain", "脳条件"),
    "reading.subdural": ("Subdural", "硬膜下条件"),
    "reading.stroke": ("Stroke", "脳梗塞条件"),
    "reading.bone": ("Bone", "骨条件"),
    "reading.free": ("By drag", "ドラッグ調整"),
    # Overlay
    "reading.outline": ("Outline", "血腫輪郭"),
    "reading.heat": ("Heat map", "ヒートマップ"),
    "reading.opacity": ("{percent:.0f} %", "{percent:.0f} %"),
    "reading.marker": ("Marker:\n{marker}", "マーカー：\n{marker}"),
    # Correct
    "reading.brush": ("Brush: add", "ブラシ：追加"),
    "reading.erase": ("Eraser", "消しゴム：削除"),
    "reading.radius": ("Radius\n{mm:.0f} mm", "半径\n{mm:.0f} mm"),
    "reading.undo": ("Undo", "元に戻す"),
    "reading.redo": ("Redo", "やり直す"),
    "reading.discard": ("Discard changes", "変更を破棄"),
    "reading.network": ("Back to automatic", "自動抽出に戻す"),
    "reading.save": ("Save", "修正を保存"),
    # On the picture
    "reading.slice": ("Slice {number} of {count}", "スライス {number} / {count}"),
    "reading.wl": ("W {width}  L {level} HU", "WW {width}  WL {level} HU"),
    "reading.hu": ("{hu} HU", "CT値 {hu} HU"),
    "reading.length": ("{mm} mm", "{mm} mm"),
    "reading.volume": ("Haematoma {ml} mL", "血腫量 {ml} mL"),
    "reading.no_blood": ("No haematoma found", "血腫は検出されず"),
    "reading.provisional": ("Triage is running: provisional", "解析中（暫定）"),
    "reading.no_result": ("Not analysed: no result", "未解析：結果なし"),
    "reading.corrected": (
        "Corrected by hand {ml} mL",
        "手動修正後の血腫量 {ml} mL",
    ),
    "reading.automatic": ("automatic: {ml} mL", "自動計測：{ml} mL"),
    "reading.not_saved": ("Correction not saved", "修正は未保存"),
    "reading.growth": (
        "Growth {ml} mL",
        "前回からの変化 {ml} mL",
    ),
    "reading.growth_percent": (
        "Growth {ml} mL ({percent} %)",
        "前回からの変化 {ml} mL（{percent} %）",
    ),
    "reading.earlier": ("earlier CT: {ml} mL\n{at}", "前回CT：{ml} mL\n{at}"),
    "reading.earlier_corrected": (
        "earlier CT, corrected: {ml} mL\n{at}",
        "前回CT（修正後）：{ml} mL\n{at}",
    ),
    "reading.expansion.yes": ("Expanded", "血腫増大あり"),
    "reading.expansion.no": ("Not expanded", "血腫増大なし"),
    "reading.expansion.indeterminate": ("Expansion: cannot be told", "血腫増大：判定不能"),
    "reading.strip": (
        "Bars: blood area. Dots: {marker}",
        "棒：血腫面積　点：{marker}",
    ),
    "reading.strip_corrected": (
        "Bars: blood area, corrected. Dots: {marker}, of the automatic mask",
        "棒：血腫面積（修正後）　点：{marker}（自動抽出に基づく）",
    ),
    # Status line
    "reading.saved": (
        "Correction saved as version {version}; the automatic result stays.",
        "修正を第{version}版として保存しました（自動計測の結果も保持）。",
    ),
    "reading.kept": (
        "The correction of the study you left was saved as version {version}.",
        "閉じた検査の修正を第{version}版として保存しました。",
    ),
    # Leaving with an unsaved correction
    "reading.ask.title": ("Save the correction?", "修正を保存しますか？"),
    "reading.ask.message": (
        "The mask was corrected and not saved. Result and report use the last saved one.",
        "血腫輪郭の修正が保存されていません。結果とレポートには、最後に保存した輪郭が使われます。",
    ),
    "reading.ask.save": ("Save", "保存する"),
    "reading.ask.later": ("Not now", "後で"),
}

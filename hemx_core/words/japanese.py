"""The Japanese sentences, by code; see `hemx_core.words` for how they are filled.

The font (BIZ UDPGothic) has no arrows, no "at least" sign and no check marks: a test holds the
tables to it.
"""

from __future__ import annotations

from hemx_core.markers import MARKERS

COMMA = "、"

SEVERITIES = {
    "info": "情報：{note}",
    "caution": "注意：{note}",
    "warning": "警告：{note}",
}

SENTENCES: dict[str, str] = {
    # Terms
    **{f"term.{marker.code}": marker.name_ja for marker in MARKERS},
    "term.axial": "軸位断",
    "term.coronal": "冠状断",
    "term.sagittal": "矢状断",
    "term.he_30": "30 %以上",
    "term.he_33_or_6ml": "33 %以上または6 mL以上",
    "term.he_12_5ml": "12.5 mL以上",
    # Reasons of a recommendation
    "none_found": "このシリーズでは血腫は検出されませんでした。",
    "not_ruled_out": "出血を否定するものではありません。必ず医師が読影してください。",
    "haematoma_found": "{volume_ml:.1f} mLの血腫が検出されました。",
    "large_haematoma": "体積が{limit_ml:.0f} mL以上です。",
    "marker_present": "血腫増大マーカー：{marker:term}、確率 {probability:.2f}"
    "（閾値 {threshold:.2f}）、最も明瞭なスライス {slice}。",
    "nothing_urgent": "閾値に達した血腫増大マーカーはなく、体積は{limit_ml:.0f} mL未満です。",
    "haematoma_expanded": "血腫が増大しています：{ml:+.1f} mL[、{percent:+.0f} %]（基準：{met:term}）。",
    # The choice of a series
    "series": "シリーズ[ {number}][「{description}」][ 部分{part}]"
    "（{count}スライス[、{thickness_mm:〜} mm]）",
    "withheld": "以前の版の注記は、患者名やファイル名を含む可能性があるため省略しました。",
    "more": "ほか{count}件",
    "because.asked_for": "指定されたため",
    "because.only_usable": "使用できる唯一の軸位断シリーズのため",
    "because.names_head": "ヘッダーに頭部と記載があるため",
    "because.covers_head": "頭部全体を含むため",
    "because.newest_study": "最新の検査のため",
    "because.soft_kernel": "軟部組織用の再構成関数のため",
    "because.nearest_to_5_mm": "スライス厚が5 mmに最も近いため",
    "because.most_slices": "スライス数が最も多いため",
    "because.acquired_last": "最後に撮影されたため",
    "because.lowest_number": "シリーズ番号が最も小さいため",
    "because.first_of_equals": "同等のシリーズのうち先頭のため",
    "aside": "{series}：{reason}",
    "aside_several": "{count}件のシリーズまたは部分：{reason}",
    "listed": "{series}、UID {uid}",
    "series_choice": "{series}を読み込みました（{because}）。[ほかに使用可能：{usable}。][対象外：{aside}。]",
    "several_patients": "入力に{patients}人の患者のCTが含まれます[（読み込んだのは患者ID {patient!r}）]。"
    "正しい患者か確認してください。",
    "several_studies": "入力に{studies}件の検査があり、1件を読み込みました[（{at}）]。",
    "contrast": "{reason}。マーカーは単純CTで定義されています。指定されたため読み込みましたが、"
    "結果に頼らないでください。",
    "derived_images": "{reason}。装置の元画像ではありません。指定されたため読み込みましたが、"
    "結果に頼らないでください。",
    # Why a series is not read
    "not_ct": "CTではありません（{modality}）",
    "no_modality": "CTではなく、モダリティ不明です",
    "secondary": "画面の写し・報告書・カラー画像で、CT値がありません",
    "localizer": "位置決め画像です",
    "projection": "投影画像（MIPなど）で、組織のCT値ではありません",
    "not_hu": "値がCT値（HU）ではありません（{rescale_type}）",
    "no_geometry": "必要な情報がないか不正です（{missing}）[（{hint}）]",
    "imager_spacing": "ImagerPixelSpacingは検出器面の値で、患者内の値ではありません",
    "not_axial": "軸位断ではありません[（{plane:term}）]",
    "few_positions": "軸位断が{count}枚しかありません",
    "contrast_given": "造影剤が使用されています（{sign}）",
    "contrast.agent": "ContrastBolusAgent：{agent!r}",
    "contrast.description": "シリーズの記載：{description!r}",
    "derived": "加工された画像です（{types}）",
    # Files and headers
    "unreadable_files": "破損したファイル{count}件を除外しました[：{files}]。[{because}。]",
    "missing_files": "DICOMDIRに記載されたファイルのうち{count}件がありません[：{files}]。",
    "not_dicom": "DICOMでないファイル{count}件を読み飛ばしました。",
    "duplicate_slices": "位置と画素が他と同じスライス{count}枚を除外しました[：{files}]。",
    "duplicate_slices_differ": "他と同じ位置で画素の異なるスライス{count}枚を除外しました（InstanceNumberが"
    "先のものを使用）。複数の撮影または再構成が混在している可能性があります[：{files}]。",
    "unreadable_slices": "読み込めないスライス{count}枚を除外しました[：{files}]。[{because}。]",
    "lossy_compression": "非可逆圧縮画像です。CT値と淡い所見が変化している可能性があります。",
    "rescale_type": "RescaleTypeがUS（未指定）のため、値をHUとみなしました。",
    "time_unknown": "ヘッダーに{what}。",
    "time.none": "撮影日時の記載がありません",
    "time.day_only": "撮影日の記載はありますが、時刻の記載がありません",
    # Pixels
    "clipped": "int16の範囲を超える値{count}個を切り詰めました。",
    "clipped_hu": "CT値が入力前に{lower:g}〜{upper:g} HUに切り詰められています。骨は辺縁の飽和した画素から"
    "求め、範囲外の濃度は不明です。",
    "stray_bits": "{count}画素でBitsStoredを超えるビットを、規格に従って除外しました。",
    "padding_kept": "PixelPaddingValueは{hu:g} HUで組織の値と重なるため、空気に置き換えていません。",
    "monochrome1": "画像はMONOCHROME1です{what}。",
    "monochrome.inverted": "（四隅の空気から、格納値の反転を確認し、元に戻しました）",
    "monochrome.display": "（表示のみの指定のため、CT値はそのまま用いました）",
    # Geometry
    "gantry_tilt": "スライスは積層方向に対し{degrees:.1f}度傾いています（ガントリ傾斜）。距離は法線方向に"
    "計測しました。",
    "missing_slices": "スライスが{count}枚欠落しています（{places}）。その部分は評価も計測もされていません。",
    "gap": "スライス{below}と{above}の間に{count}枚、最下端から{offset_mm:.1f} mm上、間隔{step_mm:.1f} mm",
    "unequal_spacing": "スライスの厚さまたは間隔が不均一です（{parts}）。[{odd}]体積は各スライスの範囲で"
    "計算しました。",
    "no_distance_recurs": "繰り返す間隔はありません。",
    "run": "スライス{first}〜{last}：厚さ{thickness_mm:g} mm[、{apart}]",
    "step": "スライス{below}と{above}の間{mm:.1f} mm",
    "apart": "間隔{mm:.1f} mm",
    "apart_range": "間隔{low_mm:.1f}〜{high_mm:.1f} mm",
    "apart_between": "{first}〜{last}の間隔{mm:.1f} mm",
    "slice_gap": "厚さ{thickness_mm:g} mmのスライスの間隔が{step_mm:.1f} mmあり、その間の組織は評価されて"
    "いません。",
    "shifted_slices": "スライスが一直線に並んでいません（スライス{slice}が横に{mm:.1f} mm）。"
    "2回の撮影が混在している可能性があります。",
    "thickness_unknown": "{count}スライスにSliceThicknessがないため、隣接スライスとの距離で代用しました。",
    "reoriented": "画像の向きを標準（鼻が上、患者の左が画像の右）に直しました（反転と転置のみ）。",
    "patient_position": "仰臥位ではありません（{position}）。液面形成の方向が想定と異なります。",
    # The models
    "models_unsigned": "モデルに署名がありません。開発専用です。",
    "models_local_key": "モデルの署名はこの端末で信頼された鍵によるもので、公開版の鍵ではありません。",
    "models_untested": "モデルに参照出力がないため、この端末での動作は確認されていません。",
    "window_changed": "ウィンドウがモデルの学習時と異なります。",
    "markers_research": "マーカーの確率は研究段階の推定値です。学習データはモデルカードを参照してください。",
    # The haematoma
    "blood_on_first_slice": "最下端のスライスに血腫があり、撮影範囲外に続く可能性があります（体積は過小）。",
    "blood_on_last_slice": "最上端のスライスに血腫があり、撮影範囲外に続く可能性があります（体積は過小）。",
    "tiny_haematoma": "所見は{limit_ml:g} mL未満です。ノイズまたは石灰化の可能性があります。",
    "bone_spot_left_out": "スライス{slices}で、隣接スライスの骨に重なる高吸収域を血腫から除外しました。"
    "目視で確認してください。",
    "may_be_bone": "スライス{slices}の所見は隣接スライスの骨に重なり、骨の可能性があります。"
    "目視で確認してください。",
    "corrected_mask": "血腫の輪郭は手動で修正されています（第{version}版）。体積と推奨は修正後の輪郭、"
    "マーカーと規則による所見は自動抽出の輪郭によるものです。",
    "expanded": "以前の検査と比べて血腫が増大しています（{ml:+.1f} mL）。",
    # Two studies
    "different_patients": "2つの検査の患者IDが異なります（強制的に比較）。",
    "patient_unknown": "患者IDのない検査があります。同一患者であることを確認してください。",
    "interval_unknown": "検査の時刻が不明なため、間隔は不明または日単位です。",
    "later_before_earlier": "今回の検査が前回より前に撮影されています。入れ替わりの可能性があります。",
    "long_interval": "検査間隔が{hours:.0f}時間を超えており、血腫が吸収され始めている可能性があります。",
    "different_spacing": "2つの検査はスライス間隔が異なり（{narrow_mm:.1f} mmと{wide_mm:.1f} mm）、"
    "差の一部は標本化による可能性があります。",
    "different_scanner": "2つの検査は施設または装置が異なります。",
    "no_earlier_haematoma": "前回検査では血腫が検出されませんでした。増大はmLのみで判定します。",
    "no_later_haematoma": "今回検査では血腫が検出されませんでした。両検査を目視で確認してください。",
    "no_haematoma": "どちらの検査でも血腫は検出されませんでした。",
}

_REFUSED = "{series:first}：{reason}[。ほかも使用できません：{rest}]"
_AXIAL = "検査の軸位断シリーズを選択してください"

ERRORS: dict[str, tuple[str, str, str]] = {
    # Series that are not read
    "refused.not_ct": (_REFUSED, "頭部の単純CT", "CT検査を指定してください"),
    "refused.no_modality": (_REFUSED, "頭部の単純CT", "CT検査を指定してください"),
    "refused.secondary": (_REFUSED, "CT画像", _AXIAL),
    "refused.localizer": (_REFUSED, "軸位断", _AXIAL),
    "refused.projection": (_REFUSED, "軸位断", _AXIAL),
    "refused.not_hu": (_REFUSED, "RescaleTypeがHU", "検査の通常のシリーズを選択してください"),
    "refused.no_geometry": (
        _REFUSED,
        "全スライスの大きさ・間隔・位置・向き",
        "変換後のコピーではなく、CT装置またはPACSから元のシリーズを出力してください",
    ),
    "refused.not_axial": (_REFUSED, "軸位断", _AXIAL),
    "refused.few_positions": (
        _REFUSED,
        "{needed}スライス以上",
        "1枚ではなく、シリーズ全体のフォルダを指定してください",
    ),
    "refused.contrast_given": (
        _REFUSED,
        "単純CTのシリーズ（マーカーは単純CTで定義されています）",
        "単純CTのシリーズを選択してください。単純CTであれば、シリーズを指定してください（--series）",
    ),
    "refused.derived": (
        _REFUSED,
        "装置の元画像",
        "元の軸位断シリーズを選択するか、このシリーズを指定してください（--series）",
    ),
    "unknown_language": (
        "言語 {language!r} はありません",
        "{known}のいずれか",
        "いずれかを選択してください",
    ),
    "series_unknown": (
        "{asked!r}というシリーズはありません。あるのは：{listing}",
        "シリーズUIDまたはその先頭か末尾、番号、記載",
        "このうち1つを指定してください",
    ),
    "series_ambiguous": (
        "{asked!r}というシリーズが{count}件あります。あるのは：{listing}",
        "シリーズUIDまたはその先頭か末尾、番号、記載",
        "このうち1つを指定してください",
    ),
}

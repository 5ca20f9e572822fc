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
    "cannot_tell": "血腫は検出されませんでしたが、この画像では見落としている可能性があります。[{because}]",
    "look_or_scan_again": "ただちに医師が画像を確認するか、再撮影してください。",
    "not_ruled_out": "出血を否定するものではありません。必ず医師が読影してください。",
    "haematoma_found": "{volume_ml:.1f} mLの血腫が検出されました。",
    "haematoma_at_least": (
        "少なくとも{volume_ml:.1f} mLの血腫が検出されました[（{at_most_ml:.1f} mL以上の可能性あり）]。"
    ),
    "haematoma_between": "{volume_ml:.1f}〜{at_most_ml:.1f} mLの血腫が検出されました。",
    "large_haematoma": "体積が{limit_ml:.0f} mL以上です。",
    "perhaps_large": "体積の上限値が{limit_ml:.0f} mL以上のため、これに従います。",
    "marker_present": "血腫増大マーカー：{marker:term}、確率 {probability:.2f}"
    "（閾値 {threshold:.2f}）、最も明瞭なスライス {slice}。",
    "marker_not_validated": "判定に含めません：{marker:term}、確率 {probability:.2f}"
    "（閾値 {threshold:.2f}）、スライス {slice}。実患者で未検証のマーカーです。",
    "nothing_urgent": "閾値に達した血腫増大マーカーはなく、体積は{limit_ml:.0f} mL未満です。",
    "nothing_validated_urgent": "閾値に達した検証済みの血腫増大マーカーはなく、"
    "体積は{limit_ml:.0f} mL未満です。",
    "haematoma_expanded": "血腫が増大しています：{ml:+.1f} mL[、{percent:+.0f} %]（基準：{met:term}）。",
    # What opening the app's store found
    "rescued.damaged": "データベースが破損していました（検査{kept}件、結果{results}件"
    "を読み出しました）",
    "rescued.left": "記録{count}件は読み出せませんでした",
    "rescued.missing": "データベースがありませんでした",
    "rescued.again": "検査{count}件を結果なしで復元しました",
    "rescued.mended": "破損した記録{count}件を書き直しました",
    "rescued.aside": "検査{count}件のファイルに記録がないため、再度取り込みます",
    "rescued.entries": "最後の変更{count}件が失われました",
    "rescued.settings": "設定{count}件が破損していました",
    "backup_part.missing": "{file}がありません",
    "backup_part.changed": "{file}が書き込み時と異なります",
    "backup_part.manifest": "ファイル一覧",
    "backup_part.database": "データベース",
    # The choice of a series
    "series": "シリーズ[ {number}][「{description}」][ 部分{part}][ 患者{patient!r}]"
    "（{count}スライス[、{thickness_mm:〜} mm]）",
    "more": "ほか{count}件",
    "because.asked_for": "指定されたため",
    "because.only_usable": "使用できる唯一の軸位断シリーズのため",
    "because.names_head": "ヘッダーに頭部と記載があるため",
    "because.covers_head": "頭部全体を含むため",
    "because.newest_study": "最新の検査のため",
    "because.soft_kernel": "軟部組織用の再構成関数のため",
    "because.nearest_to_5_mm": "スライス厚が5 mmに最も近いため",
    "because.most_slices": "スライス数が最も多いため",
    "because.whole_scan": "シリーズ内で全範囲が撮影されているため",
    "because.acquired_last": "最後に撮影されたため",
    "because.acquired_first": "最初に撮影されたため",
    "because.no_contrast_doubt": "ヘッダーに造影剤の記載がないため",
    "because.says_plain": "ヘッダーに造影剤なしと記載があるため",
    "because.lowest_number": "シリーズ番号が最も小さいため",
    "because.first_of_equals": "同等のシリーズのうち先頭のため",
    "aside": "{series}：{reason}",
    "aside_several": "{count}件のシリーズまたは部分：{reason}",
    "listed": "{series}、UID {uid}",
    "series_choice": "{series}を読み込みました（{because}）。[ほかに使用可能：{usable}。][対象外：{aside}。]",
    "several_patients": "入力に{patients}人の患者のCTが含まれます[（読み込んだのは患者ID {patient!r}）]。"
    "正しい患者か確認してください。",
    "several_studies": "入力に{studies}件の検査があり、1件を読み込みました[（{at}）]。",
    "headers_differ": "スライス間で{what}が異なりますが、位置が連続しているため、1回の撮影として読み込み"
    "ました。",
    "differ.spacing": "画素間隔",
    "differ.orientation": "断面の向き",
    "differ.frame": "座標系（Frame of Reference）",
    "differ.types": "画像種別（ImageType）",
    "differ.patient": "患者IDまたは氏名",
    "differ.study": "検査UID",
    "differ.series": "シリーズUID",
    "differ.matrix": "マトリクス",
    "differ.rescale": "画素値の種別（RescaleType）",
    "differ.place": "位置（記載なし）",
    "scan_continues": "同じ撮影の続きと思われるスライス{count}枚を読み込んでいません[：{rest}]。そこに血腫が"
    "ある可能性があります。残りの部分も読み込むか（--series）、検査を再出力してください。",
    "rest": "{series}[（{why}が異なります）]",
    "another_scan": "このシリーズには同じ部位の撮影がほかに{count}件含まれます[：{scans}]。読み込んだ撮影が"
    "正しいか確認し、必要なら部分の番号で指定してください（--series）。",
    "contrast": "{reason}。マーカーは単純CTで定義されています。指定されたため読み込みましたが、"
    "結果に頼らないでください。",
    "contrast_contradicted": "造影剤についてヘッダーの記載が矛盾しています（{sign}。一方、{against}）。"
    "[{seen}。]造影剤は血腫と紛らわしいため、使用されていないことを確認してください。",
    "contrast_unsure": "造影剤が使用された可能性があります（{sign}）。[{seen}。]使用されていないことを"
    "確認してください。",
    "contrast.not_seen": "画像上、血管の造影効果は認めません",
    "looks_enhanced": "画像上、血管が造影されているように見えます。[上矢状静脈洞は{sinus_hu} HUです（通常の"
    "血液は40〜75 HU）。][{slices}枚中{spotted_slices}枚で脳深部に点状の高吸収があります。]造影剤は血腫と"
    "紛らわしく、血腫を隠すこともあります。単純CTのシリーズを指定してください。",
    "acquired_after": "同じ検査に、後から撮影された同様のシリーズがあります（造影後の可能性：{series}）。"
    "先に撮影されたシリーズを読み込みました。正しいシリーズか確認してください。",
    "acquired_before": "同じ検査に、先に撮影された頭部シリーズがあります（{series}）。読み込んだシリーズ"
    "は造影後の可能性があります。正しいシリーズか確認してください。",
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
    "contrast.tag": "{tag}：{value}",
    "contrast.description": "シリーズの記載：{description!r}",
    "derived": "加工された画像です（{types}）",
    # Files and headers
    "unreadable_files": "破損したファイル{count}件を除外しました[：{files}]。[{because}。]",
    "missing_files": "DICOMDIRに記載されたファイルのうち{count}件がありません[：{files}]。",
    "unlisted_files": "DICOMDIRに記載のないDICOMファイル{count}件を読み込んでいません[：{files}]。"
    "読み込むにはフォルダを指定してください。",
    "not_dicom": "DICOMでないファイル{count}件を読み飛ばしました。",
    "duplicate_slices": "位置と画素が他と同じスライス{count}枚を除外しました[：{files}]。",
    "duplicate_slices_differ": "他と同じ位置で画素の異なるスライス{count}枚を除外しました[："
    "{files}]。InstanceNumberが先のものを使用しました。"
    "複数の撮影または再構成が混在している可能性があります。",
    "unreadable_slices": "読み込めないスライス{count}枚を除外しました[：{files}]。[{because}。]",
    "end_marker_missing": "圧縮画素の終端マーカーがないスライスが{count}枚あります[：{files}]。"
    "画像は最後まで揃っています。",
    "lossy_compression": "非可逆圧縮画像です。CT値と淡い所見が変化している可能性があります。",
    "burned_in": "画像に文字が焼き込まれています（BurnedInAnnotationがYES）。氏名を除いた出力でも、図に"
    "患者名が写っていることがあります。渡す前に確認してください。",
    "decimal_comma": "ヘッダーの数値に小数点の代わりにコンマが使われています（DICOM規格外）。小数点として読み"
    "ました。",
    "rescale_type": "RescaleTypeがUS（未指定）のため、値をHUとみなしました。",
    "time_unknown": "ヘッダーに{what}。",
    "time.none": "撮影日時の記載がありません",
    "time.day_only": "撮影日の記載はありますが、時刻の記載がありません",
    # Pixels
    "clipped": "int16の範囲を超える値{count}個を切り詰めました。",
    "clipped_hu": "CT値が入力前に{lower:g}〜{upper:g} HUに切り詰められています。骨は辺縁の飽和した画素から"
    "求め、範囲外の濃度は不明です。",
    "clipped_narrow": "CT値が{lower:g}〜{upper:g} HUに切り詰められ、脳や血腫の値の一部が失われています。"
    "出血を見落とすことがあります。",
    "clipped_below": "CT値が入力前に{lower:g} HUで下側を切り詰められています。脂肪と空気を区別できません。",
    "no_air": "画像に空気がありません（最小値{low}）。CT値（HU）であることを確認できません。画像をご自身で"
    "確認してください。",
    "brain_shifted": "脳のCT値が{brain} HUです（通常20〜40 HU、通常との差{by:+d} HU）。値がずれている可能性"
    "があります（RescaleInterceptの誤り）。結果に頼らず、シリーズを再度出力してください。",
    "slices_shifted": "スライス{slices}（{count}枚）の値が、他のスライスより{hu} HUずれています（Rescaleの"
    "欠落または誤り）。その分を戻して読みました。画像をご自身で確認してください。",
    "stray_bits": "{count}画素でBitsStoredを超えるビットを、規格に従って除外しました。",
    "padding_kept": "PixelPaddingValueは{hu:g} HUで、組織の値と重なります。"
    "空気には置き換えていません。",
    "monochrome1": "画像はMONOCHROME1です{what}。",
    "monochrome.inverted": "（四隅の空気から、格納値の反転を確認し、元に戻しました）",
    "monochrome.display": "（表示のみの指定のため、CT値はそのまま用いました）",
    "stream.start": "圧縮データの先頭が形式どおりではありません",
    "stream.no_end": "圧縮データに終わりがありません",
    "stream.short": "圧縮データが画像の途中で終わっています",
    "stream.left_over": "画像が埋まった後にも圧縮データが残っています",
    "stream.hole": "圧縮データの途中に0が{bytes}バイト続いています",
    "stream.structure": "データが形式の規則に合いません",
    "stream.decoder": "デコーダーが圧縮データを受け付けません",
    "stream.size": "圧縮画像は{rows} x {columns}画素ですが、ヘッダーは{header_rows} x {header_columns}です",
    "stream.format": "圧縮画像は1画素あたり{samples}個の{bits}ビット値で、ヘッダーと一致しません",
    "stream.few_bytes": "{wanted}バイト必要なところ{found}バイトしかありません",
    "stream.many_bytes": "ヘッダーでは{wanted}バイトのところ{found}バイトあります",
    # Geometry
    "gantry_tilt": "スライスは積層方向に対し{degrees:.1f}度傾いています（ガントリ傾斜）。距離は法線方向に"
    "計測しました。",
    "missing_slices": "スライスが{count}枚欠落しています。その部分は評価されていません。欠落：{places}。",
    "gap": "スライス{below}と{above}の間に{count}枚、最下端から{offset_mm:.1f} mm上、間隔{step_mm:.1f} mm",
    "unequal_spacing": "スライスの厚さまたは間隔が不均一です。体積は各スライスの範囲で計算しました。[{odd}]"
    "内訳：{parts}。",
    "no_distance_recurs": "繰り返す間隔はありません。",
    "run": "スライス{first}〜{last}：厚さ{thickness_mm:g} mm[、{apart}]",
    "step": "スライス{below}と{above}の間{mm:.1f} mm",
    "apart": "間隔{mm:.1f} mm",
    "apart_range": "間隔{low_mm:.1f}〜{high_mm:.1f} mm",
    "apart_between": "{first}〜{last}の間隔{mm:.1f} mm",
    "slice_gap": "スライスの厚さと間隔が一致しません（厚さ{thickness_mm:g} mm、間隔{step_mm:.1f} mm）。"
    "スライス間の組織が撮影されていないか、SliceThicknessの誤りです。体積は間隔から計算しました。",
    "slices_overlap": "厚さ{thickness_mm:g} mmのスライスの間隔が{step_mm:.1f} mmです。スライスの重なりか、"
    "SliceThicknessの誤りです。体積は間隔から計算しました。",
    "distance_doubtful": "スライス間隔は位置情報では{mm:.2f} mmですが、{by}では{other_mm:.1f} mmです。体積は"
    "位置情報から計算しており、同じ割合で誤っている可能性があります。シリーズを書き出し直してください。",
    "by.slice_location": "SliceLocation（スライス位置）",
    "by.slice_thickness": "スライス厚",
    "shifted_slices": "スライスが一直線に並んでいません（スライス{slice}が横に{mm:.1f} mm）。"
    "2回の撮影が混在している可能性があります。",
    "thickness_unknown": "{count}スライスのSliceThicknessがないか、あり得ない値です。"
    "隣接スライスとの距離で代用しました。",
    "reoriented": "画像の向きを標準（鼻が上、患者の左が画像の右）に直しました（反転と転置のみ）。",
    "patient_position": "仰臥位ではありません（{position}）。液面形成の方向が想定と異なります。",
    # The head in the pictures
    "brain_missing_above": "脳の頭頂側が撮影範囲に含まれていません（頭尾方向に約{seen_mm:.0f} mmのみ）。"
    "その上方は評価されていません。再撮影するか、全スライスを指定してください。",
    "brain_missing_below": "脳の頭蓋底側が撮影範囲に含まれていません（頭尾方向に約{seen_mm:.0f} mmのみ）。"
    "その下方は評価されていません。再撮影するか、全スライスを指定してください。",
    "brain_missing_at_both_ends": "脳の頭頂側と頭蓋底側が撮影範囲に含まれていません（頭尾方向に約"
    "{seen_mm:.0f} mmのみ）。その上方と下方は評価されていません。再撮影するか、全スライスを指定して"
    "ください。",
    "brain_beside_picture": "スライス{first}〜{last}で、脳の一部が画像の外にあります。その部分は評価されて"
    "いません。FOVを広げて再構成してください。",
    "upside_down": "スライスの上下が逆です（頭頂が足側にあります）。上下が入れ替わり、左右も逆の可能性が"
    "あります。スライスの位置情報を確認してください。",
    "metal": "スライス{first}〜{last}の頭部に金属があります。アーチファクトが出血を隠したり、出血のように"
    "見えたりすることがあります。",
    # The models
    "models_unsigned": "モデルに署名がありません。開発専用です。",
    "models_local_key": "モデルの署名はこの端末で信頼された鍵によるもので、公開版の鍵ではありません。",
    "models_untested": "モデルに参照出力がないため、この端末での動作は確認されていません。",
    "window_changed": "ウィンドウがモデルの学習時と異なります。",
    "markers_research": "マーカーの確率は研究段階の推定値です。学習データはモデルカードを参照してください。",
    "volume_interval": "体積の90 %区間は、CT値から導いた参照輪郭（医師の輪郭ではない）との誤差です。"
    "読影者間でも4〜6 mLの差があります。",
    # The haematoma
    "blood_on_first_slice": "最下端のスライスに血腫があります。撮影範囲外に続く可能性があり、"
    "体積は過小です。",
    "blood_on_last_slice": "最上端のスライスに血腫があります。撮影範囲外に続く可能性があり、"
    "体積は過小です。",
    "blood_beside_picture": "血腫が画像の端に接しており、画像の外に続いています（体積は過小）。",
    "tiny_haematoma": "所見は{limit_ml:g} mL未満です。ノイズまたは石灰化の可能性があります。",
    "missing_in_haematoma": "血腫の部位でスライスが欠落しています（{places}）。体積のうち"
    "{interpolated_ml:.1f} mLは画像がなく、前後のスライスから補間した値です。",
    "too_far_to_interpolate": "血腫の部位でスライスが欠落しています（{places}）。間隔が広すぎるため補間せず、"
    "体積は画像のある部分だけの値です。",
    "unseen_brain": "脳の一部が撮影されていません（{places}）。そこに血腫がある可能性があります。",
    "between": "スライス{below}と{above}の間{mm:.1f} mm",
    "bone_spot_left_out": "スライス{slices}に、隣接スライスの骨に重なる高吸収域があります。"
    "血腫から除外しました。目視で確認してください。",
    "may_be_bone": "スライス{slices}の所見は隣接スライスの骨に重なります。骨の可能性があります。"
    "目視で確認してください。",
    "corrected_mask": "血腫の輪郭は手動で修正されています（第{version}版）。体積と推奨は修正後の輪郭、"
    "マーカーと規則による所見は自動抽出の輪郭によるものです。",
    "comparison_damaged": "保存された以前の検査との比較が破損しています。"
    "増大が示されていた可能性があります。再度比較してください。",
    "expanded": "以前の検査と比べて血腫が増大しています（{ml:+.1f} mL）。",
    # Two studies
    "different_patients": "2つの検査は患者が異なります[（{facts:term}が一致しません）]。強制的に比較した"
    "ものです。",
    "patient_doubtful": "2つの検査で{facts:term}が一致しません。ほかの患者情報は一致しています。同一患者で"
    "あることを確認してください。",
    "patient_unknown": "患者情報からは同一患者と確認できません（IDや氏名がないか、ANONYMOUSなどの仮の値で"
    "す）。同一患者であることを確認してください。",
    "patient_alike": "2つの検査で{facts:term}の表記が異なりますが、同一患者とみなしました。",
    "patient_by_name": "患者IDではなく、氏名と生年月日の一致により同一患者とみなしました。",
    "same_images": "2つの検査は同じ画像で、UIDだけが異なります。増大の有無は判定できません。撮影時刻の異な"
    "る2つの検査を指定してください。",
    "side_changed": "血腫の側が変わっています（前回は{was:term}、今回は{now:term}）。患者の取り違え、左右の"
    "反転、新たな出血がないか、両検査を目視で確認してください。",
    "interval_unknown": "検査の時刻が不明なため、間隔は不明または日単位です。",
    "later_before_earlier": "今回の検査が前回より前に撮影されています。入れ替わりの可能性があります。",
    "long_interval": "検査間隔が{hours:.0f}時間を超えています。"
    "血腫が吸収され始めている可能性があります。",
    "different_spacing": "2つの検査はスライス間隔が異なります（{narrow_mm:.1f} mmと{wide_mm:.1f}"
    " mm）。差の一部は標本化による可能性があります。",
    "different_scanner": "2つの検査は施設または装置が異なります。",
    "growth_interval": "体積の区間はCT値から導いた参照輪郭、変化量の区間は実画像に描いた模擬血腫での誤差"
    "です。どちらも医師の輪郭ではありません。読影者間でも4〜6 mLの差があります。",
    "no_growth_interval": "このモデルでは変化量の誤差が未測定です。増大は判定できません。計測値から判断"
    "してください。",
    "no_earlier_haematoma": "前回検査では血腫が検出されませんでした。増大はmLのみで判定します。",
    "earlier_not_covered": "前回検査の撮影範囲は血腫の全体を含んでいません。増大の有無は判定できません。",
    "later_not_covered": "今回検査の撮影範囲は血腫の全体を含んでいません。計測値以上に増大している可能性"
    "があります。",
    "no_later_haematoma": "今回検査では血腫が検出されませんでした。両検査を目視で確認してください。",
    "no_haematoma": "どちらの検査でも血腫は検出されませんでした。",
    # Parts of errors
    "term.patient_name": "氏名",
    "term.patient_id": "患者ID",
    "term.birth_date": "生年月日",
    "term.sex": "性別",
    "term.age": "年齢",
    "term.left": "左",
    "term.right": "右",
    "term.study": "検査",
    "term.result": "結果",
    "term.correction": "修正",
    "term.reading": "読影者の回答",
    "term.comparison": "比較",
    "dicom.no_beginning": "先頭部分がDICOMファイルではありません",
    "dicom.no_modality": "モダリティの記載がありません",
    "dicom.nested": "シーケンスの入れ子が深すぎます",
    "dicom.too_much": "CTファイルとしては内容が多すぎます",
    "zip.member": "zip内のデータが破損しています：{reason}",
    "file.not_regular": "通常のファイルではありません",
    "file.too_large": "{most}バイトを超えています",
    "no_key": "なし（信頼された鍵がありません）",
    "threads_of": "スレッド数{count}",
    "library_threads": "ライブラリ既定のスレッド数",
    "references.unreadable": "読み取れません（{kind}）",
    "references.arrays": "配列が異なります：{arrays}",
    "references.no_arrays": "配列がありません",
    "references.shape": "{name}の形状{shape}",
    "references.not_finite": "{name}に有限でない値",
    "difference": "{method} {name}の差{difference:.4g}",
    "at_most": "{name} {limit:g}以下",
    "process.ended": "終了しました",
    "process.exit_code": "終了コード{exit}で終了しました",
    "process.signal": "{signal}により終了しました",
    "executorch.load": "{file}を読み込めません",
    "executorch.run": "{file}の実行に失敗しました",
    "executorch.prepare": "{file}の{method}を準備できません",
    "too_much.files": "{most}個を超えるファイル",
    "too_much.bytes": "{gib:.0f} GiBを超える大きさ",
    # What is made beside a result
    "extra": "{extra:term}：{why}",
    "term.pdf": "紹介状",
    "term.seg": "DICOMセグメンテーション",
    "term.sr": "DICOM構造化レポート",
    "term.pdf_dicom": "紹介状のDICOMファイル",
    "term.nifti": "NIfTIマスク",
    "demographics_left_out": "画像の{attributes}の値はDICOM規格に合いません。DICOMファイルには"
    "書き込んでいません。",
    # What the system says
    "os.ENOENT": "ファイルまたはフォルダがありません",
    "os.EACCES": "アクセス権がありません",
    "os.EPERM": "許可されていない操作です",
    "os.ENOSPC": "空き容量がありません",
    "os.EDQUOT": "割り当て容量を超えました",
    "os.EROFS": "読み取り専用です",
    "os.EIO": "入出力エラー",
    "os.ENOTDIR": "フォルダではありません",
    "os.EISDIR": "フォルダです",
    "os.EBUSY": "使用中です",
    "os.EMFILE": "開いているファイルが多すぎます",
    "os.ENOMEM": "メモリ不足です",
    "os.EEXIST": "すでに存在します",
    "os.ENAMETOOLONG": "ファイル名が長すぎます",
    "os.ENODEV": "装置がありません",
}

_REFUSED = "{series:first}：{reason}[。ほかも使用できません：{rest}]"

ERRORS: dict[str, str] = {
    # Series that are not read
    "refused.not_ct": _REFUSED + " | 頭部の単純CT | CT検査を指定してください",
    "refused.no_modality": _REFUSED + " | 頭部の単純CT | CT検査を指定してください",
    "refused.secondary": _REFUSED + " | CT画像 | 検査の軸位断シリーズを選択してください",
    "refused.localizer": _REFUSED + " | 軸位断 | 検査の軸位断シリーズを選択してください",
    "refused.projection": _REFUSED + " | 軸位断 | 検査の軸位断シリーズを選択してください",
    "refused.not_hu": _REFUSED + " | RescaleTypeがHU | 検査の通常のシリーズを選択してください",
    "refused.no_geometry": _REFUSED
    + " | 全スライスの大きさ・間隔・位置・向き | 変換後のコピーではなく、CT装置またはPACSから元のシ"
    "リーズを出力してください",
    "refused.not_axial": _REFUSED + " | 軸位断 | 検査の軸位断シリーズを選択してください",
    "refused.few_positions": _REFUSED
    + " | {needed}スライス以上 | 1枚ではなく、シリーズ全体のフォルダを指定してください",
    "refused.contrast_given": _REFUSED
    + " | 単純CTのシリーズ（マーカーは単純CTで定義されています） | 単純CTのシリーズを選択してくださ"
    "い。単純CTであれば、シリーズを指定してください（--series）",
    "refused.derived": _REFUSED
    + " | 装置の元画像 | 元の軸位断シリーズを選択するか、このシリーズを指定してください（--series）",
    "unknown_language": "言語 {language!r} はありません | {known}のいずれか | いずれかを選択してく"
    "ださい",
    "series_unknown": "{asked!r}というシリーズはありません。あるのは：{listing} | シリーズUIDまた"
    "はその先頭か末尾、番号、記載 | このうち1つを指定してください",
    "series_ambiguous": "{asked!r}というシリーズが{count}件あります。あるのは：{listing} | シリー"
    "ズUIDまたはその先頭か末尾、番号、記載 | このうち1つを指定してください",
    # Files
    "not_written": "{file}に書き込めません（{reason}） | 空き容量があり、書き込めるフォルダ | 空き"
    "容量を増やすか、別のフォルダを選択してください",
    # A study that cannot be read
    "volume_too_large": "{series}（{rows} x {columns}画素）は{gib:.1f} GiBを要します | "
    "{most_gib:.0f} GiB以下 | スライス厚の大きいシリーズを選択してください",
    "slices_unreadable": "{slices}枚中{failed}枚のスライスを読み込めません。最初のもの：{first} | "
    "{first:expected} | {first:remedy}",
    "too_few_slices": "{series}：読み込めるスライスは{found}枚だけです | {needed}スライス以上 | シ"
    "リーズをコピーし直すか、再度出力してください",
    "dicomdir_unreadable": "DICOMDIR {file}を読み込めません（{reason}） | 隣にあるファイルの一覧 |"
    " DICOMDIRではなくフォルダを指定してください",
    "dicomdir_leaves": "DICOMDIRがフォルダ外のファイルを指しています：{file!r} | DICOMDIRと同じフ"
    "ォルダ以下のファイル | この媒体は使用せず、送付元に再送を依頼してください",
    "nothing_there": "{path}がありません | フォルダ、DICOMファイル、DICOMDIR、またはzip | 場所を確"
    "認してください",
    "not_regular": "{path}は通常のファイルではありません | フォルダまたは通常のファイル | 検査を先"
    "にフォルダへコピーしてください",
    "file_closed": "{file}を開けません（{reason}） | 読み取れるファイル | アクセス権と媒体を確認し"
    "てください",
    "folder_closed": "フォルダ{folder}を開けません（{reason}） | 全ファイルを読み取れるフォルダ | "
    "スライスの欠落を避けるため、アクセス権を確認してください",
    "link_leaves": "{file}はフォルダ外へのリンクです | フォルダ内のファイル | リンク先の実体を含め"
    "て、検査を専用のフォルダへコピーしてください",
    "zip_damaged": "{file}は破損したzipです（{reason}） | 開けるzip | コピーまたはダウンロードし直"
    "すか、展開したフォルダを指定してください",
    "zip_leaves": "zip内に{file!r}という名前があります | zipのフォルダ内に収まる名前 | このファイ"
    "ルは使用せず、送付元に再送を依頼してください",
    "zip_link": "zip内の{file!r}はリンクです | 通常のファイル | リンク先の実体を含めて、検査を圧縮"
    "し直してください",
    "zip_overlaps": "zip内の{file!r}が他のファイルと重なっています | 重ならないファイル | zipをコピー"
    "またはダウンロードし直してください。変わらなければ使用しないでください",
    "zip_encrypted": "zipが暗号化されています（{file!r}） | パスワードのないzip | パスワードで展開"
    "し、フォルダを指定してください",
    "too_many_files": "{file}に{most}個を超えるファイルがあります | 1検査分 | 1検査分のフォルダを"
    "指定してください",
    "folder_deep": "{folder}内のフォルダの階層が{most}を超えています | 1検査分 | 検査が入っているフォ"
    "ルダを指定してください",
    "too_much_work": "{name}内のファイルの内容がCT検査としては多すぎます | 1検査分 | これらのファイル"
    "は使用せず、検査を再度出力してください",
    "too_big": "{file}は展開すると{mib:.0f} MiBになります | {most_mib:.0f} MiB以下 | ファイルの出"
    "所を確認し、自分で展開してフォルダを指定してください",
    "inflates_too_far": "{file}は展開すると{most_mib:.0f} MiBを超えます | CT画像 | このファイルは"
    "使用せず、非圧縮形式で検査を再度出力してください",
    "not_readable_dicom": "{file}をDICOMとして読み込めません（{reason}） | 破損していないDICOMファ"
    "イル | 検査をコピーし直すか、再度出力してください",
    "files_unreadable": "DICOMファイル{files}個のいずれも読み込めません。最初のもの：{first} | "
    "{first:expected} | {first:remedy}",
    "no_images": "{folder}にDICOM画像がありません（他の種類のファイル{others}個[、記載されているが"
    "存在しないファイル{lost}個]） | DICOMファイルのCT画像 | CT検査のフォルダ、DICOMDIR、またはzip"
    "を指定してください（内部の圧縮ファイルは展開）",
    "no_instance_uids": "SOP Instance UIDのないボリュームです | それを含むDICOMファイルから読み込"
    "んだボリューム | DICOMファイルから検査を読み込んでください",
    "files_gone": "シリーズの{wanted}ファイル中{missing}個がなくなっています | 読み込んだときのま"
    "まの入力 | 検査全体で解析をやり直してください",
    "syntax_unsupported": "画素の形式{syntax}には対応していません | 非圧縮、RLE、JPEG、JPEG-LS、ま"
    "たはJPEG 2000 | 非圧縮形式でシリーズを再度出力してください",
    "no_decoder": "画素は{syntax}で圧縮されていますが、復号器がインストールされていません | 復号器"
    ' | pip install "hemx[[dicom]" を実行するか、非圧縮形式でシリーズを再度出力してください',
    "pixels_unreadable": "{file}の画素を読み込めません（{kind}：{reason}） | 完全な画素データ | シ"
    "リーズをコピーし直すか、再度出力してください",
    "stream_damaged": "{file}の画素[（{syntax}）]が破損しています：{what} | ヘッダーどおりの大きさの完全な"
    "画像 | シリーズをコピーし直すか、再度出力してください",
    "rows_blank": "{file}の{rows}行が同じ値（{hu:g} HU）だけですが、隣のスライスでは同じ場所に頭部が写っ"
    "ています | 最後まで書き込まれた画像 | シリーズをコピーし直すか、再度出力してください",
    "no_rescale": "{file}に使用できるRescaleSlopeとRescaleInterceptがありません | CT値（HU）への換"
    "算係数 | 変換後のコピーではなく、元のシリーズを出力してください",
    "inverted_unclear": "{file}はMONOCHROME1で、四隅は{hu:.0f} HU、反転すると{inverted_hu:.0f} HU"
    "です | 四隅が空気 | MONOCHROME2でシリーズを再度出力してください",
    "hu_few_values": "値が{count}種類（{low}〜{high}）しかありません | CT値（HU）：空気-1000、脳20〜40、骨"
    "300以上 | 0〜1に変換した値ではなく、HUを指定してください",
    "hu_grey_levels": "CT値ではなく、表示ウィンドウの階調{low:g}〜{high:g}です[（脳は{brain}）] | 空気"
    "-1000 HU、脳20〜40 HU | 表示画像ではなくCT画像を出力するか、ウィンドウから階調をHUに戻してください",
    "hu_shifted": "全体の値が約{shift:.0f}高くなっています（{low}〜{high}[、脳は{brain}]）。"
    "RescaleInterceptの欠落または誤りです | 空気-1000 HU、脳20〜40 HU | 元のシリーズを出力するか、"
    "{shift:.0f}を引いてください",
    "hu_scaled": "値が約{slope:.3g}倍になっています（{low}〜{high}）。RescaleSlopeの欠落または誤りです | "
    "空気-1000 HU、脳20〜40 HU | 元のシリーズを出力してください",
    "hu_inverted": "値が反転しています。空気が骨より高くなっています（{low}〜{high}） | 空気-1000 HU、脳20"
    "〜40 HU、骨はそれ以上 | 元のシリーズをMONOCHROME2で出力してください",
    "hu_wrapped": "値が桁あふれしています（{low}〜{high}）。符号の有無の取り違えです | 空気-1000 HU、骨は"
    "約2000 HUまで | 元のシリーズを出力し、PixelRepresentationとBitsStoredを確認してください",
    "hu_unknown_scale": "値{low}〜{high}はCT値（HU）ではありません[（脳は{brain}）] | 空気-1000 HU、脳20〜"
    "40 HU | 元のシリーズを出力し、RescaleSlopeとRescaleInterceptを確認してください",
    "hu_slices_differ": "{slices}スライス中{count}枚の値が、他より{hu} HUずれています | 全スライスで同じ尺"
    "度 | 元のシリーズを出力し、各スライスのRescaleInterceptを確認してください",
    "no_head": "調べた{inspected}スライス中、頭部の断面積があるのは{heads}枚だけです（最大"
    "{largest_cm2:.0f} cm2） | 組織の面積{least_cm2:.0f}〜{most_cm2:.0f} cm2 | 頭部の単純CTを指定"
    "し、PixelSpacingとRescaleの値を確認してください",
    "no_brain": "調べた{inspected}スライス中、頭蓋骨に囲まれた脳の濃度の組織があるのは{brains}枚だ"
    "けです | 複数のスライスで骨の内側に脳（約0〜80 HU） | 患者の頭部単純CTを指定してください（フ"
    "ァントムや他の部位は対象外）",
    "no_skull": "調べた{inspected}スライス中、閉じた頭蓋骨があるのは{closed}枚だけです | 複数のスライスで"
    "脳を囲む骨 | 頭部の単純CTを指定してください（他の部位は対象外）",
    "small_skull": "骨に囲まれた部分は最大{largest_cm2:.0f} cm2です | 最大のスライスで{least_cm2:.0f} cm2"
    "以上の頭蓋腔 | 患者の頭部CTの全スライスを指定し、PixelSpacingを確認してください",
    "crop_mismatch": "画像の形状{image}、マスクの形状{mask}、切り出し{size} | 同じ形状の2枚と正の"
    "大きさ | 前処理後のスライスと同じ格子のマスクを指定してください",
    "window_pair": "ウィンドウ{window} | 下限と上限の2つの数値 | 0,80のように下限,上限を指定してくださ"
    "い",
    "window_order": "ウィンドウ{lower}〜{upper} HU | 有限値で下限 < 上限 | ウィンドウを「下限,上限」の形で"
    "指定してください（例：0,80）[。{lower:g}/{upper:g}をWW/WLと読めば{as_lower:g},{as_upper:g}です]",
    "window_far": "ウィンドウ{lower:g}〜{upper:g} HUでは、モデルが血腫を見落とします | 脳と血腫の明るさが近い"
    "{own_lower:g},{own_upper:g}前後のウィンドウ | [{lower:g}/{upper:g}をWL/WWと読めば{as_lower:g},"
    "{as_upper:g}です。]「下限,上限」の形で指定するか、指定を外してください",
    "grid_size": "格子{size}画素、1画素{mm} mm | 32で割り切れる大きさ、0.1〜5 mmの画素 | 別の前処"
    "理条件を選択してください",
    "preprocessing_misfit": "前処理条件が合いません：{reason} | PreprocessingSpecの項目 | この版で"
    "モデルを再度出力してください",
    "positions_shape": "位置の形状{shape} | 形状（スライス数, 3）、1スライス以上 | 入力を修正して"
    "、もう一度実行してください",
    "thickness_count": "{slices}スライスに対しスライス厚の形状{shape} | 各スライスに厚さ1つ | "
    "入力を修正して、もう一度実行してください",
    "slice_thickness": "スライス厚{thinnest:g}〜{thickest:g} mm | {least:g}〜{most:g} mm | 入力を修正して、"
    "もう一度実行してください",
    "pixel_spacing": "画素間隔{dy} x {dx} mm | 0.05〜10 mm | 入力を修正して、もう一度実行してくだ"
    "さい",
    "directions": "方向ベクトル{vectors} | 直交する2つの単位ベクトル | 入力を修正して、もう一度実"
    "行してください",
    "slice_order": "法線方向の位置{offsets} | 単調増加（スライスを並べ替え、重複を除く） | 入力を"
    "修正して、もう一度実行してください",
    "position_count": "{slices}スライスに対し位置{positions}個 | 各スライスに位置1つ | 入力を修正"
    "して、もう一度実行してください",
    "clip_range": "切り詰め範囲（{lower}, {upper}） | 下限 < 上限 | 入力を修正して、もう一度実行し"
    "てください",
    "uid_count": "{slices}スライスに対しSOP Instance UIDが{uids}個 | 各スライスに1つ、またはなし |"
    " 入力を修正して、もう一度実行してください",
    "array_shape": "配列の形状{shape} | 形状（スライス, 行, 列）、画素あり | "
    "入力を修正して、もう一度実行してください",
    "array_kind": "配列の型{dtype} | 実数のCT値 | 入力を修正して、もう一度実行してください",
    "geometry_or_spacing": "位置情報と間隔の両方があるか、どちらもありません | どちらか一方"
    "（等間隔の軸位断ではspacing_mm=(dz, dy, dx)） | 入力を修正して、もう一度実行してください",
    "not_finite": "有限でない値があります | 有限のCT値（-1024（空気）で置き換えるか、切り取る） | "
    "入力を修正して、もう一度実行してください",
    "beyond_int16": "値が{low}〜{high} | int16の範囲のCT値 | 入力を修正して、もう一度実行してくだ"
    "さい",
    # The bundle
    "manifest_markers": "マーカー {found} | {needed}（この順） | この版でモデルを再度出力してくだ"
    "さい",
    "manifest_batch": "領域抽出の入出力のスライス数が{counts}です | すべて同数、1以上 | モデルを再"
    "度出力してください",
    "manifest_evidence": "{marker}は実患者での根拠なしに検証済みとされています | 検証済みマーカーごとの"
    "根拠 | このモデルは使用せず、再度出力してください",
    "manifest_range": "マニフェストの{field}が{found:g}です | {least:g}〜{most:g} | このモデルは使用せ"
    "ず、再度出力してください",
    "output_lost": "標準出力へ書き込めません（{reason}） | 書き込める標準出力 | 空き容量を確保するか"
    "`--quiet`を付けてください。フォルダ内の結果は有効です",
    "manifest_unreadable": "マニフェストを読み取れません（{reason}） | schema_versionのあるJSON | "
    "モデルをコピーし直すか、再度出力してください",
    "manifest_not_text": "マニフェストを読み取れません（{reason}） | UTF-8のJSON | モデルをコピー"
    "し直すか、再度出力してください",
    "manifest_version": "マニフェストの版が{found}です | {first}版〜{last}版 | このHEMXの版で出力"
    "したモデルを使用してください",
    "manifest_fields": "マニフェストの項目が合いません：{reason} | 第{version}版の項目 | モデルを"
    "コピーし直すか、再度出力してください",
    "no_manifest": "{folder}に読み取れるマニフェストがありません（{reason}） | {file}のあるモデル"
    "のフォルダ | `hemx dev export`で出力したフォルダを指定してください",
    "file_missing": "ファイル{file}がありません | マニフェストの全ファイル | このまま使用せず、モ"
    "デルをコピーし直してください",
    "file_size": "{file}は{found}バイトです | {needed}バイト | このまま使用せず、モデルをコピーし"
    "直してください",
    "file_changed": "読み込み中に{file}が書き換えられました | 変更されないファイル | やり直してくださ"
    "い",
    "file_hash": "{file}のSHA-256は{found}です | {needed} | このまま使用せず、モデルをコピーし直し"
    "てください",
    "call_size": "1回の呼び出しに{slices}スライス（形状{shapes}） | 同じ形状の1〜{most}スライス | "
    "必要な回数だけ領域抽出を呼び出してください",
    "unsigned": "モデルに{file}がありません | 信頼された鍵による署名 | 署名とともにモデルをコピー"
    "し直してください。自作のものは`hemx bundle sign`で署名し、開発時は署名なしを許可してください",
    "runtime_version": "{name} {found}に対し、モデルはExecuTorch {needed}で作成されています | 版 "
    "{needed} | pip install executorch=={needed} を実行するか、モデルを再度出力してください",
    "no_bundle": "インストール先にモデルがありません | {folder}内の{file}、または{variable}の設定 "
    "| モデルのフォルダを指定するか、`hemx dev export`で出力してください",
    "no_references": "モデルに参照出力がありません | この端末を試験するための参照入出力 | このHEMX"
    "の版で出力したモデルをインストールしてください",
    "references_unusable": "モデルの参照ファイルを使用できません（{what}） | マニフェストのとおり"
    "の両プログラムの入出力 | モデルをコピーし直すか、再度出力してください",
    "signature_malformed": "{file}を読み取れません | 形式{format}のEd25519署名 | このまま使用せず"
    "、配布元からモデルをコピーし直してください",
    "signature_unreadable": "{file}を読み取れません（{reason}） | 読み取れるファイル | このまま使"
    "用せず、配布元からモデルをコピーし直してください",
    "unknown_key": "モデルは未知の鍵{key!r}で署名されています | 次のいずれか：[{trusted}][{none}] "
    "| 配布元に公開鍵を確認し、信頼できる場合は`hemx bundle trust`で追加してください。タブレットで"
    "は鍵を含むアプリをインストールしてください",
    "signature_wrong": "{manifest}は鍵{key}（{name}）が署名した内容と異なります | {file}で署名され"
    "たマニフェスト | このまま使用せず、配布元からモデルをコピーし直してください",
    "no_key_folder": "鍵の設定フォルダがありません | ユーザーのホームフォルダ | {variable}を設定してください",
    "keys_unreadable": "信頼する鍵の一覧{path}を読み取れません（{reason}） | 各鍵のkey_id・"
    "public_key・nameを含む形式{format}のJSON | ファイルを修正するか削除してください",
    # Two studies
    "two_patients": "2つの検査は患者が異なります[（{facts:term}が一致しません）] | 同一患者の2検査 | 入力を"
    "確認してください。同一患者であれば強制的に比較できます",
    "same_series": "2つの入力は同じシリーズです | 前回と今回の検査 | 入力を確認してください",
    # Triage
    "segmenter_not_finite": "スライス{slice}の領域抽出の結果がNaNまたは無限大です | 0〜1の確率 | "
    "モデルを検証するか、再度出力してください",
    "logits": "マーカーのロジット {logits} | 有限の数{needed}個 | モデルを検証するか、再度出力して"
    "ください",
    "correction_shape": "修正した輪郭の形状{shape} | 結果と画像と同じ{needed} | 修正した検査を開い"
    "てください",
    "mask_type": "マスクの形状{shape}、型{dtype} | bool（スライス, 行, 列）、{slices}スライス | 元"
    "の画素のマスクを指定してください（例：確率 >= 閾値）",
    # Results as files
    "no_files_for_dicom": "ファイルから読み込んだボリュームではありません | DICOM検査（SEGとSRは画像を"
    "参照します） | 検査のフォルダを解析するか、dicom=Trueを省いてください",
    "no_mask_to_write": "血腫のない結果です | 空でないマスク | 構造化レポートのみを書き出してくだ"
    "さい",
    "several_multiframe": "{files}個のマルチフレームファイルのスライスです | 1枚ずつの画像、または"
    "1つのマルチフレームファイル | シリーズを1枚ずつの画像として出力してください",
    "images_unfit": "DICOMオブジェクトから参照できない画像です（{reason}） | 規格に従ったCT画像 | "
    "PACSから検査を再度出力してください",
    "images_without": "{missing}のない画像です | 規格に従ったCT画像 | PACSから検査を再度出力してく"
    "ださい",
    "no_highdicom": "DICOMオブジェクトを書き出せません（{reason}） | パッケージhighdicom | インス"
    'トールしてください：pip install "hemx[[dicom]"',
    "no_font": "インストール先にフォント{file}がありません | HEMX付属のフォント | HEMXを再インスト"
    "ールしてください",
    "output_is_file": "{folder}はファイルです | フォルダ | 別の出力先（--out）を指定してください",
    "output_foreign": "{path}があり、HEMXの結果ではありません | ファイルがないか、以前の結果 | 別"
    "の出力先（--out）を指定するか、ファイルを移動してください",
    "extras_failed": "結果は保存しましたが、追加のファイルのうち{count}件を作成できませんでした：{parts:；} "
    "| 求められたすべてのファイル | 理由を確認してください。保存済みのファイルはそのまま使えます",
    "extra_broken": "作成できませんでした（{kind}：{reason}） | ファイル | このファイルなしで結果を使用し、"
    "プログラムの不具合として報告してください",
    "burned_in_labels": "画像に文字が焼き込まれています（BurnedInAnnotationがYES） | 患者名が写っていない"
    "画像 | この検査をデータセットから外してください",
    "nifti_uneven": "スライスの間隔が一定ではありません | 一定の間隔：NIfTIのアフィン行列は一つだけです "
    "| 代わりにDICOMセグメンテーションを使用してください",
    "no_nibabel": "NIfTIの読み書きができません（{reason}） | パッケージnibabel | "
    'pip install "hemx[[nifti]"を実行してください',
    "output_of_another": "{path}は別のコマンドの結果です | 結果ごとに別のフォルダ | "
    "--outに別のフォルダを指定するか、このファイルを移動してください",
    "png": "{file}をPNGに変換できませんでした | 画像 | プログラムの不具合として報告してください",
    # The runtime
    "threads": "スレッド数{threads} | 1以上 | 指定を省いてください",
    "program_closed": "{file}は閉じられています | 開いているプログラム | モデルを読み込み直してく"
    "ださい",
    "not_main_thread": "最初のAndroid実行環境が作業スレッドから要求されました | メインスレッド | "
    "アプリの起動時にAndroidBackendを作成してください",
    "pool_in_use": "開いているプログラム（{found}）と異なるスレッド数（{asked}）が要求されました | "
    "プロセス全体で同じスレッド数 | 先にモデルを閉じてください",
    "no_pyjnius": "pyjniusを読み込めません（{reason}） | パッケージpyjniusとJava実行環境 | "
    "docs/android.mdに従ってアプリを作成してください。PCではPC用の実行環境を使用してください",
    "no_library": "このアプリにExecuTorchライブラリがありません（{reason}） | org.pytorch:"
    "executorch-android:{version}とarm64ライブラリ | mobile_app/packagingのgradle依存関係を含めて"
    "アプリを作成してください",
    "output_shape": "出力{name}の形状{shape}、型{dtype} | マニフェストのとおりの形状{needed}、"
    "FLOAT | モデルを再度出力してください",
    "output_count": "{file}の出力が{found}個です | マニフェストのとおり{needed}個 | モデルを再度出"
    "力してください",
    "tensor_type": "{file}の{name}は型{dtype}です | この実行環境が扱える唯一の型float32 | 入出力を"
    "float32にしてモデルを出力してください",
    "program_shapes": "{file}の入出力の形状は{found}です | マニフェストのとおり{needed} | モデルを"
    "再度出力してください",
    "program_returned": "{file}の出力は{found}です | {needed} | モデルを再度出力してください",
    "runtime_import": "ExecuTorch実行環境を読み込めません（{reason}） | パッケージexecutorchと"
    'torch | 実行環境をインストールしてください：pip install "hemx[[runtime]"',
    "threads_in_use": "プログラムが開いている間にスレッド数が{found}から{asked}に変更されました | "
    "プロセス全体で同じスレッド数 | 先にモデルを閉じてください",
    "program_not_loaded": "ExecuTorch {version}は{file}を読み込めません（{reason}） | メソッド"
    "`forward`とこの実行環境のカーネルを持つプログラム | マニフェストにある版をインストールしてく"
    'ださい：pip install "hemx[[runtime]"',
    "program_failed": "ExecuTorchが{file}の実行に失敗しました（{reason}） | 正常な終了 | この"
    "ExecuTorchの版でモデルを再度出力してください",
    "process_lost": "実行環境のプロセスが{how}[：{said}] | 応答するプロセス | もう一度お試しくださ"
    "い（新しいプロセスを開始します）。繰り返す場合は他のプログラムを終了するか、実行環境を入れ直"
    'してください：pip install "hemx[[runtime]"',
    "process_not_started": "実行環境のプロセスを開始できません（{reason}） | {program}のプロセス |"
    " 他のプログラムを終了するか、アプリを再起動してください",
    "runtime_missing": "ExecuTorch実行環境がインストールされていません | パッケージexecutorchと"
    'torch | 実行環境をインストールしてください：pip install "hemx[[runtime]"',
    "not_a_program": "{file}の先頭が{found}です | 4バイト目に{needed} | モデルを再度出力してくださ"
    "い",
    "input_count": "入力が{found}個です | {needed}個 | モデル付属の前処理条件でスライスを処理して"
    "ください",
    "input_shape": "入力{name}の形状{shape}、型{dtype} | 形状{needed}（{axes}）、{needed_dtype} | "
    "モデル付属の前処理条件でスライスを処理してください",
    "input_not_finite": "入力{name}に有限でない値があります | 有限の数 | モデル付属の前処理条件で"
    "スライスを処理してください",
    # The app
    "no_access": "他のアプリがHEMXの読み取りを許可していません | 読み取れるフォルダまたはファイル "
    "| 選択し直してアクセスを許可するか、先に検査を端末へコピーしてください",
    "copy_broken": "ファイルをコピーできませんでした（{reason}） | 最後まで読み取れるファイル | 媒"
    "体を確認するか、先に検査を端末へコピーしてください",
    "no_room_for_copy": "コピーのための空き容量がありません | 空き容量 | 不要な検査を削除してくだ"
    "さい",
    "no_picker": "この端末にファイル選択アプリがありません | Androidの「ファイル」アプリ | 端末の"
    "設定で有効にしてください",
    "folder_refused": "選択したフォルダに保存できませんでした（{reason}） | 空き容量があり、書き込"
    "めるフォルダ | 別のフォルダを選択してください",
    "no_kivy": "Kivyがインストールされていません | 追加機能`app` | インストールしてください：pip "
    'install "hemx[[app]"',
    "no_result": "結果のない検査があります | 解析済みの2検査 | 検査を開き、結果が出てから比較して"
    "ください",
    "pin_unfit": "PINが短すぎるか長すぎるか、同じ文字の繰り返しです | {least}〜{most}文字 | 別の"
    "PINを入力してください",
    "pin_wrong": "PINが違います |  | もう一度入力してください",
    "pin_too_early": "誤ったPINが続きました。{seconds:.0f}秒後に入力できます | 間隔 | お待ちくださ"
    "い",
    "folder_unusable": "フォルダがないか、同名のファイルがすでにあります | 書き込めるフォルダ | 別"
    "のフォルダを選択するか、しばらくしてからお試しください",
    "comparison_gone": "比較がないか、その後に検査が変更されました | 現在の両検査の比較 | 検査を比"
    "較し直してからレポートを作成してください",
    "window_range": "ウィンドウ{lower:g}〜{upper:g} HU | {least:g}〜{most:g} HUの範囲 | 別の値を入"
    "力するか、モデルのウィンドウに戻してください",
    "app_folder": "アプリのフォルダを使用できません（{reason}） | 書き込めるフォルダ | アクセス権"
    "と媒体を確認してください",
    "audit_broken": "操作履歴の{entry}番目の記録が整合しません | 書き込まれたままの全記録 | アプリ"
    "のフォルダをそのまま保管し、端末を操作した人を確認してください",
    "database_refused": "データベースのエラーです（{reason}） | 書き込めるフォルダ | フォルダのア"
    "クセス権と媒体を確認してください",
    "database_damaged": "{file}が破損しています（{reason}） | アプリが書き込んだままのファイル | "
    "アプリを再起動してください（読めるデータは保持されます）",
    "no_room_for_result": "結果を保存する空き容量がありません | 空き容量 | 不要な検査やファイルを"
    "削除し、もう一度お試しください",
    "database_busy": "データベースが{seconds:.0f}秒間使用中でした | 同時に書き込むのは1つだけ | も"
    "う一度お試しください。他に起動しているアプリを終了してください",
    "store_closed": "保存領域が閉じられています | 開いている保存領域 | アプリを再起動してください",
    "app_folder_in_use": "アプリのフォルダが使用中です | 起動中のアプリは1つだけ | もう一方を終了"
    "するか、別のフォルダで起動してください",
    "study_not_copied": "検査をコピーできません（{reason}） | 読み取れるファイルと、書き込めるフォ"
    "ルダ | 媒体を確認し、検査を再度取り込んでください",
    "files_not_deleted": "{folder}のファイルを削除できません | アプリが削除できるファイル | 他のプ"
    "ログラムを終了してアプリを再起動してください（再度削除します）",
    "no_room_for_study": "検査を保存する空き容量がありません | コピーのための空き容量 | 不要な検査"
    "やファイルを削除し、もう一度お試しください",
    "stored_correction_shape": "修正した輪郭の形状{shape} | 結果の形状{needed} | 修正した検査を開"
    "いてください",
    "database_foreign": "他のプログラムのデータベースです | HEMXのデータベース、またはなし | 別の"
    "フォルダでアプリを起動してください",
    "database_newer": "データベースの版が{found}です | {most}版まで | 最新版をインストールしてくだ"
    "さい（データは変更されていません）",
    "not_stored": "{what:term} {number}はありません | 削除されていない{what:term} | 検査一覧に戻っ"
    "てください",
    "store_rescued": "{parts:；} | アプリが保存したままのデータ | 検査一覧を確認し、結果"
    "のない検査は再度解析してください。削除されたものはありません。破損したデータは別に保管しています（設定画面）",
    "files_damaged": "検査のファイル{count}個のうち[、{missing}個がありません][、{"
    "changed}個が取り込み時と異なります][（{files}）] | 取り込んだままのファイル | この検査の結"
    "果は使用せず、元の媒体から再度取り込んでください",
    "result_other_slices": "結果は、現在のファイルとは別のスライスで作成されたものです | この"
    "スライスの結果 | 検査を再度解析してください",
    "setting_changed": "設定{name}が書き込み時と異なります | アプリが書き込んだままの設定 "
    "| 設定し直してください",
    "pin_trivial": "推測されやすいPINです（連続した文字、繰り返し、よく使われるもの） | 推測されに"
    "くいPIN | 別のPINを入力してください",
    "pin_damaged": "保存されたPINが破損しています | 設定したままのPIN | アプリを再起動してく"
    "ださい。解決しない場合は、アプリを検査ごと削除する必要があります",
    "backup_foreign": "{file}はHEMXのバックアップではありません | アプリが作成したバック"
    "アップ | バックアップを選択してください",
    "backup_damaged": "バックアップが破損しています（{what}） | アプリが書き込んだままのファ"
    "イル | コピーし直すか、別のバックアップを選択してください",
    "backup_newer": "バックアップの版が{found}です | {most}版まで | 最新版のアプリを"
    "インストールしてください",
    "no_room_for_backup": "バックアップの空き容量がありません | 全検査と同じ大きさの空き容量 "
    "| 別の保存先を選択するか、空き容量を増やしてください",
    "backup_not_written": "バックアップを書き込めません（{reason}） | 書き込める保存先"
    " | 別の保存先を選択してください",
    "closing": "アプリは終了中です | 新しい処理がないこと | アプリを再起動してください",
    "copy_differs": "コピーが別のシリーズとして読み込まれます（{needed}枚ではなく{found}枚） | 選"
    "択したシリーズ | 検査を再度取り込んでください。繰り返す場合はそのシリーズだけを出力してくださ"
    "い",
    "memory_free": "この検査は最大{needed_mib:.0f} MiBを要しますが、端末の空きは{free_mib:.0f} MiB"
    "です | 必要量とシステム用の{spare_mib:.0f} MiB | 他のアプリを終了するか、スライス厚の大きいシ"
    "リーズを選択してください",
    "memory_budget": "この検査は最大{needed_mib:.0f} MiBを要しますが、アプリの{most_mib:.0f} MiB中"
    "{used_mib:.0f} MiBが使用中です | 合計{most_mib:.0f} MiBまで | スライス厚の大きいシリーズを選"
    "択するか、他の検査を閉じてください",
    "executorch_misfit": "ExecuTorch：{what}（{reason}）[。ログの末尾：{log: / }] | マニフェストの"
    "とおりの形状のプログラム | モデルを再度出力してください",
    "executorch_memory": "ExecuTorch：{what}（{reason}）[。ログの末尾：{log: / }] | プログラムに足"
    "りる空きメモリ | 他のアプリを終了し、もう一度お試しください",
    "executorch_version": "ExecuTorch：{what}（{reason}）[。ログの末尾：{log: / }] | ライブラリと"
    "同じ版で、対応するカーネルのプログラム | 同時に作成されたアプリとモデルをインストールしてくだ"
    "さい",
    "executorch_failed": "ExecuTorch：{what}（{reason}）[。ログの末尾：{log: / }] | 正常な終了 | "
    "アプリを再起動し、自己診断を行ってください",
    "runtime_failed": "実行環境のエラーです（{kind}：{reason}） | 応答 | モデルを読み込み直してく"
    "ださい",
    "not_tested": "モデルに参照出力がないため、この端末で試験できません | 合格した自己診断 | この"
    "端末で解析しないでください。再インストールし、端末の機種を報告してください",
    "computes_otherwise": "この端末ではモデルの計算結果が異なります：{failed} | {limits} | この端"
    "末で解析しないでください。再インストールし、端末の機種を報告してください",
    "study_too_large": "{what}があります | 1件のCT検査 | 媒体全体ではなく、検査のフォルダを選択し"
    "てください",
    "record_changed": "{record:term} {number}が書き込み時と異なります | アプリが書き込んだままの記"
    "録 | 検査を再度解析してください",
    "array_packed": "配列を展開できません | アプリが書き込んだままの記録 | 検査を再度解析してくだ"
    "さい",
    "array_size": "配列の展開後の大きさが{needed}ではなく{found}バイトです | アプリが書き込んだま"
    "まの記録 | 検査を再度解析してください",
    "record_misfit": "記録の形式が合いません（{reason}） | アプリが書き込んだままの記録 | "
    "検査を再度解析してください",
    "unexpected": "予期しないエラーです（{kind}） | エラーがないこと | もう一度お試しください。繰"
    "り返す場合は版名を添えて報告してください",
}
"""What was found, what was expected and what to do, with " | " between."""

STORED: dict[str, str] = {
    "blood_on_first_slice": "最下端のスライスに血腫があり、撮影範囲外に続く可能性があります（体積"
    "は過小）。",
    "blood_on_last_slice": "最上端のスライスに血腫があり、撮影範囲外に続く可能性があります（体積"
    "は過小）。",
    "bone_spot_left_out": "隣接スライスの骨に重なる高吸収域を血腫から除外しました。目視で確認して"
    "ください。",
    "clipped": "int16の範囲を超える値を切り詰めました。",
    "clipped_hu": "CT値が入力前に表示ウィンドウで切り詰められています。範囲外の濃度は不明です。",
    "contrast": "造影CTの可能性があります（指定により読み込み）。結果に頼らないでください。",
    "corrected_mask": "血腫の輪郭は手動で修正されています。体積と推奨は修正後の輪郭、マーカーと規"
    "則による所見は自動抽出の輪郭によるものです。",
    "derived_images": "元画像でない可能性があります（指定により読み込み）。結果に頼らないでくださ"
    "い。",
    "different_patients": "2つの検査の患者IDが異なります（強制的に比較）。",
    "different_scanner": "2つの検査は施設または装置が異なります。",
    "different_spacing": "2つの検査はスライス間隔が異なり、差の一部は標本化による可能性があります。",
    "duplicate_slices": "位置と画素が同じスライスを除外しました。",
    "duplicate_slices_differ": "同じ位置で画素の異なるスライスを除外しました。複数の撮影または再"
    "構成が混在している可能性があります。",
    "expanded": "以前の検査と比べて血腫が増大しています（比較結果を参照）。",
    "gantry_tilt": "スライスはガントリ傾斜を伴います。距離は法線方向に計測しました。",
    "interval_unknown": "検査の時刻が不明なため、間隔は不明または日単位です。",
    "later_before_earlier": "今回の検査が前回より前に撮影されています。入れ替わりの可能性がありま"
    "す。",
    "long_interval": "検査間隔が72時間を超えており、血腫が吸収され始めている可能性があります。",
    "lossy_compression": "非可逆圧縮画像です。CT値と淡い所見が変化している可能性があります。",
    "markers_research": "マーカーの確率は研究段階の推定値です。学習データはモデルカードを参照して"
    "ください。",
    "may_be_bone": "所見は隣接スライスの骨に重なり、骨の可能性があります。目視で確認してください。",
    "missing_files": "DICOMDIRに記載されたファイルの一部がありません。",
    "missing_slices": "欠落したスライスがあります。その部分は評価も計測もされていません。",
    "models_local_key": "モデルの署名はこの端末で信頼された鍵によるもので、公開版の鍵ではありませ"
    "ん。",
    "models_unsigned": "モデルに署名がありません。開発専用です。",
    "models_untested": "モデルに参照出力がないため、この端末での動作は確認されていません。",
    "monochrome1": "画像はMONOCHROME1です。白黒の扱いを確認してください。",
    "no_earlier_haematoma": "前回検査では血腫が検出されませんでした。増大はmLのみで判定します。",
    "no_haematoma": "どちらの検査でも血腫は検出されませんでした。",
    "no_later_haematoma": "今回検査では血腫が検出されませんでした。両検査を目視で確認してください。",
    "not_dicom": "DICOMでないファイルを読み飛ばしました。",
    "padding_kept": "PixelPaddingValueが組織の値と重なるため、空気に置き換えていません。",
    "patient_position": "仰臥位ではありません。液面形成の方向が想定と異なります。",
    "patient_unknown": "患者IDのない検査があります。同一患者であることを確認してください。",
    "reoriented": "画像の向きを標準（鼻が上、患者の左が画像の右）に直しました。",
    "rescale_type": "RescaleTypeがUS（未指定）のため、値をHUとみなしました。",
    "series_choice": "解析するシリーズを自動または指定により選択しました。",
    "several_patients": "入力に複数の患者のCTが含まれます。正しい患者か確認してください。",
    "several_studies": "入力に複数の検査があり、1つを読み込みました。",
    "shifted_slices": "スライスが一直線に並んでいません。2回の撮影が混在している可能性があります。",
    "slice_gap": "スライス間に隙間があり、その間の組織は評価されていません。",
    "stray_bits": "BitsStoredを超えるビットを除外しました。",
    "thickness_unknown": "SliceThicknessがないため、隣接スライスとの距離で代用しました。",
    "time_unknown": "撮影時刻がヘッダーから分かりません。",
    "tiny_haematoma": "所見は0.5 mL未満です。ノイズまたは石灰化の可能性があります。",
    "unequal_spacing": "スライスの厚さまたは間隔が不均一です。体積は各スライスの範囲で計算しまし"
    "た。",
    "unreadable_files": "破損したファイルを除外しました。",
    "unreadable_slices": "読み込めないスライスを除外しました。",
    "window_changed": "ウィンドウがモデルの学習時と異なります。",
}
"""Of notes that were stored as English sentences, by code: general sentences, without figures."""

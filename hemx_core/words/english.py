"""The English sentences, by code; see `hemx_core.words` for how they are filled.

A module a language and not gettext: the tablet needs no compiled catalogues, the tests hold both
languages to the same codes and values, and a code is no English sentence that changes with its wording.
"""

from __future__ import annotations

from hemx_core.markers import MARKERS

COMMA = ", "

SEVERITIES = {
    "info": "Note: {note}",
    "caution": "Caution: {note}",
    "warning": "WARNING: {note}",
}

SENTENCES: dict[str, str] = {
    # Terms
    **{f"term.{marker.code}": marker.name_en.lower() for marker in MARKERS},
    "term.axial": "axial",
    "term.coronal": "coronal",
    "term.sagittal": "sagittal",
    "term.he_30": "30 % or more",
    "term.he_33_or_6ml": "33 % or 6 mL or more",
    "term.he_12_5ml": "12.5 mL or more",
    # Reasons of a recommendation
    "none_found": "No haematoma was found on this series.",
    "not_ruled_out": "This does not rule out haemorrhage: a clinician must read the study.",
    "haematoma_found": "A haematoma of {volume_ml:.1f} mL was found.",
    "large_haematoma": "Its volume is at least {limit_ml:.0f} mL.",
    "marker_present": "Expansion marker found: {marker:term}, probability {probability:.2f} "
    "(threshold {threshold:.2f}), best seen on slice {slice}.",
    "nothing_urgent": "No expansion marker reached its threshold and the volume is below "
    "{limit_ml:.0f} mL.",
    "haematoma_expanded": "The haematoma has expanded: {ml:+.1f} mL[, {percent:+.0f} %] ({met:term}).",
    # The choice of a series
    "series": "series[ {number}][ '{description}'][ part {part}] ({count} {count:slice|slices}"
    "[, {thickness_mm: to } mm])",
    "withheld": "A note of an earlier version is left out: it may name a patient or files.",
    "more": "and {count} more",
    "because.asked_for": "it was asked for",
    "because.only_usable": "it is the only usable axial series",
    "because.names_head": "its header names the head",
    "because.covers_head": "it covers the head",
    "because.newest_study": "it belongs to the newest study",
    "because.soft_kernel": "it has a soft-tissue kernel",
    "because.nearest_to_5_mm": "its slices are nearest to 5 mm",
    "because.most_slices": "it has most slices",
    "because.acquired_last": "it was acquired last",
    "because.lowest_number": "its number is lowest",
    "because.first_of_equals": "it comes first among equals",
    "aside": "{series}: {reason}",
    "aside_several": "{count} series or parts: {reason}",
    "listed": "{series}, UID {uid}",
    "series_choice": "Read {series} because {because}.[ Usable too: {usable:; }.][ Set aside: {aside:; }.]",
    "several_patients": "The input holds CT of {patients} patients[; this is patient {patient!r}]. "
    "Make sure that it is the right one.",
    "several_studies": "The input holds {studies} studies; one was read[, the one of {at}].",
    "contrast": "{reason:first}. Expected was a non-contrast series: the markers are defined on it; "
    "the series was read because it was named. Do not rely on the result.",
    "derived_images": "{reason:first}. Expected were original images of the scanner; the series was "
    "read because it was named. Do not rely on the result.",
    # Why a series is not read: half a sentence about it
    "not_ct": "not CT but {modality}",
    "no_modality": "not CT, and of no known modality",
    "secondary": "a screenshot, report or colour picture, without Hounsfield units",
    "localizer": "a localizer (scout)",
    "projection": "a projection (MIP or rendering), whose values are not those of the tissue",
    "not_hu": "its values are {rescale_type}, not Hounsfield units",
    "no_geometry": "{missing} missing or impossible[ ({hint})]",
    "imager_spacing": "ImagerPixelSpacing holds in the detector's plane, not in the patient",
    "not_axial": "its images are not axial[ but {plane:term}]",
    "few_positions": "only {count} axial {count:position|positions}",
    "contrast_given": "contrast medium was given ({sign})",
    "contrast.agent": "ContrastBolusAgent is {agent!r}",
    "contrast.description": "the series is described as {description!r}",
    "derived": "derived images ({types})",
    # Files and headers
    "unreadable_files": "Left out {count} {count:file|files}, damaged[: {files}].[ {because:first}.]",
    "missing_files": "{count} {count:file|files} that the DICOMDIR names "
    "{count:is|are} not there[: {files}].",
    "not_dicom": "Passed over: {count} {count:file|files} that {count:is|are} not DICOM.",
    "duplicate_slices": "{count} {count:slice|slices} with the same position and pixels as another "
    "left out[: {files}].",
    "duplicate_slices_differ": "{count} {count:slice|slices} at the position of another but with "
    "other pixels left out; the first by InstanceNumber was kept. The series may hold several scans "
    "or reconstructions[: {files}].",
    "unreadable_slices": "{count} of the series' slices cannot be read and "
    "{count:is|are} left out[: {files}].[ {because:first}.]",
    "lossy_compression": "The images were compressed with loss: HU and faint signs may be altered.",
    "rescale_type": "RescaleType is US (unspecified); the values were taken for HU.",
    "time_unknown": "The header {what}.",
    "time.none": "does not say when the scan was made",
    "time.day_only": "gives the day of the scan, but no time of day",
    # Pixels
    "clipped": "{count} {count:value|values} beyond int16 {count:was|were} clipped.",
    "clipped_hu": "The values were clipped to {lower:g} to {upper:g} HU before they came here: bone "
    "is taken from saturated pixels at the rim, and densities beyond the range are unknown.",
    "stray_bits": "{count} {count:pixel uses|pixels use} bits beyond BitsStored; these bits were left "
    "out, as the standard says.",
    "padding_kept": "PixelPaddingValue means {hu:g} HU, which tissue may have; such pixels were not "
    "replaced by air.",
    "monochrome1": "The images are MONOCHROME1{what}.",
    "monochrome.inverted": " with inverted stored values (the air in their corners proves it); they "
    "were inverted back",
    "monochrome.display": ", which concerns their display only; HU were taken from the rescale as they "
    "are",
    # Geometry
    "gantry_tilt": "The slices are tilted by {degrees:.1f} degrees against the stack; distances are "
    "measured along the slices' normal.",
    "missing_slices": "{count} {count:slice|slices} {count:is|are} missing: {places:; }. What lies "
    "there is not seen and not measured.",
    "gap": "{count} between slices {below} and {above}, {offset_mm:.1f} mm above the first slice, where "
    "{step_mm:.1f} mm lie between neighbours",
    "unequal_spacing": "The slices are not equally thick or spaced: {parts:; }.[ {odd}] Volumes count "
    "every slice with its own extent.",
    "no_distance_recurs": "No distance recurs.",
    "run": "slices {first} to {last}: {thickness_mm:g} mm thick[, {apart}]",
    "step": "{mm:.1f} mm between slices {below} and {above}",
    "apart": "{mm:.1f} mm apart",
    "apart_range": "{low_mm:.1f} to {high_mm:.1f} mm apart",
    "apart_between": "{mm:.1f} mm apart from {first} to {last}",
    "slice_gap": "Slices of {thickness_mm:g} mm lie {step_mm:.1f} mm apart: the tissue between them is "
    "not seen.",
    "shifted_slices": "The slices do not lie in one line: slice {slice} is {mm:.1f} mm off sideways. "
    "The series may hold two scans.",
    "thickness_unknown": "SliceThickness is missing in {count} {count:slice|slices}; the distance to "
    "the nearest neighbour stands in.",
    "reoriented": "The stored images were not nose up with the patient's left on the right; they were "
    "turned exactly (flips and transposition only), and the geometry with them.",
    "patient_position": "The patient did not lie on the back ({position}): blood settles in another "
    "direction than the fluid level sign expects.",
    # The models
    "models_unsigned": "The models are not signed; nobody vouches for them. For development only.",
    "models_local_key": "The models are signed with a key of this computer and not with a release key: "
    "they are unchanged since then, but not a released version.",
    "models_untested": "The models bring no reference outputs: they were not tested on this device.",
    "window_changed": "The window differs from the one that the models were trained with.",
    "markers_research": "Marker probabilities are research estimates; the model card says what the "
    "classifier was trained on.",
    # The haematoma
    "blood_on_first_slice": "Blood touches the lowest slice: the haematoma may reach beyond the scan, "
    "and its volume is then too small.",
    "blood_on_last_slice": "Blood touches the highest slice: the haematoma may reach beyond the scan, "
    "and its volume is then too small.",
    "tiny_haematoma": "The finding is below {limit_ml:g} mL: it may be noise or calcification.",
    "bone_spot_left_out": "A dense spot on slice {slices} lies over bone of the next slice and is not "
    "counted as blood: look at it.",
    "may_be_bone": "A dense spot on slice {slices} lies over bone of the next slice: it may be bone and "
    "not blood. Look at it.",
    "corrected_mask": "The haematoma's outline was corrected by hand (correction {version}). Volume and "
    "recommendation follow the correction; markers and rule-based signs are of the automatic outline.",
    "expanded": "The haematoma has expanded since an earlier study: {ml:+.1f} mL.",
    # Two studies
    "different_patients": "The studies carry different patient IDs; the comparison was forced.",
    "patient_unknown": "A study has no patient ID. Make sure that both are of the same patient.",
    "interval_unknown": "The time of day of a study is not known: the interval is missing or only to "
    "the day.",
    "later_before_earlier": "The later study was acquired before the earlier one. They may have been "
    "swapped.",
    "long_interval": "More than {hours:.0f} hours lie between the studies: the clot may be resolving.",
    "different_spacing": "Slices are {narrow_mm:.1f} and {wide_mm:.1f} mm apart: part of the difference "
    "may be the sampling's.",
    "different_scanner": "The studies come from different sites or scanners.",
    "no_earlier_haematoma": "No haematoma was found on the earlier study: growth is judged in mL only.",
    "no_later_haematoma": "No haematoma was found on the later study: check both by eye.",
    "no_haematoma": "No haematoma was found on either study.",
}

_REFUSED = "{series:first}: {reason}[; the rest is no better: {rest:; }]"
_AXIAL = "choose the axial series of the study"

ERRORS: dict[str, tuple[str, str, str]] = {
    # Series that are not read
    "refused.not_ct": (_REFUSED, "non-contrast CT of the head", "give the CT study"),
    "refused.no_modality": (_REFUSED, "non-contrast CT of the head", "give the CT study"),
    "refused.secondary": (_REFUSED, "CT images", _AXIAL),
    "refused.localizer": (_REFUSED, "axial images", _AXIAL),
    "refused.projection": (_REFUSED, "axial images", _AXIAL),
    "refused.not_hu": (_REFUSED, "RescaleType HU", "choose the ordinary series of the study"),
    "refused.no_geometry": (
        _REFUSED,
        "size, spacing, position and orientation of every slice",
        "export the original series from the scanner or PACS, not a converted copy",
    ),
    "refused.not_axial": (_REFUSED, "axial images", _AXIAL),
    "refused.few_positions": (
        _REFUSED,
        "at least {needed} slices",
        "give the folder with the whole series, not a single slice of it",
    ),
    "refused.contrast_given": (
        _REFUSED,
        "a non-contrast series: the markers are defined on it",
        "choose the non-contrast series; if this is one, ask for it by name (--series)",
    ),
    "refused.derived": (
        _REFUSED,
        "original images of the scanner",
        "choose the original axial series, or ask for this one by name (--series)",
    ),
    "unknown_language": (
        "the language {language!r}",
        "{known: or }",
        "choose one of them",
    ),
    "series_unknown": (
        "no series called {asked!r}; there are: {listing:; }",
        "a series UID, its unique beginning or end, a number or a description",
        "name one of these series",
    ),
    "series_ambiguous": (
        "{count} series called {asked!r}; there are: {listing:; }",
        "a series UID, its unique beginning or end, a number or a description",
        "name one of these series",
    ),
}

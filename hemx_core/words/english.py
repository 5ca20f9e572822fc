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
    "cannot_tell": "No haematoma was found, but these pictures may hide one.[ {because}]",
    "look_or_scan_again": "A clinician must look at the pictures now, or the scan must be repeated.",
    "not_ruled_out": "This does not rule out haemorrhage: a clinician must read the study.",
    "haematoma_found": "A haematoma of {volume_ml:.1f} mL was found.",
    "haematoma_at_least": (
        "A haematoma of at least {volume_ml:.1f} mL was found[; it may have {at_most_ml:.1f} mL or more]."
    ),
    "haematoma_between": "A haematoma of {volume_ml:.1f} mL to {at_most_ml:.1f} mL was found.",
    "large_haematoma": "Its volume is at least {limit_ml:.0f} mL.",
    "perhaps_large": "Its upper figure reaches {limit_ml:.0f} mL, and counts.",
    "marker_present": "Expansion marker found: {marker:term}, probability {probability:.2f} "
    "(threshold {threshold:.2f}), best seen on slice {slice}.",
    "marker_not_validated": "Not counted: {marker:term}, probability {probability:.2f} "
    "(threshold {threshold:.2f}), slice {slice}. The marker is not validated on real patients.",
    "nothing_urgent": "No expansion marker reached its threshold and the volume is below "
    "{limit_ml:.0f} mL.",
    "nothing_validated_urgent": "No validated expansion marker reached its threshold and the volume "
    "is below {limit_ml:.0f} mL.",
    "haematoma_expanded": "The haematoma has expanded: {ml:+.1f} mL[, {percent:+.0f} %] ({met:term}).",
    # What opening the app's store found
    "rescued.damaged": "the database was damaged, {kept} {kept:study|studies} and {results} "
    "{results:result|results} in it could be read",
    "rescued.left": "{count} {count:record|records} in it could not be read",
    "rescued.missing": "the database was missing",
    "rescued.again": "{count} {count:study was|studies were} found again without a result",
    "rescued.mended": "{count} damaged {count:record was|records were} written anew",
    "rescued.aside": "the files of {count} {count:study|studies} had no record; they are "
    "imported again",
    "rescued.entries": "the last {count} {count:change is|changes are} lost",
    "rescued.settings": "{count} {count:setting was|settings were} damaged",
    "backup_part.missing": "{file} is missing",
    "backup_part.changed": "{file} is not what was written",
    "backup_part.manifest": "its list of files",
    "backup_part.database": "its database",
    # The choice of a series
    "series": "series[ {number}][ '{description}'][ part {part}][ of patient {patient!r}] "
    "({count} {count:slice|slices}[, {thickness_mm: to } mm])",
    "more": "and {count} more",
    "because.asked_for": "it was asked for",
    "because.only_usable": "it is the only usable axial series",
    "because.names_head": "its header names the head",
    "because.covers_head": "it covers the head",
    "because.newest_study": "it belongs to the newest study",
    "because.soft_kernel": "it has a soft-tissue kernel",
    "because.nearest_to_5_mm": "its slices are nearest to 5 mm",
    "because.most_slices": "it has most slices",
    "because.whole_scan": "it is the whole one of its series",
    "because.acquired_last": "it was acquired last",
    "because.acquired_first": "it was acquired first",
    "because.no_contrast_doubt": "nothing in its header speaks of contrast medium",
    "because.says_plain": "its header says that no contrast medium was given",
    "because.lowest_number": "its number is lowest",
    "because.first_of_equals": "it comes first among equals",
    "aside": "{series}: {reason}",
    "aside_several": "{count} series or parts: {reason}",
    "listed": "{series}, UID {uid}",
    "series_choice": "Read {series} because {because}.[ Usable too: {usable:; }.][ Set aside: {aside:; }.]",
    "several_patients": "The input holds CT of {patients} patients[; this is patient {patient!r}]. "
    "Make sure that it is the right one.",
    "several_studies": "The input holds {studies} studies; one was read[, the one of {at}].",
    "headers_differ": "The slices differ in {what}. They continue each other and were read as one scan.",
    "differ.spacing": "pixel spacing",
    "differ.orientation": "orientation",
    "differ.frame": "frame of reference",
    "differ.types": "image type",
    "differ.patient": "patient ID or name",
    "differ.study": "study UID",
    "differ.series": "series UID",
    "differ.matrix": "matrix",
    "differ.rescale": "rescale type",
    "differ.place": "position (missing)",
    "scan_continues": "{count} {count:slice|slices} that {count:seems|seem} to belong to this scan "
    "{count:was|were} not read[: {rest:; }]. Blood may lie there. Read the other part too (--series), "
    "or export the study again.",
    "rest": "{series}[ (differs in {why})]",
    "another_scan": "The series holds {count} more {count:scan|scans} of the same place[: {scans:; }]. "
    "Make sure that the right one was read, or name another one with its part number (--series).",
    "contrast": "{reason:first}. Expected was a non-contrast series: the markers are defined on "
    "it. The series was read because it was named. Do not rely on the result.",
    "contrast_contradicted": "The header contradicts itself on contrast medium: {sign}, but {against}."
    "[ {seen}.] Contrast medium looks like blood. Make sure that none was given.",
    "contrast_unsure": "Contrast medium may have been given: {sign}.[ {seen}.] Make sure that it was not.",
    "contrast.not_seen": "The picture shows no enhanced vessels",
    "looks_enhanced": "The vessels look as after contrast medium.[ The sagittal sinus has {sinus_hu} HU; "
    "blood has 40 to 75.][ Dense spots lie deep in the brain on {spotted_slices} of {slices} slices.] "
    "Contrast medium looks like blood and hides it. Give the series without contrast medium.",
    "acquired_after": "The study holds another series like this one, acquired later, perhaps after "
    "contrast medium: {series:; }. The earlier one was read. Make sure that it is the right one.",
    "acquired_before": "The study holds a head series acquired before this one: {series:; }. The one "
    "that was read may be after contrast medium. Make sure that it is the right one.",
    "derived_images": "{reason:first}. Expected were original images of the scanner. The series "
    "was read because it was named. Do not rely on the result.",
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
    "contrast.tag": "{tag} is {value}",
    "contrast.description": "the series is described as {description!r}",
    "derived": "derived images ({types})",
    # Files and headers
    "unreadable_files": "Left out {count} {count:file|files}, damaged[: {files}].[ {because:first}.]",
    "missing_files": "{count} {count:file|files} that the DICOMDIR names "
    "{count:is|are} not there[: {files}].",
    "unlisted_files": "{count} DICOM {count:file|files} beside those that the DICOMDIR names "
    "{count:is|are} not read[: {files}]. To read {count:it|them}, give the folder.",
    "not_dicom": "Passed over: {count} {count:file|files} that {count:is|are} not DICOM.",
    "duplicate_slices": "{count} {count:slice|slices} with the same position and pixels as another "
    "left out[: {files}].",
    "duplicate_slices_differ": "{count} {count:slice|slices} at the position of another but "
    "with other pixels left out[: {files}]. The first by InstanceNumber was kept. The series "
    "may hold several scans or reconstructions.",
    "unreadable_slices": "{count} of the series' slices cannot be read and "
    "{count:is|are} left out[: {files}].[ {because:first}.]",
    "end_marker_missing": "The compressed pixels of {count} {count:slice has|slices have} no "
    "end marker[: {files}]. The pictures are complete all the same.",
    "lossy_compression": "The images were compressed with loss: HU and faint signs may be altered.",
    "burned_in": "The images carry text in their pixels (BurnedInAnnotation is YES). Pictures "
    "of this result may show the patient's name, also where names are left out. Look before you "
    "pass them on.",
    "decimal_comma": "Numbers of the header are written with a decimal comma, which DICOM does not allow. "
    "They were read as if with a point.",
    "rescale_type": "RescaleType is US (unspecified); the values were taken for HU.",
    "time_unknown": "The header {what}.",
    "time.none": "does not say when the scan was made",
    "time.day_only": "gives the day of the scan, but no time of day",
    # Pixels
    "clipped": "{count} {count:value|values} beyond int16 {count:was|were} clipped.",
    "clipped_hu": "The values were clipped to {lower:g} to {upper:g} HU before they came here. "
    "Bone is taken from saturated pixels at the rim. Densities beyond the range are unknown.",
    "clipped_narrow": "The values were clipped to {lower:g} to {upper:g} HU, which takes part of brain or "
    "clot away. Blood may be missed.",
    "clipped_below": "The values were clipped at {lower:g} HU from below before they came here: fat and "
    "air cannot be told apart.",
    "no_air": "There is no air in the pictures (the lowest value is {low}): nothing shows that the "
    "values are HU. Look at the pictures yourself.",
    "brain_shifted": "Brain reads {brain} HU instead of about 20 to 40: {by:+d} HU from the usual. The "
    "values may be shifted (wrong RescaleIntercept). Do not rely on the result; export the series again.",
    "slices_shifted": "The values of {count:slice|slices} {slices} lie {hu} HU off those of the other "
    "slices (rescale lost or wrong). They were shifted back by that. Look at {count:it|them} yourself.",
    "stray_bits": "{count} {count:pixel uses|pixels use} bits beyond BitsStored. These bits "
    "were left out, as the standard says.",
    "padding_kept": "PixelPaddingValue means {hu:g} HU, which tissue may have. Such pixels were "
    "not replaced by air.",
    "monochrome1": "The images are MONOCHROME1{what}.",
    "monochrome.inverted": " with inverted stored values (the air in their corners proves it); they "
    "were inverted back",
    "monochrome.display": ", which concerns their display only; HU were taken from the rescale as they "
    "are",
    "stream.start": "the compressed data does not begin as its format does",
    "stream.no_end": "the compressed data has no end",
    "stream.short": "the compressed data ends before the picture does",
    "stream.left_over": "the picture is full before the compressed data ends",
    "stream.hole": "{bytes} zero bytes in a row lie in the compressed data",
    "stream.structure": "the data breaks the rules of its format",
    "stream.decoder": "the decoder refuses the compressed data",
    "stream.size": "the compressed picture has {rows} x {columns} pixels, the header says {header_rows} x "
    "{header_columns}",
    "stream.format": "the compressed picture has {samples} {samples:value|values} of {bits} bits a pixel, "
    "and the header says otherwise",
    "stream.few_bytes": "{found} bytes where {wanted} are needed",
    "stream.many_bytes": "{found} bytes where the header asks for {wanted}",
    # Geometry
    "gantry_tilt": "The slices are tilted by {degrees:.1f} degrees against the stack. Distances "
    "are measured along the slices' normal.",
    "missing_slices": "{count} {count:slice|slices} {count:is|are} missing. What lies there is not "
    "seen. Missing: {places:; }.",
    "gap": "{count} between slices {below} and {above}, {offset_mm:.1f} mm above the first slice, where "
    "{step_mm:.1f} mm lie between neighbours",
    "unequal_spacing": "The slices are not equally thick or spaced. Volumes count every slice with its "
    "own extent.[ {odd}] In detail: {parts:; }.",
    "no_distance_recurs": "No distance recurs.",
    "run": "slices {first} to {last}: {thickness_mm:g} mm thick[, {apart}]",
    "step": "{mm:.1f} mm between slices {below} and {above}",
    "apart": "{mm:.1f} mm apart",
    "apart_range": "{low_mm:.1f} to {high_mm:.1f} mm apart",
    "apart_between": "{mm:.1f} mm apart from {first} to {last}",
    "slice_gap": "Thickness and distance of the slices disagree: slices of {thickness_mm:g} mm lie "
    "{step_mm:.1f} mm apart. The tissue between them is not seen, or SliceThickness is wrong. Volumes "
    "go by the distance.",
    "slices_overlap": "Slices of {thickness_mm:g} mm lie {step_mm:.1f} mm apart: they overlap, or "
    "SliceThickness is wrong. Volumes go by the distance.",
    "distance_doubtful": "By their positions the slices lie {mm:.2f} mm apart, {by} {other_mm:.1f} mm. "
    "Volumes go by the positions and may be wrong by as much. Export the series again.",
    "by.slice_location": "by SliceLocation",
    "by.slice_thickness": "by their thickness",
    "shifted_slices": "The slices do not lie in one line: slice {slice} is {mm:.1f} mm off sideways. "
    "The series may hold two scans.",
    "thickness_unknown": "SliceThickness is missing or impossible in {count} "
    "{count:slice|slices}. The distance to the nearest neighbour stands in.",
    "reoriented": "The stored images were not nose up with the patient's left on the right. "
    "They were turned exactly (flips and transposition only), and the geometry with them.",
    "patient_position": "The patient did not lie on the back ({position}). Blood then settles "
    "in another direction than the fluid level sign expects.",
    # The head in the pictures
    "brain_missing_above": "The top of the brain is not in the pictures: they show about "
    "{seen_mm:.0f} mm of its height. What lies above is not seen: scan again, or give the whole "
    "series.",
    "brain_missing_below": "The base of the brain is not in the pictures: they show about "
    "{seen_mm:.0f} mm of its height. What lies below is not seen: scan again, or give the whole "
    "series.",
    "brain_missing_at_both_ends": "Top and base of the brain are not in the pictures: they show about "
    "{seen_mm:.0f} mm of its height. What lies above and below is not seen: scan again, or give the "
    "whole series.",
    "brain_beside_picture": "The edge of the picture cuts the brain on slices {first} to {last}. What "
    "lies beside it is not seen: reconstruct again with a larger field of view.",
    "upside_down": "The slices lie upside down: the top of the head is where the feet should be. Up "
    "and down are exchanged, and left and right may be: check the positions of the slices.",
    "metal": "There is metal in the head on slices {first} to {last}. Its streaks can hide blood, or "
    "look like it.",
    # The models
    "models_unsigned": "The models are not signed; nobody vouches for them. For development only.",
    "models_local_key": "The models are signed with a key of this computer and not with a "
    "release key. They are unchanged since then, but not a released version.",
    "models_untested": "The models bring no reference outputs: they were not tested on this device.",
    "window_changed": "The window differs from the one that the models were trained with.",
    "markers_research": "Marker probabilities are research estimates. The model card says what "
    "the classifier was trained on.",
    "volume_interval": "The volume's 90 % interval was measured against a derived reference, not a "
    "radiologist's outline. Raters differ by some 4 to 6 mL.",
    # The haematoma
    "blood_on_first_slice": "Blood touches the lowest slice. The haematoma may reach beyond the "
    "scan, and its volume is then too small.",
    "blood_on_last_slice": "Blood touches the highest slice. The haematoma may reach beyond the "
    "scan, and its volume is then too small.",
    "blood_beside_picture": "Blood touches the edge of the picture: the haematoma goes on beside it, and "
    "its volume is too small.",
    "tiny_haematoma": "The finding is below {limit_ml:g} mL: it may be noise or calcification.",
    "missing_in_haematoma": "Slices are missing where there is blood: {places:; }. "
    "{interpolated_ml:.1f} mL of the volume are interpolated there, not seen.",
    "too_far_to_interpolate": "Slices are missing where there is blood: {places:; }. That is too far to "
    "interpolate: the volume is of what is seen.",
    "unseen_brain": "Brain is not seen between slices: {places:; }. A haematoma may lie there.",
    "between": "{mm:.1f} mm between slices {below} and {above}",
    "bone_spot_left_out": "A dense spot on slice {slices} lies over bone of the next slice. It "
    "is not counted as blood. Look at it.",
    "may_be_bone": "A dense spot on slice {slices} lies over bone of the next slice. It may be "
    "bone and not blood. Look at it.",
    "corrected_mask": "The haematoma's outline was corrected by hand (correction {version}). "
    "Volume and recommendation follow the correction. Markers and rule-based signs are of the "
    "automatic outline.",
    "comparison_damaged": "A stored comparison with an earlier study is damaged. It may have shown "
    "expansion: compare again.",
    "expanded": "The haematoma has expanded since an earlier study: {ml:+.1f} mL.",
    # Two studies
    "different_patients": "The studies are of different patients[: they differ in {facts:term}]. The "
    "comparison was forced.",
    "patient_doubtful": "The studies differ in {facts:term}, and agree in what else names the patient. "
    "Make sure that both are of the same patient.",
    "patient_unknown": "Nothing proves that both studies are of the same patient. An ID or a name is "
    "missing, or stands for none (such as ANONYMOUS). Make sure that they are.",
    "patient_alike": "The studies write {facts:term} differently; they were taken for one patient's.",
    "patient_by_name": "The patient was recognised by name and birth date, not by an ID.",
    "same_images": "Both studies are the same images under other UIDs: nothing can be said of growth. Give "
    "two scans of different times.",
    "side_changed": "The haematoma lies on the {was:term} in the earlier and on the {now:term} in the "
    "later study. It may be another patient, a mirrored series or a new bleed. Look at both.",
    "interval_unknown": "The time of day of a study is not known. The interval is missing or "
    "only to the day.",
    "later_before_earlier": "The later study was acquired before the earlier one. They may have been "
    "swapped.",
    "long_interval": "More than {hours:.0f} hours lie between the studies: the clot may be resolving.",
    "different_spacing": "Slices are {narrow_mm:.1f} and {wide_mm:.1f} mm apart. Part of the "
    "difference may be the sampling's.",
    "different_scanner": "The studies come from different sites or scanners.",
    "growth_interval": "The volumes' intervals were measured against a derived reference, that of the "
    "growth on drawn haematomas in real slices. Neither is a radiologist's outline. Raters differ by "
    "some 4 to 6 mL.",
    "no_growth_interval": "How far a growth is off was not measured for these models. Expansion cannot be "
    "told: judge the measured growth yourself.",
    "no_earlier_haematoma": "No haematoma was found on the earlier study: growth is judged in mL only.",
    "earlier_not_covered": "The earlier scan does not show all of the haematoma's region. Growth cannot "
    "be told.",
    "later_not_covered": "The later scan does not show all of the haematoma's region. It may have grown "
    "more than is measured.",
    "no_later_haematoma": "No haematoma was found on the later study: check both by eye.",
    "no_haematoma": "No haematoma was found on either study.",
    # Parts of errors
    "term.patient_name": "the name",
    "term.patient_id": "the patient ID",
    "term.birth_date": "the birth date",
    "term.sex": "the sex",
    "term.age": "the age",
    "term.left": "left",
    "term.right": "right",
    "term.study": "study",
    "term.result": "result",
    "term.correction": "correction",
    "term.reading": "answers",
    "term.comparison": "comparison",
    "dicom.no_beginning": "it does not begin as a DICOM file",
    "dicom.no_modality": "it names no modality",
    "dicom.nested": "its sequences are nested too deeply",
    "dicom.too_much": "it holds more than a CT file does",
    "zip.member": "its data in the zip is damaged: {reason}",
    "file.not_regular": "it is no regular file",
    "file.too_large": "it has more than {most} bytes",
    "no_key": "no key at all: none is trusted here",
    "threads_of": "{count} {count:thread|threads}",
    "library_threads": "the library's own number of threads",
    "references.unreadable": "not readable ({kind})",
    "references.arrays": "of other arrays: {arrays}",
    "references.no_arrays": "of other arrays: none",
    "references.shape": "with {name} of shape {shape}",
    "references.not_finite": "with {name} that are not finite",
    "difference": "{method} {name} differs by {difference:.4g}",
    "at_most": "{name} at most {limit:g}",
    "process.ended": "was ended",
    "process.exit_code": "ended with exit code {exit}",
    "process.signal": "was ended by {signal}",
    "executorch.load": "cannot load {file}",
    "executorch.run": "failed in {file}",
    "executorch.prepare": "cannot prepare {method} of {file}",
    "too_much.files": "more than {most} files",
    "too_much.bytes": "more than {gib:.0f} GiB",
    # What is made beside a result
    "extra": "{extra:term}: {why}",
    "term.pdf": "the referral",
    "term.seg": "the DICOM segmentation",
    "term.sr": "the DICOM report",
    "term.pdf_dicom": "the referral as DICOM",
    "term.nifti": "the NIfTI mask",
    "demographics_left_out": "DICOM does not allow what the images say in {attributes}. Left out of "
    "the DICOM objects.",
    # What the system says
    "os.ENOENT": "No such file or directory",
    "os.EACCES": "Permission denied",
    "os.EPERM": "Operation not permitted",
    "os.ENOSPC": "No space left on device",
    "os.EDQUOT": "Disk quota exceeded",
    "os.EROFS": "Read-only file system",
    "os.EIO": "Input/output error",
    "os.ENOTDIR": "Not a directory",
    "os.EISDIR": "Is a directory",
    "os.EBUSY": "Device or resource busy",
    "os.EMFILE": "Too many open files",
    "os.ENOMEM": "Cannot allocate memory",
    "os.EEXIST": "File exists",
    "os.ENAMETOOLONG": "File name too long",
    "os.ENODEV": "No such device",
}

_REFUSED = "{series:first}: {reason}[; the rest is no better: {rest:; }]"

ERRORS: dict[str, str] = {
    # Series that are not read
    "refused.not_ct": _REFUSED + " | non-contrast CT of the head | give the CT study",
    "refused.no_modality": _REFUSED + " | non-contrast CT of the head | give the CT study",
    "refused.secondary": _REFUSED + " | CT images | choose the axial series of the study",
    "refused.localizer": _REFUSED + " | axial images | choose the axial series of the study",
    "refused.projection": _REFUSED + " | axial images | choose the axial series of the study",
    "refused.not_hu": _REFUSED + " | RescaleType HU | choose the ordinary series of the study",
    "refused.no_geometry": _REFUSED
    + " | size, spacing, position and orientation of every slice | export the original series from "
    "the scanner or PACS, not a converted copy",
    "refused.not_axial": _REFUSED + " | axial images | choose the axial series of the study",
    "refused.few_positions": _REFUSED
    + " | at least {needed} slices | give the folder with the whole series, not a single slice of it",
    "refused.contrast_given": _REFUSED
    + " | a non-contrast series: the markers are defined on it | choose the non-contrast series; if "
    "this is one, ask for it by name (--series)",
    "refused.derived": _REFUSED
    + " | original images of the scanner | choose the original axial series, or ask for this one by "
    "name (--series)",
    "unknown_language": "the language {language!r} | {known: or } | choose one of them",
    "series_unknown": "no series called {asked!r}; there are: {listing:; } | a series UID, its "
    "unique beginning or end, a number or a description | name one of these series",
    "series_ambiguous": "{count} series called {asked!r}; there are: {listing:; } | a series UID, "
    "its unique beginning or end, a number or a description | name one of these series",
    # Files
    "not_written": "{file} cannot be written ({reason}) | a folder with free space that may be "
    "written to | free some space, or choose another folder",
    # A study that cannot be read
    "volume_too_large": "{series} of {rows} x {columns} pixels would take {gib:.1f} GiB | at most "
    "{most_gib:.0f} GiB | choose a series with thicker slices",
    "slices_unreadable": "{failed} of {slices} slices cannot be read; the first: {first} | "
    "{first:expected} | {first:remedy}",
    "too_few_slices": "{series}: only {found} slices can be read | at least {needed} slices | "
    "copy or export the series again",
    "dicomdir_unreadable": "the DICOMDIR {file} cannot be read ({reason}) | a directory of the "
    "files beside it | give the folder instead of the DICOMDIR",
    "dicomdir_leaves": "the DICOMDIR names a file outside its folder: {file!r} | files beside or "
    "below the DICOMDIR | do not use this medium; ask its sender for a new one",
    "nothing_there": "nothing at {path} | a folder, a DICOM file, a DICOMDIR or a zip | check the "
    "path",
    "not_regular": "{path} is a device or a pipe | a folder or a regular file | copy the study "
    "into a folder first",
    "file_closed": "{file} cannot be opened ({reason}) | a file that may be read | check its "
    "permissions and the medium",
    "folder_closed": "the folder {folder} cannot be opened ({reason}) | a folder whose files may "
    "all be read | check its permissions, so that no slice is left out unseen",
    "link_leaves": "{file} is a link to a place outside the folder | files that lie inside the "
    "folder | copy the study, with links followed, into a folder of its own",
    "zip_damaged": "{file} is a damaged zip ({reason}) | a zip that can be opened | copy or "
    "download it again, or give the unpacked folder",
    "zip_leaves": "the zip has a member named {file!r} | members that stay inside the zip's "
    "folder | do not use this file; ask its sender for a new one",
    "zip_link": "the zip's member {file!r} is a link | regular files | pack the study again with "
    "links followed",
    "zip_overlaps": "the zip's member {file!r} lies where another one lies | members side by side | "
    "copy or download the zip again; if it stays so, do not use it",
    "zip_encrypted": "the zip is encrypted ({file!r}) | a zip without a password | unpack it with "
    "its password and give the folder",
    "too_many_files": "more than {most} files in {file} | one study | give the folder of one study",
    "folder_deep": "folders in {folder} lie more than {most} deep | one study | give the folder in which "
    "the study lies",
    "too_much_work": "the files in {name} hold far more than a CT study does | one study | do not use "
    "these files; export the study again",
    "too_big": "{file} would unpack to {mib:.0f} MiB | at most {most_mib:.0f} MiB | check where "
    "the file comes from; unpack it yourself and give the folder",
    "inflates_too_far": "{file} inflates to more than {most_mib:.0f} MiB | a CT image | do not "
    "use this file; export the study again without compression",
    "not_readable_dicom": "{file} cannot be read as DICOM ({reason}) | an undamaged DICOM file | "
    "copy or export the study again",
    "files_unreadable": "none of {files} DICOM files can be read; the first: {first} | "
    "{first:expected} | {first:remedy}",
    "no_images": "no DICOM images in {folder} ({others} {others:file|files} of other kinds[; it "
    "names {lost} files that are not there]) | CT images in DICOM files | give the folder, "
    "DICOMDIR or zip of the CT study; unpack archives inside it",
    "no_instance_uids": "a volume without SOP instance UIDs | a volume read from DICOM files that "
    "carry them | read the study from its DICOM files",
    "files_gone": "{missing} of the series' {wanted} files are not there any more | the input as "
    "it was read | run the triage again on the whole study",
    "syntax_unsupported": "the pixels are stored as {syntax}, which is not supported | "
    "uncompressed, RLE, JPEG, JPEG-LS or JPEG 2000 | export the series again without compression",
    "no_decoder": "the pixels are compressed as {syntax}, and no decoder for it is installed | a "
    'decoder | pip install "hemx[[dicom]", or export the series again without compression',
    "pixels_unreadable": "the pixels of {file} cannot be read ({kind}: {reason}) | complete pixel "
    "data | copy or export the series again",
    "stream_damaged": "the pixels of {file}[ ({syntax})] are damaged: {what} | one whole picture of the size "
    "that the header gives | copy or export the series again",
    "rows_blank": "{rows} rows of {file} hold one value only ({hu:g} HU) where the slices beside it show "
    "the head | a picture that was written to its end | copy or export the series again",
    "no_rescale": "{file} has no usable RescaleSlope and RescaleIntercept | the rescale to "
    "Hounsfield units | export the original series, not a converted copy",
    "inverted_unclear": "{file} is MONOCHROME1, and its corners have {hu:.0f} HU, inverted "
    "{inverted_hu:.0f} HU | air in the corners | export the series again as MONOCHROME2",
    "hu_few_values": "only {count} different values, from {low} to {high} | Hounsfield units: air at "
    "-1000, brain at 20 to 40, bone above 300 | give HU, not values scaled to 0..1",
    "hu_grey_levels": "grey levels of a display window from {low:g} to {high:g}, not Hounsfield "
    "units[ (brain reads {brain})] | air at -1000 HU, brain at 20 to 40 HU | export the CT images "
    "themselves, not pictures of them; or turn the levels back to HU by their window",
    "hu_shifted": "all values are about {shift:.0f} too high ({low} to {high}[, brain reads "
    "{brain}]): RescaleIntercept is lost or wrong | air at -1000 HU, brain at 20 to 40 HU | export "
    "the original series, or subtract {shift:.0f}",
    "hu_scaled": "the values are scaled by about {slope:.3g} ({low} to {high}): RescaleSlope is lost or "
    "wrong | air at -1000 HU, brain at 20 to 40 HU | export the original series",
    "hu_inverted": "the values are inverted: air reads higher than bone ({low} to {high}) | air at -1000 "
    "HU, brain at 20 to 40 HU, bone above | export the original series as MONOCHROME2",
    "hu_wrapped": "values have wrapped round ({low} to {high}): signed and unsigned were mixed up | air "
    "at -1000 HU, bone up to about 2000 HU | export the original series; check PixelRepresentation and "
    "BitsStored",
    "hu_unknown_scale": "the values from {low} to {high} are not Hounsfield units[: brain reads "
    "{brain}] | air at -1000 HU, brain at 20 to 40 HU | export the original series; check "
    "RescaleSlope and RescaleIntercept",
    "hu_slices_differ": "the values of {count} of {slices} slices lie {hu} HU off those of the others | "
    "one scale for all slices | export the original series; check RescaleIntercept of every slice",
    "no_head": "only {heads} of {inspected} inspected slices have the cross-section of a head "
    "(largest {largest_cm2:.0f} cm2) | {least_cm2:.0f} to {most_cm2:.0f} cm2 of tissue | give a "
    "non-contrast head CT; check pixel spacing and rescale values",
    "no_brain": "only {brains} of {inspected} inspected slices show tissue of brain density "
    "enclosed by a skull | brain (about 0 to 80 HU) inside bone on several slices | give a "
    "non-contrast head CT of a patient; phantoms and other body parts are refused",
    "no_skull": "only {closed} of {inspected} inspected slices show a closed skull | bone that encloses "
    "the brain on several slices | give a non-contrast head CT; other body parts are refused",
    "small_skull": "what bone encloses has at most {largest_cm2:.0f} cm2 | a brain's cavity, at least "
    "{least_cm2:.0f} cm2 on its largest slice | give the whole head CT of a patient; check pixel "
    "spacing",
    "crop_mismatch": "an image of shape {image}, a mask of shape {mask}, a crop of {size} | two "
    "pictures of one shape, and a positive size | give the mask on the same grid as the prepared "
    "slice",
    "window_pair": "a window {window} | two numbers, lower and upper | give the window as lower,upper, "
    "for example 0,80",
    "window_order": "a window from {lower} to {upper} HU | finite, lower < upper | give the window as "
    "lower,upper, for example 0,80[; {lower:g}/{upper:g} read as width and level is {as_lower:g},"
    "{as_upper:g}]",
    "window_far": "a window from {lower:g} to {upper:g} HU, in which the models miss clots | a window "
    "near {own_lower:g},{own_upper:g}, in which brain and clot are about as bright | "
    "[{lower:g}/{upper:g} read as level and width is {as_lower:g},{as_upper:g}: ]give the window as "
    "lower,upper, or leave it out",
    "grid_size": "a grid of {size} pixels of {mm} mm | a size divisible by 32, and pixels of 0.1 "
    "to 5 mm | choose another preprocessing specification",
    "preprocessing_misfit": "a preprocessing specification that does not fit: {reason} | the "
    "fields of PreprocessingSpec | export the bundle again with this version",
    "positions_shape": "positions of shape {shape} | shape (slices, 3) with at least one slice | "
    "correct the input and try again",
    "thickness_count": "slice thicknesses of shape {shape} for {slices} slices | one thickness for "
    "each slice | correct the input and try again",
    "slice_thickness": "slices of {thinnest:g} to {thickest:g} mm | {least:g} to {most:g} mm | correct "
    "the input and try again",
    "pixel_spacing": "pixel spacing {dy} x {dx} mm | between 0.05 and 10 mm | correct the input "
    "and try again",
    "directions": "direction vectors {vectors} | two orthogonal unit vectors | correct the input "
    "and try again",
    "slice_order": "slice offsets along the normal {offsets} | strictly increasing offsets: sort "
    "the slices and drop duplicates | correct the input and try again",
    "position_count": "{slices} slices and {positions} positions | one position for each slice | "
    "correct the input and try again",
    "clip_range": "a clip range ({lower}, {upper}) | lower < upper | correct the input and try "
    "again",
    "uid_count": "{uids} SOP instance UIDs for {slices} slices | one for each slice, or none | "
    "correct the input and try again",
    "array_shape": "an array of shape {shape} | shape (slices, rows, columns), with pixels | "
    "correct the input and try again",
    "array_kind": "an array of type {dtype} | HU as real numbers | correct the input and try again",
    "geometry_or_spacing": "both a geometry and a spacing, or neither | one of the two: "
    "spacing_mm=(dz, dy, dx) for equally spaced axial slices | correct the input and try again",
    "not_finite": "values that are not finite | finite HU: replace them by -1024 (air) or crop "
    "them away | correct the input and try again",
    "beyond_int16": "values from {low} to {high} | HU within int16 | correct the input and try "
    "again",
    # The bundle
    "manifest_markers": "markers {found} | {needed}, in this order | export the bundle again with "
    "this version",
    "manifest_batch": "a segmenter whose inputs and outputs hold {counts} slices | the same "
    "number in each, at least 1 | export the bundle again",
    "manifest_evidence": "{marker} is called validated without evidence on real patients | evidence of "
    "every validated marker | do not use this bundle; export it again",
    "manifest_range": "a manifest with {found:g} as {field} | {least:g} to {most:g} | do not use this "
    "bundle; export it again",
    "output_lost": "what is printed cannot be written ({reason}) | an open standard output with room | "
    "free space or give `--quiet`; what is in the folder counts",
    "manifest_unreadable": "a manifest that is not readable ({reason}) | JSON with a "
    "schema_version | copy the bundle again or export it again",
    "manifest_not_text": "a manifest that is not readable ({reason}) | JSON in UTF-8 | copy the "
    "bundle again or export it again",
    "manifest_version": "a manifest of schema version {found} | version {first} to {last} | use a "
    "bundle exported with this version of HEMX",
    "manifest_fields": "a manifest whose fields do not fit: {reason} | the fields of schema "
    "version {version} | copy the bundle again or export it again",
    "no_manifest": "no readable manifest in {folder} ({reason}) | a bundle folder with {file} | "
    "give the folder that `hemx dev export` wrote",
    "file_missing": "no file {file} | every file of the manifest | copy the bundle again; do not "
    "use it as it is",
    "file_size": "{file} has {found} bytes | {needed} bytes | copy the bundle again; do not use "
    "it as it is",
    "file_changed": "{file} was written to while it was loaded | a file at rest | start again",
    "file_hash": "{file} has SHA-256 {found} | {needed} | copy the bundle again; do not use it as "
    "it is",
    "call_size": "{slices} slices of shapes {shapes} in a call | 1 to {most} slices of one shape "
    "| call the segmenter as often as it takes",
    "unsigned": "a bundle without {file} | a signature by a trusted key | copy the bundle again "
    "with its signature; sign one of your own with `hemx bundle sign`; for development allow "
    "unsigned bundles",
    "runtime_version": "{name} {found} and a bundle written by ExecuTorch {needed} | version "
    "{needed} | pip install executorch=={needed}, or export the bundle again",
    "no_bundle": "no model bundle in the installed tree | {file} in {folder}, or {variable} set | "
    "name the bundle's folder, or write one with `hemx dev export`",
    "no_references": "a bundle without reference outputs | reference inputs and outputs to test "
    "this device with | install a bundle that was exported with this version of HEMX",
    "references_unusable": "a bundle whose reference file is {what} | the inputs and outputs of "
    "both programs, as the manifest describes them | copy the bundle again or export it again",
    "signature_malformed": "a {file} that is not readable | an Ed25519 signature in format "
    "{format} | copy the bundle again from where it was released; do not use it as it is",
    "signature_unreadable": "a {file} that cannot be read ({reason}) | a readable file | copy the "
    "bundle again from where it was released; do not use it as it is",
    "unknown_key": "a bundle signed with the unknown key {key!r} | one of [{trusted}][{none}] | "
    "ask who released the bundle for the public key and, if you trust them, add it with `hemx "
    "bundle trust`; on a tablet, install an app that carries the key",
    "signature_wrong": "a {manifest} that is not what key {key} ({name}) signed | the manifest as "
    "signed in {file} | copy the bundle again from where it was released; do not use it as it is",
    "no_key_folder": "no configuration folder for keys | a home folder of the user | set {variable}",
    "keys_unreadable": "a list of trusted keys, {path}, that is not readable ({reason}) | JSON of "
    "format {format} with key_id, public_key and name of every key | mend or remove the file",
    # Two studies
    "two_patients": "the two studies are of different patients[: they differ in {facts:term}] | two "
    "studies of one patient | check the input; if it is one patient all the same, force the comparison",
    "same_series": "both inputs are the same series | an earlier and a later study | check the "
    "input",
    # Triage
    "segmenter_not_finite": "the segmenter answered NaN or infinity on slice {slice} | "
    "probabilities from 0 to 1 | verify the bundle, or export it again",
    "logits": "marker logits {logits} | {needed} finite numbers | verify the bundle, or export it "
    "again",
    "correction_shape": "a corrected mask of shape {shape} | {needed}, as the result and the "
    "volume | open the study that the correction belongs to",
    "mask_type": "a mask of shape {shape} and type {dtype} | bool (slices, rows, columns) with "
    "{slices} slices | give the mask in native pixels, for example probabilities >= threshold",
    # Results as files
    "no_files_for_dicom": "a volume that was not read from files | a DICOM study: SEG and SR refer "
    "to its images | triage the study's folder, or leave out dicom=True",
    "no_mask_to_write": "a result without haematoma | a mask that is not empty | write the "
    "structured report alone",
    "several_multiframe": "slices of {files} multi-frame files | single images, or one "
    "multi-frame file | export the series as single images",
    "images_unfit": "images that DICOM objects cannot refer to ({reason}) | CT images as the "
    "standard asks for them | export the study again from the archive",
    "images_without": "images without {missing} | CT images as the standard asks for them | "
    "export the study again from the archive",
    "no_highdicom": "DICOM objects cannot be written ({reason}) | the package highdicom | pip "
    'install "hemx[[dicom]"',
    "no_font": "no font {file} in the installed tree | the font that HEMX brings | install HEMX "
    "again",
    "output_is_file": "{folder} is a file | a folder | give another --out folder",
    "output_foreign": "{path} is there and is no HEMX result | no such file, or the result of an "
    "earlier run | give another --out folder, or move the file away",
    "extras_failed": "the result is written, but not {count} {count:file|files} asked for beside it: "
    "{parts:; } | all that was asked for | see the reasons; what was written stands",
    "extra_broken": "it could not be made ({kind}: {reason}) | a file | use the result without it, and "
    "report this as a fault of the program",
    "burned_in_labels": "the images carry text in their pixels (BurnedInAnnotation is YES) | images "
    "that name nobody | leave this study out of the data set",
    "nifti_uneven": "the slices are not evenly spaced | one step from slice to slice: NIfTI has a single "
    "affine | use the DICOM segmentation instead",
    "no_nibabel": "NIfTI cannot be read or written ({reason}) | the package nibabel | pip "
    'install "hemx[[nifti]"',
    "output_of_another": "{path} is the result of another command | a folder of its own for each result | "
    "give another --out folder, or move the file away",
    "png": "{file} could not be encoded as PNG | a picture | report this as a fault of the program",
    # The runtime
    "threads": "{threads} threads | at least 1 | leave them out",
    "program_closed": "{file} is closed | an open program | load the models again",
    "not_main_thread": "the first Android backend was asked for on a worker thread | the main "
    "thread, the only one from which Android finds the app's classes | make one AndroidBackend "
    "while the app starts",
    "pool_in_use": "a pool of {asked} while programs are open with {found} | one number of threads for "
    "the whole process | close the open models first",
    "no_pyjnius": "pyjnius cannot be imported ({reason}) | the package pyjnius and a Java runtime "
    "| build the app as docs/android.md says; on a desk use the desktop runtime",
    "no_library": "the ExecuTorch library is not in this app ({reason}) | "
    "org.pytorch:executorch-android:{version} and its arm64 library | build the app with the "
    "gradle dependency of mobile_app/packaging",
    "output_shape": "output {name} of shape {shape} and type {dtype} | shape {needed}, FLOAT, as "
    "the manifest says | export the bundle again",
    "output_count": "{file} returned {found} outputs | {needed}, as the manifest says | export "
    "the bundle again",
    "tensor_type": "{file} has {name} of type {dtype} | float32, the only type that this backend "
    "passes | export the bundle with float32 inputs and outputs",
    "program_shapes": "{file} takes and returns shapes {found} | {needed}, as the manifest says | "
    "export the bundle again",
    "program_returned": "{file} returned {found} | {needed} | export the bundle again",
    "runtime_import": "the ExecuTorch runtime cannot be imported ({reason}) | the packages "
    'executorch and torch | pip install "hemx[[runtime]"',
    "threads_in_use": "a change from {found} to {asked} threads while programs are open | one "
    "number of threads for the whole process | close the open models first",
    "program_not_loaded": "ExecuTorch {version} cannot load {file} ({reason}) | a program with a "
    "method `forward` and kernels of this runtime | install the version that the manifest names: "
    'pip install "hemx[[runtime]"',
    "program_failed": "ExecuTorch failed in {file} ({reason}) | a completed run | export the "
    "bundle again with this version of ExecuTorch",
    "process_lost": "the runtime's process {how}[: {said}] | a process that answers | try again, "
    "which starts a new one; where it ends again, close other programs for more memory, or "
    'install the runtime anew: pip install "hemx[[runtime]"',
    "process_not_started": "the runtime's process cannot be started ({reason}) | a process of "
    "{program} | close other programs, or start the app again",
    "runtime_missing": "the ExecuTorch runtime is not installed | the packages executorch and "
    'torch | pip install "hemx[[runtime]"',
    "not_a_program": "{file} starts with {found} | {needed} at byte 4 | export the bundle again",
    "input_count": "{found} inputs | {needed} | prepare the slice with the bundle's own "
    "preprocessing specification",
    "input_shape": "input {name} of shape {shape} and type {dtype} | shape {needed} ({axes}), "
    "{needed_dtype} | prepare the slice with the bundle's own preprocessing specification",
    "input_not_finite": "input {name} holds values that are not finite | finite numbers | prepare "
    "the slice with the bundle's own preprocessing specification",
    # The app
    "no_access": "the other app does not let HEMX read this | a folder or file that may be read | "
    "choose it again and allow access, or copy the study to the device first",
    "copy_broken": "a file could not be copied ({reason}) | files that can be read to their end | "
    "check the medium, or copy the study to the device first",
    "no_room_for_copy": "no room for the copy | free space for it | delete studies",
    "no_picker": "this device has no file picker | Android's Files app | switch it on in the "
    "settings of the device",
    "folder_refused": "the chosen folder did not take the files ({reason}) | a folder that may be "
    "written to, with room | choose another folder",
    "no_kivy": 'Kivy is not installed | the extra `app` | pip install "hemx[[app]"',
    "no_result": "a study without a result | two studies that were analysed | open the study, "
    "wait for its result, then compare",
    "pin_unfit": "a PIN that is too short, too long, or one character repeated | {least} to "
    "{most} characters | choose a longer one",
    "pin_wrong": "the PIN is wrong |  | try again",
    "pin_too_early": "too many wrong PINs; the next one is looked at in {seconds:.0f} seconds | a "
    "pause | wait",
    "folder_unusable": "the folder is not there, or has files of these names already | a folder "
    "that may be written to | choose another folder, or try again in a moment",
    "comparison_gone": "the comparison is not there any more, or a study was changed since | a "
    "comparison of both studies as they are now | compare the studies again, then make the report",
    "window_range": "a window from {lower:g} to {upper:g} HU | between {least:g} and {most:g} HU "
    "| give other limits, or go back to the window of the models",
    "app_folder": "the app's folder cannot be used ({reason}) | a folder that may be written | "
    "check its permissions and the medium",
    "audit_broken": "the audit trail does not hold together at entry {entry} | every entry as it "
    "was written | keep the app's folder as it is and ask who had access to the device",
    "database_refused": "the database refused ({reason}) | a folder that may be written | check "
    "the folder's permissions and the medium",
    "database_damaged": "{file} is damaged ({reason}) | the file as the app wrote it | start the "
    "app again: it keeps what can be read",
    "no_room_for_result": "the device has no room for the result | free space | delete studies or "
    "other files, and try again",
    "database_busy": "the database was busy for {seconds:.0f} seconds | one writer at a time | "
    "try again; close other copies of the app",
    "store_closed": "the store is closed | an open store | start the app again",
    "app_folder_in_use": "the app's folder is in use | one running app | close the other one, or "
    "start this one with another folder",
    "study_not_copied": "the study cannot be copied ({reason}) | files that may be read, and a "
    "folder that may be written | check the medium, and import the study again",
    "files_not_deleted": "the files in {folder} cannot be deleted | files that the app may delete "
    "| close other programs and start the app again: it will try once more",
    "no_room_for_study": "the device has no room for the study | free space for a copy of it | "
    "delete studies or other files, and try again",
    "stored_correction_shape": "a corrected mask of shape {shape} | the result's shape, {needed} "
    "| open the study that the correction belongs to",
    "database_foreign": "the database belongs to another program | a database of HEMX, or none | "
    "start the app with another folder",
    "database_newer": "the database has version {found} | at most version {most} | install the "
    "newest version of the app; nothing was changed",
    "not_stored": "there is no {what:term} {number} | a {what:term} that has not been deleted | "
    "go back to the list of studies",
    "store_rescued": "{parts:; } | the store as the app left it | look through the list and "
    "analyse studies without a result again; nothing was deleted: what was damaged is set "
    "aside, see Settings",
    "files_damaged": "of the study's {count} files[, {missing} are missing][, {changed} are not "
    "what was copied][ ({files})] | the files as they were copied | do not rely on it; import "
    "the study again from its source",
    "result_other_slices": "the result was made on other slices than the files give now | a "
    "result of these slices | analyse the study again",
    "setting_changed": "the setting {name} is not what was written | the setting as the app "
    "wrote it | set it again",
    "pin_trivial": "a PIN that is guessed at once: a sequence, a repeated pattern or a "
    "well-known one | a PIN that is none of these | choose another one",
    "pin_damaged": "the stored PIN is damaged | the PIN as it was set | start the app again; if "
    "that does not help, the app must be removed with its studies",
    "backup_foreign": "{file} is no backup of HEMX | a file that the app's backup wrote | "
    "choose the backup",
    "backup_damaged": "the backup is damaged ({what}) | the file as the app wrote it | copy it "
    "again, or choose another backup",
    "backup_newer": "the backup has version {found} | at most version {most} | install the "
    "newest version of the app",
    "no_room_for_backup": "no room for the backup | free space of the size of all studies | "
    "choose another place, or make room",
    "backup_not_written": "the backup cannot be written ({reason}) | a place that may be "
    "written to | choose another one",
    "closing": "the app is closing | no new job | start the app again",
    "copy_differs": "the copy reads as another series ({found} slices, not {needed}) | the series "
    "as it was chosen | import the study again; if it stays so, export the series by itself",
    "memory_free": "the study needs up to {needed_mib:.0f} MiB, and the device has {free_mib:.0f} "
    "MiB free | the need and {spare_mib:.0f} MiB for the system | close other apps, or choose a "
    "series with thicker slices",
    "memory_budget": "the study needs up to {needed_mib:.0f} MiB, and {used_mib:.0f} MiB of the "
    "app's {most_mib:.0f} MiB are in use | at most {most_mib:.0f} MiB in all | choose a series "
    "with thicker slices, or close other studies",
    "executorch_misfit": "ExecuTorch {what} ({reason})[; its log ends: {log: / }] | a program of "
    "the shapes that the manifest says | export the bundle again",
    "executorch_memory": "ExecuTorch {what} ({reason})[; its log ends: {log: / }] | enough free "
    "memory for the program | close other apps and try again",
    "executorch_version": "ExecuTorch {what} ({reason})[; its log ends: {log: / }] | a program of "
    "the library's version, with kernels that it has | install an app and a bundle that were "
    "built together",
    "executorch_failed": "ExecuTorch {what} ({reason})[; its log ends: {log: / }] | a completed "
    "call | start the app again; run the self-test",
    "runtime_failed": "the runtime failed ({kind}: {reason}) | an answer | load the models again",
    "not_tested": "these models bring no reference outputs: they cannot be tested on this device "
    "| a self-test that passed | do not triage on this device; install the app again, and report "
    "the device's model",
    "computes_otherwise": "the models compute something else on this device: {failed} | {limits} "
    "| do not triage on this device; install the app again, and report the device's model",
    "study_too_large": "{what} | one CT study | choose the folder of the study, not the whole "
    "medium",
    "record_changed": "{record:term} {number} is not what was written | the record as the app "
    "wrote it | triage the study again",
    "array_packed": "an array cannot be unpacked | the record as the app wrote it | triage the "
    "study again",
    "array_size": "an array unpacks to {found} bytes, not {needed} | the record as the app wrote "
    "it | triage the study again",
    "record_misfit": "a record does not fit ({reason}) | the record as the app wrote it | triage the "
    "study again",
    "unexpected": "the program failed unexpectedly ({kind}) | no such error | try again; if it "
    "comes back, report it with the app's version",
}
"""What was found, what was expected and what to do, with " | " between."""

STORED: dict[str, str] = {
    "duplicate_slices": "Slices with the same position and pixels as another were left out.",
    "duplicate_slices_differ": "Slices at the position of another but with other pixels were left "
    "out. The series may hold several scans or reconstructions.",
    "missing_files": "Files of the DICOMDIR are not there.",
    "several_patients": "The input holds CT of several patients. Make sure that the right one was "
    "read.",
    "several_studies": "The input holds several studies; one was read.",
    "unreadable_files": "Damaged files were left out.",
    "unreadable_slices": "Some of the series' slices cannot be read and are left out.",
}
"""Of notes that were stored as sentences, what is told without those that name a patient or files."""

"""A result as DICOM: the mask as SEG (PS3.3 A.51), the rest as a structured report, TID 1500 (PS3.16)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from hemx_core import __version__
from hemx_core.errors import InputError
from hemx_core.files import write_whole, writing
from hemx_core.imaging.reader import read_source_images
from hemx_core.imaging.volume import HUVolume
from hemx_core.markers import MARKERS
from hemx_core.measure.corrected import is_corrected
from hemx_core.measure.signs import SIGNS
from hemx_core.measure.volume import estimate_volume
from hemx_core.report.dicom_codes import (
    CEREBRAL_HAEMORRHAGE,
    HEAD_CT,
    MANUFACTURER,
    MILLILITRE,
    MILLIMETRE,
    MODEL_NAME,
    SCHEME,
    device_uid,
    equipment,
    highdicom_module,
    mark_deidentified,
    model_versions,
    own_code,
    referable,
)
from hemx_core.result import MarkerResult, TriageResult

SEGMENT_LABEL = "Intracerebral haemorrhage"
SEG_SERIES_NUMBER = 9100


def make_seg(
    result: TriageResult, volume: HUVolume, sources: Sequence[Dataset], *, identify: bool = False
) -> Any:
    """A binary segmentation of one segment; frames without blood are left out.

    Its frames lie on the images' own pixels: turned back as the files store them, and each with a
    reference to its image.

    Args:
        result: with a haematoma.
        volume: the triaged volume.
        sources: its images' headers, see `referable`.
        identify: whether `sources` carry what names the patient.
    Returns:
        A `highdicom.seg.Segmentation`.
    Raises:
        InputError: no haematoma: there is nothing to segment; or slices of several multi-frame files.
        BackendError: highdicom is not installed.
    """
    if not result.mask.any():
        raise InputError("no_mask_to_write")
    seg = highdicom_module("highdicom.seg")
    written = seg.Segmentation(
        source_images=list(sources),
        pixel_array=stored_frames(result.mask, volume, sources),
        segmentation_type=seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_description(result)],
        series_instance_uid=generate_uid(),
        series_number=SEG_SERIES_NUMBER,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        series_description="HEMX haematoma (research, not a medical device)",
        content_label="HAEMATOMA",
        content_description="Haematoma as segmented by HEMX, "
        + ("corrected by hand" if is_corrected(result) else "not edited"),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **equipment(),
    )
    if not identify:
        mark_deidentified(written)
    return written


def stored_frames(
    mask: NDArray[np.bool_], volume: HUVolume, sources: Sequence[Dataset]
) -> NDArray[np.uint8]:
    """The mask as the files lie: one frame for each image, or for each frame of a multi-frame file.

    Raises:
        InputError: slices of several multi-frame files.
    """
    stored = np.ascontiguousarray(volume.stored_grid.to_stored(mask)).astype(np.uint8)
    numbers = volume.identity.frame_numbers
    if not numbers:
        return stored
    if len(sources) != 1:
        raise InputError("several_multiframe", files=len(sources))
    frames = np.zeros((int(sources[0].NumberOfFrames), *stored.shape[1:]), np.uint8)
    frames[np.array(numbers) - 1] = stored
    return frames


def _description(result: TriageResult) -> Any:
    seg, content = highdicom_module("highdicom.seg"), highdicom_module("highdicom.content")
    color = highdicom_module("highdicom.color")
    kinds = seg.SegmentAlgorithmTypeValues
    return seg.SegmentDescription(
        segment_number=1,
        segment_label=SEGMENT_LABEL,
        # Morphology and site together: the IOD wants a type of the category's own context group.
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Hemorrhage,
        anatomic_regions=[codes.SCT.Brain],
        algorithm_type=kinds.SEMIAUTOMATIC if is_corrected(result) else kinds.AUTOMATIC,
        algorithm_identification=content.AlgorithmIdentificationSequence(
            name="HEMX segmenter",
            family=codes.DCM.ArtificialIntelligence,
            version=__version__,
            source=MANUFACTURER,
            parameters=model_versions(result, "segmenter"),
        ),
        tracking_uid=generate_uid(),
        tracking_id="haematoma",
        display_color=color.CIELabColor(l_star=80.0, a_star=10.0, b_star=80.0),
    )


SR_SERIES_NUMBER = 9101
ABC2 = own_code("abc2", "ABC/2 of the largest component")
FOUND = own_code("haematoma_found", "Haematoma found by the algorithm")
RECOMMENDATION = own_code("recommendation", "Triage recommendation")
RECOMMENDATIONS = {
    "no_haematoma_found": "No haematoma found; does not rule out haemorrhage",
    "cannot_tell": "Cannot tell; a clinician must look at the pictures, or scan again",
    "discuss_with_neurosurgical_centre": "Discuss with a neurosurgical centre",
    "call_neurosurgical_centre_now": "Call a neurosurgical centre now",
}


def make_sr(
    result: TriageResult,
    sources: Sequence[Dataset],
    seg: Any = None,
    *,
    identify: bool = False,
) -> Any:
    """A preliminary, unverified report of volume, diameter, density, markers and rule-based signs.

    Args:
        result: the triage result.
        sources: its images' headers, see `referable`.
        seg: the segmentation of `make_seg`; needed where a haematoma was found.
        identify: whether `sources` carry what names the patient.
    Returns:
        A `highdicom.sr.Comprehensive3DSR`.
    Raises:
        BackendError: highdicom is not installed.
    """
    sr = highdicom_module("highdicom.sr")
    schemes = highdicom_module("highdicom.coding_schemes")
    group = (
        _found_none(sr, result)
        if seg is None
        else _haematoma(sr, result, seg, sources[0].SeriesInstanceUID)
    )
    device = sr.DeviceObserverIdentifyingAttributes(
        uid=device_uid(), name="HEMX", manufacturer_name=MANUFACTURER, model_name=MODEL_NAME
    )
    report = sr.MeasurementReport(
        observation_context=sr.ObservationContext(
            observer_device_context=sr.ObserverContext(
                observer_type=codes.DCM.Device, observer_identifying_attributes=device
            )
        ),
        procedure_reported=HEAD_CT,
        imaging_measurements=[group],
        title=codes.DCM.ImagingMeasurementReport,
    )
    written = sr.Comprehensive3DSR(
        evidence=[*sources, *([] if seg is None else [seg])],
        content=report,
        series_instance_uid=generate_uid(),
        series_number=SR_SERIES_NUMBER,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        is_complete=True,
        is_final=False,
        is_verified=False,
        series_description="HEMX triage (research, not a medical device)",
        transfer_syntax_uid=ExplicitVRLittleEndian,
        coding_schemes=[
            schemes.CodingSchemeIdentificationItem(
                designator=SCHEME, name="HEMX", version=__version__
            )
        ],
        **equipment(),
    )
    if not identify:
        mark_deidentified(written)
    return written


def _haematoma(sr: Any, result: TriageResult, seg: Any, series: str) -> Any:
    described = seg.SegmentSequence[0]
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            uid=described.TrackingUID, identifier=described.TrackingID
        ),
        referenced_segment=sr.ReferencedSegment(
            sop_class_uid=seg.SOPClassUID,
            sop_instance_uid=seg.SOPInstanceUID,
            segment_number=1,
            source_series=sr.SourceSeriesForSegmentation(series),
        ),
        finding_type=CEREBRAL_HAEMORRHAGE,
        finding_sites=[sr.FindingSite(anatomic_location=codes.SCT.Brain)],
        algorithm_id=_algorithm(sr, result, "segmenter"),
        measurements=[
            *_measurements(sr, result),
            *(_probability(sr, result, marker) for marker in result.markers.values()),
        ],
        qualitative_evaluations=[*_answers(sr, result), *_conclusion(sr, result, found=True)],
    )


def _found_none(sr: Any, result: TriageResult) -> Any:
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=generate_uid(), identifier="haematoma"),
        finding_type=CEREBRAL_HAEMORRHAGE,
        finding_sites=[sr.FindingSite(anatomic_location=codes.SCT.Brain)],
        algorithm_id=_algorithm(sr, result, "segmenter"),
        qualitative_evaluations=_conclusion(sr, result, found=False),
    )


def _measurements(sr: Any, result: TriageResult) -> list[Any]:
    haematoma = result.haematoma
    low, high = estimate_volume(haematoma.mask, result.geometry).interval_ml
    measured = [
        sr.Measurement(
            name=codes.SCT.Volume,
            value=round(haematoma.volume_ml, 3),
            unit=MILLILITRE,
            # The ends of the 90 % interval, as distances from the value.
            properties=sr.MeasurementProperties(
                upper_measurement_uncertainty=round(high - haematoma.volume_ml, 3),
                lower_measurement_uncertainty=round(haematoma.volume_ml - low, 3),
            ),
        ),
        sr.Measurement(
            name=codes.SCT.Volume,
            value=round(haematoma.abc2_volume_ml, 3),
            unit=MILLILITRE,
            method=ABC2,
        ),
        sr.Measurement(
            name=codes.SCT.LongAxis, value=round(haematoma.max_diameter_mm, 2), unit=MILLIMETRE
        ),
    ]
    if haematoma.mean_hu is not None:
        value = round(haematoma.mean_hu, 1)
        measured.append(
            sr.Measurement(
                name=codes.DCM.AttenuationCoefficient,
                value=value,
                unit=codes.UCUM.HounsfieldUnit,
                derivation=codes.SCT.Mean,
            )
        )
    return measured


def _probability(sr: Any, result: TriageResult, marker: MarkerResult) -> Any:
    name = next(known.name_en for known in MARKERS if known.code == marker.code)
    return sr.Measurement(
        name=own_code(f"{marker.code}_probability", f"Calibrated probability of {name.lower()}"),
        value=round(marker.probability, 4),
        unit=codes.UCUM.NoUnits,
        algorithm_id=_algorithm(sr, result, "classifier", f"threshold={marker.threshold:g}"),
    )


def _answers(sr: Any, result: TriageResult) -> list[Any]:
    """Markers against their thresholds, and the rules' second opinion."""
    answers = [
        sr.QualitativeEvaluation(
            name=own_code(marker.code, marker.name_en),
            value=codes.SCT.Present if result.markers[marker.code].present else codes.SCT.Absent,
        )
        for marker in MARKERS
        if marker.code in result.markers
    ]
    words = {True: codes.SCT.Present, False: codes.SCT.Absent, None: codes.SCT.Indeterminate}
    return answers + [
        sr.QualitativeEvaluation(
            name=own_code(f"rule_{sign.code}", f"{SIGNS[sign.code].name_en} by rule on CT values"),
            value=words[sign.present],
        )
        for sign in result.signs
    ]


def _conclusion(sr: Any, result: TriageResult, *, found: bool) -> list[Any]:
    code = result.recommendation.value
    return [
        sr.QualitativeEvaluation(name=FOUND, value=codes.SCT.Yes if found else codes.SCT.No),
        sr.QualitativeEvaluation(name=RECOMMENDATION, value=own_code(code, RECOMMENDATIONS[code])),
    ]


def _algorithm(sr: Any, result: TriageResult, program: str, *more: str) -> Any:
    parameters = [f"{name}={value}" for name, value in model_versions(result, program).items()]
    return sr.AlgorithmIdentification(
        name=f"HEMX {program}",
        version=__version__,
        parameters=[*parameters, *more],
        manufacturer=MANUFACTURER,
    )


SEG_NAME = "haematoma_seg.dcm"
SR_NAME = "triage_sr.dcm"


@dataclass(frozen=True, slots=True)
class WrittenDicom:
    """Where the files lie; no segmentation where no haematoma was found."""

    seg: Path | None
    sr: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """Those that were written."""
        return (self.sr,) if self.seg is None else (self.seg, self.sr)


def check_dicom() -> None:
    """Refuse before the work starts where DICOM objects cannot be written.

    Raises:
        BackendError: highdicom is not installed.
    """
    highdicom_module("highdicom")


def write_dicom(
    result: TriageResult,
    volume: HUVolume,
    source: Path,
    folder: Path,
    *,
    identify: bool = False,
) -> WrittenDicom:
    """Write haematoma_seg.dcm and triage_sr.dcm, each whole or not at all.

    Patient and study attributes are empty unless asked for; the UIDs of study, series, images and frame
    of reference stay, because they are what ties the objects to their CT.

    Args:
        result: the triage result.
        volume: the triaged volume.
        source: the input that it was read from.
        folder: made where missing.
        identify: take over patient and study attributes from the images.
    Raises:
        InputError: the images cannot be referred to; see `read_source_images` and `referable`.
        BackendError: highdicom is not installed.
        OutputError: the disk refuses.
    """
    check_dicom()
    sources = referable(read_source_images(source, result.identity), volume, identify=identify)
    try:
        found = result.mask.any()
        seg = make_seg(result, volume, sources, identify=identify) if found else None
        report = make_sr(result, sources, seg, identify=identify)
    except ValueError as error:
        # highdicom's own checks, for example of PatientSex.
        raise InputError("images_unfit", reason=str(error)) from error
    folder = folder.resolve()
    seg_path, sr_path = folder / SEG_NAME, folder / SR_NAME
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if seg is None:
            seg_path.unlink(missing_ok=True)  # of an earlier run, beside a report that found none
    if seg is not None:
        write_whole(seg_path, _bytes(seg))
    write_whole(sr_path, _bytes(report))
    return WrittenDicom(None if seg is None else seg_path, sr_path)


def _bytes(written: Any) -> bytes:
    buffer = io.BytesIO()
    written.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()

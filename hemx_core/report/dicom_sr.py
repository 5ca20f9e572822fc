"""The findings as a DICOM structured report, TID 1500 (PS3.16)."""

from __future__ import annotations

from typing import Any

from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from hemx_core import __version__
from hemx_core.markers import MARKERS
from hemx_core.measure.estimate import estimate_result
from hemx_core.measure.signs import SIGNS
from hemx_core.notes import Severity
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
    fit_images,
    highdicom_module,
    model_versions,
    own_code,
)
from hemx_core.report.dicom_context import StudyContext
from hemx_core.result import MarkerResult, Recommendation, TriageResult

SR_SERIES_NUMBER = 9101
ABC2 = own_code("abc2", "ABC/2 of the largest component")
FOUND = own_code("haematoma_found", "Haematoma found by the algorithm")
WARNING = own_code("warning", "Warning")
LOWER_BOUND = own_code("lower_bound", "The volume is a lower bound")
UPPER_FIGURE = own_code("upper_figure", "Upper figure of the volume")
UNCERTAINTY = own_code("volume_uncertainty", "What the volume's uncertainty is")
DERIVED_REFERENCE = own_code(
    "derived_reference", "90 % interval against a derived reference, not a radiologist"
)
RECOMMENDATION = own_code("recommendation", "Triage recommendation")
RECOMMENDATIONS = {
    "no_haematoma_found": "No haematoma found; does not rule out haemorrhage",
    "cannot_tell": "Cannot tell: look at the pictures yourself, or scan again",
    "discuss_with_neurosurgical_centre": "Discuss with a neurosurgical centre",
    "call_neurosurgical_centre_now": "Call a neurosurgical centre now",
}


def make_sr(result: TriageResult, context: StudyContext, seg: Any = None) -> Any:
    """A preliminary, unverified report of volume, diameter, density, markers and rule-based signs.

    Args:
        result: the triage result.
        context: its images.
        seg: the segmentation of `make_seg`; without it a haematoma's measurements name no region.
    Returns:
        A `highdicom.sr.Comprehensive3DSR`.
    Raises:
        BackendError: highdicom is not installed.
        InputError: images that cannot be referred to.
    """
    sr = highdicom_module("highdicom.sr")
    schemes = highdicom_module("highdicom.coding_schemes")
    images = context.images
    group = (
        _without_a_region(sr, result)
        if seg is None
        else _region(sr, result, seg, images[0].SeriesInstanceUID)
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
    with fit_images():
        written = sr.Comprehensive3DSR(
            evidence=[*images, *([] if seg is None else [seg])],
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
    context.mark(written)
    return written


def _region(sr: Any, result: TriageResult, seg: Any, series: str) -> Any:
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
        measurements=_numbers(sr, result),
        qualitative_evaluations=[*_answers(sr, result), *_conclusion(sr, result, found=True)],
    )


def _without_a_region(sr: Any, result: TriageResult) -> Any:
    found = bool(result.mask.any())
    measured: dict[str, Any] = {"measurements": _numbers(sr, result)} if found else {}
    answers = _answers(sr, result) if found else []
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=generate_uid(), identifier="haematoma"),
        finding_type=CEREBRAL_HAEMORRHAGE,
        finding_sites=[sr.FindingSite(anatomic_location=codes.SCT.Brain)],
        algorithm_id=_algorithm(sr, result, "segmenter"),
        qualitative_evaluations=[*answers, *_conclusion(sr, result, found=found)],
        **measured,
    )


def _numbers(sr: Any, result: TriageResult) -> list[Any]:
    probabilities = (_probability(sr, result, marker) for marker in result.markers.values())
    return [*_measurements(sr, result), *probabilities]


def _measurements(sr: Any, result: TriageResult) -> list[Any]:
    haematoma = result.haematoma
    interval = estimate_result(result).interval_ml
    measured = [
        sr.Measurement(
            name=codes.SCT.Volume,
            value=round(haematoma.volume_ml, 3),
            unit=MILLILITRE,
            # The ends of the 90 % interval, as distances from the value.
            properties=None
            if interval is None
            else sr.MeasurementProperties(
                upper_measurement_uncertainty=round(interval[1] - haematoma.volume_ml, 3),
                lower_measurement_uncertainty=round(haematoma.volume_ml - interval[0], 3),
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
    if haematoma.at_most_ml is not None:
        measured.append(
            sr.Measurement(
                name=codes.SCT.Volume,
                value=round(haematoma.at_most_ml, 3),
                unit=MILLILITRE,
                method=UPPER_FIGURE,
            )
        )
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
    """Markers against their thresholds, whether each is validated, and the rules' second opinion."""
    answers = [
        sr.QualitativeEvaluation(
            name=own_code(marker.code, marker.name_en),
            value=codes.SCT.Present if result.markers[marker.code].present else codes.SCT.Absent,
        )
        for marker in MARKERS
        if marker.code in result.markers
    ]
    answers += [
        sr.QualitativeEvaluation(
            name=own_code(
                f"{marker.code}_validated", f"{marker.name_en} validated on real patients"
            ),
            value=codes.SCT.Yes if result.markers[marker.code].validated else codes.SCT.No,
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
    """Found or not, what to do, and each warning: whoever reads the numbers must meet them."""
    code = result.recommendation.value
    unknown = result.recommendation is Recommendation.CANNOT_TELL
    none = codes.SCT.Indeterminate if unknown else codes.SCT.No
    answer = codes.SCT.Yes if found else none
    warned = [note.code for note in result.notes if note.severity is Severity.WARNING]
    told = [
        sr.QualitativeEvaluation(
            name=WARNING, value=own_code(warning, warning.replace("_", " ").capitalize())
        )
        for warning in dict.fromkeys(warned)
    ]
    if result.haematoma.lower_bound:
        told.append(sr.QualitativeEvaluation(name=LOWER_BOUND, value=codes.SCT.Yes))
    if estimate_result(result).interval_ml is not None:
        told.append(sr.QualitativeEvaluation(name=UNCERTAINTY, value=DERIVED_REFERENCE))
    return [
        *told,
        sr.QualitativeEvaluation(name=FOUND, value=answer),
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

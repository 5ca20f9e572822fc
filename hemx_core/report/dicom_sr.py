"""Measurements, markers and recommendation as a DICOM structured report: TID 1500 (PS3.16).

A haematoma is a volumetric region (TID 1411) that refers to its segment in the SEG; without one the
report holds a measurement group (TID 1501) that says that the algorithm found none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from hemx_core import __version__
from hemx_core.markers import MARKERS
from hemx_core.measure.signs import SIGNS
from hemx_core.measure.uncertainty import estimate_volume
from hemx_core.report.dicom_codes import (
    ABSENT,
    ATTENUATION,
    BRAIN,
    CEREBRAL_HAEMORRHAGE,
    HEAD_CT,
    HOUNSFIELD,
    INDETERMINATE,
    LONG_AXIS,
    MANUFACTURER,
    MEAN,
    MILLILITRE,
    MILLIMETRE,
    MODEL_NAME,
    NO,
    NO_UNITS,
    PRESENT,
    SCHEME,
    VOLUME,
    YES,
    device_uid,
    equipment,
    highdicom_module,
    mark_deidentified,
    model_versions,
    own_code,
)
from hemx_core.result import MarkerResult, TriageResult

SERIES_NUMBER = 9101
ABC2 = own_code("abc2", "ABC/2 of the largest component")
FOUND = own_code("haematoma_found", "Haematoma found by the algorithm")
RECOMMENDATION = own_code("recommendation", "Triage recommendation")
RECOMMENDATIONS = {
    "no_haematoma_found": "No haematoma found; does not rule out haemorrhage",
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
    codes = highdicom_module("pydicom.sr.codedict").codes
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
        series_number=SERIES_NUMBER,
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
        finding_sites=[sr.FindingSite(anatomic_location=BRAIN)],
        algorithm_id=_algorithm(sr, result, "segmenter"),
        measurements=[
            *_measurements(sr, result),
            *(_probability(sr, result, one) for one in result.markers.values()),
        ],
        qualitative_evaluations=[*_answers(sr, result), *_conclusion(sr, result, found=True)],
    )


def _found_none(sr: Any, result: TriageResult) -> Any:
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=generate_uid(), identifier="haematoma"),
        finding_type=CEREBRAL_HAEMORRHAGE,
        finding_sites=[sr.FindingSite(anatomic_location=BRAIN)],
        algorithm_id=_algorithm(sr, result, "segmenter"),
        qualitative_evaluations=_conclusion(sr, result, found=False),
    )


def _measurements(sr: Any, result: TriageResult) -> list[Any]:
    haematoma = result.haematoma
    low, high = estimate_volume(haematoma.mask, result.geometry).interval_ml
    measured = [
        sr.Measurement(
            name=VOLUME,
            value=round(haematoma.volume_ml, 3),
            unit=MILLILITRE,
            # The ends of the 90 % interval, as distances from the value.
            properties=sr.MeasurementProperties(
                upper_measurement_uncertainty=round(high - haematoma.volume_ml, 3),
                lower_measurement_uncertainty=round(haematoma.volume_ml - low, 3),
            ),
        ),
        sr.Measurement(
            name=VOLUME, value=round(haematoma.abc2_volume_ml, 3), unit=MILLILITRE, method=ABC2
        ),
        sr.Measurement(name=LONG_AXIS, value=round(haematoma.max_diameter_mm, 2), unit=MILLIMETRE),
    ]
    if haematoma.mean_hu is not None:
        value = round(haematoma.mean_hu, 1)
        measured.append(
            sr.Measurement(name=ATTENUATION, value=value, unit=HOUNSFIELD, derivation=MEAN)
        )
    return measured


def _probability(sr: Any, result: TriageResult, marker: MarkerResult) -> Any:
    name = next(one.name_en for one in MARKERS if one.code == marker.code)
    return sr.Measurement(
        name=own_code(f"{marker.code}_probability", f"Calibrated probability of {name.lower()}"),
        value=round(marker.probability, 4),
        unit=NO_UNITS,
        algorithm_id=_algorithm(sr, result, "classifier", f"threshold={marker.threshold:g}"),
    )


def _answers(sr: Any, result: TriageResult) -> list[Any]:
    """Markers against their thresholds, and the rules' second opinion."""
    answers = [
        sr.QualitativeEvaluation(
            name=own_code(marker.code, marker.name_en),
            value=PRESENT if result.markers[marker.code].present else ABSENT,
        )
        for marker in MARKERS
        if marker.code in result.markers
    ]
    words = {True: PRESENT, False: ABSENT, None: INDETERMINATE}
    return answers + [
        sr.QualitativeEvaluation(
            name=own_code(f"rule_{one.code}", f"{SIGNS[one.code].name_en} by rule on CT values"),
            value=words[one.present],
        )
        for one in result.signs
    ]


def _conclusion(sr: Any, result: TriageResult, *, found: bool) -> list[Any]:
    code = result.recommendation.value
    return [
        sr.QualitativeEvaluation(name=FOUND, value=YES if found else NO),
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

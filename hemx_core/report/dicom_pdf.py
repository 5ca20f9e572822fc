"""The referral as a DICOM Encapsulated PDF (PS3.3 A.45.1), for archives that file no loose documents."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian, generate_uid

from hemx_core.report.dicom_codes import equipment, fit_images, highdicom_module
from hemx_core.report.dicom_context import StudyContext

PDF_SERIES_NUMBER = 9102
REFERRAL_NOTE = Code("57133-1", "LN", "Referral note")


def make_encapsulated_pdf(pdf: bytes, context: StudyContext, *, title: str) -> Any:
    """A PDF in the study of its images.

    Args:
        pdf: the file.
        context: the images that it shows.
        title: of the document.
    Returns:
        A `highdicom.SOPClass`.
    Raises:
        BackendError: highdicom is not installed.
        InputError: images that cannot be referred to.
    """
    base, content = highdicom_module("highdicom.base"), highdicom_module("highdicom.sr.coding")
    image = context.images[0]
    with fit_images():
        written = base.SOPClass(
            study_instance_uid=image.StudyInstanceUID,
            series_instance_uid=generate_uid(),
            series_number=PDF_SERIES_NUMBER,
            sop_instance_uid=generate_uid(),
            sop_class_uid=EncapsulatedPDFStorage,
            instance_number=1,
            modality="DOC",
            transfer_syntax_uid=ExplicitVRLittleEndian,
            patient_id=image.PatientID,
            patient_name=image.PatientName,
            patient_birth_date=image.PatientBirthDate,
            patient_sex=image.PatientSex,
            accession_number=image.AccessionNumber,
            study_id=image.StudyID,
            study_date=image.StudyDate,
            study_time=image.StudyTime,
            referring_physician_name=image.ReferringPhysicianName,
            series_description="HEMX referral (research, not a medical device)",
            specific_character_set=image.SpecificCharacterSet,
            **equipment(),
        )
        written.copy_patient_and_study_information(image)
    written.ConversionType = "WSD"
    written.AcquisitionDateTime = ""
    # The page names the patient, or it does not.
    written.BurnedInAnnotation = "YES" if context.identify else "NO"
    written.SourceInstanceSequence = Sequence([_reference(one) for one in context.images])
    written.DocumentTitle = title
    written.ConceptNameCodeSequence = Sequence([content.CodedConcept.from_code(REFERRAL_NOTE)])
    written.VerificationFlag = "UNVERIFIED"
    written.MIMETypeOfEncapsulatedDocument = "application/pdf"
    written.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    written.EncapsulatedDocumentLength = len(pdf)
    context.mark(written)
    return written


def _reference(image: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = image.SOPClassUID
    item.ReferencedSOPInstanceUID = image.SOPInstanceUID
    return item

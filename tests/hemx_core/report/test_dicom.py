"""SEG and SR read back: geometry, references, values, names."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from pydicom import DataElement, config, dcmread
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, EncapsulatedPDFStorage, EnhancedCTImageStorage

from hemx_core.data.seg import read_seg
from hemx_core.errors import BackendError, InputError, OutputError
from hemx_core.imaging.reader import read_series, read_source_images
from hemx_core.imaging.volume import HUVolume
from hemx_core.notes import Note, Severity
from hemx_core.pipeline import triage_volume
from hemx_core.report.dicom import DicomWriter, WrittenDicom, check_dicom
from hemx_core.report.dicom_context import StudyContext, new_uid, study_context
from hemx_core.report.dicom_sr import make_sr
from hemx_core.report.folder import SEG_NAME, SR_NAME
from hemx_core.result import Recommendation, TriageResult
from hemx_core.words import tell
from tests.factories import VOLUME_INTERVAL, ThresholdModels, simple_head, write_ct_series

Case = tuple[HUVolume, TriageResult]
SPACING = {"PixelSpacing": [1.5, 1.5]}
LOGITS = (3.0, -2.0, 1.0, -4.0)


def _write(folder: Path, clot_mm: float = 14.0, **elements: Any) -> Path:
    """A series with a clot left of the middle, whose two slices differ."""
    hu = simple_head(clot_mm=clot_mm).hu.copy()
    hu[3, 70:80, 60:70] = hu[3, 80, 80]
    write_ct_series(folder, hu=hu, **(SPACING | elements))
    return folder


def _triage(path: Path) -> Case:
    volume = read_series(path)
    return volume, triage_volume(volume, ThresholdModels(logits=LOGITS))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def case(study: Path) -> Case:
    return _triage(study)


@pytest.fixture(scope="module")
def written(case: Case, study: Path, tmp_path_factory: pytest.TempPathFactory) -> WrittenDicom:
    """With the images' own UIDs."""
    out = tmp_path_factory.mktemp("out")
    return DicomWriter(case[1], case[0], study, out, keep_uids=True).write()


@pytest.fixture(scope="module")
def nameless(
    case: Case, study: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Dataset]:
    """All three objects as they are written by default, by their modality."""
    writer = DicomWriter(case[1], case[0], study, tmp_path_factory.mktemp("nameless"))
    paths = (*writer.write_seg(), *writer.write_sr(), *writer.write_pdf(b"%PDF-1.4 odd", "Title"))
    return {one.Modality: one for one in map(dcmread, paths)}


def _tilt(index: int, dataset: Dataset) -> None:
    angle = np.deg2rad(15)
    dataset.ImageOrientationPatient = [1, 0, 0, 0, np.cos(angle), np.sin(angle)]


def _unequal(index: int, dataset: Dataset) -> None:
    dataset.ImagePositionPatient = [-100, -120, 5 * index + 3 * (index > 3)]


FORMS: dict[str, dict[str, Any]] = {
    "as usual": {},
    "upside down": {"ImageOrientationPatient": [-1, 0, 0, 0, -1, 0]},
    "transposed": {"ImageOrientationPatient": [0, 1, 0, 1, 0, 0]},
    "tilted": {"change": _tilt},
    "unequal": {"change": _unequal},
    "no thickness": {"SliceThickness": None},
}


@pytest.mark.parametrize("form", FORMS)
def test_the_segmentation_lies_on_its_series(form: str, tmp_path: Path) -> None:
    path = _write(tmp_path / "study", **FORMS[form])
    volume, result = _triage(path)
    assert result.mask.any()
    written = DicomWriter(result, volume, path, tmp_path / "out").write()
    assert written.seg is not None
    assert np.array_equal(read_seg(written.seg, volume), result.mask)
    # By its positions alone, without the references to the images:
    unnamed = replace(volume, identity=replace(volume.identity, sop_instance_uids=()))
    assert np.array_equal(read_seg(written.seg, unnamed), result.mask)


def test_highdicom_reads_the_segmentation_back(written: WrittenDicom, case: Case) -> None:
    assert written.seg is not None
    seg = hd.seg.segread(written.seg)
    volume, result = case
    uids = volume.identity.sop_instance_uids
    read = seg.get_pixels_by_source_instance(
        uids, ignore_spatial_locations=True, assert_missing_frames_are_empty=True
    )
    assert np.array_equal(read[..., 0] > 0, result.mask)
    (described,) = seg.SegmentSequence
    assert (seg.StudyInstanceUID, seg.FrameOfReferenceUID) == (
        volume.identity.study_uid,
        volume.identity.frame_of_reference_uid,
    )
    code = described.SegmentedPropertyTypeCodeSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("50960005", "SCT")
    region = described.AnatomicRegionSequence[0]
    assert (region.CodeValue, region.CodeMeaning) == ("12738006", "Brain")
    assert described.SegmentAlgorithmType == "AUTOMATIC"
    algorithm = described.SegmentationAlgorithmIdentificationSequence[0]
    family = algorithm.AlgorithmFamilyCodeSequence[0]
    assert (family.CodeValue, family.CodingSchemeDesignator) == ("123110", "DCM")
    assert family.CodeMeaning == "Artificial Intelligence"
    assert "a" * 64 in algorithm.AlgorithmParameters
    assert len(seg.PerFrameFunctionalGroupsSequence) == result.mask.any((1, 2)).sum()


def _items(sequence: Sequence, kind: str) -> dict[str, Dataset]:
    """Content items of a kind by the meaning of their name."""
    return {
        one.ConceptNameCodeSequence[0].CodeMeaning
        + ("" if "ABC" not in str(one) else " ABC/2"): one
        for one in sequence
        if one.ValueType == kind
    }


def _number(item: Dataset) -> tuple[float, str]:
    value = item.MeasuredValueSequence[0]
    return float(value.NumericValue), value.MeasurementUnitsCodeSequence[0].CodeValue


def _property(item: Dataset, name: str) -> float:
    """A property of a measurement, by the meaning of its name."""
    found = [
        one
        for one in item.ContentSequence
        if one.ConceptNameCodeSequence[0].CodeMeaning.lower() == name.lower()
    ]
    return _number(found[0])[0]


def test_the_report_holds_measurements_markers_and_recommendation(
    written: WrittenDicom, case: Case
) -> None:
    report = hd.sr.srread(written.sr)
    assert isinstance(report, hd.sr.Comprehensive3DSR)
    (group,) = report.content.get_volumetric_roi_measurement_groups()
    result = case[1]
    assert group.finding_type.value == "274100004"
    numbers = _items(group[0].ContentSequence, "NUM")
    haematoma = result.haematoma
    assert _number(numbers["Volume"]) == (pytest.approx(haematoma.volume_ml, abs=1e-3), "mL")
    interval = VOLUME_INTERVAL.around(haematoma.volume_ml, len(haematoma.component_volumes_ml))
    ends = [
        _property(numbers["Volume"], f"{sign}, range of {name} measurement uncertainty")
        for sign, name in (("-", "lower"), ("+", "upper"))
    ]
    assert [abs(end) for end in ends] == pytest.approx(
        [abs(end - haematoma.volume_ml) for end in interval], abs=2e-3
    )
    assert _number(numbers["Volume ABC/2"])[0] == pytest.approx(haematoma.abc2_volume_ml, abs=1e-3)
    assert _number(numbers["Long axis"]) == (
        pytest.approx(haematoma.max_diameter_mm, abs=0.01),
        "mm",
    )
    probability = numbers["Calibrated probability of blend sign"]
    assert _number(probability) == (
        pytest.approx(result.markers["blend"].probability, abs=1e-4),
        "1",
    )
    assert "threshold=0.5" in str(probability), "the probability's algorithm names its threshold"
    answers = {
        name: item.ConceptCodeSequence[0].CodeMeaning
        for name, item in _items(group[0].ContentSequence, "CODE").items()
    }
    assert (answers["Blend sign"], answers["Fluid level"]) == ("Present", "Absent")
    assert answers["Blend sign validated on real patients"] == "Yes"
    assert answers["Triage recommendation"] == "Call a neurosurgical centre now"
    assert "derived reference, not a radiologist" in answers["What the volume's uncertainty is"]
    assert answers["Blend sign by rule on CT values"] == "Absent"
    assert report.PreliminaryFlag == "PRELIMINARY"
    assert report.VerificationFlag == "UNVERIFIED"


def test_without_an_interval_the_volume_has_no_uncertainty(case: Case, study: Path) -> None:
    volume, result = case
    bare = replace(result, volume_interval=None)
    context = study_context(read_source_images(study, volume.identity), volume, identify=False)
    assert "measurement uncertainty" in str(make_sr(result, context))
    text = str(make_sr(bare, context))
    assert "measurement uncertainty" not in text
    assert "derived reference" not in text


def test_the_report_refers_to_the_segment_and_the_images(written: WrittenDicom, case: Case) -> None:
    assert written.seg is not None
    report, seg = dcmread(written.sr), dcmread(written.seg)
    named = {
        one.ReferencedSOPInstanceUID
        for sequence in (
            report.get("CurrentRequestedProcedureEvidenceSequence", ()),
            report.get("PertinentOtherEvidenceSequence", ()),
        )
        for study in sequence
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    assert named == {seg.SOPInstanceUID, *case[0].identity.sop_instance_uids}
    (group,) = hd.sr.srread(written.sr).content.get_volumetric_roi_measurement_groups()
    assert group.tracking_uid == seg.SegmentSequence[0].TrackingUID


SECRETS = ("P1", "Test", "20260102", "030405", "Site A", "ACME")


def _values(path: Path) -> str:
    """All values of a file but its UIDs."""
    return "\n".join(
        str(one.value) for one in dcmread(path).iterall() if one.VR not in ("UI", "SQ")
    )


def test_nothing_names_the_patient_unless_asked(
    written: WrittenDicom, case: Case, study: Path, tmp_path: Path
) -> None:
    for path in written.files:
        values = _values(path)
        assert [secret for secret in SECRETS if secret in values] == []
        assert dcmread(path).PatientIdentityRemoved == "YES"
    asked = DicomWriter(case[1], case[0], study, tmp_path, identify=True).write()
    for path in asked.files:
        dataset = dcmread(path)
        assert (dataset.PatientID, str(dataset.PatientName)) == ("P1", "Test^Case")
        assert dataset.StudyDate == "20260102"
        assert "PatientIdentityRemoved" not in dataset


def test_without_a_haematoma_there_is_a_report_only(
    tmp_path: Path, case: Case, study: Path
) -> None:
    out = tmp_path / "out"
    DicomWriter(case[1], case[0], study, out).write()
    assert (out / SEG_NAME).is_file()
    path = _write(tmp_path / "study", clot_mm=0)
    volume, result = _triage(path)
    written = DicomWriter(result, volume, path, out).write()
    assert written.seg is None
    assert [one.name for one in out.iterdir()] == [SR_NAME], "no mask of an earlier run is left"
    (group,) = hd.sr.srread(written.sr).content.get_image_measurement_groups()
    answers = _items(group[0].ContentSequence, "CODE")
    assert answers["Haematoma found by the algorithm"].ConceptCodeSequence[0].CodeMeaning == "No"
    meaning = answers["Triage recommendation"].ConceptCodeSequence[0].CodeMeaning
    assert meaning == "No haematoma found; does not rule out haemorrhage"


def _enhanced(folder: Path) -> Path:
    """The series as one multi-frame file, its frames head to feet."""
    single = [dcmread(path) for path in sorted(_write(folder / "single").iterdir())]
    dataset, frames = single[0], []
    for one in single:
        frame, position, transform = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = one.ImagePositionPatient
        transform.RescaleSlope, transform.RescaleIntercept, transform.RescaleType = 1, -1024, "HU"
        frame.PlanePositionSequence = Sequence([position])
        frame.PixelValueTransformationSequence = Sequence([transform])
        frame.FrameContentSequence = Sequence([Dataset()])
        frames.append(frame)
    shared, measures, plane, kind = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [1.5, 1.5], 5
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    kind.FrameType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([plane])
    shared.CTImageFrameTypeSequence = Sequence([kind])
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    dataset.NumberOfFrames = len(single)
    dataset.PixelData = b"".join(one.PixelData for one in single)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
                    "SliceThickness", "RescaleSlope", "RescaleIntercept"):  # fmt: skip
        delattr(dataset, keyword)
    path = folder / "enhanced"
    dataset.save_as(path)
    return path


def test_a_multi_frame_file(tmp_path: Path) -> None:
    path = _enhanced(tmp_path)
    volume, result = _triage(path)
    written = DicomWriter(result, volume, path, tmp_path / "out").write()
    assert written.seg is not None
    assert np.array_equal(read_seg(written.seg, volume), result.mask)


def test_the_images_are_found_again_in_slice_order(study: Path, case: Case) -> None:
    images = read_source_images(study, case[0].identity)
    assert tuple(one.SOPInstanceUID for one in images) == case[0].identity.sop_instance_uids
    assert all("PixelData" not in one for one in images)


def test_images_that_are_gone_are_told(tmp_path: Path) -> None:
    path = _write(tmp_path / "study")
    volume, result = _triage(path)
    next(path.iterdir()).unlink()
    with pytest.raises(InputError, match="1 of the series' 6 files are not there"):
        DicomWriter(result, volume, path, tmp_path / "out").write()
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_referred_to_is_refused(tmp_path: Path) -> None:
    array = simple_head(clot_mm=14)
    with pytest.raises(InputError, match="without SOP instance UIDs"):
        read_source_images(tmp_path, array.identity)


ODD: dict[str, tuple[Any, str]] = {
    "PatientSex": ("U", ""),
    "PatientBirthDate": ("1940", ""),
    "StudyTime": ("03:20:00", ""),
    "StudyDate": ("20261301", ""),
    "PatientAge": ("86", ""),
    "AccessionNumber": ("x" * 17, ""),
    "PatientID": ("P1\x1b[31m", ""),
    "StudyID": (["1", "2"], ""),
    "PatientName": ("A^B^C^D^E^F=試験^花子", "=試験^花子"),
    "ReferringPhysicianName": ("x" * 65, ""),
}


def test_odd_demographics_are_left_out_and_told(tmp_path: Path) -> None:
    def change(_index: int, dataset: Dataset) -> None:
        dataset.SpecificCharacterSet = "ISO_IR 192"
        for keyword, (value, _) in ODD.items():
            dataset[keyword] = DataElement(
                keyword, dictionary_VR(keyword), value, validation_mode=config.IGNORE
            )
        dataset.StudyDescription = "Fine"

    path = _write(tmp_path / "study", change=change)
    volume, result = _triage(path)
    written = DicomWriter(result, volume, path, tmp_path / "out", identify=True).write()
    assert len(written.files) == 2
    for dataset in map(dcmread, written.files):
        for keyword, (_, kept) in ODD.items():
            assert str(dataset.get(keyword) or "") == kept, keyword
        assert dataset.StudyDescription == "Fine"
        assert dataset.SpecificCharacterSet == "ISO_IR 192"
    (note,) = written.notes
    assert set(note.values["attributes"]) == set(ODD)  # type: ignore[arg-type]
    assert "PatientBirthDate" in tell(note)
    assert "PatientBirthDate" in tell(note, "ja")
    # Without names none of it matters, and nothing is told.
    assert DicomWriter(result, volume, path, tmp_path / "out").write().notes == ()


def test_a_japanese_character_set_is_written_in_unicode(tmp_path: Path) -> None:
    name = "Demo^Hanako=試験^花子=しけん^はなこ"

    def change(_index: int, dataset: Dataset) -> None:
        dataset.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
        dataset.PatientName = name

    path = _write(tmp_path / "study", change=change)
    volume, result = _triage(path)
    written = DicomWriter(result, volume, path, tmp_path / "out", identify=True).write()
    assert len(written.files) == 2
    for dataset in map(dcmread, written.files):
        assert dataset.SpecificCharacterSet == "ISO_IR 192"
        assert str(dataset.PatientName) == name
    assert written.notes == ()


def test_without_names_objects_have_a_study_and_a_patient_of_their_own(
    nameless: dict[str, Dataset], case: Case
) -> None:
    identity = case[0].identity
    own = {
        *identity.sop_instance_uids,
        identity.study_uid,
        identity.series_uid,
        identity.frame_of_reference_uid,
    }
    assert nameless.keys() == {"SEG", "SR", "DOC"}
    for dataset in nameless.values():
        told = {str(one.value) for one in dataset.iterall() if one.VR == "UI"}
        assert not told & own
        assert dataset.StudyInstanceUID == new_uid(identity.study_uid)
        assert str(dataset.PatientName).startswith("HEMX^")
        assert str(dataset.PatientID).startswith("HEMX-")
        assert dataset.PatientIdentityRemoved == "YES"
        assert "new UIDs" in dataset.DeidentificationMethod
    assert len({str(one.PatientID) for one in nameless.values()}) == 1
    seg = nameless["SEG"]
    assert seg.FrameOfReferenceUID == new_uid(identity.frame_of_reference_uid)
    assert seg.PositionReferenceIndicator in (None, "")
    # The references agree with what the images become when they are de-identified alike.
    named = {
        str(one.ReferencedSOPInstanceUID)
        for series in seg.ReferencedSeriesSequence
        for one in series.ReferencedInstanceSequence
    }
    assert named <= {new_uid(uid) for uid in identity.sop_instance_uids}


def test_two_runs_of_a_study_agree_and_new_uids_are_valid(
    nameless: dict[str, Dataset], case: Case, study: Path, tmp_path: Path
) -> None:
    again = dcmread(DicomWriter(case[1], case[0], study, tmp_path).write().sr)
    first = nameless["SR"]
    assert again.StudyInstanceUID == first.StudyInstanceUID
    assert again.PatientID == first.PatientID
    assert again.SOPInstanceUID != first.SOPInstanceUID
    assert UID(new_uid("1.2.3")).is_valid
    assert new_uid("1.2.3") != new_uid("1.2.4")


def test_the_referral_as_an_encapsulated_pdf(nameless: dict[str, Dataset]) -> None:
    document = nameless["DOC"]
    assert document.SOPClassUID == EncapsulatedPDFStorage
    length = document.EncapsulatedDocumentLength
    assert document.EncapsulatedDocument[:length] == b"%PDF-1.4 odd"
    assert len(document.EncapsulatedDocument) % 2 == 0
    assert document.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert (document.DocumentTitle, document.BurnedInAnnotation) == ("Title", "NO")
    assert len(document.SourceInstanceSequence) == 6


def test_without_a_frame_of_reference_there_is_still_a_report(tmp_path: Path) -> None:
    path = _write(tmp_path / "study", FrameOfReferenceUID=None)
    volume, result = _triage(path)
    writer = DicomWriter(result, volume, path, tmp_path / "out")
    with pytest.raises(InputError, match="images without FrameOfReferenceUID"):
        writer.write_seg()
    (report,) = writer.write_sr()
    (group,) = hd.sr.srread(report).content.get_image_measurement_groups()
    numbers = _items(group[0].ContentSequence, "NUM")
    assert _number(numbers["Volume"])[0] == pytest.approx(result.haematoma.volume_ml, abs=1e-3)
    answers = _items(group[0].ContentSequence, "CODE")
    assert answers["Haematoma found by the algorithm"].ConceptCodeSequence[0].CodeMeaning == "Yes"


def test_slices_read_as_one_scan_share_a_frame_of_reference(tmp_path: Path) -> None:
    def change(index: int, dataset: Dataset) -> None:
        if index > 2:
            dataset.FrameOfReferenceUID = "1.2.3.4.5"

    path = _write(tmp_path / "study", change=change)
    volume, result = _triage(path)
    assert len(volume.hu) == 6
    written = DicomWriter(result, volume, path, tmp_path / "out", identify=True).write()
    assert written.seg is not None
    assert np.array_equal(read_seg(written.seg, volume), result.mask)
    first = read_source_images(path, volume.identity)[0]
    assert dcmread(written.seg).FrameOfReferenceUID == first.FrameOfReferenceUID


def test_the_report_tells_warnings_and_a_lower_bound(
    case: Case, study: Path, tmp_path: Path
) -> None:
    volume, result = case
    doubtful = replace(
        result,
        notes=(Note("unreadable_slices", Severity.WARNING, count=2), *result.notes),
        haematoma=replace(result.haematoma, lower_bound=True, at_most_ml=40.0),
    )
    report = DicomWriter(doubtful, volume, study, tmp_path).write().sr
    told = str(dcmread(report))
    for part in ("Unreadable slices", "The volume is a lower bound", "Upper figure of the volume"):
        assert part in told


def test_the_report_says_that_it_cannot_tell(tmp_path: Path) -> None:
    path = _write(tmp_path / "study", clot_mm=0)
    volume, result = _triage(path)
    doubtful = replace(result, recommendation=Recommendation.CANNOT_TELL)
    report = DicomWriter(doubtful, volume, path, tmp_path / "out").write().sr
    assert "Cannot tell: look at the pictures yourself" in str(dcmread(report))
    assert "No haematoma found; does not" not in str(dcmread(report))
    (group,) = hd.sr.srread(report).content.get_image_measurement_groups()
    found = _items(group[0].ContentSequence, "CODE")["Haematoma found by the algorithm"]
    assert found.ConceptCodeSequence[0].CodeMeaning == "Indeterminate"


def test_highdicom_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    check_dicom()
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(BackendError, match=r'pip install "hemx\[dicom\]"'):
        check_dicom()


def test_a_disk_error_leaves_the_earlier_files_whole(
    case: Case, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = DicomWriter(case[1], case[0], study, tmp_path).write()
    before = [path.read_bytes() for path in first.files]

    def full(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        DicomWriter(case[1], case[0], study, tmp_path).write()
    assert [path.read_bytes() for path in first.files] == before
    assert sorted(one.name for one in tmp_path.iterdir()) == [SEG_NAME, SR_NAME]


def test_only_what_is_needed_is_taken_over(study: Path, case: Case) -> None:
    images = read_source_images(study, case[0].identity)
    before = images[0].to_json()

    def keep(identify: bool) -> Dataset:
        context: StudyContext = study_context(images, case[0], identify=identify)
        return context.images[0]

    assert "Test" not in keep(False).PatientName
    assert "InstitutionName" not in keep(True)
    assert keep(True).PatientName == "Test^Case"
    assert images[0].to_json() == before

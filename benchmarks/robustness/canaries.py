"""Planted names: 70 words of their own wherever a person may be named, looked for in all that comes out.

Which may come out is what docs/privacy.md and docs/result_schema.md say: the description of the series.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset

import hemx_core as hemx
from benchmarks.robustness.outcome import Outcome, Row
from hemx_core.errors import BenchmarkError, HemxError
from mobile_app import logs
from mobile_app.store import Store

ALLOWED = ("SeriesDescription",)
"""What the documents say may come out: descriptions stay, without names that the header has elsewhere."""
KEYWORDS = (
    "PatientName", "PatientID", "OtherPatientIDs", "OtherPatientNames", "PatientBirthName",
    "PatientMotherBirthName", "PatientAddress", "PatientTelephoneNumbers", "MilitaryRank",
    "BranchOfService", "CountryOfResidence", "RegionOfResidence", "MedicalRecordLocator",
    "PatientInsurancePlanCodeSequence", "Occupation", "AdditionalPatientHistory", "PatientComments",
    "EthnicGroup", "PatientReligiousPreference", "ResponsiblePerson", "ResponsibleOrganization",
    "IssuerOfPatientID", "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName",
    "ReferringPhysicianName", "ReferringPhysicianAddress", "ReferringPhysicianTelephoneNumbers",
    "ConsultingPhysicianName", "PhysiciansOfRecord", "PerformingPhysicianName", "OperatorsName",
    "NameOfPhysiciansReadingStudy", "RequestingPhysician", "RequestingService", "AccessionNumber",
    "StudyID", "StudyDescription", "SeriesDescription", "ProtocolName", "StationName",
    "DeviceSerialNumber", "AdmissionID", "AdmittingDiagnosesDescription", "CurrentPatientLocation",
    "PatientInstitutionResidence", "VisitComments", "RequestedProcedureDescription",
    "RequestedProcedureID", "RequestedProcedureComments", "PerformedProcedureStepDescription",
    "PerformedProcedureStepID", "CommentsOnThePerformedProcedureStep", "ImageComments",
    "DerivationDescription", "SoftwareVersions", "PatientSpeciesDescription", "ScheduledStudyLocation",
    "PersonName", "TextValue", "ReasonForStudy", "InterpretationText", "IdentifyingComments", "GantryID",
)  # fmt: skip
"""Elements of text; those in sequences lie in RequestAttributesSequence."""
IN_SEQUENCE = (
    "RequestedProcedureDescription", "RequestedProcedureID", "PersonName", "TextValue",
    "InterpretationText", "ReasonForStudy",
)  # fmt: skip
PLACES = (
    "private element",
    "private blob",
    "file name",
    "folder name",
    "preamble",
    "zip comment",
    "curve",
)
"""Other places than elements."""
EXPECTED = (
    "result.json", "overview.png", "referral.pdf", "referral.png", "haematoma_seg.dcm", "triage_sr.dcm",
    "referral_pdf.dcm", "haematoma.nii.gz",
)  # fmt: skip
"""What a triage writes."""


def canary(place: str) -> str:
    """A word that nothing else has, short enough for every element of text: eight letters."""
    number = zlib.crc32(place.encode())
    letters = "BCDFGHJKLMNPQRSTVWXZ"
    return "Q" + "".join(letters[number // 20**power % 20] for power in range(7))


def planted() -> dict[str, str]:
    """Place to word."""
    texts = [keyword for keyword in KEYWORDS if dictionary_VR(keyword) != "SQ"]
    return {place: canary(place) for place in (*texts, *PLACES)}


def plant(source: Path, folder: Path) -> Path:
    """A copy of a series with a word in every place.

    Returns:
        The folder of the files.
    """
    words = planted()
    place = folder / f"{words['folder name']} study"
    place.mkdir(parents=True)
    for index, path in enumerate(sorted(source.glob("*.dcm"))):
        one = pydicom.dcmread(path)
        inside = Dataset()
        for keyword in words:
            if keyword in KEYWORDS:
                setattr(inside if keyword in IN_SEQUENCE else one, keyword, words[keyword])
        one.PatientName = f"{words['PatientName']}^{words['PatientName']}"
        one.SeriesDescription = f"HEAD {words['SeriesDescription']}"
        one.RequestAttributesSequence = [inside]
        block = one.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "LO", words["private element"])
        block.add_new(0x20, "OB", words["private blob"].encode() * 9)
        one.add_new(0x50003000, "OW", words["curve"].encode())
        one.preamble = words["preamble"].encode().ljust(128, b"\0")
        one.save_as(place / f"{words['file name']}{index:03d}.dcm", enforce_file_format=False)
    return place


def run_canaries() -> list[Row]:
    """Plant, triage with every output, report errors, log, and look everywhere: a row for each word."""
    words = planted()
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        hemx.phantom(seed=412, volume_ml=52.0, markers=[], matrix=128, out=root / "drawn")
        study = plant(root / "drawn" / "baseline", root / "in")
        found: dict[str, list[str]] = {place: [] for place in words}
        for name, content in _outputs(study, root / "out"):
            for place, word in words.items():
                if word.lower().encode() in content.lower():
                    found[place].append(name)
    return [_row(place, where) for place, where in found.items()]


def _row(place: str, where: list[str]) -> Row:
    if not where:
        return Row(name=place, outcome=Outcome.RIGHT)
    outcome = Outcome.TOLD if place in ALLOWED else Outcome.SILENT
    return Row(name=place, outcome=outcome, why=", ".join(dict.fromkeys(where)))


def _outputs(study: Path, out: Path) -> Iterator[tuple[str, bytes]]:
    """All files and lines that come out of a study, with their names, as text or bytes to be searched."""
    words = ["triage", str(study), "--out", str(out / "triage"), "--pdf", "--dicom", "--nifti"]
    yield from _command("triage", words)
    missing = {name for name in EXPECTED if not (out / "triage" / name).exists()}
    if missing:
        raise BenchmarkError(
            f"triage wrote no {', '.join(sorted(missing))}",
            expected="every output, to be searched",
            remedy='pip install "hemx[dicom,nifti]"',
        )
    yield from _files(out)
    cut = out / "cut"
    cut.mkdir(parents=True)
    for path in sorted(study.iterdir())[:2]:
        content = path.read_bytes()
        (cut / path.name).write_bytes(content[: len(content) // 2])
    # An error names the files that it is about: whoever asked knows them, so their names are not searched.
    named = planted()
    for name, content in _command("errors", ["triage", str(cut), "--out", str(out / "none")]):
        for place in ("file name", "folder name"):
            content = content.replace(named[place].encode(), b"")
        yield name, content
    yield from _logs(study, out / "app")


def _command(name: str, words: list[str]) -> Iterator[tuple[str, bytes]]:
    done = subprocess.run(
        [sys.executable, "-m", "hemx_core", *words],
        capture_output=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "1000"},
    )
    yield f"stdout of {name}", done.stdout
    # Where it was read from stands in the lines of progress, not in what is kept.
    yield f"stderr of {name}", done.stderr


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        yield f"name of {path.suffix}", path.name.encode()
        if path.suffix == ".pdf":
            from pypdf import PdfReader

            text = "\n".join(page.extract_text() for page in PdfReader(path).pages)
            yield path.name, text.encode()
        if path.suffix == ".dcm":
            one = pydicom.dcmread(path)
            if "EncapsulatedDocument" in one:
                inner = folder / "inner.pdf"
                inner.write_bytes(one.EncapsulatedDocument)
            one.pop("PixelData", None)
            yield path.name, str(one).encode()
        yield path.name, path.read_bytes()
    inner = folder / "inner.pdf"
    if inner.exists():
        from pypdf import PdfReader

        yield (
            "referral_pdf.dcm",
            "\n".join(p.extract_text() for p in PdfReader(inner).pages).encode(),
        )
        inner.unlink()


def _logs(study: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    """The app's log and audit trail after an import, errors of all kinds, and the deletion."""
    folder.mkdir(parents=True)
    installed = logs.install(folder)
    console = io.StringIO()
    try:
        with contextlib.redirect_stderr(console), Store(folder / "store") as store:
            _use(store, study)
            entries = [str(entry) for entry in store.audit.entries()]
    finally:
        logs.remove(installed)
    yield "audit trail", "\n".join(entries).encode()
    yield "console", console.getvalue().encode()
    for path in folder.glob("*.log*"):
        yield "log", path.read_bytes()
    for path in (folder / "store").rglob("*"):
        if path.is_file():  # all studies are deleted by now
            yield "store after deletion", path.read_bytes()


def _use(store: Store, study: Path) -> None:
    volume = hemx.read_series(study)
    words = planted()
    paths = sorted(study.iterdir())
    kept = store.add_files(
        [_opener(path) for path in paths],
        identity=volume.identity,
        slices=len(volume.hu),
    )
    logger = logging.getLogger("hemx")
    for error in _errors(words):
        try:
            raise error
        except Exception:
            logger.exception("%s could not be read", words["PatientName"])
            logger.warning("import of %s", study)
    with contextlib.suppress(HemxError):
        hemx.read_series(study / "absent")
    store.studies.delete(kept.id)


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _errors(words: dict[str, str]) -> Iterable[Exception]:
    name = words["PatientName"]
    yield ValueError(name)
    yield FileNotFoundError(
        2, "No such file", f"/storage/{words['folder name']}/{words['file name']}"
    )
    yield KeyError(words["PatientID"])
    yield UnicodeDecodeError("utf-8", name.encode(), 0, 1, words["PatientAddress"])

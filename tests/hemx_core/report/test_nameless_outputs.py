"""Nothing that leaves the program names the patient unless asked: all bytes of all files are searched."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pypdf
import pytest
from rich.console import Console, RenderableType

import hemx_core as hemx
from hemx_core.imaging.folding import fold
from hemx_core.report.terminal import comparison_view, result_view
from tests.factories import ThresholdModels, simple_head, write_ct_series

OWN = {
    "PatientName": "Demo^Hanako=試験^花子=しけん^はなこ",
    "PatientID": "12345678",
    "PatientBirthDate": "19500131",
    "IssuerOfPatientID": "KLINIK-ISSUER",
    "OtherPatientIDs": ["99887766", "KARTE55"],
    "SeriesDescription": "HEAD_DEMO_5mm 試験花子 ID12345678",
    "StudyDescription": "DemoHanako1950",
    "ProtocolName": "ﾊﾅｺ routine",
    "ImageComments": "Hanako",
}
OTHER = {
    "PatientName": "Ng^Li=呉^麗",
    "PatientID": "K-87654321",
    "PatientBirthDate": "19720505",
    "SeriesDescription": "頭部 呉麗 NgLi K87654321",
    "ContrastBolusAgent": "Ng 100 mL",
}
BOTH = {
    "SpecificCharacterSet": "ISO_IR 192",
    "InstitutionName": "Secretia Hospital",
    "InstitutionAddress": "Geheimgasse 1",
    "ReferringPhysicianName": "Zweistein^Albert",
    "PerformingPhysicianName": "Zweistein^Albert",
    "OperatorsName": "Opera^Tor",
    "AccessionNumber": "ACC2026113",
    "StudyID": "ST7788",
    "StationName": "SECRETROOM",
    "PositionReferenceIndicator": "Hanako OM",
    "FrameOfReferenceUID": "1.2.3.77",
    "RequestedProcedureDescription": "Hanako",
    "BurnedInAnnotation": "YES",
}
CANARIES = (
    *("hanako", "試験", "花子", "しけん", "はなこ", "12345678", "99887766", "karte55", "klinik-issuer"),
    *("19500131", "1950-01-31", "呉麗", "87654321", "19720505", "ng 100", "secretia", "geheimgasse"),
    *("zweistein", "opera^", "acc2026113", "st7788", "secretroom", "demohanako", "head_demo", "demo_5mm"),
)  # fmt: skip


def _studies(folder: Path) -> Path:
    """A patient's head with a clot, the same a day later, and another patient's series beside each."""
    for day, clot_mm in (("20260102", 14.0), ("20260103", 18.0)):
        spacing = {"PixelSpacing": [1.5, 1.5], "StudyDate": day, **BOTH}
        hu = simple_head(clot_mm=clot_mm).hu
        write_ct_series(folder / day / "own", hu=hu, series="1", study=day, **(spacing | OWN))
        write_ct_series(folder / day / "other", series="2", study=f"{day}9", **(spacing | OTHER))
    return folder


ENCODINGS = ("utf-8", "shift_jis", "euc_jp", "utf-16-be", "utf-16-le")
PNG_WORDS = (b"tEXt", b"iTXt", b"zTXt", b"eXIf")


def _texts(path: Path) -> Iterator[str]:
    """All that a file tells in words, what is packed in it too."""
    yield path.name
    if path.suffix == ".pdf":
        reader = pypdf.PdfReader(path)
        yield from (page.extract_text() for page in reader.pages)
        yield str(reader.metadata)
    elif path.suffix == ".dcm":
        yield from (str(element.value) for element in pydicom.dcmread(path).iterall())
    elif path.suffix != ".png":
        yield path.read_text("utf-8")


def _bytes(canary: str) -> set[bytes]:
    forms = (canary, canary.upper(), canary.title())
    return {form.encode(name, errors="replace") for form in forms for name in ENCODINGS}


def _found(folder: Path) -> set[tuple[str, str]]:
    """(file, canary) of all that name somebody, by their words and by their bytes."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_dir():
            assert not any(canary in fold(path.name) for canary in CANARIES)
            continue
        content = path.read_bytes()
        if path.suffix == ".png":
            assert not any(kind in content for kind in PNG_WORDS), "pixels are all that it has"
            continue
        told = fold(" ".join(_texts(path)))
        found |= {
            (path.name, canary)
            for canary in CANARIES
            if fold(canary) in told or any(form in content for form in _bytes(canary))
        }
    return found


def _shown(view: RenderableType) -> str:
    stream = io.StringIO()
    Console(file=stream, width=500).print(view)
    return fold(stream.getvalue())


def test_the_terminal_names_files_and_nobody_unless_asked(tmp_path: Path) -> None:
    days = [_studies(tmp_path / "studies") / day for day in ("20260102", "20260103")]
    (days[0] / "own" / "Hanako").write_bytes(b"\0" * 128 + b"DICM" + b"broken")
    (days[0] / "own" / "torn.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"broken")
    compared = hemx.compare(*days, models=ThresholdModels())
    for view in (result_view(compared.earlier), comparison_view(compared)):
        told = _shown(view)
        assert [canary for canary in CANARIES if fold(canary) in told] == []
        assert "torn.dcm" in told
        assert "2 patients" in told
    for asked in (
        result_view(compared.earlier, identify=True),
        comparison_view(compared, identify=True),
    ):
        assert "12345678" in _shown(asked)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_file_of_a_triage_names_anybody(tmp_path: Path, language: str) -> None:
    study = _studies(tmp_path / "Hanako") / "20260102"
    result = hemx.triage(study, models=ThresholdModels(), language=language)
    assert {"series_choice", "several_patients", "burned_in"} <= {one.code for one in result.notes}
    result.save(tmp_path / "out", pdf=True, dicom=True)
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 3
    assert _found(tmp_path / "out") == set()
    told = (tmp_path / "out" / "result.json").read_text("utf-8")
    assert '"series_description": "[removed]"' in told
    assert '"burned_in"' in told


def test_the_search_finds_what_an_identified_result_says(tmp_path: Path) -> None:
    study = _studies(tmp_path / "studies") / "20260102"
    result = hemx.triage(study, models=ThresholdModels())
    result.save(tmp_path / "out", identify=True)
    canaries = {canary for name, canary in _found(tmp_path / "out") if name == "result.json"}
    assert canaries >= {"hanako", "試験", "12345678"}


def test_no_file_of_a_comparison_names_anybody(tmp_path: Path) -> None:
    folder = _studies(tmp_path / "Hanako")
    days = [folder / day for day in ("20260102", "20260103")]
    hemx.compare(*days, models=ThresholdModels()).save(tmp_path / "out", pdf=True)
    assert _found(tmp_path / "out") == set()

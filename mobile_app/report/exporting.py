"""Write and export a report's files, each whole or not at all, with an entry in the audit trail.

No Kivy.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hemx_core.errors import OutputError
from hemx_core.files import draft_folder, publish_files
from hemx_core.report.comparison import to_comparison_document
from hemx_core.report.json_report import dumps, short_hash, to_document
from hemx_core.report.referral import ReferralOptions, draw_referral
from hemx_core.report.render import pdf_bytes, png_bytes
from mobile_app.android.share import ExportFile

if TYPE_CHECKING:
    from mobile_app.report.subject import Subject
    from mobile_app.store import Store
    from mobile_app.work.jobs import Report


EXPORTED, FAILED = "report.exported", "report.export_failed"
"""The audit trail's actions."""

T = TypeVar("T")


class Form(StrEnum):
    """What can be written."""

    PDF = "pdf"
    PNG = "png"
    JSON = "json"
    DICOM = "dicom"


def make_files(
    subject: Subject,
    forms: Collection[Form],
    *,
    language: str,
    identify: bool,
    created_at: datetime | None = None,
) -> tuple[ExportFile, ...]:
    """Everything that is to be written, in memory, before anything is.

    Args:
        subject: from `load_subject`.
        forms: which files; DICOM is of the later study alone.
        language: of the page.
        identify: with what names the patient.
        created_at: with a time zone; now by default.
    Raises:
        BackendError: DICOM was asked for and highdicom is not installed.
        InputError: the images cannot be referred to.
        OutputError: the font is missing.
    """
    at = created_at or datetime.now().astimezone()
    stem = file_stem(subject, at)
    files = []
    if Form.PDF in forms or Form.PNG in forms:
        files += _pages(subject, forms, stem, ReferralOptions(
            language=language, identify=identify, created_at=at
        ))  # fmt: skip
    if Form.JSON in forms:
        if subject.comparison is None:
            document = to_document(subject.result, identify=identify, created_at=at)
        else:
            document = to_comparison_document(subject.comparison, identify=identify, created_at=at)
        kind = "result" if subject.comparison is None else "comparison"
        files.append(ExportFile(f"{stem}-{kind}.json", dumps(document).encode("utf-8")))
    if Form.DICOM in forms:
        files += _dicom(subject, stem, identify=identify)
    return tuple(files)


def file_stem(subject: Subject, at: datetime) -> str:
    """How the files' names begin: the study's code and the time of the report, nothing of the patient."""
    code = short_hash(subject.result.identity.study_uid) or f"study{subject.study_id}"
    return f"hemx-{code}-{at:%Y%m%d-%H%M%S}"


def write_folder(files: Sequence[ExportFile], folder: Path) -> tuple[Path, ...]:
    """Write all files or none; files of the same name are not replaced.

    Args:
        files: of `make_files`.
        folder: must be there.
    Raises:
        OutputError: no such folder, a name is taken, or the disk refuses.
    """
    targets = tuple(folder / file.name for file in files)
    if not folder.is_dir() or any(target.exists() for target in targets):
        raise OutputError("folder_unusable")
    with draft_folder(folder) as draft:
        for file in files:
            (draft / file.name).write_bytes(file.content)
        return publish_files(draft, folder, [file.name for file in files])


def export(
    store: Store,
    subject: Subject,
    forms: Collection[Form],
    deliver: Callable[[Sequence[ExportFile]], T],
    *,
    language: str,
    identify: bool,
    to: str,
) -> Callable[[Report[object]], tuple[tuple[ExportFile, ...], T]]:
    """Work that makes the files, enters the export into the audit trail, and delivers them.

    The entry comes first, so that nothing leaves the app without one; where the delivery then fails, a second
    entry says so. Entries say what was written, not where to and not of whom.

    Args:
        store: takes the entries.
        subject: what is reported.
        forms: which files.
        deliver: writes all files or none, such as `write_folder`.
        language: of the page.
        identify: with what names the patient.
        to: a kind of destination: "folder" or "document_tree".
    Returns:
        Work for `jobs`; its value is the files and what `deliver` returned.
    Raises (in the job):
        HemxError: as `make_files` and `deliver`.
    """

    def work(report: Report[object]) -> tuple[tuple[ExportFile, ...], T]:
        report.progress("report", 0, 1)
        files = make_files(subject, forms, language=language, identify=identify)
        report.progress("report", 1, 1)
        facts = {
            "result": subject.result_id,
            "comparison": subject.comparison_id,
            "files": [file.name.rsplit("-", 1)[-1] for file in files],
            "identified": identify,
            "corrected": subject.corrected,
            "to": to,
        }
        store.audit.note(EXPORTED, study_id=subject.study_id, **facts)
        try:
            return files, deliver(files)
        except BaseException as error:
            store.audit.note(
                FAILED,
                study_id=subject.study_id,
                result=subject.result_id,
                error=type(error).__name__,
            )
            raise

    return work


def can_write_dicom() -> bool:
    """Whether highdicom is installed; on Android it is not."""
    return find_spec("highdicom") is not None


def _pages(
    subject: Subject, forms: Collection[Form], stem: str, options: ReferralOptions
) -> list[ExportFile]:
    page = draw_referral(
        subject.result,
        subject.volume,
        window=subject.window,
        comparison=subject.comparison,
        options=options,
    )
    files = []
    if Form.PDF in forms:
        files.append(ExportFile(f"{stem}-referral.pdf", pdf_bytes(page)))
    if Form.PNG in forms:
        files.append(ExportFile(f"{stem}-referral.png", png_bytes(page)))
    return files


def _dicom(subject: Subject, stem: str, *, identify: bool) -> list[ExportFile]:
    from hemx_core.report.dicom import DicomWriter

    with tempfile.TemporaryDirectory(prefix="hemx-") as draft:
        written = DicomWriter(
            subject.result, subject.volume, subject.folder, Path(draft), identify=identify
        ).write()
        return [ExportFile(f"{stem}-{file.name}", file.read_bytes()) for file in written.files]

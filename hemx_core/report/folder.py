"""A result folder holds one run: the names of its files, and what of an earlier run or of others lies there.

Only what HEMX wrote is ever removed: files of these names, beside a document that says it is HEMX's.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hemx_core.errors import OutputError
from hemx_core.files import (
    check_writable,
    draft_folder,
    draft_place,
    left_drafts,
    replace_files,
    writing,
)

RESULT_NAME = "result.json"
OVERVIEW_NAME = "overview.png"
OVERLAY_FOLDER = "overlays"
COMPARISON_NAME = "comparison.json"
COMPARISON_PICTURE_NAME = "comparison.png"
PDF_NAME = "referral.pdf"
PNG_NAME = "referral.png"
SEG_NAME = "haematoma_seg.dcm"
SR_NAME = "triage_sr.dcm"
REFERRAL_DICOM_NAME = "referral_pdf.dcm"
MASK_NAME = "haematoma.nii.gz"

_OVERLAY_NAME = re.compile(r"slice_\d+\.png")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKind:
    """What a command leaves in its folder.

    Args:
        document: name of the file that makes the others count.
        form: what its "format" says.
        others: names of all other files, whether a run writes them or not.
    """

    document: str
    form: str
    others: tuple[str, ...]


TRIAGE = RunKind(
    document=RESULT_NAME,
    form="hemx.triage",
    others=(
        OVERVIEW_NAME,
        PDF_NAME,
        PNG_NAME,
        SEG_NAME,
        SR_NAME,
        REFERRAL_DICOM_NAME,
        MASK_NAME,
    ),
)
COMPARISON = RunKind(
    document=COMPARISON_NAME,
    form="hemx.comparison",
    others=(COMPARISON_PICTURE_NAME, PDF_NAME, PNG_NAME),
)


def check_output(folder: Path, kind: RunKind = TRIAGE) -> None:
    """Refuse an output folder before the work starts.

    An earlier result of the same command is replaced, with all its files; other files stay.

    Args:
        folder: where the result will be written.
        kind: of the run.
    Raises:
        OutputError: a file stands in the way; a file of one of the names that HEMX did not write, or
            that belongs to another command's result; or the system lets nobody look or write.
    """
    with writing(folder):
        if folder.exists() and not folder.is_dir():
            raise OutputError("output_is_file", folder=str(folder))
        for other in (TRIAGE, COMPARISON):
            path = folder / other.document
            if not path.exists():
                continue
            if not _is_ours(path, other.form):
                raise OutputError("output_foreign", path=str(path))
            if other is not kind:
                raise OutputError("output_of_another", path=str(path))
        known = _known_files(folder, kind)
        # A run that was killed while it wrote has left its draft, and perhaps no document.
        if known and not (folder / kind.document).exists() and not left_drafts(folder):
            raise OutputError("output_foreign", path=str(folder / known[0]))
    check_writable(folder)


@contextmanager
def new_run(folder: Path, kind: RunKind) -> Iterator[Path]:
    """A folder to fill with a run, which takes its place when the block ends, whole or not at all.

    Files of an earlier run go, those of others stay. Where something fails, all is as it was.

    Args:
        folder: made where missing.
        kind: of the run; the document is moved last.
    Raises:
        OutputError: see `check_output`; or the disk refuses.
    """
    folder = folder.resolve()
    check_output(folder, kind)
    with draft_folder(draft_place(folder)) as draft:
        run = draft / "run"
        run.mkdir()
        yield run
        with writing(folder):
            if not folder.exists():
                run.rename(folder)
                return
        names = sorted(path.relative_to(run).as_posix() for path in run.rglob("*.*"))
        names.sort(key=lambda name: name == kind.document)
        replace_files(run, folder, names, _earlier_files(folder, kind))
        for left in left_drafts(folder):
            if left != draft:
                shutil.rmtree(left, ignore_errors=True)
        with suppress(OSError):  # not empty, or not there
            (folder / OVERLAY_FOLDER).rmdir()


def _earlier_files(folder: Path, kind: RunKind) -> tuple[str, ...]:
    """Files of an earlier run, relative to the folder, its document first: without it nothing counts."""
    document = (kind.document,) * (folder / kind.document).exists()
    return (*document, *_known_files(folder, kind))


def foreign_files(folder: Path, kind: RunKind) -> tuple[str, ...]:
    """Names in the folder that are of no run, sorted; they stay where they are."""
    known = {kind.document, *kind.others, *(path.name for path in left_drafts(folder))}
    if kind is TRIAGE:
        known.add(OVERLAY_FOLDER)
    found = [path.name for path in folder.iterdir() if path.name not in known]
    overlays = folder / OVERLAY_FOLDER
    if kind is TRIAGE and overlays.is_dir():
        found += [
            f"{OVERLAY_FOLDER}/{path.name}"
            for path in overlays.iterdir()
            if not _OVERLAY_NAME.fullmatch(path.name)
        ]
    return tuple(sorted(found))


def _known_files(folder: Path, kind: RunKind) -> tuple[str, ...]:
    """Files of the kind's names but for its document."""
    found = [name for name in kind.others if (folder / name).is_file()]
    overlays = folder / OVERLAY_FOLDER
    if kind is TRIAGE and overlays.is_dir():
        found += sorted(
            f"{OVERLAY_FOLDER}/{path.name}"
            for path in overlays.iterdir()
            if _OVERLAY_NAME.fullmatch(path.name)
        )
    return tuple(found)


def _is_ours(path: Path, form: str) -> bool:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get("format") == form

"""Write a result as DICOM: the mask as SEG, the measurements as SR."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hemx_core.errors import InputError, OutputError
from hemx_core.imaging.source_images import read_source_images
from hemx_core.imaging.volume import HUVolume
from hemx_core.report.dicom_codes import highdicom_module, referable
from hemx_core.report.dicom_seg import make_seg
from hemx_core.report.dicom_sr import make_sr
from hemx_core.report.pdf import write_whole
from hemx_core.result import TriageResult

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
        raise InputError(
            f"images that DICOM objects cannot refer to ({error})",
            expected="CT images as the standard asks for them",
            remedy="export the study again from the archive",
        ) from error
    folder = folder.resolve()
    seg_path, sr_path = folder / SEG_NAME, folder / SR_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if seg is None:
            seg_path.unlink(missing_ok=True)  # of an earlier run, beside a report that found none
        else:
            write_whole(seg_path, _bytes(seg))
        write_whole(sr_path, _bytes(report))
    except OSError as error:
        raise OutputError(
            f"{folder} could not be written ({error.strerror or error})",
            expected="a folder with room that may be written to",
            remedy="free some space or give another --out folder",
        ) from error
    return WrittenDicom(None if seg is None else seg_path, sr_path)


def _bytes(written: Any) -> bytes:
    buffer = io.BytesIO()
    written.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()

"""The mask as DICOM Segmentation (PS3.3 A.51), and the objects of one result as files."""

from __future__ import annotations

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
from hemx_core.measure.corrected import is_corrected
from hemx_core.notes import Note
from hemx_core.report.dicom_codes import (
    MANUFACTURER,
    equipment,
    fit_images,
    highdicom_module,
    model_versions,
    object_bytes,
)
from hemx_core.report.dicom_context import StudyContext, study_context
from hemx_core.report.dicom_pdf import make_encapsulated_pdf
from hemx_core.report.dicom_sr import make_sr
from hemx_core.report.folder import REFERRAL_DICOM_NAME, SEG_NAME, SR_NAME
from hemx_core.result import TriageResult

SEGMENT_LABEL = "Intracerebral haemorrhage"
SEG_SERIES_NUMBER = 9100


def make_seg(result: TriageResult, volume: HUVolume, context: StudyContext) -> Any:
    """A binary segmentation of one segment; frames without blood are left out.

    Its frames lie on the images' own pixels: turned back as the files store them, and each with a
    reference to its image.

    Args:
        result: with a haematoma.
        volume: the triaged volume.
        context: its images.
    Returns:
        A `highdicom.seg.Segmentation`.
    Raises:
        InputError: no haematoma: there is nothing to segment; slices of several multi-frame files; or
            images that cannot be referred to.
        BackendError: highdicom is not installed.
    """
    if not result.mask.any():
        raise InputError("no_mask_to_write")
    context.require("FrameOfReferenceUID")
    seg = highdicom_module("highdicom.seg")
    with fit_images():
        written = seg.Segmentation(
            source_images=list(context.images),
            pixel_array=stored_frames(result.mask, volume, context.images),
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
    context.mark(written)
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


@dataclass(frozen=True, slots=True)
class WrittenDicom:
    """Where the files lie; no segmentation where no haematoma was found.

    Args:
        seg, sr: the files.
        notes: what they could not take over of the images.
    """

    seg: Path | None
    sr: Path
    notes: tuple[Note, ...] = ()

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


class DicomWriter:
    """Writes the DICOM objects of one result, one by one, each whole or not at all.

    Without names they belong to a pseudonym and have UIDs of their own; see `dicom_context`.

    Args:
        result: the triage result.
        volume: the triaged volume.
        source: the input that it was read from.
        folder: made where missing.
        identify: take over patient and study attributes and UIDs from the images.
        keep_uids: take over the UIDs alone: whoever has the objects can then join them to the images.
    """

    def __init__(
        self,
        result: TriageResult,
        volume: HUVolume,
        source: Path,
        folder: Path,
        *,
        identify: bool = False,
        keep_uids: bool = False,
    ) -> None:
        self._result, self._volume, self._source = result, volume, source
        self._folder = folder.resolve()
        self._identify, self._keep_uids = identify, keep_uids
        self._context: StudyContext | None = None
        self._seg: Any = None

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the objects could not take over of the images, once one was tried."""
        return () if self._context is None else self._context.notes

    def _images(self) -> StudyContext:
        """The images, read when the first object is made.

        Raises:
            InputError: they cannot be referred to; see `read_source_images` and `study_context`.
            BackendError: highdicom is not installed.
        """
        if self._context is None:
            check_dicom()
            sources = read_source_images(self._source, self._result.identity)
            self._context = study_context(
                sources, self._volume, identify=self._identify, keep_uids=self._keep_uids
            )
        return self._context

    def write(self) -> WrittenDicom:
        """Write haematoma_seg.dcm and triage_sr.dcm, each whole or not at all.

        Raises:
            InputError: the images cannot be referred to.
            BackendError: highdicom is not installed.
            OutputError: the disk refuses.
        """
        seg = self.write_seg()
        (report,) = self.write_sr()
        return WrittenDicom(seg[0] if seg else None, report, self.notes)

    def write_seg(self) -> tuple[Path, ...]:
        """Write haematoma_seg.dcm; nothing where no haematoma was found.

        Raises:
            InputError, BackendError: see `make_seg`; also images that cannot be referred to.
            OutputError: the disk refuses.
        """
        path = self._folder / SEG_NAME
        if not self._result.mask.any():
            with writing(self._folder):
                path.unlink(missing_ok=True)  # of an earlier run, beside a report that found none
            return ()
        seg = make_seg(self._result, self._volume, self._images())
        write_whole(path, object_bytes(seg))
        self._seg = seg
        return (path,)

    def write_sr(self) -> tuple[Path, ...]:
        """Write triage_sr.dcm; it refers to the segmentation where that was written.

        Raises:
            InputError, BackendError: see `make_sr`; also images that cannot be referred to.
            OutputError: the disk refuses.
        """
        report = make_sr(self._result, self._images(), self._seg)
        return (write_whole(self._folder / SR_NAME, object_bytes(report)),)

    def write_pdf(self, pdf: bytes, title: str) -> tuple[Path, ...]:
        """Write referral_pdf.dcm, the referral as an encapsulated PDF.

        Args:
            pdf: the referral.
            title: of the document.
        Raises:
            InputError, BackendError: see `make_encapsulated_pdf`; also images that cannot be referred to.
            OutputError: the disk refuses.
        """
        document = make_encapsulated_pdf(pdf, self._images(), title=title)
        return (write_whole(self._folder / REFERRAL_DICOM_NAME, object_bytes(document)),)

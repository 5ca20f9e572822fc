"""The haematoma's mask as a DICOM segmentation (PS3.3 A.51) on the images it was found on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from hemx_core import __version__
from hemx_core.errors import InputError
from hemx_core.imaging.volume import HUVolume
from hemx_core.report.corrected import is_corrected
from hemx_core.report.dicom_codes import (
    ABNORMAL_STRUCTURE,
    ARTIFICIAL_INTELLIGENCE,
    BRAIN,
    HAEMORRHAGE,
    MANUFACTURER,
    equipment,
    highdicom_module,
    mark_deidentified,
    model_versions,
)
from hemx_core.result import TriageResult

SEGMENT_LABEL = "Intracerebral haemorrhage"
SERIES_NUMBER = 9100


def make_seg(
    result: TriageResult, volume: HUVolume, sources: Sequence[Dataset], *, identify: bool = False
) -> Any:
    """A binary segmentation of one segment; frames without blood are left out.

    Its frames lie on the images' own pixels: turned back as the files store them, and each with a
    reference to its image.

    Args:
        result: with a haematoma.
        volume: the triaged volume.
        sources: its images' headers, see `referable`.
        identify: whether `sources` carry what names the patient.
    Returns:
        A `highdicom.seg.Segmentation`.
    Raises:
        InputError: no haematoma: there is nothing to segment; or slices of several multi-frame files.
        BackendError: highdicom is not installed.
    """
    if not result.mask.any():
        raise InputError(
            "a result without haematoma",
            expected="a mask that is not empty",
            remedy="write the structured report alone",
        )
    seg = highdicom_module("highdicom.seg")
    written = seg.Segmentation(
        source_images=list(sources),
        pixel_array=stored_frames(result.mask, volume, sources),
        segmentation_type=seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_description(result)],
        series_instance_uid=generate_uid(),
        series_number=SERIES_NUMBER,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        series_description="HEMX haematoma (research, not a medical device)",
        content_label="HAEMATOMA",
        content_description="Haematoma as segmented by HEMX, "
        + ("corrected by hand" if is_corrected(result) else "not edited"),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **equipment(),
    )
    if not identify:
        mark_deidentified(written)
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
        raise InputError(
            f"slices of {len(sources)} multi-frame files",
            expected="single images, or one multi-frame file",
            remedy="export the series as single images",
        )
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
        segmented_property_category=ABNORMAL_STRUCTURE,
        segmented_property_type=HAEMORRHAGE,
        anatomic_regions=[BRAIN],
        algorithm_type=kinds.SEMIAUTOMATIC if is_corrected(result) else kinds.AUTOMATIC,
        algorithm_identification=content.AlgorithmIdentificationSequence(
            name="HEMX segmenter",
            family=ARTIFICIAL_INTELLIGENCE,
            version=__version__,
            source=MANUFACTURER,
            parameters=model_versions(result, "segmenter"),
        ),
        tracking_uid=generate_uid(),
        tracking_id="haematoma",
        display_color=color.CIELabColor(l_star=80.0, a_star=10.0, b_star=80.0),
    )

"""The DICOM headers that a volume was read from, for objects that refer to them.

A volume keeps the UIDs of its slices, not their headers; who writes a DICOM segmentation or report
reads them again here, from the same input and within the same bounds.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

from pydicom.dataset import Dataset

from hemx_core.errors import InputError, UnreadablePixelsError
from hemx_core.imaging._files import FoundFiles, open_input
from hemx_core.imaging._parse import parse, text
from hemx_core.imaging.volume import SeriesIdentity


def read_source_images(
    path: str | os.PathLike[str], identity: SeriesIdentity
) -> tuple[Dataset, ...]:
    """Read the headers of a volume's files, without pixels.

    Args:
        path: the input that the volume was read from.
        identity: of the volume.
    Returns:
        One data set for each file: for single images in slice order, for multi-frame files each once,
        in the order of their first slice.
    Raises:
        InputError: the volume has no SOP instance UIDs, or a file is not there any more.
        NoSeriesError: nothing at the path.
        UnsafeInputError: an input that leaves its folder or expands beyond bounds.
    """
    wanted = tuple(dict.fromkeys(identity.sop_instance_uids))
    if not wanted:
        raise InputError(
            "a volume without SOP instance UIDs",
            expected="a volume read from DICOM files that carry them",
            remedy="read the study from its DICOM files",
        )
    with warnings.catch_warnings(action="ignore"), open_input(Path(path)) as found:
        headers = _headers(found, wanted)
    missing = [uid for uid in wanted if uid not in headers]
    if missing:
        raise InputError(
            f"{len(missing)} of the series' {len(wanted)} files are not there any more",
            expected="the input as it was read",
            remedy="run the triage again on the whole study",
        )
    return tuple(headers[uid] for uid in wanted)


def _headers(found: FoundFiles, wanted: Sequence[str]) -> dict[str, Dataset]:
    headers: dict[str, Dataset] = {}
    for source in found.sources:
        try:
            with source.open() as stream:
                uid = text(parse(stream, source.name, tags=["SOPInstanceUID"]), "SOPInstanceUID")
                if uid in wanted and uid not in headers:
                    stream.seek(0)
                    headers[uid] = parse(stream, source.name)
        except (UnreadablePixelsError, OSError):
            continue  # the reader has told of it; if it is one of the volume's, it is missing
    return headers

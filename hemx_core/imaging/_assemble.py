"""The chosen series to a volume: pixels into one array, duplicates settled, notes collected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from hemx_core.errors import DicomSeriesError, TooFewSlicesError, UnreadablePixelsError, UnsafeInputError
from hemx_core.imaging._geometry import Slot, build_geometry, turn_for
from hemx_core.imaging._geometry_notes import geometry_notes
from hemx_core.imaging._groups import SeriesPart
from hemx_core.imaging._headers import SliceHeader
from hemx_core.imaging._hu import HUConverter
from hemx_core.imaging._pixels import check_decoder, stored_slices
from hemx_core.imaging._refusals import MIN_SLICES
from hemx_core.imaging.orientation import StoredGrid
from hemx_core.imaging.volume import HUVolume, Note, SeriesIdentity

"""How a volume's pixels lie on the grid that the DICOM file stores, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGrid:
    """The exact turn that brought stored pixels to nose up, patient's left on the image's right.

    Applied in the order transpose, rows, columns; no pixel is interpolated, so a mask on the
    volume goes back to the stored grid with `to_stored` without loss.

    Args:
        transpose: rows and columns were exchanged.
        flip_rows: the order of the rows was reversed (after the transposition).
        flip_columns: the order of the columns was reversed (after the transposition).
    """

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    @property
    def is_identity(self) -> bool:
        """Whether the volume has its pixels where the file has them."""
        return not (self.transpose or self.flip_rows or self.flip_columns)

    def to_volume(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Turn stored pixels, shape (..., rows, columns), a view where numpy allows it."""
        turned = stored.swapaxes(-1, -2) if self.transpose else stored
        return self._flip(turned)

    def to_stored(self, turned: NDArray[Any]) -> NDArray[Any]:
        """Inverse of `to_volume`."""
        flipped = self._flip(turned)
        return flipped.swapaxes(-1, -2) if self.transpose else flipped

    def _flip(self, pixels: NDArray[Any]) -> NDArray[Any]:
        rows = slice(None, None, -1 if self.flip_rows else 1)
        columns = slice(None, None, -1 if self.flip_columns else 1)
        return pixels[..., rows, columns]

"""Drawing on 8-bit BGR pictures: window, isotropic scaling, outline, heat map, text."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import VolumeGeometry

Picture = NDArray[np.uint8]
Color = tuple[int, int, int]

WHITE: Color = (255, 255, 255)
GREY: Color = (165, 165, 165)
OUTLINE: Color = (60, 220, 255)
FONT = cv2.FONT_HERSHEY_SIMPLEX
HEAT_OPACITY = 0.55


@dataclass(frozen=True, slots=True)
class Scale:
    """How native pixels lie on a drawn panel: isotropic in millimetres.

    Args:
        rows: drawn pixels for each native row.
        columns: drawn pixels for each native column.
        shape: (height, width) of the panel, drawn pixels.
    """

    rows: float
    columns: float
    shape: tuple[int, int]

    @classmethod
    def fit(
        cls, native_shape: tuple[int, int], pixel_spacing_mm: tuple[float, float], size: int
    ) -> Scale:
        """The scale at which the longer side of a slice, in mm, is drawn with `size` pixels."""
        (rows, columns), (dy, dx) = native_shape, pixel_spacing_mm
        per_mm = size / max(rows * dy, columns * dx)
        shape = (max(1, round(rows * dy * per_mm)), max(1, round(columns * dx * per_mm)))
        return cls(shape[0] / rows, shape[1] / columns, shape)

    @property
    def size_xy(self) -> tuple[int, int]:
        """(width, height), as OpenCV wants it."""
        return self.shape[1], self.shape[0]


def draw_ct(hu: NDArray[np.int16], window: HUWindow, scale: Scale) -> Picture:
    """A slice in a window, grey on BGR.

    Args:
        hu: shape (rows, columns), HU.
        window: black and white, HU.
        scale: size of the panel.
    """
    share = (hu.astype(np.float32) - window.lower) / (window.upper - window.lower)
    grey = (np.clip(share, 0, 1) * 255).astype(np.uint8)
    enlarges = scale.rows > 1 or scale.columns > 1
    resized = cv2.resize(
        grey, scale.size_xy, interpolation=cv2.INTER_CUBIC if enlarges else cv2.INTER_AREA
    )
    return np.asarray(cv2.cvtColor(resized, cv2.COLOR_GRAY2BGR), dtype=np.uint8)


def draw_outline(picture: Picture, mask: NDArray[np.bool_], scale: Scale, width: int = 2) -> None:
    """Draw a mask's outline into a panel.

    Args:
        picture: the panel; changed in place.
        mask: bool, shape (rows, columns), native pixels.
        scale: the panel's scale.
        width: of the line, drawn pixels.
    """
    soft = cv2.resize(mask.astype(np.float32), scale.size_xy, interpolation=cv2.INTER_LINEAR)
    solid = (soft >= 0.5).astype(np.uint8)
    contours, _ = cv2.findContours(solid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, OUTLINE, width, cv2.LINE_AA)


def draw_heat(
    picture: Picture,
    heat: NDArray[np.float32],
    box: tuple[float, float, float, float],
    scale: Scale,
) -> None:
    """Blend a heat map into a panel; the hotter, the less of the CT shows through.

    Args:
        picture: the panel; changed in place.
        heat: shape (k, k), [0, 1].
        box: (row, column, height, width) that the map covers, native pixels; may reach outside.
        scale: the panel's scale.
    """
    row, column, height, width = box
    # Maps panel pixels to the map's pixels, both with pixel centres at whole numbers.
    fy = heat.shape[0] / (height * scale.rows)
    fx = heat.shape[1] / (width * scale.columns)
    matrix = np.array(
        [
            [fx, 0, (0.5 - column * scale.columns) * fx - 0.5],
            [0, fy, (0.5 - row * scale.rows) * fy - 0.5],
        ],
        dtype=np.float64,
    )
    spread = cv2.warpAffine(
        heat.astype(np.float32),
        matrix,
        scale.size_xy,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    share = np.clip(spread, 0, 1)
    colors = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    opacity = (np.sqrt(share) * HEAT_OPACITY)[..., None]
    picture[:] = (picture * (1 - opacity) + colors * opacity).astype(np.uint8)


def draw_text(
    picture: Picture,
    text: str,
    corner: tuple[int, int],
    *,
    size: float = 0.5,
    color: Color = WHITE,
    anchor: str = "left",
) -> None:
    """Write one line of ASCII with a dark rim, so that it is readable on bone too.

    Args:
        picture: changed in place.
        text: what to write; OpenCV's fonts have ASCII only, other characters become "?".
        corner: (x, y) of the baseline's end named by `anchor`.
        size: scale of the font.
        color: BGR.
        anchor: "left", "right" or "middle".
    """
    plain = text.encode("ascii", errors="replace").decode("ascii")
    width = cv2.getTextSize(plain, FONT, size, 1)[0][0]
    x = corner[0] - {"left": 0, "right": width, "middle": width // 2}[anchor]
    for ink, weight in (((0, 0, 0), 3), (color, 1)):
        cv2.putText(picture, plain, (x, corner[1]), FONT, size, ink, weight, cv2.LINE_AA)


def edge_letters(geometry: VolumeGeometry) -> dict[str, str]:
    """Patient direction at each edge of a slice: keys left, right, top, bottom.

    Letters as on a viewer: R/L, A/P, H/F, of the axis that lies nearest (DICOM's patient
    coordinates point to the left, back and head).
    """
    letters = {}
    for low, high, direction in (
        ("left", "right", geometry.row_direction),
        ("top", "bottom", geometry.column_direction),
    ):
        axis = int(np.abs(direction).argmax())
        negative, positive = (("R", "L"), ("A", "P"), ("F", "H"))[axis]
        forward = bool(direction[axis] > 0)
        letters[low] = negative if forward else positive
        letters[high] = positive if forward else negative
    return letters


def draw_edge_letters(picture: Picture, geometry: VolumeGeometry) -> None:
    """Write the patient's directions at the left, right and top edge of a panel."""
    letters = edge_letters(geometry)
    height, width = picture.shape[:2]
    draw_text(picture, letters["left"], (8, height // 2), size=0.6)
    draw_text(picture, letters["right"], (width - 8, height // 2), size=0.6, anchor="right")
    draw_text(picture, letters["top"], (width // 2, 20), size=0.6, anchor="middle")

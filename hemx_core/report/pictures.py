"""Pictures of a triage result: which slices, how they are drawn, overlays and the overview.

Pictures are 8-bit BGR: window, isotropic scaling, outline, heat map, text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume, VolumeGeometry
from hemx_core.markers import MARKERS
from hemx_core.measure.signs import SIGNS
from hemx_core.result import Recommendation, SliceResult, TriageResult

LARGEST = "largest_area"


@dataclass(frozen=True, slots=True)
class KeySlice:
    """A slice and what it shows best.

    Args:
        index: counted from 0 in volume order.
        shows: codes of markers and rule-based signs, and `LARGEST`; may be empty.
    """

    index: int
    shows: tuple[str, ...]


def key_slices(result: TriageResult, count: int = 5) -> tuple[KeySlice, ...]:
    """The most informative slices, feet to head.

    With blood: the slice of the largest area; those that show a marker at or above its threshold
    best, the most probable first; those that speak most for a sign that the rules found; then the
    slice with blood that lies farthest from all chosen ones, and so on. Without blood: slices spread
    over the volume.

    Args:
        result: the triage result.
        count: how many; fewer where there are fewer slices with blood.
    """
    bloody = [shown.index for shown in result.slices if shown.blood_area_mm2 > 0]
    if not bloody:
        whole = len(result.slices)
        shown = min(count, whole)
        return tuple(KeySlice(int((place + 0.5) * whole / shown), ()) for place in range(shown))
    best = _best(result)
    chosen = list(best)[:count]
    while len(chosen) < min(count, len(bloody)):
        left = [index for index in bloody if index not in chosen]
        chosen.append(max(left, key=lambda index: min(abs(index - taken) for taken in chosen)))
    return tuple(KeySlice(index, tuple(best.get(index, ()))) for index in sorted(chosen))


def _best(result: TriageResult) -> dict[int, list[str]]:
    """Slice to what it shows best, the most important slice first."""
    areas = [shown.blood_area_mm2 for shown in result.slices]
    best: dict[int, list[str]] = {int(np.argmax(areas)): [LARGEST]}
    present = sorted(
        (marker for marker in result.markers.values() if marker.present),
        key=lambda marker: -marker.probability,
    )
    found: list[tuple[str, int | None]] = [(marker.code, marker.slice_index) for marker in present]
    found += [(sign.code, sign.slice_index) for sign in result.signs if sign.present]
    for code, index in found:
        if index is not None and areas[index] > 0:
            codes = best.setdefault(index, [])
            if code not in codes:
                codes.append(code)
    return best


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


FOOTER = "Research software, not a medical device"
PANEL_PIXELS = 640
TILE_PIXELS = 320
MAX_TILES = 24
CAPTION_PIXELS = 58
FOOTER_PIXELS = 26
GAP_PIXELS = 4


def bloody_slices(result: TriageResult) -> tuple[int, ...]:
    """Indices of the slices that show blood."""
    return tuple(shown.index for shown in result.slices if shown.blood_area_mm2 > 0)


def slice_picture(
    volume: HUVolume, result: TriageResult, index: int, *, window: HUWindow
) -> Picture:
    """One slice in three panels: plain, mask outline, and where the classifier looked.

    Args:
        volume: the triaged volume.
        result: its result.
        index: the slice.
        window: display window, HU.
    Returns:
        uint8, shape (height, width, 3), BGR. The third panel shows the map of the slice's most
        probable marker; it says so where there is none.
    """
    shown = result.slices[index]
    rows, columns = volume.shape[1:]
    scale = Scale.fit((rows, columns), volume.geometry.pixel_spacing_mm, PANEL_PIXELS)
    plain = draw_ct(volume.hu[index], window, scale)
    outlined = plain.copy()
    draw_outline(outlined, result.mask[index], scale)
    heated = plain.copy()
    title = _draw_cam(heated, shown, scale)
    draw_outline(heated, result.mask[index], scale, width=1)
    panels = (
        (plain, f"CT, {window.lower:g} to {window.upper:g} HU"),
        (outlined, "Haematoma outline"),
        (heated, title),
    )
    for panel, text in panels:
        draw_edge_letters(panel, volume.geometry)
        draw_text(panel, text, (8, scale.shape[0] - 10), size=0.55)
    gap = np.zeros((scale.shape[0], GAP_PIXELS, 3), dtype=np.uint8)
    strip = np.hstack([plain, gap, outlined, gap, heated])
    return framed(strip, _caption(shown, result))


def overview_picture(volume: HUVolume, result: TriageResult, *, window: HUWindow) -> Picture:
    """A montage of the slices with blood, outlined; without blood, of slices through the volume.

    Args:
        volume: the triaged volume.
        result: its result.
        window: display window, HU.
    Returns:
        uint8, shape (height, width, 3), BGR, of at most `MAX_TILES` slices, evenly chosen.
    """
    bloody = bloody_slices(result)
    shown = _spread(bloody or tuple(range(len(result.slices))))
    rows, columns = volume.shape[1:]
    scale = Scale.fit((rows, columns), volume.geometry.pixel_spacing_mm, TILE_PIXELS)
    across = math.ceil(math.sqrt(len(shown) * scale.shape[0] / scale.shape[1]))
    down = math.ceil(len(shown) / across)
    height, width = scale.shape
    montage = np.zeros((down * height, across * width, 3), dtype=np.uint8)
    for place, index in enumerate(shown):
        tile = draw_ct(volume.hu[index], window, scale)
        draw_outline(tile, result.mask[index], scale, width=1)
        draw_text(tile, str(index + 1), (6, 20), size=0.6)
        top, left = place // across * height, place % across * width
        montage[top : top + height, left : left + width] = tile
    return framed(montage, _overview_caption(result, len(bloody), len(shown)))


def _draw_cam(panel: Picture, shown: SliceResult, scale: Scale) -> str:
    """Draw the map of the slice's most probable marker; answers the panel's title."""
    if shown.cam is None or shown.cam_box is None:
        return "No CAM"
    strongest = int(np.argmax(shown.probabilities))
    draw_heat(panel, shown.cam[strongest], shown.cam_box, scale)
    return f"CAM of: {MARKERS[strongest].name_en} ({shown.probabilities[strongest]:.2f})"


def _caption(shown: SliceResult, result: TriageResult) -> tuple[str, str]:
    count = len(result.slices)
    first = f"Slice {shown.index + 1} of {count}    blood {shown.blood_area_mm2 / 100:.2f} cm2"
    ruled = [s for s in result.signs if s.present and s.slice_index == shown.index]
    if ruled:
        named = ", ".join(f"{SIGNS[s.code].name_en} {s.value:.3g} {s.unit}".rstrip() for s in ruled)
        first += f"    best for the rules of: {named}"
    pairs = zip(MARKERS, shown.probabilities, strict=False)
    return first, "    ".join(f"{marker.name_en} {value:.2f}" for marker, value in pairs)


def _overview_caption(result: TriageResult, bloody: int, shown: int) -> tuple[str, str]:
    if not bloody:
        told = f"{shown} of {len(result.slices)} slices"
        if result.recommendation is Recommendation.CANNOT_TELL:
            return "Cannot tell: look at the pictures, or scan again", told
        return "No haematoma found", told
    part = "" if shown == bloody else f" ({shown} shown)"
    present = [SIGNS[sign.code].name_en for sign in result.signs if sign.present]
    least, most_ml = "at least " * result.haematoma.lower_bound, result.haematoma.at_most_ml
    most = "" if most_ml is None else f" to {most_ml:.1f}"
    return (
        f"Haematoma {least}{result.haematoma_volume_ml:.1f}{most} mL, "
        f"{bloody} of {len(result.slices)} slices with blood{part}",
        f"Rule-based second opinion: {', '.join(present) or 'no sign'}",
    )


def _spread(indices: tuple[int, ...]) -> tuple[int, ...]:
    """At most `MAX_TILES` of the indices, evenly chosen, first and last among them."""
    if len(indices) <= MAX_TILES:
        return indices
    places = np.linspace(0, len(indices) - 1, MAX_TILES).round().astype(int)
    return tuple(indices[place] for place in places)


def framed(body: Picture, caption: tuple[str, str]) -> Picture:
    """Caption above and footer below a picture."""
    height, width = body.shape[:2]
    framed = np.zeros((CAPTION_PIXELS + height + FOOTER_PIXELS, width, 3), dtype=np.uint8)
    framed[CAPTION_PIXELS : CAPTION_PIXELS + height] = body
    draw_text(framed, caption[0], (8, 23), size=0.6)
    draw_text(framed, caption[1], (8, 47), size=0.5, color=GREY)
    draw_text(framed, FOOTER, (8, framed.shape[0] - 8), size=0.45, color=GREY)
    return framed

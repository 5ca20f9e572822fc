"""The clot's outline: irregular margin (Barras 2009), island sign (Li 2017), satellite (Shimoda 2017)."""

from __future__ import annotations

import cv2
import numpy as np

from hemx_core.measure.patch import GRID_MM, PIXEL_MM2, ClotPatch, Mask, label_pieces
from hemx_core.measure.volume import boundary_points_mm, diameter_mm

SATELLITE_MM = 10.0
"""Largest diameter of a satellite."""

SATELLITE_REACH_MM = (1.0, 20.0)
"""From the main haematoma's outline; nearer is a ragged margin."""

BRIDGE_MM = 4.0
"""A small haematoma that hangs on by less than this is connected, yet a piece of its own."""

MIN_PIECE_MM2 = 10.0
ISLAND_SHARE = 0.25
"""A "small" haematoma has at most this share of the main one's area."""


def solidity(patch: ClotPatch) -> float:
    """Area over the area of the convex hull, of the smoothed outline: lobes and bays lower it."""
    contours, _ = cv2.findContours(
        patch.outline.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    outline = max(contours, key=cv2.contourArea)
    hull = cv2.contourArea(cv2.convexHull(outline))
    return float(cv2.contourArea(outline) / hull) if hull > 0 else 1.0


def count_satellites(patch: ClotPatch) -> int:
    """Separate pieces of at most 10 mm within 20 mm of the main one."""
    labels, stats = label_pieces(patch.pieces)
    main = _main(stats)
    away = _distance_mm(labels == main)
    found = 0
    for label in range(1, len(stats)):
        piece = labels == label
        if label == main or stats[label, cv2.CC_STAT_AREA] * PIXEL_MM2 < MIN_PIECE_MM2:
            continue
        wide = diameter_mm(boundary_points_mm(piece, (GRID_MM, GRID_MM)))[0]
        near, far = SATELLITE_REACH_MM
        found += wide <= SATELLITE_MM and near <= float(away[piece].min()) <= far
    return found


def count_islands(patch: ClotPatch) -> int:
    """The island sign's count: separate small haematomas, or all small ones less one if more.

    Li 2017 asks for three that are all separate, or four of which some or all are connected; so
    three of this count is the sign.
    """
    labels, stats = label_pieces(patch.pieces)
    main = _main(stats)
    limit = ISLAND_SHARE * float(stats[main, cv2.CC_STAT_AREA])
    areas = stats[1:, cv2.CC_STAT_AREA]
    separate = int(((areas * PIXEL_MM2 >= MIN_PIECE_MM2) & (areas <= limit)).sum())
    thin = _distance_mm(~(labels == main)) > BRIDGE_MM / 2
    _, kept = label_pieces(thin)
    bridged = max(int((kept[1:, cv2.CC_STAT_AREA] <= limit).sum()), 0)
    return max(separate, separate + bridged - 1)


def _main(stats: np.ndarray) -> int:
    return 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def _distance_mm(region: Mask) -> np.ndarray:
    """Distance of every pixel outside a region from it, mm; 0 inside."""
    distance = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(distance * np.float32(GRID_MM))

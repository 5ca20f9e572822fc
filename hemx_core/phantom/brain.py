"""The brain as implicit surfaces in head coordinates (mm): ventricles, cisterns, cortex, nuclei."""

from __future__ import annotations

import numpy as np

from hemx_core.phantom.fields import Floats, Points, capsule, cover, ellipsoid, join, over, slant
from hemx_core.phantom.spec import HeadSpec

CSF, FALX, CALCIUM = 7.0, 52.0, 260.0


def paint_brain(
    points: Points,
    depth: Floats,
    *,
    head: HeadSpec,
    folds: Floats,
    texture: Floats,
    fine: Floats,
    width_mm: float,
) -> Floats:
    """HU inside the skull.

    Args:
        points: the plane.
        depth: distance below the inner table, mm, positive inside, same shape.
        head: the head.
        folds: random field whose zero lines are the sulci, same shape.
        texture: random field smooth over some 15 mm.
        fine: random field smooth over some 5 mm.
        width_mm: width of a soft edge.
    """
    x, y, z = points.x, points.y, points.z
    sides = points.with_x(np.abs(x))
    grey, white = head.grey_hu, head.white_hu
    # Below the tentorium, which rises towards the midline and the front.
    tent = z + 16 + np.float32(0.3) * np.minimum(np.abs(y - 30), 40) + np.float32(0.15) * sides.x
    fossa = cover(tent, 5) * cover(10 - y, 8)
    hu = np.full(x.shape, white, np.float32)
    hu -= cover(26 - depth, 14)
    bend = np.abs(folds)
    rind = depth - np.float32(1.0 + 1.6 * head.atrophy)
    ribbon = np.maximum(
        cover(rind - np.float32(3.4), 1.6),
        cover(bend - np.float32(0.42), 0.3) * cover(rind - 15, 7),
    )
    over(hu, ribbon * (1 - fossa), grey)
    _paint_nuclei(hu, sides, grey, width_mm)
    over(hu, fossa, 0.5 * grey + 0.5 * white)
    stem = capsule(points, (0, 14, -32), (0, 22, -66), 12)
    stem = join(stem, ellipsoid(sides, (7, 6, -14), (12, 13, 12)), 4)
    over(hu, cover(stem, 2 * width_mm), 0.4 * grey + 0.6 * white)
    hu += np.float32(0.7) * fine + np.float32(0.6) * texture
    _paint_sulci(hu, sides, rind, bend, fossa, texture, head.atrophy)
    _paint_cisterns(hu, points, texture, head.atrophy)
    _paint_ventricles(hu, points, texture, head.atrophy, width_mm)
    falx = np.abs(x + np.float32(0.8) * texture) - np.float32(0.75)
    falx = np.maximum(falx, np.minimum(depth - 38, depth - 26 - np.float32(0.2) * y))
    over(hu, cover(falx, width_mm) * cover(2 - z, 10) * np.float32(0.75), FALX)
    _paint_calcium(hu, points, head, width_mm)
    return hu


def _paint_nuclei(hu: Floats, sides: Points, grey: float, width_mm: float) -> None:
    """Caudate head, lentiform nucleus, thalamus and insular cortex."""
    soft = 2.0 + width_mm
    side, y = sides.x, sides.y
    over(hu, cover(ellipsoid(sides, (13, -24, 9), (5, 10, 11)), soft), grey - 1.5)
    slanted = sides.with_x(side + np.float32(0.28) * (y + 4))
    over(hu, cover(ellipsoid(slanted, (26, -4, 3), (6.5, 17, 12)), soft), grey - 1.5)
    slanted = sides.with_x(side - np.float32(0.2) * (y - 12))
    over(hu, cover(ellipsoid(slanted, (11, 12, 6), (7.5, 14, 10)), soft), grey - 2.5)
    if not sides.misses(-12, 18):
        insula = np.abs(side + np.float32(0.012) * np.square(y + 2) - 40) - np.float32(1.7)
        insula = np.maximum(insula, np.maximum(np.abs(y + 2) - 21, np.abs(sides.z - 3) - 13))
        over(hu, cover(insula, soft), grey)


def _paint_sulci(
    hu: Floats,
    sides: Points,
    rind: Floats,
    bend: Floats,
    fossa: Floats,
    texture: Floats,
    atrophy: float,
) -> None:
    """Subarachnoid space, sulci that open to it, interhemispheric and Sylvian fissures."""
    side, y, z = sides.x, sides.y, sides.z
    wide = np.float32(0.07 + 0.17 * atrophy) * (1 + np.float32(0.55) * texture)
    wide *= 1 + np.float32(0.9) * cover(rind - 4, 6)
    reach = np.float32(12 + 9 * atrophy) + 4 * texture
    sulci = cover(bend - wide, 0.18) * cover(rind - reach, 6)
    over(hu, sulci * (1 - np.float32(0.75) * fossa), CSF)
    film = np.clip(np.float32(0.05 + 0.65 * atrophy) + np.float32(0.25) * texture, 0, 1)
    over(hu, cover(rind, 1.5) * film, CSF)
    gap = side - np.float32(0.6 + 1.6 * atrophy) * (1 + np.float32(0.6) * texture)
    gap = np.maximum(gap, np.minimum(np.maximum(y + 34, -30 - z), 22 - z))
    over(hu, cover(gap, 1.5) * cover(rind - 45, 6) * (z > -22), CSF)
    if sides.misses(-11, 15):
        return
    slit = np.float32(0.5 + 2.2 * atrophy) * (1 + np.float32(0.5) * texture)
    insular = np.abs(side + np.float32(0.012) * np.square(y + 2) - 44 + texture) - slit
    insular = np.maximum(insular, np.maximum(np.abs(y + 1) - 19, np.abs(z - 3) - 12))
    stem = y + 8 + np.float32(0.35) * (side - 45) + np.float32(0.5) * (z - 4) + 2 * texture
    stem = np.abs(stem) - np.float32(0.9) * slit
    stem = np.maximum(stem, np.maximum(36 - side, np.abs(z - 1) - 12))
    over(hu, cover(np.minimum(insular, stem), 1.8), CSF)


def _paint_cisterns(hu: Floats, points: Points, texture: Floats, atrophy: float) -> None:
    """Suprasellar star, quadrigeminal, ambient and prepontine cisterns, cisterna magna."""
    if points.misses(-72, 2):
        return
    x, y, z = points.x, points.y, points.z
    open_ = np.float32(0.7 + 0.6 * atrophy)
    turn = np.arctan2(x, y + 13)
    star = np.sqrt(x * x + np.square(y + 13))
    star -= (7 + np.float32(2.6) * np.cos(5 * turn)) * open_ * np.float32(1.15)
    star = np.maximum(star, np.abs(z + 20) - 6)
    bent = points.with_y(slant(y, np.abs(x), -0.25))
    quadrigeminal = ellipsoid(bent, (0, 22, -7), (17, 4 * float(open_), 7))
    ring = np.abs(np.sqrt(x * x + np.square(y - 7)) - np.float32(17.5) - 2 * texture)
    ring -= (np.float32(1.3) + np.float32(0.8) * texture) * open_
    ring = np.maximum(ring, np.maximum(np.abs(z + 14) - 7, 3 - y))
    prepontine = np.maximum(ellipsoid(points, (0, 2, -40), (14, 6, 22)), z + 22)
    magna = ellipsoid(points, (0, 70, -58), (12, 7 * float(open_), 14))
    cisterns = np.minimum(np.minimum(star, quadrigeminal), np.minimum(ring, prepontine))
    over(hu, cover(np.minimum(cisterns, magna) + texture, 2) * np.float32(0.9), CSF)


def _paint_ventricles(
    hu: Floats, points: Points, texture: Floats, atrophy: float, width_mm: float
) -> None:
    """Lateral ventricles with their horns, septum, third and fourth ventricle."""
    x, y = points.x, points.y
    side = np.abs(x)
    sides = points.with_x(side)
    open_ = 0.6 + 0.85 * atrophy
    slanted = sides.with_x(side + np.float32(0.3) * (y + 28))
    lateral = ellipsoid(slanted, (8, -28, 10), (4.2 * open_, 13, 9 * open_))
    slanted = sides.with_x(side - np.float32(0.12) * (y + 5))
    lateral = join(lateral, ellipsoid(slanted, (9, 0, 21), (5.5 * open_, 27, 6 * open_)), 6)
    slanted = sides.with_x(side - np.float32(0.3) * (y - 30))
    lateral = join(lateral, ellipsoid(slanted, (23, 30, 10), (6 * open_, 11, 10 * open_)), 6)
    lateral = join(lateral, ellipsoid(sides, (25, 46, 5), (4 * open_, 15, 5 * open_)), 6)
    lateral = join(lateral, capsule(sides, (32, -8, -20), (34, 22, -10), 1.6 * open_), 3)
    lateral = np.maximum(lateral, np.float32(0.9) - side)
    third = ellipsoid(points, (0, 0, -2), (2.2 * open_, 15, 10))
    bent = points.with_y(slant(y, side, -0.35))
    fourth = ellipsoid(bent, (0, 30, -36), (7 * open_, 4 * open_, 9))
    spaces = np.minimum(np.minimum(lateral, third), fourth)
    over(hu, cover(spaces + np.float32(0.5) * texture, 1.2 * width_mm), CSF)


def _paint_calcium(hu: Floats, points: Points, head: HeadSpec, width_mm: float) -> None:
    """Calcified pineal gland and choroid plexus: bright, small, and no clot."""
    if "pineal" in head.calcified:
        over(hu, cover(ellipsoid(points, (0.5, 24, 0), (2.2, 2.4, 3)), width_mm), CALCIUM)
    if "choroid" in head.calcified:
        sides = points.with_x(np.abs(points.x + np.float32(0.8)))
        plexus = ellipsoid(sides, (24, 33, 8), (2.2, 4, 5))
        over(hu, cover(plexus, width_mm) * np.float32(0.8), CALCIUM)

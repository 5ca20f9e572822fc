"""The brain as implicit surfaces in head coordinates (mm): ventricles, cisterns, cortex, nuclei."""

from __future__ import annotations

import numpy as np

from hemx_core.phantom.fields import Floats, capsule, cover, ellipsoid, join, over
from hemx_core.phantom.spec import HeadSpec

CSF, FALX, CALCIUM = 7.0, 52.0, 260.0


def paint_brain(
    x: Floats,
    y: Floats,
    z: Floats,
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
        x, y, z: head coordinates, one shape, mm.
        depth: distance below the inner table, mm, positive inside.
        head: the head.
        folds: smooth random field whose zero lines are the sulci, same shape.
        texture: smooth random field of some 15 mm.
        fine: random field of some 5 mm.
        width_mm: width of a soft edge.
    """
    side = np.abs(x)
    grey, white = head.grey_hu, head.white_hu
    fossa = cover(z + 18 + 0.35 * (y - 30) * (y < 60), 5) * cover(8 - y, 6)
    hu = np.full(x.shape, white, np.float32)
    bend = np.abs(folds)
    rind = depth - np.float32(1.2 + 1.6 * head.atrophy)
    ribbon = np.maximum(cover(rind - 3.4, 1.6), cover(bend - 0.42, 0.3) * cover(rind - 15, 7))
    over(hu, ribbon * (1 - fossa), grey)
    _paint_nuclei(hu, side, y, z, grey, width_mm)
    over(hu, fossa, 0.65 * grey + 0.35 * white)
    stem = np.minimum(
        capsule(x, y, z, (0, 14, -32), (0, 22, -66), 12), ellipsoid(side, y, z, (7, 6, -14), (12, 13, 12))
    )
    over(hu, cover(stem, 2 * width_mm), 0.4 * grey + 0.6 * white)
    hu += np.float32(0.7) * fine + np.float32(0.5) * texture
    _paint_spaces(hu, x, y, z, rind, bend, fossa, texture, head.atrophy, width_mm)
    _paint_ventricles(hu, x, y, z, texture, head.atrophy, width_mm)
    falx = np.abs(x + 0.8 * texture) - np.float32(0.75)
    falx = np.maximum(falx, np.minimum(depth - 38, depth - 26 - 0.2 * y))
    over(hu, cover(falx, width_mm) * cover(2 - z, 10) * 0.75, FALX)
    _paint_calcium(hu, x, y, z, head, width_mm)
    return hu


def _paint_nuclei(
    hu: Floats, side: Floats, y: Floats, z: Floats, grey: float, width_mm: float
) -> None:
    """Caudate head, lentiform nucleus and thalamus, insular cortex."""
    soft = 1.5 * width_mm
    over(hu, cover(ellipsoid(side, y, z, (13, -24, 9), (5, 10, 11)), soft), grey)
    lens = ellipsoid(side + 0.28 * (y + 4), y, z, (26, -4, 3), (6.5, 17, 12))
    over(hu, cover(lens, soft), grey - 0.5)
    over(hu, cover(ellipsoid(side - 0.2 * (y - 12), y, z, (11, 12, 6), (7.5, 14, 10)), soft), grey - 1)
    insula = np.abs(side + 0.2 * np.abs(y + 2) - 40) - 1.8
    insula = np.maximum(insula, np.maximum(np.abs(y + 2) - 22, np.abs(z - 3) - 13))
    over(hu, cover(insula, soft), grey)


def _paint_spaces(
    hu: Floats,
    x: Floats,
    y: Floats,
    z: Floats,
    rind: Floats,
    bend: Floats,
    fossa: Floats,
    texture: Floats,
    atrophy: float,
    width_mm: float,
) -> None:
    """Subarachnoid space, sulci, fissures and cisterns."""
    side = np.abs(x)
    wide = np.float32(0.10 + 0.2 * atrophy)
    reach = 12 + 9 * atrophy + 4 * texture
    sulci = cover(bend - wide * (1 + 0.5 * texture), 0.16) * cover(rind - reach, 5)
    over(hu, sulci * (1 - 0.75 * fossa), CSF)
    over(hu, cover(rind, 1.5) * np.float32(0.15 + 0.6 * atrophy), CSF)
    gap = side - np.float32(0.6 + 1.6 * atrophy) * (1 + 0.6 * texture)
    gap = np.maximum(gap, np.minimum(np.maximum(y + 34, -30 - z), np.maximum(22 - z, y - 200)))
    over(hu, cover(gap, 1.5) * cover(rind - 45, 6) * (z > -22), CSF)
    slit = np.float32(0.5 + 2.2 * atrophy) * (1 + 0.5 * texture)
    insular = np.abs(side + 0.012 * (y + 2) ** 2 - 44 + texture) - slit
    insular = np.maximum(insular, np.maximum(np.abs(y + 1) - 19, np.abs(z - 3) - 12))
    stem = np.abs(y + 8 + 0.35 * (side - 45) + 0.5 * (z - 4) + 2 * texture) - 0.9 * slit
    stem = np.maximum(stem, np.maximum(36 - side, np.abs(z - 1) - 12))
    over(hu, cover(np.minimum(insular, stem), 1.8), CSF)
    open_ = np.float32(0.7 + 0.6 * atrophy)
    turn = np.arctan2(x, y + 13)
    star = np.sqrt(x * x + (y + 13) ** 2) - (7 + 2.6 * np.cos(5 * turn)) * open_ * 1.15
    star = np.maximum(star, np.abs(z + 20) - 6)
    quad = ellipsoid(x, y - 0.25 * side, z, (0, 22, -7), (17, 4 * open_, 7))
    ring = np.abs(np.sqrt(x * x + (y - 7) ** 2) - 17.5 - 2 * texture) - (1.3 + 0.8 * texture) * open_
    ring = np.maximum(ring, np.maximum(np.abs(z + 14) - 7, 3 - y))
    prepontine = np.maximum(ellipsoid(x, y, z, (0, 2, -40), (14, 6, 22)), z + 22)
    magna = ellipsoid(x, y, z, (0, 70, -58), (12, 7 * open_, 14))
    cisterns = np.minimum(np.minimum(star, quad), np.minimum(ring, np.minimum(prepontine, magna)))
    over(hu, cover(cisterns + texture, 2) * 0.9, CSF)


def _paint_ventricles(
    hu: Floats, x: Floats, y: Floats, z: Floats, texture: Floats, atrophy: float, width_mm: float
) -> None:
    """Lateral ventricles with their horns, septum, third and fourth ventricle."""
    side = np.abs(x)
    open_ = np.float32(0.6 + 0.85 * atrophy)
    horn = ellipsoid(side + 0.3 * (y + 28), y, z, (8, -28, 10), (4.2 * open_, 13, 9 * open_))
    body = ellipsoid(side - 0.12 * (y + 5), y, z, (9, 0, 21), (5.5 * open_, 27, 6 * open_))
    atrium = ellipsoid(side - 0.3 * (y - 30), y, z, (23, 30, 10), (6 * open_, 11, 10 * open_))
    occipital = ellipsoid(side, y, z, (25, 46, 5), (4 * open_, 15, 5 * open_))
    temporal = capsule(side, y, z, (32, -8, -20), (34, 22, -10), 1.6 * float(open_))
    lateral = join(join(horn, body, 6), join(atrium, occipital, 6), 6)
    lateral = join(lateral, temporal, 3)
    lateral = np.maximum(lateral, 0.9 - side - 0.1 * np.maximum(y, 0))
    third = ellipsoid(x, y, z, (0, 0, -2), (2.2 * open_, 15, 10))
    fourth = ellipsoid(x, y - 0.35 * side, z, (0, 30, -36), (7 * open_, 4 * open_, 9))
    spaces = np.minimum(np.minimum(lateral, third), fourth)
    over(hu, cover(spaces + 0.5 * texture, 1.2 * width_mm), CSF)


def _paint_calcium(
    hu: Floats, x: Floats, y: Floats, z: Floats, head: HeadSpec, width_mm: float
) -> None:
    """Calcified pineal gland and choroid plexus: bright, small, and no clot."""
    if "pineal" in head.calcified:
        over(hu, cover(ellipsoid(x, y, z, (0.5, 24, 0), (2.2, 2.4, 3)), width_mm), CALCIUM)
    if "choroid" in head.calcified:
        plexus = ellipsoid(np.abs(x + 0.8), y, z, (24, 33, 8), (2.2, 4, 5))
        over(hu, cover(plexus, width_mm) * 0.8, CALCIUM)

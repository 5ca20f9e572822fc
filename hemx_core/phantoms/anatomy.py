"""The head as implicit surfaces in head coordinates (mm).

Skull, scalp, face and skull base; ventricles, cisterns, cortex and nuclei.
"""

from __future__ import annotations

import numpy as np

from hemx_core.phantoms.fields import Floats, Points, capsule, cover, ellipsoid, join, over, slant
from hemx_core.phantoms.spec import HeadSpec

AIR, FAT, MUSCLE, SKIN = -1000.0, -95.0, 55.0, 30.0
CORTEX, MARROW = 1350.0, 620.0
FACE_TOP_MM = 12.0
"""Above this height there is neither face nor skull base."""


def inside_skull(points: Points) -> Floats:
    """Signed distance to the inner table, mm, negative inside the cranial cavity.

    Calvaria, posterior fossa and the two middle fossae, joined with fillets.
    """
    x, y, z = points.x, points.y, points.z
    wide = np.float32(67) * (1 + np.float32(0.09) * np.tanh((y + 12) * np.float32(1 / 45)))
    height = np.where(z > 0, np.float32(1 / 74), np.float32(1 / 31))
    across, along = np.square(x / wide), np.square(y * np.float32(1 / 86))
    flat = across + along - np.float32(0.3) * across * along
    upright = np.square(z * height) * (1 - np.float32(0.25) * np.minimum(flat, 1))
    rho = np.sqrt(flat + upright)
    from_origin = np.sqrt(x * x + y * y + z * z)
    vault = from_origin * (1 - 1 / np.maximum(rho, np.float32(0.05)))
    posterior = ellipsoid(points, (0, 38, -34), (53, 42, 40)) * np.float32(1.1)
    sides = points.with_x(np.abs(x))
    middle = ellipsoid(sides, (35, -6, -22), (27, 37, 25)) * np.float32(1.2)
    return join(join(vault, posterior, 14), middle, 12)


def paint_outside(
    points: Points,
    inner: Floats,
    *,
    skull_mm: float,
    texture: Floats,
    fine: Floats,
    width_mm: float,
) -> Floats:
    """HU of everything but the brain and the skull base.

    Args:
        points: the plane.
        inner: `inside_skull` there.
        skull_mm: mean thickness of the calvaria.
        texture: random field smooth over some 15 mm, same shape.
        fine: random field smooth over some 5 mm, same shape.
        width_mm: width of a soft edge.
    """
    y, z, side = points.y, points.z, np.abs(points.x)
    sides = points.with_x(side)
    outer = inner - _thickness(sides, skull_mm, texture)
    temporal = np.exp(-np.square((y + 22) / 26) - np.square((z + 12) / 26))
    temporal *= np.clip((side - 20) / 25, 0, 1)
    body = outer - (np.float32(4.4) + np.float32(0.6) * texture * cover(z - 40, 30) + 9 * temporal)
    low = points.lowest < FACE_TOP_MM
    if low:
        body = np.minimum(body, ellipsoid(points, (0, -24, -58), (66, 74, 62)))
        body = join(body, ellipsoid(sides, (31, -60, -27), (29, 28, 22)), 10)
        body = join(body, ellipsoid(points, (0, -92, -54), (12, 20, 22)), 8)
        body = np.minimum(body, ellipsoid(sides, (80, 10, -32), (6, 13, 24)) + 1)
    hu = np.full(points.x.shape, AIR, np.float32)
    over(hu, cover(body, width_mm), SKIN)
    over(hu, cover(body + np.float32(1.9), width_mm), FAT)
    over(hu, cover(np.abs(outer - np.float32(1.2)) - np.float32(0.9), width_mm) * 0.8, 35.0)
    muscle = np.maximum(outer - np.float32(8.5) * temporal, body + 2)
    over(hu, cover(muscle, width_mm) * (temporal > np.float32(0.1)), MUSCLE + 5 * texture)
    if low:
        _paint_face(hu, sides, body, texture, fine, width_mm)
        _paint_airways(hu, points, body, texture, fine, width_mm)
    over(hu, cover(outer, width_mm), CORTEX)
    half = (inner - outer) * np.float32(0.5)
    marrow: Floats = np.subtract(np.abs(inner + outer) * np.float32(0.5), half, dtype=np.float32)
    over(hu, cover(marrow + np.float32(1.7), width_mm), MARROW + 110 * fine)
    return hu


def _thickness(sides: Points, skull_mm: float, texture: Floats) -> Floats:
    """Thickness of the skull: thicker at the occiput and brow, thinner at the base."""
    side, y, z = sides.x, sides.y, sides.z
    ridge = np.exp(-np.square(side / 22) - np.square((y - 80) / 30))
    brow = np.exp(-np.square(side / 20) - np.square((y + 84) / 16) - np.square((z + 12) / 14))
    uneven = 1 + np.float32(0.05) * texture * cover(z - 35, 30)
    thick = skull_mm * uneven * (1 + np.float32(0.35) * ridge)
    thin = np.where(z < -5, np.float32(0.8), np.float32(1))
    thickness: Floats = np.maximum(thick, np.float32(2.5)) * thin + 7 * brow
    return thickness


def _paint_face(
    hu: Floats, sides: Points, body: Floats, texture: Floats, fine: Floats, width_mm: float
) -> None:
    """Muscles, facial bones, orbits with eyes, maxillary sinuses; both sides at once."""
    deep = cover(body + 6, 4) * cover(sides.z + 22, 8)
    over(hu, deep * np.clip(np.float32(1.15) + np.float32(1.4) * texture, 0, 1), MUSCLE + 6 * fine)
    frame = np.minimum(
        capsule(sides, (44, -74, -26), (58, -50, -42), 4),
        capsule(sides, (58, -50, -42), (66, -4, -44), 3),
    )
    frame = np.minimum(frame, capsule(sides, (50, -40, -20), (44, -52, -60), 4.5))
    frame = np.minimum(frame, ellipsoid(sides, (52, -8, -60), (5, 6, 22)))
    frame = np.minimum(frame, capsule(sides, (13, -30, -40), (17, -30, -66), 2))
    frame = np.maximum(frame + np.float32(0.9) * fine, body + 4)
    over(hu, cover(frame, width_mm), 1050.0 + 150 * fine)
    maxillary = ellipsoid(sides, (27, -60, -60), (15, 19, 17)) + texture
    over(hu, cover(maxillary - np.float32(1.6), width_mm), 800.0)
    over(hu, cover(maxillary, width_mm), AIR)
    orbit = ellipsoid(sides, (31, -58, -29), (19, 26, 16))
    rim = np.maximum(orbit - 2, np.maximum(-76 - sides.y, body + 5))
    over(hu, cover(rim, width_mm), 900.0)
    over(hu, cover(np.maximum(orbit, body + 2), width_mm), FAT)
    over(hu, cover(capsule(sides, (30, -64, -30), (17, -36, -28), 2.2), width_mm), 38.0)
    for shift in (-11.0, 11.0):
        muscle = capsule(sides, (31 + shift, -68, -30), (20, -38, -28), 1.8)
        over(hu, cover(muscle, width_mm), 55.0)
    eye = ellipsoid(sides, (32, -74, -30), (12, 12.5, 12))
    over(hu, cover(eye, width_mm), 60.0)
    over(hu, cover(eye + np.float32(1.5), width_mm), 12.0)
    over(hu, cover(ellipsoid(sides, (32, -83, -30), (4.5, 2, 4.5)), width_mm), 75.0)


def _paint_airways(
    hu: Floats, points: Points, body: Floats, texture: Floats, fine: Floats, width_mm: float
) -> None:
    """Nasal cavity with septum and conchae, ethmoid cells above."""
    nose = np.maximum(ellipsoid(points, (0, -58, -50), (14, 30, 28)), body + 4)
    over(hu, cover(nose - np.float32(1.5), width_mm), 700.0)
    over(hu, cover(nose, width_mm), AIR)
    ethmoid = points.z > -40
    walls = np.abs(fine) - np.where(ethmoid, np.float32(0.22), np.float32(0.5))
    walls = cover(nose, width_mm) * cover(walls, 0.35)
    over(hu, walls, np.where(ethmoid, np.float32(300), np.float32(45)))
    septum = np.maximum(np.abs(points.x + texture) - np.float32(0.9), nose)
    over(hu, cover(septum, width_mm), 500.0)


def paint_base(
    hu: Floats, points: Points, inner: Floats, texture: Floats, fine: Floats, width_mm: float
) -> None:
    """Petrous bones with air cells, clivus, sphenoid with its wings and sinus, frontal sinus."""
    if points.lowest > FACE_TOP_MM:
        return
    side, y, z = np.abs(points.x), points.y, points.z
    sides = points.with_x(side)
    bone = join(
        capsule(sides, (13, 0, -38), (50, 20, -37), 8),
        capsule(points, (0, -22, -34), (0, 10, -66), 9),
        4,
    )
    bone = join(bone, ellipsoid(sides, (56, 24, -46), (13, 17, 19)), 5)
    bone = join(bone, ellipsoid(sides, (24, -24, -46), (24, 13, 8)), 5)
    bone = bone + np.float32(1.2) * texture + np.float32(0.35) * fine
    wing = np.abs(y + 36 + np.float32(0.006) * np.square(side - 25)) - (2.2 - 0.03 * side)
    wing = np.maximum(wing, np.maximum(np.abs(z + 19) - 5, np.maximum(7 - side, inner - 2)))
    bone = np.minimum(bone, wing.astype(np.float32))
    over(hu, cover(bone, width_mm), 1250.0 + 250 * fine)
    cells = ellipsoid(sides, (55, 23, -46), (11, 14, 17))
    over(hu, cover(cells, width_mm) * cover(np.float32(0.1) - fine, 0.4), AIR)
    over(hu, cover(capsule(sides, (48, 10, -42), (85, 8, -42), 3.2), width_mm), AIR)
    over(hu, cover(ellipsoid(sides, (8, -30, -33), (8, 12, 9)) + texture, width_mm), AIR)
    sinus = np.maximum(np.abs(inner - np.float32(4.5)) - np.float32(2.4), side - 17 + 4 * fine)
    sinus = np.maximum(np.maximum(sinus, np.abs(z + 12) - 9), np.maximum(y + 40, 1.2 - side))
    over(hu, cover(sinus.astype(np.float32), width_mm), AIR)


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

"""Skull, scalp, face and skull base as implicit surfaces, in head coordinates (mm)."""

from __future__ import annotations

import numpy as np

from hemx_core.phantom.fields import Floats, capsule, cover, ellipsoid, join, over, radial

AIR, FAT, MUSCLE, SKIN = -1000.0, -95.0, 55.0, 30.0
CORTEX, MARROW = 1350.0, 620.0


def inside_skull(x: Floats, y: Floats, z: Floats) -> Floats:
    """Signed distance to the inner table, mm, negative inside the cranial cavity.

    Calvaria, posterior fossa and the two middle fossae are joined.
    """
    side = np.abs(x)
    wide = 1 + np.float32(0.09) * np.tanh((y + 12) / 45)
    height = np.where(z > 0, np.float32(1 / 74), np.float32(1 / 31))
    across, along = (x / (67 * wide)) ** 2, (y / 86) ** 2
    flat = across + along - np.float32(0.3) * across * along
    rho = np.sqrt(flat + (z * height) ** 2 * (1 - np.float32(0.25) * np.minimum(flat, 1)))
    vault = radial(x, y, z, rho)
    posterior = ellipsoid(x, y, z, (0, 38, -34), (53, 42, 40)) * np.float32(1.1)
    middle = ellipsoid(side, y, z, (35, -6, -22), (27, 37, 25)) * np.float32(1.2)
    return join(join(vault, posterior, 14), middle, 12)


def paint_outside(
    x: Floats,
    y: Floats,
    z: Floats,
    inner: Floats,
    *,
    skull_mm: float,
    texture: Floats,
    fine: Floats,
    width_mm: float,
) -> Floats:
    """HU of everything but the brain.

    Args:
        x, y, z: head coordinates, one shape, mm.
        inner: `inside_skull` there.
        skull_mm: mean thickness of the calvaria.
        texture: smooth random field of some 15 mm, same shape.
        fine: random field of some 5 mm, same shape.
        width_mm: width of a soft edge.
    """
    side = np.abs(x)
    low = float(z.min()) < 12
    thick = skull_mm * (1 + 0.07 * texture) * (1 + 0.35 * np.exp(-((side / 22) ** 2) - ((y - 80) / 30) ** 2))
    brow = np.exp(-((side / 20) ** 2) - ((y + 84) / 16) ** 2 - ((z + 12) / 14) ** 2)
    thick = np.maximum(thick, 2.5) * np.where(z < -5, 0.8, 1).astype(np.float32) + 7 * brow
    outer = inner - thick
    temporal = np.exp(-(((y + 22) / 26) ** 2) - ((z + 12) / 26) ** 2) * np.clip((side - 20) / 25, 0, 1)
    scalp = outer - (4.6 + 0.7 * texture + 9 * temporal).astype(np.float32)
    body = scalp
    if low:
        body = np.minimum(body, ellipsoid(x, y, z, (0, -24, -58), (66, 74, 62)))
        body = join(body, ellipsoid(side, y, z, (31, -60, -27), (29, 28, 22)), 10)
        body = join(body, ellipsoid(x, y, z, (0, -92, -54), (12, 20, 22)), 8)
        body = np.minimum(body, ellipsoid(side, y, z, (80, 10, -32), (6, 13, 24)) + 1)
    hu = np.full(x.shape, AIR, np.float32)
    over(hu, cover(body, width_mm), SKIN)
    over(hu, cover(body + 1.9, width_mm), FAT)
    over(hu, cover(np.abs(outer - 1.2) - 0.9, width_mm) * 0.8, 35.0)
    over(hu, cover(np.maximum(outer - 8.5 * temporal, 2 - body), width_mm) * (temporal > 0.1), MUSCLE)
    if low:
        _paint_face(hu, x, y, z, body, texture, fine, width_mm)
    over(hu, cover(outer, width_mm), CORTEX)
    marrow = np.abs(inner - thick / 2) - (thick / 2 - 1.7)
    over(hu, cover(marrow, width_mm), MARROW + 110 * fine)
    return hu


def _paint_face(
    hu: Floats,
    x: Floats,
    y: Floats,
    z: Floats,
    body: Floats,
    texture: Floats,
    fine: Floats,
    width_mm: float,
) -> None:
    """Muscles, facial bones, orbits and sinuses in front of and below the skull base."""
    side = np.abs(x)
    deep = cover(body + 7, 4) * cover(z + 22, 8)
    over(hu, deep * np.clip(0.9 + 1.5 * texture, 0, 1), MUSCLE + 6 * fine)
    frame = np.minimum(
        capsule(side, y, z, (44, -74, -26), (58, -50, -42), 5),
        capsule(side, y, z, (60, -52, -42), (66, -4, -44), 3.5),
    )
    frame = np.minimum(frame, capsule(side, y, z, (50, -40, -20), (44, -52, -60), 5))
    frame = np.minimum(frame, ellipsoid(side, y, z, (52, -8, -60), (6, 7, 22)))
    frame = np.maximum(frame, body + 4)
    over(hu, cover(frame, width_mm), 1050.0 + 150 * fine)
    maxillary = ellipsoid(side, y, z, (27, -60, -60), (15, 19, 17))
    over(hu, cover(maxillary - 1.8, width_mm), 800.0)
    over(hu, cover(maxillary, width_mm), AIR)
    orbit = ellipsoid(side, y, z, (31, -58, -29), (19, 26, 16))
    rim = np.maximum(orbit - 2, np.maximum(-76 - y, body + 5))
    over(hu, cover(rim, width_mm), 900.0)
    orbit = np.maximum(orbit, body + 2)
    over(hu, cover(orbit, width_mm), FAT)
    over(hu, cover(capsule(side, y, z, (30, -64, -30), (17, -36, -28), 2.2), width_mm), 38.0)
    for dx in (-11.0, 11.0):
        muscle = capsule(side, y, z, (31 + dx, -68, -30), (20, -38, -28), 1.8)
        over(hu, cover(muscle, width_mm), 55.0)
    eye = ellipsoid(side, y, z, (32, -74, -30), (12, 12.5, 12))
    over(hu, cover(eye, width_mm), 60.0)
    over(hu, cover(eye + 1.5, width_mm), 12.0)
    over(hu, cover(ellipsoid(side, y, z, (32, -83, -30), (4.5, 2, 4.5)), width_mm), 75.0)
    nose = ellipsoid(x, y, z, (0, -58, -50), (14, 30, 28))
    nose = np.maximum(nose, body + 4)
    over(hu, cover(nose - 1.5, width_mm), 700.0)
    over(hu, cover(nose, width_mm), AIR)
    conchae = np.abs(fine) - 0.22 * np.where(z > -40, 1.0, 2.2)
    walls = cover(nose, width_mm) * cover(conchae.astype(np.float32), 0.35)
    over(hu, walls, np.where(z > -40, np.float32(300), np.float32(45)))
    over(hu, cover(np.maximum(np.abs(x + texture) - 0.9, nose), width_mm), 500.0)


def paint_base(
    hu: Floats, x: Floats, y: Floats, z: Floats, inner: Floats, fine: Floats, width_mm: float
) -> None:
    """Petrous bones with air cells, clivus, sphenoid and frontal sinus."""
    side = np.abs(x)
    bone = np.minimum(
        capsule(side, y, z, (13, 0, -38), (50, 20, -37), 9),
        capsule(side, y, z, (0, -22, -34), (0, 10, -66), 9),
    )
    bone = np.minimum(bone, ellipsoid(side, y, z, (56, 24, -46), (13, 17, 19)))
    bone = np.minimum(bone, ellipsoid(side, y, z, (24, -24, -44), (24, 14, 9)))
    wing = np.abs(y + 36 + 0.006 * (side - 25) ** 2 + 2 * fine) - (2.4 - 0.03 * side)
    wing = np.maximum(wing, np.maximum(np.abs(z + 19) - 5, np.maximum(7 - side, inner - 2)))
    bone = np.minimum(bone, wing)
    over(hu, cover(bone, width_mm), 1250.0 + 250 * fine)
    cells = ellipsoid(side, y, z, (55, 23, -46), (11, 14, 17))
    over(hu, cover(cells, width_mm) * cover(0.1 - fine, 0.4), AIR)
    canal = capsule(side, y, z, (48, 10, -42), (85, 8, -42), 3.2)
    over(hu, cover(canal, width_mm), AIR)
    sphenoid = ellipsoid(side, y, z, (8, -30, -33), (8, 12, 9))
    over(hu, cover(sphenoid, width_mm), AIR)
    frontal = np.maximum(np.abs(inner - 4.5) - 2.4, np.maximum(side - 17 + 4 * fine, np.abs(z + 12) - 9))
    frontal = np.maximum(frontal, np.maximum(y + 40, 1.2 - side))
    over(hu, cover(frontal, width_mm), AIR)

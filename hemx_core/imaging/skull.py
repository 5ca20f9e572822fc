"""A head is a brain in a closed skull; and what of the head lies beside the picture or behind metal.

Bone with tissue in its convex hull is not enough: a vertebra between ribs has that, and a pelvis. Once
gaps of 8 mm are closed, a skull encloses brain; sutures, thin bone and burr holes do not open it, and
above and below a craniectomy it is closed. Knees, vertebrae and the chests of small children enclose
less, or nothing of brain's density, or have no wall of bone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import NotHeadError
from hemx_core.imaging.survey import LEAST_BRAIN_MM2, Survey
from hemx_core.imaging.volume import Coverage
from hemx_core.notes import Note, Severity

LEAST_LARGEST_MM2 = 4_000.0
"""The largest slice has more: 45 cm2 in a small premature child, less in a knee or a dog's head."""
LEAST_RIM = 0.9
"""Share of the cavity's border that has bone beside it; 0.96 in the worst real slice."""
LEAST_OPEN_SOLID = 0.9
"""Where the skull is open, bone and brain fill their hull."""
LEAST_OPEN_RIM = 0.95
"""A slice through wide sutures and a fontanelle: almost all of the brain's border has bone beside it."""
LEAST_DEFECT_RIM = 0.55
"""A slice through a craniectomy. A pelvis reaches this as well, and a chest, but without one slice of the
two other kinds."""
LEAST_SLICES = 3
LEAST_HEAD_MM2, MOST_HEAD_MM2 = 4_000.0, 60_000.0
"""Cross-section of a head; what is refused lies outside, or shows no skull."""
LEAST_CUT_MM = 15.0
"""From here the picture's edge cuts the brain; less is a rounded corner."""
METAL_HU = 2_600.0
"""Above tooth and the petrous bone: 2,120 HU in a real head."""
LEAST_METAL_MM2 = 6.0


def check_skull(seen: Survey) -> None:
    """Refuse a volume that shows no brain in a closed skull.

    At least three slices (all, where there are fewer) must show a brain in a skull, see `skull_slices`;
    the largest must have 40 cm2.

    Raises:
        NotHeadError: no slice has a head's cross-section; no skull; or no brain in it.
    """
    needed = min(LEAST_SLICES, len(seen))
    skull = skull_slices(seen)
    brains = int(np.count_nonzero(skull))
    largest = float(seen.brain_mm2[skull].max(initial=0.0))
    if brains >= needed and largest >= LEAST_LARGEST_MM2:
        return
    areas = seen.head_mm2
    heads = int(np.count_nonzero((areas >= LEAST_HEAD_MM2) & (areas <= MOST_HEAD_MM2)))
    if heads < needed:
        raise NotHeadError(
            "no_head",
            heads=heads,
            inspected=len(seen),
            largest_cm2=float(areas.max()) / 100,
            least_cm2=LEAST_HEAD_MM2 / 100,
            most_cm2=MOST_HEAD_MM2 / 100,
        )
    walled = int(np.count_nonzero(seen.enclosed_mm2 >= LEAST_BRAIN_MM2))
    if walled < needed:
        raise NotHeadError("no_skull", closed=walled, inspected=len(seen))
    if brains < needed:
        raise NotHeadError("no_brain", brains=brains, inspected=len(seen))
    raise NotHeadError(
        "small_skull",
        largest_cm2=largest / 100,
        least_cm2=LEAST_LARGEST_MM2 / 100,
    )


def skull_slices(seen: Survey) -> NDArray[np.bool_]:
    """Which slices show at least 20 cm2 of brain in a skull, shape (n,).

    Closed by bone, or open at sutures; where there is one of these, at a large defect too.
    """
    closed = (seen.cavity_mm2 >= LEAST_BRAIN_MM2) & (seen.rim_share >= LEAST_RIM)
    opened = (seen.open_mm2 >= LEAST_BRAIN_MM2) & (seen.solid_share >= LEAST_OPEN_SOLID)
    walled = closed | (opened & (seen.open_rim_share >= LEAST_OPEN_RIM))
    return walled | (opened & (seen.open_rim_share >= LEAST_DEFECT_RIM) & walled.any())


def skull_notes(seen: Survey, coverage: Coverage) -> tuple[Note, ...]:
    """Whether the picture's edge cuts the brain, and whether metal lies at its level."""
    return tuple(_notes(seen, coverage))


def _notes(seen: Survey, coverage: Coverage) -> Iterator[Note]:
    cut = seen.index[seen.cut_mm >= LEAST_CUT_MM]
    if len(cut):
        yield Note("brain_beside_picture", Severity.WARNING, first=cut[0] + 1, last=cut[-1] + 1)
    # Teeth lie lower than the brain.
    level = (seen.offset_mm > coverage.first_mm) & (seen.offset_mm < coverage.last_mm)
    between = np.flatnonzero(level).tolist()
    metal = seen.index[[place for place in between if _metal_mm2(seen, place) >= LEAST_METAL_MM2]]
    if len(metal):
        yield Note("metal", Severity.CAUTION, first=metal[0] + 1, last=metal[-1] + 1)


def _metal_mm2(seen: Survey, place: int) -> float:
    """Area of metal in the head."""
    metal = (seen.hu(place) >= METAL_HU) & seen.head(place)
    return float(np.count_nonzero(metal)) * seen.pixel_mm2

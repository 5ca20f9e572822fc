from __future__ import annotations

import cv2
import numpy as np

from hemx_core.data.reference_check import check_reference
from hemx_core.imaging.volume import HUVolume

SIZE = 256
SPACING = (5.0, 0.9, 0.9)
CLIPPED = (0.0, 80.0)


def disc(radius: int, centre: tuple[int, int] = (128, 128)) -> np.ndarray:
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(canvas, centre, radius, 1, -1)
    return canvas > 0


def head(*clots: np.ndarray | None) -> HUVolume:
    """Slices of brain at 32 HU in a skull, with a clot at 60 HU each."""
    rng = np.random.default_rng(0)
    slices = []
    for clot in clots:
        hu = np.where(disc(100), 32.0, 0.0) + rng.normal(0, 2, (SIZE, SIZE))
        hu[disc(105) & ~disc(96)] = 80
        if clot is not None:
            hu[clot] = 60 + rng.normal(0, 2, int(clot.sum()))
        slices.append(np.clip(hu, *CLIPPED))
    return HUVolume(
        np.rint(np.stack(slices)).astype(np.int16), spacing_mm=SPACING, clipped_to_hu=CLIPPED
    )


CLOT = disc(14, (150, 120))
NONE = np.zeros((SIZE, SIZE), bool)


def test_a_reference_that_fits_the_picture_stays_closed() -> None:
    volume = head(None, CLOT, CLOT, None)
    mask = np.stack([NONE, CLOT, CLOT, NONE])
    opened, faults = check_reference(volume, mask, np.zeros_like(mask))
    assert faults == ()
    assert not opened.any()


def test_clot_that_goes_on_without_a_mask_is_opened_slice_by_slice() -> None:
    volume = head(CLOT, CLOT, CLOT, None)
    mask = np.stack([NONE, NONE, CLOT, NONE])
    opened, faults = check_reference(volume, mask, np.zeros_like(mask))
    assert [(one.index, one.kind) for one in faults] == [(0, "missing"), (1, "missing")]
    assert opened[:2, CLOT].mean() > 0.95
    assert opened[0].sum() < 2.5 * CLOT.sum()
    assert not opened[2:].any()


def test_a_dense_spot_elsewhere_is_left_to_be_called_false() -> None:
    volume = head(disc(14, (90, 120)), CLOT)
    mask = np.stack([NONE, CLOT])
    assert check_reference(volume, mask, np.zeros_like(mask))[1] == ()


def test_what_the_source_left_open_is_no_fault() -> None:
    volume = head(CLOT, CLOT)
    mask = np.stack([NONE, CLOT])
    unsure = np.stack([CLOT, NONE])
    opened, faults = check_reference(volume, mask, unsure)
    assert faults == ()
    assert not opened.any()


def test_a_box_in_the_reference_opens_that_slice() -> None:
    volume = head(CLOT, CLOT)
    boxed = CLOT.copy()
    boxed[100:190, 140:146] = True
    mask = np.stack([boxed, CLOT])
    opened, faults = check_reference(volume, mask, np.zeros_like(mask))
    assert [(one.index, one.kind, one.pixels) for one in faults] == [(0, "box", int(boxed.sum()))]
    assert opened[0, boxed].all()
    assert not opened[1].any()

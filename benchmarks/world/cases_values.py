"""Cases of values that are not HU, of pictures that are no head, and of contrast medium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.world.bases import (
    Bases,
    Slices,
    Study,
    as_new_series,
    changed_hu,
    hu_of,
    of_the_study_of,
    put,
    put_text,
    store,
)
from benchmarks.world.expect import Expected
from benchmarks.world.registry import Case, of_plain
from benchmarks.world.words import PAIRS

Hu = NDArray[np.float64]
NOT_HU = "air|rescale|intercept|HU|grey|window|dens|values"


def cases() -> Iterator[Case]:
    """All cases of this file."""
    yield from _rescale()
    yield from _one_slice()
    yield from _packing()
    yield from _grey_levels()
    yield from _clipped()
    yield from _windows()
    yield from _no_head()
    yield from _agents()
    yield from _two_series()


def _rescale() -> Iterator[Case]:
    told = Expected(right=False, refusal=NOT_HU, warning=NOT_HU)
    for text in ("0", "-1000", "-1048", "-24", "1024"):
        yield Case(
            kind="rescale of every slice",
            variant=f"intercept {text}",
            build=of_plain(put, RescaleIntercept=text),
            expected=told,
        )
    yield Case(
        kind="rescale of every slice",
        variant="slope 2",
        build=of_plain(put, RescaleSlope="2"),
        expected=told,
    )
    yield Case(
        kind="rescale of every slice",
        variant="none",
        build=of_plain(put, RescaleSlope=None, RescaleIntercept=None),
        expected=told,
    )
    for variant, texts in (
        ("-1024,0", {"RescaleIntercept": "-1024,0"}),
        ("1,0 and -1024,0", {"RescaleSlope": "1,0", "RescaleIntercept": "-1024,0"}),
    ):
        yield Case(
            kind="decimal commas",
            variant=variant,
            build=of_plain(put_text, **texts),
            expected=Expected(volume=0.01, advice=True, refusal=NOT_HU, warning=NOT_HU),
        )


def _one_slice() -> Iterator[Case]:
    for variant, part, text in (
        ("in the clot, intercept 0", 0.5, "0"),
        ("in the clot, intercept -2048", 0.5, "-2048"),
        ("in the clot, intercept -1000", 0.5, "-1000"),
        ("at the base, intercept 0", 0.2, "0"),
    ):
        yield Case(
            kind="rescale of one slice",
            variant=variant,
            build=of_plain(_one_rescaled, part=part, text=text),
            expected=Expected(right=False, refusal="slice|" + NOT_HU, warning=r"slice"),
        )


def _one_rescaled(slices: Slices, part: float, text: str) -> Slices:
    put([slices[int(part * len(slices))]], RescaleIntercept=text)
    return slices


def _packing() -> Iterator[Case]:
    def wrapped(slices: Slices) -> Slices:
        for one in slices:
            store(one, hu_of(one).astype(np.int64) & 0xFFF, intercept=0)
        return slices

    yield Case(
        kind="12 bits wrapped",
        variant="negative values on top",
        build=of_plain(wrapped),
        expected=Expected(volume=0.01, advice=True, refusal=NOT_HU, warning=NOT_HU),
    )


def _grey_levels() -> Iterator[Case]:
    told = Expected(right=False, refusal=NOT_HU)
    for lower, upper in ((0, 80), (-20, 100), (-100, 300)):
        for bits in (8, 16):

            def grey(slices: Slices, lo: int = lower, hi: int = upper, b: int = bits) -> Slices:
                for one in slices:
                    level = (np.clip(hu_of(one), lo, hi) - lo) / (hi - lo) * 255
                    store(one, np.rint(level), intercept=0, bits=b)
                return slices

            yield Case(
                kind="grey levels of a window",
                variant=f"{lower} to {upper}, {bits} bits",
                build=of_plain(grey),
                expected=told,
            )


def _clipped() -> Iterator[Case]:
    for lower, upper, volume in (
        (-20, 100, 0.03),
        (0, 80, 0.05),
        (0, 100, 0.05),
        (-10, 90, 0.05),
        (-100, 200, 0.03),
        (-50, 150, 0.03),
        (-1024, 100, 0.05),
    ):
        yield Case(
            kind="clipped to a window",
            variant=f"{lower} to {upper}",
            build=of_plain(_clip, lower=lower, upper=upper),
            expected=Expected(volume=volume, advice=True, slices=True, note="clip"),
        )


def _clip(slices: Slices, lower: float, upper: float) -> Slices:
    return changed_hu(slices, lambda hu: np.clip(hu, lower, upper))


def _windows() -> Iterator[Case]:
    for window in ((0.0, 200.0), (40.0, 80.0), (0.0, 1e6), (-500.0, 1500.0), (30.0, 35.0)):
        yield Case(
            kind="a window far from the models'",
            variant=f"{window[0]:g} to {window[1]:g}",
            build=lambda bases: bases.plain(),
            expected=Expected(right=False, refusal="window", warning="window"),
            options={"window": window},
        )


def _drawn(picture: Callable[[Hu, Hu], Hu]) -> Callable[[Bases], Study]:
    """20 slices of a picture of row and column, mm from the middle, with noise."""

    def build(bases: Bases) -> Study:
        rng = np.random.default_rng(3)
        row, column = (np.mgrid[:256, :256] - 127.5) * 0.7
        hu = picture(row, column)
        slices = bases.plain()[:20]
        for one in slices:
            store(one, np.rint(hu + rng.normal(0, 10, hu.shape) + 1024), intercept=-1024)
        return put(slices, PixelSpacing=[0.7, 0.7], BodyPartExamined=None, SeriesDescription="")

    return build


def _body(row: Hu, column: Hu) -> Hu:
    return np.where(np.hypot(row / 80, column / 88) < 1, 45.0, -1000.0)


def _spine(row: Hu, column: Hu) -> Hu:
    hu = _body(row, column)
    hu[np.hypot(row - 10, column) < 22] = 320
    hu[np.hypot(row - 44, column) < 13] = 560
    hu[np.hypot(row - 44, column) < 8] = 15
    hu[np.hypot(row - 62, column) < 6] = 480
    return hu


def _pelvis(row: Hu, column: Hu) -> Hu:
    hu = _body(row, column)
    for side in (-1, 1):
        hu[np.hypot((row - 5) / 30, (column - 55 * side) / 12) < 1] = 450
        hu[np.hypot((row - 5) / 24, (column - 55 * side) / 7) < 1] = 120
    hu[np.hypot((row - 50) / 14, column / 30) < 1] = 380
    return hu


def _no_head() -> Iterator[Case]:
    told = Expected(right=False, refusal="head|brain|skull")
    for variant, picture in (
        ("vertebra", _spine),
        ("pelvis", _pelvis),
        ("water phantom", lambda row, column: np.where(_body(row, column) > 0, 0.0, -1000.0)),
        ("air", lambda row, column: np.full_like(row, -1000.0)),
        ("ring of bone around air", lambda row, column: _ring(row, column, -1000.0)),
        ("ring of bone around water", lambda row, column: _ring(row, column, 0.0)),
    ):
        yield Case(
            kind="no head", variant=variant, build=_drawn(picture), expected=told, base="plain"
        )


def _ring(row: Hu, column: Hu, inside: float) -> Hu:
    hu = np.full_like(row, -1000.0)
    hu[np.hypot(row / 85, column / 68) < 1] = 900
    hu[np.hypot(row / 78, column / 61) < 1] = inside
    return hu


def _agents() -> Iterator[Case]:
    plain = Expected(volume=0.001, advice=True, slices=True)
    for text in (
        "none",
        "keine",
        "NON",
        "SIN CONTRASTE",
        "0 ML",
        "なし",
        "NOT GIVEN",
        "UNKNOWN",
        "N",
    ):
        yield Case(
            kind="contrast agent: none, in words",
            variant=text,
            build=of_plain(put, SpecificCharacterSet="ISO_IR 192", ContrastBolusAgent=text),
            expected=plain,
        )
    given = Expected(right=False, refusal="contrast", warning="contrast")
    for variant, elements in (
        ("Omnipaque 350", {"ContrastBolusAgent": "Omnipaque 350"}),
        ("volume 80", {"ContrastBolusVolume": "80"}),
        ("flow 4", {"ContrastFlowRate": "4.0", "ContrastBolusVolume": "70"}),
        ("start time", {"ContrastBolusStartTime": "101112"}),
    ):
        yield Case(
            kind="contrast medium was given",
            variant=variant,
            build=of_plain(put, **elements),
            expected=given,
        )


def _two_series() -> Iterator[Case]:
    def two(bases: Bases, first: str, second: str) -> Study:
        plain, other = bases.plain(), bases.pair()[1]
        a = as_new_series(plain, number=2, description=first, AcquisitionTime="031500")
        b = of_the_study_of(other, a)
        b = as_new_series(b, number=3, description=second, AcquisitionTime="033000")
        return {"a": put(a, SeriesTime="031500"), "b": put(b, SeriesTime="033000")}

    for plain, contrast in PAIRS:
        yield Case(
            kind="a plain and a contrast series",
            variant=plain,
            build=partial(two, first=plain, second=contrast),
            expected=Expected(volume=0.001, advice=True, series=f"^{plain}$"),
        )
    for first, second in (
        ("HEAD 5.0", "HEAD POST 5.0"),
        ("Head", "Head"),
        ("AXIAL 5MM", "AXIAL 5MM 2"),
    ):
        yield Case(
            kind="two alike series of one study",
            variant=f"{first}, {second}",
            build=partial(two, first=first, second=second),
            expected=Expected(
                right="POST" in second,
                volume=0.001,
                series=f"^{first}$",
                warning="later|another|alike|contrast",
            ),
        )

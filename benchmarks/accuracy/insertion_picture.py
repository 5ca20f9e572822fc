"""Inserted haematomas beside real ones: a contact sheet to look at, and figures that compare them.

    python -m benchmarks insertion-picture SHEET.png --figures FIGURES.json --count 24

The sheet shows real patients: it stays outside the repository. Every slice is the one with the largest clot
of its patient, at native pixels, before a site is applied.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from hemx_core.data import phe_sich
from hemx_core.data.inserted import InsertedMaker
from hemx_core.files import write_whole
from hemx_core.phantoms.background import NOISE_SIGMA_MM
from hemx_core.phantoms.truth import solidity

PIXEL_MM = phe_sich.ASSUMED_SPACING_MM[1]
CORE_MM, RING_MM = 2.0, (8.0, 20.0)
PROFILE_MM = np.arange(-6.0, 10.1, 1.0)
TILE = (240, 205)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClotFigures:
    """One slice's clot: HU in its core, noise in core and brain, its border, its shape."""

    area_mm2: float
    mean_hu: float
    sd_hu: float
    noise_in_clot_hu: float
    noise_in_brain_hu: float
    steepest_hu_per_mm: float
    brain_hu: float
    solidity: float
    profile_hu: tuple[float, ...]


def measure_clot(hu: NDArray[np.float32], mask: NDArray[np.bool_]) -> ClotFigures | None:
    """Figures of one slice, None where the clot is smaller than 1 cm2."""
    area = float(np.count_nonzero(mask)) * PIXEL_MM**2
    if area < 100:
        return None
    inner = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    outer = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    distance = np.where(mask, -inner + 0.5, outer - 0.5) * PIXEL_MM
    tissue = (hu > 5) & (hu < 95)
    core = distance < -CORE_MM
    ring = (distance > RING_MM[0]) & (distance < RING_MM[1]) & (hu > 20) & (hu < 50)
    fine = hu - cv2.GaussianBlur(hu, (0, 0), NOISE_SIGMA_MM / PIXEL_MM)
    tissue |= distance < 0
    shells = [hu[tissue & (np.abs(distance - at) < 0.5)] for at in PROFILE_MM]
    bins = [shell.mean() if shell.size else np.nan for shell in shells]
    return ClotFigures(
        area_mm2=area,
        mean_hu=float(hu[core].mean()),
        sd_hu=float(hu[core].std()),
        noise_in_clot_hu=_spread(fine[core]),
        noise_in_brain_hu=_spread(fine[ring]),
        steepest_hu_per_mm=float(-np.nanmin(np.diff(bins))),
        brain_hu=float(np.median(hu[ring])),
        solidity=solidity(mask),
        profile_hu=tuple(float(value) for value in bins),
    )


def real_slices(folder: Path, count: int) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """The slice with the largest clot of evenly chosen training patients."""
    rows = phe_sich.read_rows(folder)
    names = [p for p in phe_sich.split_patients(rows)["train"] if _largest(rows[p]).haematoma_px]
    picks = np.unique(np.linspace(0, len(names) - 1, min(count, len(names))).round().astype(int))
    chosen = [_largest(rows[names[pick]]) for pick in picks]
    return [
        (
            phe_sich.read_hu(folder, row).astype(np.float32),
            phe_sich.read_mask(folder, "haematoma", row),
        )
        for row in chosen
    ]


def inserted_slices(
    folder: Path, count: int, seed: int
) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """The slice with the largest clot of the training numbers of a cohort, before a site."""
    cohort = InsertedMaker(seed=seed, source=folder)
    numbers = [i for i in range(3 * count) if cohort.split(i) == "train"][:count]
    found = []
    for number in numbers:
        _, inserted = cohort.draw(number)
        index = int(inserted.mask.sum((1, 2)).argmax())
        found.append((inserted.hu(index).astype(np.float32), inserted.mask[index]))
    return found


def compare(
    slices: list[tuple[NDArray[np.float32], NDArray[np.bool_]]],
) -> dict[str, dict[str, float] | list[float] | int]:
    """Median and quartiles of every figure, and the mean profile across the border."""
    found = [figures for hu, mask in slices if (figures := measure_clot(hu, mask)) is not None]
    answer: dict[str, dict[str, float] | list[float] | int] = {"slices": len(found)}
    for name in asdict(found[0]):
        values = np.array([getattr(figures, name) for figures in found])
        if values.ndim == 2:
            answer[name] = [round(float(value), 1) for value in np.nanmean(values, axis=0)]
            continue
        low, middle, high = np.percentile(values, [25, 50, 75])
        answer[name] = {
            "median": round(float(middle), 2),
            "q1": round(float(low), 2),
            "q3": round(float(high), 2),
        }
    return answer


def main(
    sheet: Annotated[Path, typer.Argument(help="PNG to write, outside the repository.")],
    figures: Annotated[Path | None, typer.Option(help="JSON to write.")] = None,
    count: Annotated[int, typer.Option(help="Clots of each kind.")] = 24,
    seed: Annotated[int, typer.Option(help="Seed of the cohort.")] = 1,
) -> None:
    """Write the sheet and the figures."""
    folder = phe_sich.data_folder()
    real, inserted = real_slices(folder, count), inserted_slices(folder, count, seed)
    tiles = [
        cv2.hconcat([_tile(hu) for hu, _ in both]) for both in zip(real, inserted, strict=False)
    ]
    half = (len(tiles) + 2) // 3
    tiles += [np.zeros_like(tiles[0])] * (3 * half - len(tiles))
    columns = [cv2.vconcat(tiles[start : start + half]) for start in range(0, 3 * half, half)]
    sheet.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(sheet), cv2.hconcat(columns))
    answer = {"real": compare(real), "inserted": compare(inserted)}
    text = json.dumps(
        {"attribution": phe_sich.ATTRIBUTION, "profile_mm": PROFILE_MM.tolist(), **answer},
        indent=2,
    )
    typer.echo(text)
    if figures is not None:
        write_whole(figures, text + "\n")


def _largest(rows: list[phe_sich.SliceRow]) -> phe_sich.SliceRow:
    return max(rows, key=lambda row: row.haematoma_px)


def _spread(values: NDArray[np.float32]) -> float:
    """Deviation that outliers do not move; NaN where there are no values."""
    return 1.4826 * float(np.median(np.abs(values))) if values.size else float("nan")


def _tile(hu: NDArray[np.float32]) -> NDArray[np.uint8]:
    grey = np.clip(hu[20:500, 51:461] / 80 * 255, 0, 255).astype(np.uint8)
    small = cv2.resize(grey, (TILE[1], TILE[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)

"""Write a result folder: result.json, the overview and the overlays, together or not at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from hemx_core.costs import StageClock
from hemx_core.errors import OutputError
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.report.folder import (
    OVERLAY_FOLDER,
    OVERVIEW_NAME,
    RESULT_NAME,
    TRIAGE,
    new_run,
)
from hemx_core.report.json_report import dumps, to_document
from hemx_core.report.pictures import bloody_slices, overview_picture, slice_picture
from hemx_core.result import TriageResult

_PNG_LEVEL = (cv2.IMWRITE_PNG_COMPRESSION, 1)


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """Where the files lie, and the result with the cost of writing them."""

    result_json: Path
    pictures: tuple[Path, ...]
    result: TriageResult

    @property
    def named_files(self) -> tuple[Path, ...]:
        """What to tell the user: result.json, the overview, and the folder of overlays if any."""
        overlays = {path.parent for path in self.pictures if path.parent.name == OVERLAY_FOLDER}
        return self.result_json, self.result_json.with_name(OVERVIEW_NAME), *overlays


def write_report(
    result: TriageResult,
    volume: HUVolume,
    folder: Path,
    *,
    window: HUWindow,
    identify: bool = False,
) -> WrittenReport:
    """Write result.json, overview.png and overlays/slice_XX.png (numbered from 1).

    They take the place of an earlier run with all its files; see `new_run`.

    Args:
        result: the triage result.
        volume: the triaged volume.
        folder: made where missing.
        window: display window of the pictures, HU.
        identify: include what names the patient in result.json.
    Raises:
        OutputError: the folder cannot be used, or the disk refuses.
    """
    clock = StageClock()
    with new_run(folder, TRIAGE) as run:
        with clock.stage("pictures"):
            names = _draw_all(result, volume, run, window)
        timed = replace(result, costs=(*result.costs, *clock.costs))
        document = to_document(timed, identify=identify, pictures=names)
        (run / RESULT_NAME).write_text(dumps(document), encoding="utf-8")
    folder = folder.resolve()
    return WrittenReport(folder / RESULT_NAME, tuple(folder / name for name in names), timed)


def _draw_all(
    result: TriageResult, volume: HUVolume, run: Path, window: HUWindow
) -> tuple[str, ...]:
    """Draw every picture into the run's folder; answers their names relative to it."""
    bloody = bloody_slices(result)
    if bloody:
        (run / OVERLAY_FOLDER).mkdir()
    write_png(run / OVERVIEW_NAME, overview_picture(volume, result, window=window))
    names = [OVERVIEW_NAME]
    digits = max(2, len(str(len(result.slices))))
    for index in bloody:
        name = f"{OVERLAY_FOLDER}/slice_{index + 1:0{digits}d}.png"
        write_png(run / name, slice_picture(volume, result, index, window=window))
        names.append(name)
    return tuple(names)


def write_png(path: Path, picture: cv2.typing.MatLike) -> None:
    """Write a picture as PNG, quickly rather than small."""
    done, encoded = cv2.imencode(".png", picture, _PNG_LEVEL)
    if not done:
        raise OutputError("png", file=path.name)
    path.write_bytes(encoded.tobytes())

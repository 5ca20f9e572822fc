"""Write a result folder: pictures first, result.json last, each file whole or not at all."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from hemx_core.costs import StageClock
from hemx_core.errors import OutputError
from hemx_core.files import draft_folder, draft_place, publish_files, writing
from hemx_core.imaging.spec import HUWindow
from hemx_core.imaging.volume import HUVolume
from hemx_core.report.json_report import FORMAT, dumps, to_document
from hemx_core.report.pictures import bloody_slices, overview_picture, slice_picture
from hemx_core.result import TriageResult

RESULT_NAME = "result.json"
OVERVIEW_NAME = "overview.png"
OVERLAY_FOLDER = "overlays"
_OVERLAY_NAME = re.compile(r"slice_\d+\.png")
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


def check_output(folder: Path, name: str = RESULT_NAME, form: str = FORMAT) -> None:
    """Refuse an output folder before the work starts.

    Other files in the folder stay as they are; an earlier HEMX result is replaced.

    Args:
        folder: where the result will be written.
        name: of the document.
        form: what the document's "format" says.
    Raises:
        OutputError: a file stands in the way, or a document of that name that HEMX did not write; or the
            system lets nobody look.
    """
    earlier = folder / name
    with writing(folder):
        if folder.exists() and not folder.is_dir():
            raise OutputError("output_is_file", folder=str(folder))
        if not earlier.exists():
            return
    try:
        document = json.loads(earlier.read_text(encoding="utf-8"))
        ours = isinstance(document, dict) and document.get("format") == form
    except (OSError, ValueError):
        ours = False
    if not ours:
        raise OutputError("output_foreign", path=str(earlier))


def write_report(
    result: TriageResult,
    volume: HUVolume,
    folder: Path,
    *,
    window: HUWindow,
    identify: bool = False,
) -> WrittenReport:
    """Write result.json, overview.png and overlays/slice_XX.png (numbered from 1).

    Files are made in a hidden folder (see `draft_place`) and renamed one by one, result.json last;
    overlays of an earlier run that this one does not replace are removed.

    Args:
        result: the triage result.
        volume: the triaged volume.
        folder: made where missing.
        window: display window of the pictures, HU.
        identify: include what names the patient in result.json.
    Raises:
        OutputError: the folder cannot be used, or the disk refuses.
    """
    folder = folder.resolve()
    check_output(folder)
    clock = StageClock()
    with draft_folder(draft_place(folder)) as draft:
        with clock.stage("pictures"):
            names = _draw_all(result, volume, draft, window)
        timed = replace(result, costs=(*result.costs, *clock.costs))
        document = to_document(timed, identify=identify, pictures=names)
        (draft / RESULT_NAME).write_text(dumps(document), encoding="utf-8")
        _publish(draft, folder, names)
    return WrittenReport(folder / RESULT_NAME, tuple(folder / name for name in names), timed)


def _draw_all(
    result: TriageResult, volume: HUVolume, draft: Path, window: HUWindow
) -> tuple[str, ...]:
    """Draw every picture into the draft folder; answers their names relative to it."""
    (draft / OVERLAY_FOLDER).mkdir()
    write_png(draft / OVERVIEW_NAME, overview_picture(volume, result, window=window))
    names = [OVERVIEW_NAME]
    digits = max(2, len(str(len(result.slices))))
    for index in bloody_slices(result):
        name = f"{OVERLAY_FOLDER}/slice_{index + 1:0{digits}d}.png"
        write_png(draft / name, slice_picture(volume, result, index, window=window))
        names.append(name)
    return tuple(names)


def write_png(path: Path, picture: cv2.typing.MatLike) -> None:
    """Write a picture as PNG, quickly rather than small."""
    done, encoded = cv2.imencode(".png", picture, _PNG_LEVEL)
    if not done:
        raise OutputError("png", file=path.name)
    path.write_bytes(encoded.tobytes())


def _publish(draft: Path, folder: Path, names: tuple[str, ...]) -> None:
    """Move the files into the folder, the pictures of this run before its result.json."""
    overlays = folder / OVERLAY_FOLDER
    overlays.mkdir(parents=True, exist_ok=True)
    publish_files(draft, folder, names)
    for old in overlays.iterdir():
        if _OVERLAY_NAME.fullmatch(old.name) and f"{OVERLAY_FOLDER}/{old.name}" not in names:
            old.unlink()
    publish_files(draft, folder, [RESULT_NAME])

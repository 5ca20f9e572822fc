"""Labelled studies as a data set in HEMX's format (docs/data_format.md), whole after every step.

dataset.json  patients.csv  studies.csv        what is there
studies/STUDY/*.dcm                            the CT, written anew: no header of the source is copied
network.csv, network/STUDY/*.png               what the network called, and its mask
readings/READER.csv, readings/READER/STUDY/    what a reader answered, and the reader's mask
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.errors import DatasetError
from hemx_core.files import write_whole
from hemx_core.imaging.volume import HUVolume
from hemx_core.labels.answers import (
    NETWORK_COLUMNS,
    READING_COLUMNS,
    Reading,
    network_row,
    reading_row,
)
from hemx_core.phantoms.dicom import write_dicom_series
from hemx_core.result import TriageResult

FORMAT = "hemx-dataset/1"
INFO_FILE = "dataset.json"
NETWORK_FILE = "network.csv"
READINGS = "readings"
"""Folder of one table a reader; the file's name is the reader's."""
NO_BLOOD = "none"
"""Stands in the column `mask` where a study shows no blood."""
PATIENT_COLUMNS = ("patient", "split", "site")
STUDY_COLUMNS = (
    "study", "patient", "ct", "acquired_at", "scanner", "clipped_lower", "clipped_upper",
)  # fmt: skip
_READER = re.compile(r"\w[\w.-]{0,39}")
UNTOLD = {
    "Manufacturer": "",
    "KVP": "",
    "ConvolutionKernel": "",
    "PatientIdentityRemoved": "YES",
    "DeidentificationMethod": "HEMX: header written anew, keyed codes, dates moved back",
}
"""Attributes of a CT without names; what phantoms state of their scanner is not known of it."""

Row = Mapping[str, str]


def check_reader(name: str) -> str:
    """A reader's name that can name a file.

    Raises:
        DatasetError: it cannot.
    """
    if not _READER.fullmatch(name) or name.endswith("."):
        raise DatasetError(
            f"reader {name!r}",
            expected="1 to 40 letters, digits, hyphens, underscores and points",
            remedy="choose another name",
        )
    return name


class LabelledFolder:
    """A data set that labels are written to; one that is there is gone on with.

    Args:
        folder: made where missing.
        info: name, licence, attribution and version, for a new `dataset.json`.
    Raises:
        DatasetError: the folder is not empty and holds no data set.
        OutputError: the disk refuses.
    """

    def __init__(self, folder: Path, info: Mapping[str, str]) -> None:
        self.folder = folder
        if not (folder / INFO_FILE).exists():
            if folder.exists() and any(folder.iterdir()):
                raise DatasetError(
                    f"{folder} is not empty and has no {INFO_FILE}",
                    expected="a new or empty folder, or a data set to go on with",
                    remedy="choose another folder",
                )
            self._write("patients.csv", PATIENT_COLUMNS, [])
            self._write("studies.csv", STUDY_COLUMNS, [])
            text = json.dumps({"format": FORMAT, **info}, indent=2, ensure_ascii=False)
            write_whole(folder / INFO_FILE, text + "\n")

    def add_study(self, volume: HUVolume, *, split: str) -> str:
        """Add a study without names to the tables, its CT first; return its cell `ct`.

        A patient that is there keeps the split.

        Args:
            volume: of `Coder.nameless`; its study's code is taken from `study_code`.
            split: of the patient, where it is new.
        """
        own, study = volume.identity, study_code(volume)
        cell = f"studies/{study}"
        # Rewritten where a run was killed in between: the same names, the same content.
        write_dicom_series(volume, self.folder / cell, attributes=UNTOLD)
        clipped = volume.clipped_to_hu or ("", "")
        row = {
            "study": study,
            "patient": own.patient_id,
            "ct": cell,
            "acquired_at": own.acquired_at.isoformat() if own.acquired_at else "",
            "scanner": own.scanner,
            "clipped_lower": str(clipped[0]),
            "clipped_upper": str(clipped[1]),
        }
        patients = read_rows(self.folder / "patients.csv")
        if own.patient_id not in {known["patient"] for known in patients}:
            added = {"patient": own.patient_id, "split": split, "site": own.site}
            self._write("patients.csv", PATIENT_COLUMNS, [*patients, added])
        self._put("studies.csv", STUDY_COLUMNS, row)
        return cell

    def put_network(self, study: str, result: TriageResult) -> str:
        """Note what a network found: its calls and its mask; return the mask's cell."""
        cell = self.put_mask(f"network/{study}", result.mask)
        self._put(NETWORK_FILE, NETWORK_COLUMNS, network_row(study, result), key=("study", "model"))
        return cell

    def put_mask(self, cell: str, mask: NDArray[np.bool_]) -> str:
        """Write a mask as pictures; return the cell that names it, `none` for an empty one."""
        folder = self.folder / cell
        wanted = {f"{index:04d}.png": one for index, one in enumerate(mask) if one.any()}
        for name, picture in wanted.items():
            done, content = cv2.imencode(".png", picture.astype(np.uint8) * 255)
            if not done:
                raise DatasetError(f"{name} cannot be written as PNG", expected="", remedy="")
            write_whole(folder / name, content.tobytes())
        for old in folder.glob("*.png"):
            if old.name not in wanted:
                old.unlink()
        return cell if wanted else NO_BLOOD

    def put_reading(self, reader: str, study: str, reading: Reading, mask: str = "") -> None:
        """Write a reader's answers of a study; earlier ones of the same study are replaced."""
        row = reading_row(study, reading, mask)
        self._put(f"{READINGS}/{check_reader(reader)}.csv", READING_COLUMNS, row)

    def _put(
        self, file: str, columns: Sequence[str], row: Row, *, key: Sequence[str] = ("study",)
    ) -> None:
        """Write a row into its place, or at the end; columns that others added stay."""
        rows = read_rows(self.folder / file)
        place = {tuple(known[name] for name in key): at for at, known in enumerate(rows)}
        at = place.get(tuple(row[name] for name in key), len(rows))
        rows[at : at + 1] = [{**(rows[at] if at < len(rows) else {}), **row}]
        self._write(file, columns, rows)

    def _write(self, file: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        names = dict.fromkeys([*columns, *(name for row in rows for name in row)])
        stream = io.StringIO(newline="")
        table = csv.DictWriter(stream, list(names), lineterminator="\n", restval="")
        table.writeheader()
        table.writerows(rows)
        write_whole(self.folder / file, stream.getvalue())


def study_code(volume: HUVolume) -> str:
    """The code of a study without names: part of what `Coder.nameless` gave."""
    return volume.identity.series_description


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of a table that this module wrote; none where it is not there."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))

"""Labels given at the desk: studies one by one, a sheet to look at, answers that are kept at once.

A data set is labelled where it lies. A folder of DICOM studies first becomes a data set without names, study
by study; which code is whose stands in a register beside it, never in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hemx_core.data.label_sheet import sheet_picture
from hemx_core.data.nifti import is_nifti, read_volume
from hemx_core.data.problems import Findings, refuse
from hemx_core.data.read import read_cell, read_ct, read_mask
from hemx_core.data.readers import ReadingRow, read_reader
from hemx_core.data.tables import StudyRow, Tables, read_tables
from hemx_core.errors import DatasetError, InputError
from hemx_core.files import write_whole
from hemx_core.imaging.reader import read_series
from hemx_core.imaging.volume import HUVolume
from hemx_core.labels.answers import OUTLINE, Answer, Reading
from hemx_core.labels.codes import Coder, new_key, split_of
from hemx_core.labels.folder import (
    INFO_FILE,
    NO_BLOOD,
    READINGS,
    LabelledFolder,
    check_reader,
    study_code,
)
from hemx_core.result import TriageResult

SHOWN = "shown"
"""Stands for the mask that was shown, where a reader takes it over."""

Triage = Callable[[HUVolume], TriageResult]


class LabelDesk:
    """One reader's work on a data set; the other readers' answers are not shown.

    Args:
        folder: of the data set.
        reader: whose answers these are.
        triage: finds the mask of a study that has none.
        now: the clock.
    Raises:
        DatasetError: the tables have errors, or the reader's name is none.
    """

    def __init__(
        self,
        folder: Path,
        reader: str,
        *,
        triage: Triage,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self.reader = check_reader(reader)
        self._labelled = LabelledFolder(folder, {})
        self._triage, self._now = triage, now
        self.reload()

    def reload(self) -> None:
        """Read the tables again, after a study was added."""
        folder = self._labelled.folder
        self._tables: Tables = read_tables(folder)
        refuse(self._tables.info.name or folder.name, self._tables.findings.errors)
        file = f"{READINGS}/{self.reader}.csv"
        there = (folder / file).exists()
        self._own = read_reader(folder, file, Findings()) if there else {}

    @property
    def folder(self) -> Path:
        """The data set's folder."""
        return self._labelled.folder

    @property
    def studies(self) -> tuple[str, ...]:
        """Ids of all studies, in order of the table."""
        return tuple(self._tables.studies)

    def given(self, study: str) -> ReadingRow:
        """What the reader has answered so far."""
        empty = ReadingRow(row=0, file="", reader=self.reader, study=study, reading=Reading())
        return self._own.get(study, empty)

    def volume(self, study: str) -> HUVolume:
        """The CT of a study.

        Raises:
            InputError, DatasetError: it cannot be read.
        """
        return read_ct(self._tables, self._row(study))

    def shown_mask(self, study: str, volume: HUVolume) -> tuple[str, NDArray[np.bool_]]:
        """The data set's own mask, or the network's, which is made where it is missing: its cell, and it.

        Raises:
            InputError, DatasetError, ModelError: it can be neither read nor made.
        """
        row = self._row(study)
        network = f"network/{study}"
        if row.mask:
            return row.mask, read_cell(self._tables, row, row.mask, volume)
        if (self._labelled.folder / network).is_dir():
            return network, read_cell(self._tables, row, network, volume)
        if any(call.study == study for call in self._tables.network):
            return NO_BLOOD, np.zeros(volume.shape, np.bool_)
        result = self._triage(volume)
        return self._labelled.put_network(study, result), result.mask

    def sheet(self, study: str, volume: HUVolume, mask: NDArray[np.bool_]) -> Path:
        """Draw the study's slices with blood, plain and outlined, into a file; return its path."""
        path = self._labelled.folder / "sheets" / f"{_file_name(study)}.png"
        done, content = cv2.imencode(".png", sheet_picture(volume, mask, title=study))
        if not done:
            raise DatasetError(f"{path} cannot be drawn", expected="", remedy="")
        return write_whole(path, content.tobytes())

    def answer(
        self, study: str, question: str, answer: Answer, slices: tuple[int, ...] = ()
    ) -> None:
        """Take one answer; it is in the reader's file when this returns.

        Args:
            study: its id.
            question: a marker code, or `OUTLINE`.
            answer: of it.
            slices: from 0, that show the marker.
        """
        known = self.given(study)
        named = {code: kept for code, kept in known.reading.slices.items() if code != question}
        if slices and answer in (Answer.YES, Answer.POSSIBLE):
            named[question] = slices
        reading = replace(
            known.reading, answers={**known.reading.answers, question: answer}, slices=named
        )
        self._keep(study, reading, known.mask)

    def take_mask(self, study: str, volume: HUVolume, given: str, shown: str) -> str:
        """Take the reader's mask; return its cell.

        Args:
            study: its id.
            volume: its CT.
            given: `SHOWN`, `none`, or a path: NIfTI, DICOM SEG or a folder of PNG on the CT's voxels.
            shown: cell of the mask that was shown.
        Raises:
            DatasetError: there is no such file, or it does not lie on the CT's voxels.
        """
        if given == SHOWN:
            cell = shown
        elif given == NO_BLOOD:
            cell = NO_BLOOD
        else:
            path = Path(given).expanduser()
            if not path.exists():
                raise DatasetError(
                    f"there is nothing at {given}",
                    expected="a NIfTI file, a DICOM SEG or a folder of PNG pictures",
                    remedy="correct the path",
                )
            mask = read_mask(path, volume)
            cell = self._labelled.put_mask(f"{READINGS}/{self.reader}/{_file_name(study)}", mask)
        known = self.given(study)
        answers = dict(known.reading.answers)
        answers[OUTLINE] = Answer.YES if given == SHOWN else Answer.NO
        self._keep(study, replace(known.reading, answers=answers), cell)
        return cell

    def take_table(self, path: Path) -> tuple[str, ...]:
        """Take all answers of a table with the columns of `readings/READER.csv`; return its studies.

        All is checked first, masks too: with one error nothing is taken.

        Args:
            path: CSV; a path of a mask in it is relative to its folder, or the word `shown`.
        Raises:
            DatasetError: a row or a mask is wrong.
        """
        findings = Findings()
        rows = read_reader(path.parent, path.name, findings)
        checked = [self._check_row(path, row, findings) for row in rows.values()]
        if not rows:
            findings.error(path.name, "holds no answers")
        refuse(path.name, findings.errors)
        for row, volume in zip(rows.values(), checked, strict=True):
            kept = self.given(row.study).mask
            self._keep(row.study, replace(row.reading, read_at=row.reading.read_at), kept)
            if row.mask and volume is not None:
                shown = self.shown_mask(row.study, volume)[0] if row.mask == SHOWN else ""
                self.take_mask(row.study, volume, _beside(path, row.mask), shown)
        return tuple(rows)

    def _check_row(self, path: Path, row: ReadingRow, findings: Findings) -> HUVolume | None:
        """The study's CT where a row names slices or a mask, which must fit it."""

        def note(column: str, message: str) -> None:
            findings.error(path.name, message, row=row.row, column=column)

        if row.study not in self._tables.studies:
            note("study", f"{row.study!r} is no study of the data set")
            return None
        if not row.mask and not row.reading.slices:
            return None
        try:
            volume = self.volume(row.study)
            if row.mask not in ("", SHOWN, NO_BLOOD):
                read_mask(Path(_beside(path, row.mask)), volume)
        except (InputError, DatasetError) as error:
            note("mask", f"{error.found}; expected: {error.expected}")
            return None
        for code, slices in row.reading.slices.items():
            if max(slices) >= len(volume.hu):
                note(f"{code}_slices", f"slice {max(slices)} is not in the CT")
        return volume

    def _keep(self, study: str, reading: Reading, mask: str) -> None:
        reading = replace(reading, read_at=self._now().replace(microsecond=0))
        self._labelled.put_reading(self.reader, study, reading, mask)
        self._own[study] = replace(self.given(study), reading=reading, mask=mask)

    def _row(self, study: str) -> StudyRow:
        return self._tables.studies[study]


def _beside(table: Path, cell: str) -> str:
    return cell if cell in (SHOWN, NO_BLOOD) else str(table.parent / cell)


def _file_name(study: str) -> str:
    """A study's id as a name of a file."""
    return "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in study)


class StudyImport:
    """A folder of DICOM studies on its way into a data set without names.

    Args:
        source: holds a folder, zip or NIfTI file for each study, or is one study.
        out: the data set.
        triage: finds the masks.
    Raises:
        DatasetError: there is nothing in it, or `out` lies in it.
    """

    def __init__(self, source: Path, out: Path, *, triage: Triage) -> None:
        if out.resolve().is_relative_to(source.resolve()):
            raise DatasetError(
                f"{out} lies in {source}",
                expected="a place outside, since every folder in it is taken for a study",
                remedy="give another --out",
            )
        self.sources = {path.name: path for path in study_paths(source)}
        if not self.sources:
            raise DatasetError(
                f"no study in {source}",
                expected="dataset.json, or a folder, zip or NIfTI file for each study",
                remedy="give the folder that holds them",
            )
        self._labelled = LabelledFolder(out, LABELLED | {"name": out.name})
        self._triage = triage
        self.register = out.with_name(f"{out.name}-register.json")
        known = json.loads(self.register.read_text("utf-8")) if self.register.exists() else {}
        self._key = str(known.get("key") or new_key().hex())
        self._studies: dict[str, str] = dict(known.get("studies", {}))
        self._keep()

    @property
    def studies(self) -> Mapping[str, str]:
        """Names in the source to codes in the data set, of those that are in it."""
        return self._studies

    def bring(self, name: str) -> str:
        """Bring a study into the data set, if it is not there yet; return its code.

        Raises:
            HemxError: it cannot be read or triaged.
        """
        if name in self._studies:
            return self._studies[name]
        path = self.sources[name]
        volume = read_volume(path) if is_nifti(path) else read_series(path)
        coder = Coder(bytes.fromhex(self._key))
        coded = coder.nameless(volume)
        # Nothing is in the tables before all that belongs to the study can be.
        result = self._triage(volume)
        code = study_code(coded)
        self._labelled.add_study(coded, split=split_of(coded.identity.patient_id))
        self._labelled.put_network(code, result)
        self._studies[name] = code
        self._keep()
        return code

    def _keep(self) -> None:
        told = {"secret": SECRET, "key": self._key, "studies": self._studies}
        text = json.dumps(told, indent=2, ensure_ascii=False)
        write_whole(self.register, text + "\n", mode=0o600)


SECRET = "This file says whose study is whose. Do not pass it on with the data set."
LABELLED = {
    "licence": "internal use",
    "attribution": "labelled with HEMX; identities removed, dates moved back",
    "version": "1",
}


def study_paths(source: Path) -> Iterator[Path]:
    """A path for each study in a folder: its folders, zips and NIfTI files, or itself."""
    if not source.is_dir():
        if source.exists():
            yield source
        return
    entries = sorted(path for path in source.iterdir() if not path.name.startswith("."))
    kept = [p for p in entries if p.is_dir() or p.suffix.lower() == ".zip" or is_nifti(p)]
    yield from kept or ([source] if entries else [])


def is_dataset(folder: Path) -> bool:
    """Whether a folder is a data set in HEMX's format."""
    return (folder / INFO_FILE).is_file()

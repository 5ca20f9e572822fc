"""`hemx dev data label`: a reader gives labels in the terminal, study by study, and may leave at any time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import hemx_core as hemx
from hemx_core.errors import DatasetError, HemxError
from hemx_core.labels.answers import OUTLINE, Answer
from hemx_core.markers import MARKERS

if TYPE_CHECKING:
    from hemx_core.data.label import LabelDesk, StudyImport
    from hemx_core.imaging.volume import HUVolume
    from hemx_core.result import TriageResult

LETTERS = {
    "y": Answer.YES,
    "p": Answer.POSSIBLE,
    "n": Answer.NO,
    "c": Answer.CANNOT_TELL,
}
HELP = (
    "Answers: y yes, p possible, n no, c cannot tell; with slices as the sheet numbers them: y 14 15. "
    "Also: b back, s skip the study, q quit. What is answered is kept at once."
)
MASK_HELP = (
    "Outline: y it is right, p nearly, n it is wrong, c cannot tell; the path of a corrected mask "
    "(NIfTI, DICOM SEG, folder of PNG), or none where there is no blood."
)

Folder = Annotated[
    Path,
    typer.Argument(metavar="FOLDER", help="A data set, or a folder of DICOM studies."),
]
Reader = Annotated[str, typer.Option(help="Whose answers these are; each reader has a file.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Of DICOM studies: the data set without names to make or go on with."),
]
Table = Annotated[
    Path | None,
    typer.Option("--from", help="Take answers from a CSV, as readings/READER.csv, without asking."),
]
Again = Annotated[
    list[str] | None, typer.Option("--study", help="Only this study, asked anew; several times.")
]
Bundle = Annotated[Path | None, typer.Option(help="Model bundle; the shipped one by default.")]


class _LeftError(Exception):
    """The reader quits."""


class _SkippedError(Exception):
    """The reader goes on to the next study."""


def label(
    folder: Folder,
    reader: Reader,
    out: Out = None,
    table: Table = None,
    study: Again = None,
    bundle: Bundle = None,
) -> None:
    """Mark the four markers of each study and accept or correct its mask; can be left and gone on with."""
    from hemx_core.data.label import LabelDesk, StudyImport, is_dataset

    with ExitStack() as stack:
        triage = _Triage(stack, bundle)
        if is_dataset(folder):
            if out is not None:
                raise DatasetError(
                    f"--out for the data set {folder}",
                    expected="a folder of DICOM studies; a data set is labelled where it lies",
                    remedy="leave --out away, or copy the data set first",
                )
            desk, bring = LabelDesk(folder, reader, triage=triage), None
        else:
            if out is None:
                raise DatasetError(
                    f"{folder} is no data set in HEMX's format",
                    expected="--out, where its studies become one, without names",
                    remedy="add --out LABELS",
                )
            bring = StudyImport(folder, out, triage=triage)
            desk = LabelDesk(out, reader, triage=triage)
        if table is not None:
            _take_table(desk, bring, table)
            return
        try:
            _ask_all(desk, _wanted(desk, bring, study), anew=bool(study))
        except _LeftError:
            typer.echo("Left; everything answered is kept. The same command goes on.")
    _tell(desk)


@dataclass
class _Triage:
    """Triages with models that are loaded once, when the first study needs them."""

    stack: ExitStack
    bundle: Path | None
    loaded: object | None = None

    def __call__(self, volume: HUVolume) -> TriageResult:
        if self.loaded is None:
            self.loaded = self.stack.enter_context(hemx.load_models(self.bundle))
        return hemx.triage(volume, models=self.loaded)  # type: ignore[arg-type]


def _take_table(desk: LabelDesk, bring: StudyImport | None, table: Path) -> None:
    if bring is not None:
        for name in bring.sources:
            _brought(bring, name)
        desk.reload()
    taken = desk.take_table(table)
    typer.echo(f"Taken: {len(taken)} studies of {desk.reader} from {table}")
    _tell(desk)


def _wanted(desk: LabelDesk, bring: StudyImport | None, only: list[str] | None) -> Iterator[str]:
    """Studies to ask for; those of a folder are brought in one by one, when their turn comes."""
    if bring is not None:
        for name in bring.sources:
            if only and name not in only and bring.studies.get(name) not in only:
                continue
            code = _brought(bring, name)
            if code is not None:
                desk.reload()
                yield code
        return
    for study in only or desk.studies:
        if study not in desk.studies:
            raise DatasetError(
                f"no study {study!r}", expected="one of studies.csv", remedy="correct the id"
            )
        yield study


def _brought(bring: StudyImport, name: str) -> str | None:
    try:
        return bring.bring(name)
    except HemxError as error:
        typer.echo(f"{name}: left out. {error}", err=True)
        return None


def _ask_all(desk: LabelDesk, wanted: Iterator[str], *, anew: bool) -> None:
    typer.echo(HELP)
    for study in wanted:
        if desk.given(study).reading.complete and not anew:
            continue
        try:
            volume = desk.volume(study)
            cell, mask = desk.shown_mask(study, volume)
        except HemxError as error:
            typer.echo(f"{study}: left out. {error}", err=True)
            continue
        at = desk.studies.index(study) + 1
        typer.echo(f"\n{study} ({at} of {len(desk.studies)}): look at")
        typer.echo(f"  {desk.sheet(study, volume, mask)}")
        try:
            _ask_study(desk, study, volume, cell, anew=anew)
        except _SkippedError:
            continue


def _ask_study(desk: LabelDesk, study: str, volume: HUVolume, cell: str, *, anew: bool) -> None:
    names = {marker.code: marker.name_en for marker in MARKERS}
    asked = [*names, OUTLINE]
    known = desk.given(study).reading.answers
    place = 0
    if not anew:  # what was answered before it was left is not asked again
        place = next((at for at, code in enumerate(asked) if code not in known), len(asked))
    while place < len(asked):
        code = asked[place]
        if code == OUTLINE:
            done = _ask_outline(desk, study, volume, cell)
        else:
            done = _ask_marker(desk, study, names[code], code, len(volume.hu))
        place += 1 if done else (-1 if place else 0)


def _ask_marker(desk: LabelDesk, study: str, name: str, code: str, slices: int) -> bool:
    """Ask for one marker; False where the reader goes back."""
    while True:
        words = _read(f"  {name} [y p n c]: ")
        if words == ["b"]:
            return False
        answer = LETTERS.get(words[0]) if words else None
        numbers = words[1:]
        if answer is None or not all(n.isascii() and n.isdigit() for n in numbers):
            typer.echo(HELP)
            continue
        named = tuple(sorted({int(number) - 1 for number in numbers}))
        if named and answer not in (Answer.YES, Answer.POSSIBLE):
            typer.echo("  Slices are named with y or p only.")
        elif named and not 0 <= named[0] <= named[-1] < slices:
            typer.echo(f"  The slices are 1 to {slices}.")
        else:
            desk.answer(study, code, answer, named)
            return True


def _ask_outline(desk: LabelDesk, study: str, volume: HUVolume, cell: str) -> bool:
    """Ask for the outline; False where the reader goes back."""
    from hemx_core.data.label import SHOWN

    while True:
        text = _line("  Outline right? [y p n c, path, none]: ")
        if text == "b":
            return False
        try:
            if text == "y":
                desk.take_mask(study, volume, SHOWN, cell)
            elif text in LETTERS:
                desk.answer(study, OUTLINE, LETTERS[text])
            elif text:
                desk.take_mask(study, volume, text, cell)
            else:
                typer.echo(MASK_HELP)
                continue
        except DatasetError as error:
            typer.echo(f"  {error}")
            typer.echo(MASK_HELP)
            continue
        return True


def _read(prompt: str) -> list[str]:
    return _line(prompt).lower().replace(",", " ").split()


def _line(prompt: str) -> str:
    typer.echo(prompt, nl=False)
    try:
        text = sys.stdin.readline()
    except KeyboardInterrupt:
        raise _LeftError from None
    if not text or text.strip().lower() == "q":
        typer.echo()
        raise _LeftError
    text = text.strip()
    if text.lower() == "s":
        raise _SkippedError
    return text.lower() if len(text) == 1 else text


def _tell(desk: LabelDesk) -> None:
    read = [desk.given(study).reading for study in desk.studies]
    whole = sum(reading.complete for reading in read)
    typer.echo(
        f"{desk.reader}: {whole} of {len(read)} studies have all four markers. Check the data set: "
        f"hemx dev data check {desk.folder}"
    )

"""Run the table of cases, folders of files and studies with nothing wrong; goes on where it stopped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks.world import ask, cases_pairs, cases_scans, cases_values, files, given, quiet
from benchmarks.world.bases import Bases, save
from benchmarks.world.expect import Expected, Found, judge
from benchmarks.world.registry import Case
from hemx_core import provenance
from hemx_core.pipeline import TriageModels
from hemx_core.records import Json

Tell = Callable[[str], None]


def all_cases() -> list[Case]:
    """The drawn cases, in the order of the table."""
    return [*cases_scans.cases(), *cases_values.cases(), *cases_pairs.cases()]


class Kept:
    """Rows that are finished, in a file of JSON lines; only those of this very commit are used again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commit = provenance.commit()
        self._rows: dict[str, Json] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                if row["commit"] == self.commit:
                    self._rows[row["key"]] = row["row"]

    def row(self, key: str, make: Callable[[], Json]) -> Json:
        """The row of a key, made if it is not there yet."""
        if key not in self._rows:
            self._rows[key] = make()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            line = {"key": key, "commit": self.commit, "row": self._rows[key]}
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        return self._rows[key]


class World:
    """One run: the models, the drawn studies, and what is finished."""

    def __init__(self, models: TriageModels, work: Path, tell: Tell) -> None:
        self.models = models
        self.work = work
        self.kept = Kept(work / "rows.jsonl")
        self.bases = Bases(work / f"drawn {self.kept.commit}")
        self._tell = tell
        self._full: dict[str, Found] = {}

    def drawn_cases(self, only: str = "") -> list[Json]:
        """A row for each drawn case whose name has `only` in it."""
        return [
            self._told(self.kept.row(f"case {case.name}", partial(self._case, case)))
            for case in all_cases()
            if only in case.name
        ]

    def given_cases(self, folder: Path) -> list[Json]:
        """A row for each case of a folder with an expected.json."""
        return [
            self._told(row)
            for name, words in given.read_cases(folder).items()
            for row in self._given(folder, name, words)
        ]

    def files(self, folder: Path, found: Sequence[Path]) -> Json:
        """Counts of the files of a folder."""
        rows = [self.kept.row(f"file {path}", partial(_file, path)) for path in found]
        counted = files.summary(files.FileFound(**row) for row in rows)
        self._tell(
            f"{folder}: {counted['files']} files, {len(counted['untyped'])} untyped errors, "
            f"{counted['ct_equal']} of {counted['ct_compared']} CT files with equal HU"
        )
        return counted

    def triaged(self, folder: Path) -> list[Json]:
        """What triage says of each folder of files below a folder."""
        return [
            self.kept.row(f"triage {place}", partial(self._triaged, folder, place))
            for place in quiet.series_folders(folder)
        ]

    def quiet_drawn(self, count: int) -> Json:
        """False warnings on drawn studies."""
        return self._quiet(
            f"{count} drawn",
            ((f"quiet {n}", partial(quiet.drawn, n, self.models)) for n in range(count)),
        )

    def quiet_real(self, folder: Path) -> Json:
        """False warnings on phe_sich."""
        patients = quiet.real_patients(folder)
        return self._quiet(
            f"{len(patients)} patients",
            (
                (f"real {name}", partial(quiet.real, folder, name, patients[name], self.models))
                for name in sorted(patients)
            ),
        )

    def _quiet(self, what: str, asked: Iterator[tuple[str, Callable[[], quiet.Quiet]]]) -> Json:
        rows = [self.kept.row(key, partial(_plain, make)) for key, make in asked]
        counted = quiet.summary(
            quiet.Quiet(**row | {"warnings": tuple(row["warnings"])}) for row in rows
        )
        self._tell(
            f"{what}: {len(counted['refused'])} refused, {counted['warned']} with a warning "
            f"{counted['warnings']}"
        )
        return counted

    def _case(self, case: Case) -> Json:
        with self._folder() as folder:
            save(folder, case.build(self.bases))
            found = self._asked(case, folder)
        full = Found() if case.ask == "list" else self._unchanged(case)
        return _row(case.kind, case.variant, found, full, case.expected)

    def _asked(self, case: Case, folder: Path) -> Found:
        if case.ask == "list":
            return ask.answered(lambda: ask.series(folder))
        questions: dict[str, Callable[..., Found]] = {
            "triage": ask.triage,
            "compare": ask.compare,
            "save": ask.save,
        }
        return ask.answered(partial(questions[case.ask], folder, self.models, **case.options))

    def _unchanged(self, case: Case) -> Found:
        key = f"{case.base} {case.ask == 'compare'}"
        if key not in self._full:
            path = self.bases.path(case.base)
            if case.ask == "compare":
                later = self.bases.path(case.base, "follow_up")
                self._full[key] = ask.answered(
                    lambda: ask.compare_folders(path, later, self.models)
                )
            else:
                self._full[key] = ask.answered(lambda: ask.triage(path, self.models))
        return self._full[key]

    def _given(self, folder: Path, name: str, words: given.Words) -> Iterator[Json]:
        for part, question, found in given.questions(folder / name, words, self.models):
            key = f"{folder} {question}"
            if key not in self._full:
                self._full[key] = given.full(folder, question, self.models)
            row = _row(name, part, found, self._full[key], given.expected(words))
            yield row | {"words": given.in_words(words)}

    def _triaged(self, folder: Path, place: Path) -> Json:
        found = ask.answered(lambda: ask.triage(place, self.models))
        return {"folder": str(place.relative_to(folder)), "typed": found.typed, **found.to_json()}

    def _told(self, row: Json) -> Json:
        self._tell(f"{row['outcome']:8} {row['kind']}, {row['variant']}: {row['why'][:150]}")
        return row

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        folder = self.work / "case"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _file(path: Path) -> Json:
    return asdict(files.look_at(path))


def _plain(make: Callable[[], quiet.Quiet]) -> Json:
    return make().to_json()


def _row(kind: str, variant: str, found: Found, full: Found, expected: Expected) -> Json:
    outcome, why = judge(found, full, expected)
    return {
        "kind": kind,
        "variant": variant,
        "outcome": str(outcome),
        "why": why,
        "found": found.to_json(),
        "full_ml": None if full.volume_ml is None else round(full.volume_ml, 2),
    }

"""A folder of cases with an expected.json in plain words, as a reviewer hands them in.

`expected.json` maps the name of a case's folder to what a person expects by topic: "volume": "full +- 5 %",
"advice": "as full", "note", "answer", "answers", "series", "slices", "command". What the words ask for is
read out of them; they stand in the table beside the answer, for a person to check.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.world import ask
from benchmarks.world.expect import Expected, Found
from hemx_core.pipeline import TriageModels

Words = Mapping[str, str]
_ANY = "."
_FULL = {"triage": "plain/baseline", "save": "plain/baseline", "compare": "pair"}


def read_cases(folder: Path) -> dict[str, Mapping[str, str]]:
    """Names and words of the cases of a folder."""
    found: dict[str, Mapping[str, str]] = json.loads(
        (folder / "expected.json").read_text(encoding="utf-8")
    )
    return found


def in_words(words: Mapping[str, str]) -> str:
    """The words of a case, in one line."""
    return "; ".join(f"{topic}: {text}" for topic, text in words.items())


def expected(words: Mapping[str, str]) -> Expected:
    """What words ask for: tolerances, and whether a refusal or a warning is accepted."""
    said = in_words(words)
    refused, warned = "refused" in said, "WARNING" in said
    tolerance = re.search(r"\+- *(\d+(?:\.\d+)?) *%", words.get("volume", ""))
    series = re.match(r"([A-Z][A-Z0-9 ./]+?) is read", words.get("series", ""))
    never = "never" in said
    return Expected(
        right=not (refused or (warned and "or the rest" not in said) or never),
        refusal=_ANY if refused else "",
        # What stays open has its reason told.
        warning=_ANY if warned or "indeterminate" in words.get("answers", "") else "",
        partial="or the rest" in said,
        note=_ANY if "note" in words or "command" in words else "",
        volume=float(tolerance[1]) / 100 if tolerance else None,
        advice=words.get("advice") == "as full",
        slices="slices" in words,
        series=f"^{re.escape(series[1])}$" if series else "",
        answer="indeterminate" if "indeterminate" in words.get("answers", "") else "",
    )


def questions(
    folder: Path, words: Mapping[str, str], models: TriageModels
) -> Iterator[tuple[str, str, Found]]:
    """What is asked of a case's folder: the part's name, the kind of question and the answer."""
    parts = sorted(path for path in folder.iterdir() if path.is_dir())
    names = {path.name for path in parts}
    if {"earlier", "later"} <= names:
        yield "", "compare", ask.answered(lambda: ask.compare(folder, models))
    elif "command" in words:
        options: dict[str, Any] = {
            name: f"--{name}" in words["command"] for name in ("dicom", "pdf", "identify", "nifti")
        }
        yield "", "save", ask.answered(lambda: ask.save(folder, models, **options))
    elif names and all(name.isdigit() for name in names):
        for part in parts:
            yield part.name, "triage", ask.answered(partial(ask.triage, part, models))
    elif (folder / "words.json").is_file():
        return
    else:
        yield "", "triage", ask.answered(lambda: ask.triage(folder, models))


def full(folder: Path, question: str, models: TriageModels) -> Found:
    """The answer to the unchanged study, which lies in the folder `bases` beside the cases."""
    base = folder / "bases" / _FULL[question]
    if question != "compare":
        return ask.answered(lambda: ask.triage(base, models))
    return ask.answered(lambda: ask.compare_folders(base / "baseline", base / "follow_up", models))

"""Fill the figures of the documents from the result files; `--check` fails where they differ.

    python -m benchmarks.pages.readme [--check]

A block between `<!-- figures:NAME -->` and `<!-- /figures -->` is replaced by what `NAME` makes of its
result file, so no figure is typed by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.app import verdicts as app_table
from hemx_core.files import write_whole
from hemx_core.markers import MARKERS

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
MODELS = ROOT / "hemx_core" / "assets" / "models"
DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "hemx_core" / "weights" / "MODEL_CARD.md",
    ROOT / "docs" / "app.md",
)
REAL_SPLITS = ("validation", "test")
EXPANSION = {
    "he_30": "30 % or more",
    "he_33_or_6ml": "33 % or 6 mL or more",
    "he_12_5ml": "12.5 mL or more",
}
BLOCK = re.compile(r"(<!-- figures:(\w+) -->\n).*?(<!-- /figures -->)", re.DOTALL)


def segmentation() -> str:
    """Masks on real patients, as triage makes them."""
    found = {split: _read(RESULTS / "evaluation" / f"masks_{split}.json") for split in REAL_SPLITS}
    scores = {split: one["scores"] for split, one in found.items()}

    def row(name: str, key: str, figure: str, form: str, scale: float = 1.0) -> list[str]:
        return [name, *(format(scores[one][key][figure] * scale, form) for one in REAL_SPLITS)]

    return _table(
        (
            "Masks on real slices, derived reference without its faults",
            *(f"{found[split]['patients']} {split} patients" for split in REAL_SPLITS),
        ),
        [
            [
                "Dice per patient, mean (95 % interval)",
                *(_with_interval(scores[split]["dice"]) for split in REAL_SPLITS),
            ],
            row("Dice per patient, worst", "dice", "smallest", ".3f"),
            row("Volume error, median", "volume_error_percent", "median", ".1%", 0.01),
            row("False blood on blood-free slices, mean, mL", "false_ml", "mean", ".3f"),
        ],
    )


def classifier() -> str:
    """Markers of held-out studies, on the masks that the segmenter predicts."""
    scored = _read(RESULTS / "evaluation" / "markers.json")["markers"]
    studies = sum(next(iter(scored.values()))["patients"].values())
    rows = []
    for marker in MARKERS:
        scores = scored[marker.code]["scores"]
        rows.append(
            (
                marker.name_en,
                _with_interval(scores["auc"], key="value"),
                f"{scores['sensitivity']['value']:.2f}",
                f"{scores['specificity']['value']:.2f}",
                f"{scores['ece_equal_mass']['value']:.3f}",
                f"{scores['ece_equal_width']['value']:.3f}",
            )
        )
    return _table(
        (
            "Markers of synthetic haematomas never trained on",
            f"AUC of {studies} studies (95 % interval)",
            "Sensitivity",
            "Specificity",
            "ECE, equal mass",
            "ECE, equal width",
        ),
        rows,
    )


def growth() -> str:
    """Answers on expansion where the truth is known."""
    files = {"drawn heads": "growth.json", "real slices": "growth_inserted.json"}
    rows = []
    for where, file in files.items():
        report = _read(RESULTS / file)
        for code, one in report["definitions"].items():
            rows.append(
                (
                    f"{EXPANSION[code]}, {where}",
                    str(one["clear_pairs"]),
                    f"{one['right_by_point_estimate']:.1%}",
                    f"{one['indeterminate']:.1%}",
                    f"{one['right_among_decided']:.1%}",
                )
            )
    return _table(
        (
            "Expansion of synthetic haematomas",
            "Pairs not within 5 points of the limit",
            "Right by the measured growth alone",
            "Answered indeterminate",
            "Right among yes and no",
        ),
        rows,
    )


def validation() -> str:
    """What int8 costs in accuracy: the written programs beside the trained networks."""
    report = _read(RESULTS / "validation.json")
    rows = [
        (
            one["gate"],
            "not estimable" if one["value"] is None else f"{one['value']:.4f}",
            f"{'at least' if one['at_least'] else 'at most'} {one['limit']:g}",
        )
        for one in report["gates"]
    ]
    return _table((f"Bundle, recipe `{report['recipe']}`", "Measured", "Gate"), rows)


def parity() -> str:
    """Exported int8 graphs against the trained networks."""
    manifest = _read(MODELS / "manifest.json")
    # Not the manifest's own: temperatures may have been fitted anew since the export.
    found = _read(RESULTS / "validation.json")["parity"]
    size = (manifest["segmenter"]["bytes"] + manifest["classifier"]["bytes"]) / 1e6
    return _table(
        ("Export", f"int8 against float32, recipe `{manifest['recipe']}`"),
        [
            ("Verified on", f"{found['slices']} slices: {found['source']}"),
            ("Mask Dice", f"{found['mask_dice']:.4f}"),
            ("Marker probability, 95th percentile of the difference", f"{found['marker_p95']:.4f}"),
            ("Marker probability, largest difference", f"{found['marker_max']:.4f}"),
            ("Size of both graphs", f"{size:.1f} MB"),
        ],
    )


def study() -> str:
    """A whole study in a fresh process."""
    report = _read(RESULTS / "study.json")
    median = report["median"]
    machine = report["provenance"]["machine"]
    return _table(
        (
            f"A study of {median['slices']:.0f} slices",
            f"{machine['processor']}, {report['threads']} threads",
        ),
        [
            ("Start-up", f"{median['start_up_seconds']:.1f} s"),
            ("DICOM to result", f"{median['study_seconds']:.2f} s"),
            ("Peak memory, torch included", f"{median['peak_mib']:.0f} MiB"),
        ],
    )


def app() -> str:
    """What the app promises, as measured on the real app."""
    folder = RESULTS / "app"
    return f"{_table(app_table.HEAD, app_table.rows(folder))}\n\n{app_table.machine(folder)}"


FIGURES: dict[str, Callable[[], str]] = {
    "segmentation": segmentation,
    "classifier": classifier,
    "growth": growth,
    "validation": validation,
    "parity": parity,
    "study": study,
    "app": app,
}


def render(text: str) -> str:
    """The text with every block of figures replaced."""
    return BLOCK.sub(lambda m: f"{m[1]}{FIGURES[m[2]]()}\n{m[3]}", text)


def outdated() -> dict[Path, str]:
    """The documents whose figures differ from the result files, with the text they should have."""
    texts = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}
    return {path: new for path, old in texts.items() if (new := render(old)) != old}


def main(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail if it would.")
    ] = False,
) -> None:
    """Fill the figures of README and model card."""
    changed = outdated()
    if check and changed:
        names = ", ".join(path.name for path in changed)
        typer.echo(
            f"{names}: figures differ from the results; run python -m benchmarks.pages.readme",
            err=True,
        )
        raise typer.Exit(1)
    for path, text in changed.items():
        write_whole(path, text)


def _with_interval(figure: dict[str, Any], *, key: str = "mean") -> str:
    low, high = figure["interval"]
    return f"{figure[key]:.3f} ({low:.3f} to {high:.3f})"


def _read(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    typer.run(main)

"""Fill the figures of README and model card from the result files; `--check` fails where they differ.

    python -m benchmarks.readme [--check]

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

from hemx_core.markers import MARKERS

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
MODELS = ROOT / "mobile_app" / "assets" / "models"
DOCUMENTS = (ROOT / "README.md", ROOT / "hemx_core" / "weights" / "MODEL_CARD.md")
BLOCK = re.compile(r"(<!-- figures:(\w+) -->\n).*?(<!-- /figures -->)", re.DOTALL)


def segmentation() -> str:
    """Stage 1 on real validation patients."""
    report = _read(RESULTS / "training" / "segmentation.json")
    scores = report["validation"]
    return _table(
        (
            "Stage 1, real slices",
            f"{scores['patients']} validation patients, derived reference without its faults",
        ),
        [
            ("Dice per patient, mean", f"{scores['dice_mean']:.3f}"),
            ("Dice per patient, worst", f"{scores['dice_worst']:.3f}"),
            ("Volume error, median", f"{scores['volume_error_median']:.1%}"),
            ("False blood on blood-free slices, mean", f"{scores['false_ml_mean']:.3f} mL"),
        ],
    )


def classifier() -> str:
    """Stage 2 on held-out studies, on the masks that the segmenter predicts."""
    test = _read(RESULTS / "training" / "classifier.json")["test"]
    rows = []
    for marker in MARKERS:
        score = test["predicted_mask"][marker.code]
        low, high = score["patient_auc_95"]
        rows.append(
            (
                marker.name_en,
                f"{score['patient_auc']:.3f} ({low:.3f} to {high:.3f})",
                f"{score['sensitivity']:.2f}",
                f"{score['specificity']:.2f}",
            )
        )
    return _table(
        (
            "Stage 2, synthetic haematomas never trained on",
            f"AUC of {test['patients']} studies (95 % interval)",
            "Sensitivity",
            "Specificity",
        ),
        rows,
    )


def parity() -> str:
    """Exported int8 graphs against the trained networks."""
    manifest = _read(MODELS / "manifest.json")
    found = manifest["parity"]
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


FIGURES: dict[str, Callable[[], str]] = {
    "segmentation": segmentation,
    "classifier": classifier,
    "parity": parity,
    "study": study,
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
            f"{names}: figures differ from the results; run python -m benchmarks.readme", err=True
        )
        raise typer.Exit(1)
    for path, text in changed.items():
        draft = path.with_suffix(".tmp")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)


def _read(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    typer.run(main)

"""The validation record as Markdown and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hemx_core.files import write_whole

MIB = 2**20
GOOD, BAD, FLOAT_COLOUR = "#1f4e79", "#b22222", "#999999"


def write_validation(record: dict[str, Any], path: Path) -> tuple[Path, Path]:
    """Write Markdown and picture beside the JSON file, each whole or not at all.

    Args:
        record: from `validation_record`, with its provenance.
        path: of the JSON file.
    Returns:
        The two files.
    """
    text, picture = path.with_suffix(".md"), path.with_suffix(".png")
    save_plot(record, picture)
    write_whole(text, markdown(record, picture.name))
    return text, picture


def markdown(record: dict[str, Any], picture: str) -> str:
    """The report's text; made from the record alone."""
    origin, source = record["provenance"], record.get("source")
    verdict = "passed" if record["passed"] else "FAILED"
    lines = [
        f"# Validation of a bundle, recipe {record['recipe']}: {verdict}",
        "",
        f"Commit {origin['commit'] or 'unknown'}, {origin['created_at']}, "
        f"{origin['machine']['processor']}. Parity on {record['parity']['slices']} slices of "
        f"{record['parity']['source']}. Markers on {record['patients']} studies"
        + (f" of {source['name']} ({source['patients']} in all)." if source else "."),
        "",
        "## Gates",
        "",
        *_table(("gate", "value", "limit", ""), [_gate(gate) for gate in record["gates"]]),
        *_accuracy(record),
        *_programs(record),
        "",
        f"![gates and AUC]({picture})",
        "",
    ]
    return "\n".join(lines)


def save_plot(record: dict[str, Any], path: Path) -> None:
    """The gates' use and the loss of AUC, as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _draw_gates(left, record["gates"])
    _draw_auc(right, record["markers"])
    write_whole(path, lambda stream: figure.savefig(stream, format="png", dpi=110))


def _gate(gate: dict[str, Any]) -> tuple[str, ...]:
    value = "not estimable" if gate["value"] is None else f"{gate['value']:.4f}"
    limit = f"{'at least' if gate['at_least'] else 'at most'} {gate['limit']:g}"
    return gate["gate"], value, limit, "" if gate["passed"] else "**FAILED**"


def _accuracy(record: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    masks = record["masks"]
    if masks:
        rows = [
            (
                way,
                *(f"{masks[way][key]:.4f}" for key in ("dice_mean", "dice_worst", "false_ml_mean")),
            )
            for way in ("trained", "exported")
        ]
        lines += ["", f"## Masks, {masks['patients']} patients", ""]
        lines += _table(("", "mean Dice", "worst Dice", "false mL a patient"), rows)
        lines += [
            "",
            f"Volumes differ by {masks['volume_difference_ml_mean']:.4f} mL on average, at most "
            f"{masks['volume_difference_ml_worst']:.4f} mL.",
        ]
    if record["markers"]:
        rows = [
            (code, _number(r["trained"]), _number(r["exported"]), _interval(r), f"{r['present']}")
            for code, r in record["markers"].items()
        ]
        lines += ["", "## Markers, AUC per study", ""]
        lines += _table(("marker", "trained", "exported", "loss (95 %)", "with marker"), rows)
    parity = record["parity"]
    lines += [
        "",
        f"Pixel probabilities differ by {parity['probability_mean']:.5f} on average and "
        f"{parity['probability_max']:.4f} at most; marker probabilities by "
        f"{parity['marker_mean']:.5f} on average and {parity['marker_max']:.4f} at most.",
    ]
    return lines


def _programs(record: dict[str, Any]) -> list[str]:
    rows = [
        (
            name,
            f"{100 * program['coverage']:.0f} %",
            f"{sum(program['nodes'].values())}",
            ", ".join(f"{count} {kind}" for kind, count in program["matrix_nodes"].items()),
            f"{program['planned_bytes'] / 2**10:.0f}",
            f"{program['activation_peak_bytes'] / MIB:.1f}",
        )
        for name, program in record["programs"].items()
    ]
    heads = ("program", "in XNNPACK", "nodes", "matrix nodes", "planned, KiB", "activations, MiB")
    sizes = ", ".join(f"{name} {size / MIB:.2f}" for name, size in record["files"].items())
    return [
        "",
        "## Programs",
        "",
        *_table(heads, rows),
        "",
        "Activations: most that is alive at once by the delegate's graph, an upper bound.",
        "",
        f"Files, MiB: {sizes}; together {sum(record['files'].values()) / MIB:.2f}.",
    ]


def _draw_gates(axes: Any, gates: list[dict[str, Any]]) -> None:
    known = [gate for gate in gates if gate["value"] is not None and not gate["at_least"]]
    used = [gate["value"] / gate["limit"] if gate["limit"] else 0.0 for gate in known]
    colours = [GOOD if gate["passed"] else BAD for gate in known]
    axes.barh([gate["gate"] for gate in known], used, color=colours)
    axes.axvline(1.0, color=BAD, linewidth=1)
    axes.invert_yaxis()
    axes.tick_params(labelsize=7)
    axes.set_title("share of each gate that is used (1: its limit)", fontsize=9)


def _draw_auc(axes: Any, markers: dict[str, Any]) -> None:
    known = {code: row for code, row in markers.items() if row["drop"] is not None}
    axes.set_title("loss of AUC, with 95 % interval over patients", fontsize=9)
    if not known:
        axes.text(0.5, 0.5, "not estimable", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    for place, row in enumerate(known.values()):
        low, high = row["drop_95"]
        axes.plot([low, high], [place, place], color=GOOD, linewidth=3, solid_capstyle="butt")
        axes.plot(row["drop"], place, "o", color=GOOD)
    axes.axvline(0.0, color=FLOAT_COLOUR, linewidth=1)
    axes.set_yticks(range(len(known)), list(known), fontsize=8)
    axes.set_ylim(len(known) - 0.5, -0.5)


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _number(value: float | None) -> str:
    return "not estimable" if value is None else f"{value:.4f}"


def _interval(row: dict[str, Any]) -> str:
    if row["drop"] is None:
        return "not estimable"
    low, high = row["drop_95"]
    return f"{row['drop']:.4f} ({low:.4f} to {high:.4f})"

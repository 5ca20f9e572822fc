"""A report as Markdown, from its JSON alone."""

from __future__ import annotations

from typing import Any

from benchmarks.paper.report import KEY


def markdown(report: dict[str, Any]) -> str:
    """The whole report: heading, how it was run, and a table for each section."""
    parts = [f"# {report['title']}", run_line(report)]
    parts += [section_table(section) for section in report["sections"]]
    return "\n\n".join(parts)


def run_line(report: dict[str, Any]) -> str:
    """One paragraph on scale, seeds, machine and commit."""
    made, scale = report["provenance"], report["scale"]
    unet = scale["unet"]
    seeds = ", ".join(str(seed) for seed in report["seeds"])
    return (
        f"Scale `{scale['name']}`: grid {scale['grid']} × {scale['grid']}, U-Net width {unet['width']:g} and "
        f"depth {unet['depth']:g}, (Wavelet) VGG16 width {scale['vgg_width']:g} (1 is the paper's); seeds "
        f"{seeds}; {report['minutes']:.0f} minutes of jobs on {made['machine']['processor']}, "
        f"{report['threads']} thread(s), commit {made['commit']}. {KEY}; in [brackets] the paper's figure, "
        "on data that is not public."
    )


def section_table(section: dict[str, Any]) -> str:
    """Heading, note, the arms and their differences."""
    keys = [key for key, _title in section["columns"]]
    heads = [title for _key, title in section["columns"]]
    lines = [_line(["Arm", *heads]), _line(["---"] * (1 + len(heads)))]
    for row in section["rows"]:
        cells = [_cell(row["cells"].get(key), row["paper"].get(key)) for key in keys]
        lines.append(_line([row["title"], *cells]))
    for row in section["differences"]:
        cells = [_cell(row["cells"].get(key), row["paper"].get(key), sign="+") for key in keys]
        lines.append(_line([f"*{row['title']}*", *cells]))
    return f"## {section['title']}\n\n{section['note']}\n\n" + "\n".join(lines)


def _cell(cell: dict[str, Any] | None, paper: float | None, *, sign: str = "") -> str:
    found = _figure(cell, sign) if cell else ""
    return f"{found} [{paper:{sign}.3f}]".strip() if paper is not None else found


def _figure(cell: dict[str, Any], sign: str) -> str:
    if cell["value"] is None:
        return "not estimable"
    text = f"{cell['value']:{sign}.3f}"
    lower, upper = cell["interval_95"]
    if lower is not None:
        text += f" ({lower:{sign}.3f} to {upper:{sign}.3f})"
    if cell["seed_sd"] is not None:
        text += f" ± {cell['seed_sd']:.3f}"
    if cell["p"] is not None:
        text += f", p = {cell['p']:.3f}" if cell["p"] >= 0.0005 else ", p < 0.001"
    return text


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""Result files as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.markdown import number
from benchmarks.harness.records import MIB, MS, figures_of, threads_name
from hemx_core.files import write_whole
from hemx_core.records import Json

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OUR_COLOUR, OWN_COLOUR, PEER_COLOUR = "#1f4e79", "#7ba0c4", "#c9c9c9"
SHIPPED_COLOUR = "#c55a11"
ROW_INCHES, HEAD_INCHES, PANEL_INCHES = 0.3, 1.2, 4.2
DPI = 130


def plot_peers(
    records: Sequence[Json], path: Path, *, ours: str = "", own: Sequence[str] = ()
) -> None:
    """Bars of a slice's time, a panel for each graph and number of threads; memory beside each bar.

    Args:
        records: of the contest.
        path: of the picture.
        ours: name of the shipped contestant.
        own: names of the contestants that are ours as well.
    """

    def colour(record: Json) -> str:
        name = record["peer"]
        return OUR_COLOUR if name == ours else OWN_COLOUR if name in own else PEER_COLOUR

    measured = [record for record in records if record.get("figures")]
    keys = list(dict.fromkeys((record["subject"], record["threads"]) for record in measured))
    columns = sorted({threads for _, threads in keys})
    subjects = list(dict.fromkeys(subject for subject, _ in keys))
    names = {
        s: list(dict.fromkeys(record["peer"] for record in measured if record["subject"] == s))
        for s in subjects
    }
    heights = [HEAD_INCHES + ROW_INCHES * len(names[subject]) for subject in subjects]
    figure = new_figure(2.6 + PANEL_INCHES * len(columns), sum(heights))
    panels = figure.subplots(
        len(subjects), len(columns), squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    for row, subject in enumerate(subjects):
        for column, threads in enumerate(columns):
            rows = [
                record
                for record in measured
                if (record["subject"], record["threads"]) == (subject, threads)
            ]
            _bars(
                panels[row][column],
                rows,
                f"{subject}, {threads_name(threads)}",
                list(map(colour, rows)),
                named=column == 0,
            )
    save_figure(figure, path)


def plot_strategies(records: Sequence[Json], path: Path) -> None:
    """Study time of every strategy, fastest on top."""
    rows = sorted(records, key=lambda record: figures_of(record)["call"]["median"])
    figure = new_figure(8.0, HEAD_INCHES + ROW_INCHES * len(rows))
    panel = figure.subplots()
    colours = [OUR_COLOUR if row.get("shipped") else PEER_COLOUR for row in rows]
    _bars(panel, rows, "a study, ms (MiB above base)", colours, named=True)
    save_figure(figure, path)


def _bars(
    panel: Axes, rows: Sequence[Json], title: str, colours: Sequence[str], *, named: bool
) -> None:
    times = [figures_of(row)["call"]["median"] for row in rows]
    bars = panel.barh(range(len(rows)), times, color=colours)
    memory = [figures_of(row)["memory"]["median"] for row in rows]
    labels = [
        f"{number(time, MS)}, {number(mib, MIB)}" for time, mib in zip(times, memory, strict=True)
    ]
    panel.bar_label(bars, labels, padding=3, fontsize=7)
    names = [str(row.get("peer", row["what"])) for row in rows]
    panel.set_yticks(range(len(rows)), names if named else [""] * len(rows), fontsize=8)
    panel.invert_yaxis()
    panel.set_xlim(0, 1.45 * max(times))
    panel.set_title(title, fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)


def plot_growth(records: Sequence[Json], path: Path) -> None:
    """Time and memory against each axis of growth, on logarithmic axes, with what the work predicts."""
    axes = list(dict.fromkeys(record["axis"] for record in records))
    figure = new_figure(PANEL_INCHES * len(axes), 6.4)
    panels = figure.subplots(2, len(axes), squeeze=False)
    for column, axis in enumerate(axes):
        rows = sorted(
            (record for record in records if record["axis"] == axis),
            key=lambda record: record["value"],
        )
        values = [row["value"] for row in rows]
        time, memory = panels[0][column], panels[1][column]
        found = [figures_of(row)["call"]["median"] for row in rows]
        time.plot(values, found, "o-", color=OUR_COLOUR, label="measured")
        work = [row["work"] for row in rows]
        time.plot(
            values,
            [found[-1] * amount / work[-1] for amount in work],
            "--",
            color=PEER_COLOUR,
            label=rows[0]["work_name"],
        )
        time.set_ylabel("ms")
        time.legend(fontsize=7)
        memory.plot(
            values,
            [figures_of(row)["memory"]["median"] for row in rows],
            "o-",
            color=OUR_COLOUR,
            label="peak above base",
        )
        if all("volume_mib" in row for row in rows):
            memory.plot(
                values,
                [row["volume_mib"] for row in rows],
                "--",
                color=PEER_COLOUR,
                label="HU volume and mask",
            )
        memory.set_ylabel("MiB")
        memory.legend(fontsize=7)
        for panel in (time, memory):
            panel.set_xscale("log", base=2)
            panel.set_yscale("log")
            panel.set_xlabel(rows[0]["axis_name"])
            panel.set_xticks(values, [f"{value:g}" for value in values])
    save_figure(figure, path)


def plot_pareto(report: Json, path: Path) -> None:
    """Score against time and memory, a row for each front; points are numbered as in the table."""
    from matplotlib.ticker import LogLocator, NullFormatter

    subjects = report["subjects"]
    figure = new_figure(2 * PANEL_INCHES + 1.0, 3.6 * len(subjects))
    panels = figure.subplots(len(subjects), 2, squeeze=False)
    for row, (name, subject) in zip(panels, subjects.items(), strict=True):
        for panel, key, label in (
            (row[0], "call", f"{name}: ms a call, {subject['threads']}"),
            (row[1], "memory", f"{name}: MiB above base"),
        ):
            for place, point in enumerate(subject["points"], 1):
                _point(panel, point, place, point["figures"][subject["threads"]][key]["median"])
            panel.set_xscale("log")
            panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            panel.xaxis.set_major_formatter("{x:g}")
            panel.xaxis.set_minor_formatter(NullFormatter())
            panel.set_xlabel(label, fontsize=8)
            panel.set_ylabel(subject["score_name"], fontsize=8)
            panel.tick_params(which="both", labelsize=7)
            panel.grid(color="#eeeeee")
            panel.set_axisbelow(True)
            panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        "dark and numbered: on the front; circles int8, squares float32; star: ships", fontsize=8
    )
    save_figure(figure, path)


def _point(panel: Axes, point: Json, place: int, cost: float) -> None:
    value, (low, high) = point["score"]["value"], point["score"]["interval"]
    if value is None:
        return
    colour = OUR_COLOUR if point["on_front"] else PEER_COLOUR
    if low is not None:
        panel.plot([cost, cost], [low, high], "-", color=colour, linewidth=0.6, zorder=1)
    panel.plot(
        cost, value, "o" if point["precision"] == "int8" else "s", color=colour, markersize=5
    )
    if point["shipped"]:
        panel.plot(cost, value, "*", color=SHIPPED_COLOUR, markersize=11)
    if point["on_front"] or point["shipped"]:
        panel.annotate(
            str(place), (cost, value), xytext=(4, 4), textcoords="offset points", fontsize=7
        )


def new_figure(width: float, height: float) -> Figure:
    """An empty figure that no window shows; width and height in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure whole, as PNG."""
    write_whole(
        path,
        lambda stream: figure.savefig(stream, dpi=DPI, format="png", metadata={"Software": None}),
    )

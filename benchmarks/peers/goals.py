"""The ratios that the export must reach, computed from the contest's records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.harness.markdown import ABSENT, interval, shown, table
from benchmarks.harness.records import Ratio, ratio_of_medians, summary_of, threads_name
from benchmarks.peers.contest import STUDY
from benchmarks.peers.roster import EAGER, FOLDED, INT8, MAX_POOL, OURS, OURS_ALONE, STOCK
from hemx_core.records import Json

OWN = (OURS, OURS_ALONE, MAX_POOL, STOCK)
RUNTIMES = ("ONNX Runtime", "OpenVINO", "LiteRT")
MIN_DICE, MAX_DIFFERENCE_P95 = 0.95, 0.2
"""A contestant further from torch than that answers something else: its speed is not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A goal and what was measured.

    Args:
        goal: in words.
        threads: of both sides.
        against: the contestant that it was held against.
        ratio: ours over theirs; None where one of the two was not measured.
        limit: the largest ratio that counts as reached.
    """

    goal: str
    threads: int
    against: str
    ratio: Ratio | None
    limit: float

    @property
    def hit(self) -> bool | None:
        """Whether it was reached; None where it was not measured."""
        return None if self.ratio is None else self.ratio.value <= self.limit


def outcomes(records: Sequence[Json]) -> list[Outcome]:
    """Every goal at every number of threads that was measured."""
    measured = [record for record in records if record.get("figures")]
    threads = sorted({record["threads"] for record in measured})
    return [outcome for count in threads for outcome in _at(measured, count)]


def best(
    records: Sequence[Json],
    subject: str,
    threads: int,
    *,
    prefix: str = "",
    precision: str = "",
    folded: bool = True,
) -> Json | None:
    """The fastest contestant that is not ours and answers what torch answers.

    Args:
        records: measured ones.
        subject: segmenter or classifier.
        threads: of its runtime.
        prefix: beginning of its name.
        precision: only this one.
        folded: also those that were given our folded graph.
    """
    fitting = [
        record
        for record in records
        if (record["subject"], record["threads"]) == (subject, threads)
        and record["peer"] not in OWN
        and agrees(record)
        and record["peer"].startswith(prefix)
        and precision in ("", record["precision"])
        and (folded or record["graph"] != FOLDED)
    ]
    return min(fitting, key=lambda record: summary_of(record, "call").median, default=None)


def alone(records: Sequence[Json]) -> dict[int, dict[str, Ratio]]:
    """The segmenter's time over that of each runtime's fastest int8, with a slice a call on both sides.

    Returns:
        By number of threads, then by runtime; what was not measured is left out.
    """
    single = [
        record
        for record in records
        if record.get("figures")
        and record["subject"] == "segmenter"
        and record.get("slices_a_call", 1) == 1
    ]
    found: dict[int, dict[str, Ratio]] = {}
    for ours in single:
        if ours["peer"] != OURS_ALONE:
            continue
        threads = ours["threads"]
        ratios = {
            name: _ratio(
                ours, best(single, "segmenter", threads, prefix=name, precision=INT8), "call"
            )
            for name in RUNTIMES
        }
        found[threads] = {name: ratio for name, ratio in ratios.items() if ratio is not None}
    return found


def agrees(record: Json) -> bool:
    """Whether a contestant's answers are near enough to torch's for its speed to mean anything."""
    found = record.get("accuracy") or {}
    dice, apart = found.get("mask_dice", 1.0), found.get("probability_p95", 0.0)
    return bool(dice >= MIN_DICE and apart <= MAX_DIFFERENCE_P95)


def _at(records: Sequence[Json], threads: int) -> list[Outcome]:
    def own(subject: str, name: str) -> Json | None:
        wanted = (subject, name, threads)
        rows = [
            record
            for record in records
            if (record["subject"], record["peer"], record["threads"]) == wanted
        ]
        return rows[0] if rows else None

    def outcome(
        goal: str, ours: Json | None, theirs: Json | None, limit: float, figure: str = "call"
    ) -> Outcome:
        against = "" if theirs is None else str(theirs["peer"])
        ratio = _ratio(ours, theirs, figure)
        return Outcome(goal=goal, threads=threads, against=against, ratio=ratio, limit=limit)

    segmenter, classifier = own("segmenter", OURS), own("classifier", OURS)
    rival = best(records, "segmenter", threads)
    ort = best(records, "segmenter", threads, prefix="ONNX Runtime", precision=INT8, folded=False)
    openvino = best(records, "segmenter", threads, prefix="OpenVINO", precision=INT8, folded=False)
    return [
        outcome("Segmenter: time, ONNX Runtime int8 as users export it", segmenter, ort, 0.6),
        outcome("Segmenter: time, OpenVINO int8 as users export it", segmenter, openvino, 0.9),
        outcome("Segmenter: time, best peer, our folded graph allowed", segmenter, rival, 1.0),
        outcome("Segmenter: memory above base, best peer", segmenter, rival, 0.35, "memory"),
        outcome("Segmenter: load time, best peer", segmenter, rival, 0.2, "load"),
        outcome(
            "Segmenter: time, naive ExecuTorch int8 export",
            segmenter,
            own("segmenter", STOCK),
            0.65,
        ),
        outcome(
            "Classifier: time, best peer's int8",
            classifier,
            best(records, "classifier", threads, precision=INT8),
            1.0,
        ),
        outcome(
            "Classifier: time, plain max-pool VGG16 through the same export",
            classifier,
            own("classifier", MAX_POOL),
            1.1,
        ),
        outcome(
            "Study of 32 slices: time, the same pipeline in torch eager fp32",
            own(STUDY, OURS),
            own(STUDY, EAGER),
            0.35,
        ),
    ]


def _ratio(ours: Json | None, theirs: Json | None, figure: str) -> Ratio | None:
    if ours is None or theirs is None:
        return None
    above, below = summary_of(ours, figure).rounds, summary_of(theirs, figure).rounds
    if not min(below, default=0.0) > 0:
        return None
    return ratio_of_medians(above, below, paired=True)


def peers_table(records: Sequence[Json], subject: str) -> str:
    """Everyone who ran or should have run a graph; times for every number of threads side by side."""
    rows = [record for record in records if record["subject"] == subject]
    threads = sorted({row["threads"] for row in rows})
    by = {(row["peer"], row["threads"]): row for row in rows}
    measured, absent = [], []
    for name in dict.fromkeys(row["peer"] for row in rows):
        first = by[name, threads[0]]
        if not first.get("figures"):
            absent.append([name, first["status"], *[ABSENT] * (len(threads) + 4)])
            continue
        times = [shown(by[name, count], "call", p95=True) for count in threads]
        rest = [shown(first, figure) for figure in ("first", "load", "memory", "size")]
        measured.append([name, accuracy(first), *times, *rest])
    times = [f"{threads_name(count)}, median (p95)" for count in threads]
    rest = ["first call", "load", "memory above base", "files"]
    return table(["", "against torch fp32", *times, *rest], [*measured, *absent])


def accuracy(record: Json) -> str:
    """How far a contestant's answers are from torch's."""
    found = record.get("accuracy")
    if not found:
        return ABSENT
    if "mask_dice" in found:
        text = f"Dice {found['mask_dice']:.4f}"
    else:
        text = f"p95 {found['probability_p95']:.2g}, max {found['probability_max']:.2g}"
    return text if agrees(record) else f"{text}: **not the same answers, speed not compared**"


def goals_table(outcomes: Sequence[Outcome]) -> str:
    """Every goal with its ratio, reached or missed."""
    words = {True: "reached", False: "**missed**", None: "not measured"}
    return table(
        ["ours over theirs", "against", "threads", "goal", "ratio (95 % interval)", ""],
        [
            [
                outcome.goal,
                outcome.against or ABSENT,
                outcome.threads,
                f"≤ {outcome.limit:g}",
                _told(outcome.ratio),
                words[outcome.hit],
            ]
            for outcome in outcomes
        ],
    )


def _told(ratio: Ratio | None) -> str:
    return ABSENT if ratio is None else interval(ratio.value, ratio.low, ratio.high, ".2f")

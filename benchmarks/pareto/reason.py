"""Where the shipped point stands and why, in sentences made from the figures alone."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
FEW = 3
"""Points that a sentence names; the table has the others."""


def reason(subject: Json) -> list[str]:
    """Sentences on one front, as `subject_report` made it."""
    points = [one for one in subject["points"] if one["score"]["value"] is not None]
    front = [one for one in points if one["on_front"]]
    first = (
        f"{len(front)} of {len(points)} points are on the front of {subject['score_name']}, time and "
        f"memory ({subject['threads']})."
    )
    shipped = next((one for one in points if one["shipped"]), None)
    if shipped is None:
        return [first, "The shipped point is not among them, so nothing is said of it."]
    best = max(points, key=lambda one: one["score"]["value"])
    cheaper = [one for one in front if _faster(one) and not _worse(one)]
    return [
        first,
        _standing(shipped, points, subject["score_name"]),
        _best(best, shipped, subject["score_name"]),
        _cheaper(cheaper, front, subject["score_name"]),
        _verdict(shipped, points, cheaper),
    ]


def compared(point: Json) -> str:
    """A point against the shipped one: score, time and memory, in words."""
    time = point["time_ratio"]
    low_high = f"{time['low']:.2f} to {time['high']:.2f}"
    memory = point["memory_ratio"]
    return (
        f"{_difference(point)}, {time['value']:.2f} × its time ({low_high})"
        f"{'' if memory is None else f', {memory:.2f} × its memory'}"
    )


def _standing(shipped: Json, points: list[Json], score: str) -> str:
    if shipped["on_front"]:
        return (
            f"The shipped point ({shipped['name']}) is on it: no other point has at least its "
            f"{score} at no more time and no more memory."
        )
    names = shipped["dominated_by"]
    several = [one for name in names[:FEW] for one in points if one["name"] == name]
    told = "; ".join(f"{one['name']} ({compared(one)})" for one in several)
    more = f"; and {len(names) - FEW} more" if len(names) > FEW else ""
    count = "1 point has" if len(names) == 1 else f"{len(names)} points have"
    return (
        f"The shipped point ({shipped['name']}) is not on it: {count} at least its {score} at no "
        f"more time and no more memory: {told}{more}."
    )


def _best(best: Json, shipped: Json, score: str) -> str:
    if best["score"]["value"] <= shipped["score"]["value"]:
        return f"No point has a higher {score}."
    return f"The highest {score} is that of {best['name']}: {compared(best)}."


def _cheaper(cheaper: list[Json], front: list[Json], score: str) -> str:
    if not any(_faster(one) for one in front):
        return "No point on the front is faster."
    if not cheaper:
        return f"Every faster point on the front has a lower {score}, shown by its interval."
    ordered = sorted(cheaper, key=lambda one: -one["score"]["value"])
    told = "; ".join(f"{one['name']} ({compared(one)})" for one in ordered[:FEW])
    more = f"; and {len(ordered) - FEW} more" if len(ordered) > FEW else ""
    return f"Faster on the front, and not shown to have a lower {score}: {told}{more}."


def _verdict(shipped: Json, points: list[Json], cheaper: list[Json]) -> str:
    better = [one for one in points if (_interval(one)[0] or 0.0) > 0]
    for one in better:
        if one["name"] in shipped["dominated_by"]:
            return (
                f"So the figures speak against the shipped point: {one['name']} is shown to be better and "
                "costs no more."
            )
    if better:
        least = min(better, key=lambda one: float(one["time_ratio"]["value"]))
        return (
            f"So the shipped point is a compromise: {least['name']} is shown to be better, by "
            f"{compared(least)}."
        )
    if cheaper:
        return (
            "So these figures do not tell the shipped point from faster ones: those are the candidates "
            "for the next recipe, once trained as long as the shipped weights were."
        )
    if shipped["on_front"]:
        return "So it ships: nothing is shown to be better, and nothing faster is as good."
    return "So the figures do not speak for it: what dominates it deserves a full training."


def _difference(point: Json) -> str:
    value = point["against_shipped"]["value"]
    low, high = _interval(point)
    if value is None:
        return "difference not estimable"
    if low is None or high is None:
        return f"{value:+.3f} (no interval)"
    includes = "includes 0" if low <= 0 <= high else "excludes 0"
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f}, {includes})"


def _interval(point: Json) -> tuple[float | None, float | None]:
    low, high = point["against_shipped"]["interval"]
    return low, high


def _faster(point: Json) -> bool:
    """Faster than the shipped point beyond the rounds' noise."""
    return not point["shipped"] and bool(point["time_ratio"]["high"] < 1)


def _worse(point: Json) -> bool:
    """Shown to score lower than the shipped point."""
    high = _interval(point)[1]
    return high is not None and high < 0
